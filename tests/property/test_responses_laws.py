from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.responses import OpenAiResponsesCodec
from pi.ai.providers.responses_input import wire_id
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)
from pi.base.errors import PiError
from tests.fakes.examples import few

CODEC = OpenAiResponsesCodec()
OPTIONS = Options("http://x/v1", "sk-key-1234")
CHAT = ChatRequest("m", "", (), (ToolDefinition("read", "", {}),))
REASONS = {"stop", "tool_use", "length", "refusal", "error", "aborted"}

ANY_TEXT = st.text(max_size=8)
NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
ANY_JSON = st.recursive(
    st.one_of(NUMBERS, ANY_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ANY_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = [
    "output_item.added", "output_item.done", "output_text.delta", "output_text.done",
    "refusal.delta", "reasoning_summary_text.delta", "reasoning_text.delta",
    "function_call_arguments.delta", "function_call_arguments.done", "completed", "incomplete",
    "failed", "created",
]  # fmt: skip
WORDS = st.sampled_from(
    ["", "message", "reasoning", "function_call", "i", "j", "read", "{", "{}", "completed",
     "incomplete", "\ud83d", "\ude00", '{"a":1}', "refusal"]
)  # fmt: skip
KEYS = st.sampled_from(
    ["type", "item", "item_id", "id", "output_index", "summary_index", "delta", "text", "arguments",
     "name", "call_id", "content", "summary", "encrypted_content", "refusal", "response", "output",
     "status", "usage", "input_tokens", "input_tokens_details", "error", "incomplete_details",
     "reason", "message", "code", "phase"]
)  # fmt: skip
WIRE_LIKE = st.recursive(
    st.one_of(NUMBERS, WORDS, st.integers(0, 2)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=20,
)
PIECE_OF_A_STREAM = st.builds(
    lambda kind, fields: {**fields, "type": f"response.{kind}"},
    st.sampled_from(KINDS),
    st.dictionaries(KEYS, WIRE_LIKE, max_size=6),
)
ITEMS = [
    {"type": "reasoning", "id": "i", "summary": [{"type": "summary_text", "text": "hm"}],
     "encrypted_content": "e", "content": [{"type": "reasoning_text", "text": "x"}]},
    {"type": "message", "id": "j", "phase": "final_answer",
     "content": [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "b"}]},
    {"type": "function_call", "id": "k", "call_id": "c", "name": "read", "arguments": "{}",
     "status": "completed"},
]  # fmt: skip
RESPONSE = {
    "id": "r",
    "status": "incomplete",
    "incomplete_details": {"reason": "max_output_tokens"},
    "error": {"code": "server_error", "message": "m"},
    "output": ITEMS,
    "usage": {
        "input_tokens": 3,
        "input_tokens_details": {"cached_tokens": 1, "cache_write_tokens": 1},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 1},
    },
}
REAL: list[dict[str, Any]] = [
    {"type": "response.output_item.added", "output_index": n, "item": item}
    for n, item in enumerate(ITEMS)
]
REAL += [{**event, "type": "response.output_item.done"} for event in REAL]
REAL += [
    {
        "type": f"response.{kind}",
        "item_id": "k",
        "output_index": 2,
        "delta": "{",
        "summary_index": 0,
    }
    for kind in KINDS
    if kind.endswith("delta")
]
REAL += [{"type": f"response.{kind}", "response": RESPONSE} for kind in KINDS[-4:]]


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Where in ``value`` something can be replaced."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [(key, *rest) for key, inner in items for rest in [(), *paths(inner)]]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = new
    return value


MUTATED = st.sampled_from(REAL).flatmap(
    lambda event: st.builds(
        replaced, st.just(event), st.sampled_from(paths(event)), st.one_of(ANY_JSON, WIRE_LIKE)
    )
)
CHUNKS = st.one_of(st.sampled_from(REAL), PIECE_OF_A_STREAM, MUTATED, ANY_JSON, WIRE_LIKE)


def check(reply: Reply) -> None:
    """A reply is consistent, and can be written and sent again."""
    assert reply.stop_reason in REASONS
    assert reply.message.stop_reason == reply.stop_reason
    assert (reply.error is not None) == (reply.stop_reason in ("error", "aborted"))
    assert min(reply.usage) >= 0
    calls = reply.message.tool_calls()
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id and call.name for call in calls)
    for block in reply.message.blocks:
        json.dumps(block, ensure_ascii=False, allow_nan=False).encode("utf-8")
    again = reply.message._replace(stop_reason="stop")
    body = CODEC.encode(CHAT._replace(messages=prepare((again,))), OPTIONS).body
    json.loads(body.decode("utf-8"), parse_constant=AssertionError)
    if reply.error is not None:
        assert all(line.isprintable() for line in reply.error.lines())


@settings(max_examples=few(250), deadline=None)
@given(
    chunks=st.lists(CHUNKS, max_size=8),
    name=st.sampled_from(["message", "error", "response.failed"]),
)
def test_no_json_in_a_stream_is_too_odd_for_the_decoder(chunks: list[Any], name: str) -> None:
    """any JSON values, in any order: no exception, one consistent reply"""
    decoder = CODEC.decoder(CHAT, OPTIONS)
    for chunk in chunks:
        decoder.feed([ServerEvent(name, json.dumps(chunk))])
    check(decoder.finish())


@settings(max_examples=few(300), deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=50),
        st.one_of(
            ANY_JSON,
            WIRE_LIKE,
            st.builds(replaced, st.just(RESPONSE), st.sampled_from(paths(RESPONSE)), WIRE_LIKE),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
def test_no_body_is_too_odd_for_the_codec(body: bytes) -> None:
    """any bytes as an answer, an error or a refusal: no exception, one consistent reply"""
    check(CODEC.decode(body, CHAT, OPTIONS))
    for status in (400, 404, 422, 500):
        assert isinstance(CODEC.decode_error(status, {}, body, CHAT, OPTIONS), PiError)
        CODEC.adapt(status, body, CHAT, OPTIONS)


@settings(max_examples=few(200), deadline=None)
@given(chunks=st.lists(CHUNKS, max_size=6), size=st.integers(1, 60), ascii_only=st.booleans())
def test_how_a_stream_is_sliced_does_not_matter(
    chunks: list[Any], size: int, ascii_only: bool
) -> None:
    """the reply, and the text and pieces shown, depend on the bytes alone"""
    rows = [json.dumps(chunk, ensure_ascii=ascii_only) for chunk in chunks]
    raw = "".join(f"data: {row}\n\n" for row in rows).encode("utf-8", "surrogatepass")

    def read(step: int) -> tuple[Any, ...]:
        sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
        out: list[Any] = []
        for at in range(0, len(raw), step):
            out += decoder.feed(sse.feed(raw[at : at + step]))
        out += decoder.feed(sse.finish())
        reply = decoder.finish()
        error = reply.error.lines() if reply.error else None
        return (
            repr(reply._replace(error=None)),
            error,
            "".join(event.text for event in out if isinstance(event, TextDelta)),
            "".join(event.text for event in out if isinstance(event, ThinkingDelta)),
            pieces_by_position(out),
        )

    assert read(size) == read(len(raw) or 1)


def pieces_by_position(out: list[Any]) -> dict[int, str]:
    found: dict[int, str] = {}
    for event in out:
        if isinstance(event, CallDelta):
            found[event.position] = found.get(event.position, "") + event.json_piece
    return found


ARGUMENTS = st.dictionaries(ANY_TEXT, st.one_of(ANY_TEXT, st.integers()), max_size=2)
VENDOR = st.one_of(
    st.none(),
    st.just({"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}),
    st.just({"type": "reasoning", "id": "rs" * 99, "encrypted_content": "e"}),
)
SIGNATURES = st.one_of(st.none(), ANY_TEXT, st.just('{"id":"m","phase":"commentary"}'))
BLOCKS = st.one_of(
    st.builds(Text, ANY_TEXT, SIGNATURES),
    st.builds(lambda text, vendor: Thinking(text, vendor=vendor), ANY_TEXT, VENDOR),
    st.builds(
        lambda i, a, item: ToolCall(i, "read", a, item_id=item),
        ANY_TEXT,
        ARGUMENTS,
        st.one_of(st.none(), st.just("fc_1"), ANY_TEXT),
    ),
)
HISTORY = st.lists(
    st.one_of(
        st.builds(user_message, ANY_TEXT),
        st.builds(lambda text: Message("user", (Text(text), Image("image/png", "eA=="))), ANY_TEXT),
        st.builds(lambda blocks: Message("assistant", tuple(blocks)), st.lists(BLOCKS, max_size=4)),
    ),
    max_size=6,
).map(tuple)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY, more=HISTORY)
def test_requests_are_append_only_and_repeatable(
    history: tuple[Message, ...], more: tuple[Message, ...]
) -> None:
    """encode(h) == encode(h), UTF-8, and a prefix of encode(h + more) up to its closing"""
    history = (*prepare(history), user_message("go"))
    short = CODEC.encode(CHAT._replace(messages=history), OPTIONS).body
    long = CODEC.encode(CHAT._replace(messages=history + prepare(more)), OPTIONS).body
    assert short == CODEC.encode(CHAT._replace(messages=history), OPTIONS).body
    assert long.startswith(short[: -len(b"]}")])
    json.loads(long.decode("utf-8"))


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY)
def test_what_is_sent_back_is_what_the_vendor_accepts(history: tuple[Message, ...]) -> None:
    """reasoning precedes an item of its answer; calls and results pair; ids fit"""
    body = json.loads(CODEC.encode(CHAT._replace(messages=prepare(history)), OPTIONS).body)
    items = body["input"]
    for item, following in zip(items, [*items[1:], {}]):
        if item.get("type") == "reasoning":
            assert following.get("type") in ("reasoning", "message", "function_call") or (
                following.get("role") == "assistant"
            )
            assert isinstance(item["summary"], list)
        for key in ("id", "call_id"):
            assert 0 < len(item.get(key, "x")) <= 64
    calls = [item["call_id"] for item in items if item.get("type") == "function_call"]
    results = [item["call_id"] for item in items if item.get("type") == "function_call_output"]
    assert calls == results


@settings(max_examples=few(300), deadline=None)
@given(one=ANY_TEXT, other=ANY_TEXT)
def test_ids_are_mapped_one_to_one(one: str, other: str) -> None:
    """a mapped id fits, is stable under mapping, and differs from any other's"""
    mapped = wire_id(one, "call")
    assert wire_id(mapped, "call") == mapped
    assert 0 < len(mapped) <= 64
    assert (mapped == wire_id(other, "call")) == (one == other)


@settings(max_examples=few(200), deadline=None)
@given(call_id=st.text(max_size=90), item_id=st.text(max_size=90))
def test_a_call_and_its_result_keep_the_same_id(call_id: str, item_id: str) -> None:
    """whatever the id, the result names the call"""
    call = ToolCall(call_id or "c", "read", {}, item_id=item_id)
    messages = (Message("assistant", (call,)), tool_message(call, "ok"))
    made, result = json.loads(CODEC.encode(CHAT._replace(messages=messages), OPTIONS).body)["input"]
    assert made["call_id"] == result["call_id"]
