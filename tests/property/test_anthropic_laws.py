from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.providers.anthropic import AnthropicCodec
from pi.ai.providers.codec import Change, Options, Traits
from pi.ai.sse import ServerEvent
from pi.ai.types import ChatRequest, Message, Reply, Text, Thinking, ToolCall, ToolDefinition
from pi.base.errors import PiError
from tests.fakes.examples import few

CODEC = AnthropicCodec()
OPTIONS = Options("https://api.anthropic.com/v1", "sk-key-1234", provider="anthropic")
PLAIN = OPTIONS._replace(cache_retention="none")
CHAT = ChatRequest("m", "be good", (), (ToolDefinition("read", "", {}),))
REASONS = {"stop", "tool_use", "length", "refusal", "pause", "error", "aborted"}

ANY_TEXT = st.text(max_size=8)
NUMBERS = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
ANY_JSON = st.recursive(
    st.one_of(NUMBERS, ANY_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(ANY_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["type", "index", "content_block", "delta", "message", "content", "text", "thinking",
     "signature", "data", "id", "name", "input", "partial_json", "usage", "input_tokens",
     "output_tokens", "cache_creation", "output_tokens_details", "thinking_tokens", "stop_reason",
     "stop_details", "explanation", "error"]
)  # fmt: skip
WORDS = st.sampled_from(
    ["", "text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "text_delta",
     "thinking_delta", "signature_delta", "input_json_delta", "message_start",
     "content_block_start", "content_block_delta", "content_block_stop", "message_delta",
     "message_stop", "error", "end_turn", "refusal", "read", "{", '{"a":1}', "\ud83d", "\ude00"]
)  # fmt: skip
WIRE_LIKE = st.recursive(
    st.one_of(NUMBERS, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)
USAGE = {
    "input_tokens": 3,
    "output_tokens": 2,
    "cache_creation": {"ephemeral_5m_input_tokens": 1},
    "output_tokens_details": {"thinking_tokens": 1},
}
CALL = {"type": "tool_use", "id": "t", "name": "read", "input": {"a": 1}}
THOUGHT = {"type": "thinking", "thinking": "", "signature": "s"}
REAL_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "usage": USAGE}},
    {"type": "content_block_start", "index": 0, "content_block": THOUGHT},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "thinking_delta", "thinking": "h"}},
    {"type": "content_block_delta", "index": 0,
     "delta": {"type": "signature_delta", "signature": "s"}},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "x"}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "a"}},
    {"type": "content_block_stop", "index": 1},
    {"type": "content_block_start", "index": 2, "content_block": CALL},
    {"type": "content_block_delta", "index": 2,
     "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "content_block_start", "index": 3,
     "content_block": {"type": "redacted_thinking", "data": "d"}},
    {"type": "message_delta", "usage": USAGE,
     "delta": {"stop_reason": "refusal", "stop_details": {"explanation": "no"}}},
    {"type": "message_stop"},
]  # fmt: skip
REAL_BODY = {
    "id": "m",
    "content": [THOUGHT, {"type": "text", "text": "x"}, CALL],
    "stop_reason": "tool_use",
    "usage": USAGE,
}


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


ODD = st.one_of(ANY_JSON, WIRE_LIKE)
MUTATED_STREAMS = st.builds(
    replaced, st.just(REAL_EVENTS), st.sampled_from(paths(REAL_EVENTS)), ODD
)
STREAMS = st.one_of(
    st.lists(ODD, max_size=5),
    MUTATED_STREAMS,
    st.lists(st.sampled_from(REAL_EVENTS), max_size=12),
    st.permutations(REAL_EVENTS),
)
BODIES = st.one_of(
    ODD, st.builds(replaced, st.just(REAL_BODY), st.sampled_from(paths(REAL_BODY)), ODD)
)
RAW_BODIES = st.one_of(st.binary(max_size=60), BODIES.map(lambda value: json.dumps(value).encode()))


def check(reply: Reply) -> None:
    """A reply is consistent, and can be written and sent again."""
    assert reply.stop_reason in REASONS
    assert reply.message.stop_reason == reply.stop_reason
    assert (reply.error is not None) == (reply.stop_reason in ("error", "aborted"))
    assert min(reply.usage) >= 0
    assert reply.usage.reasoning <= reply.usage.output
    calls = reply.message.tool_calls()
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id and call.name for call in calls)
    again = reply.message._replace(stop_reason="stop")
    body = CODEC.encode(CHAT._replace(messages=prepare((again,))), OPTIONS).body
    json.loads(body.decode("utf-8"), parse_constant=AssertionError)
    if reply.error is not None:
        assert all(line.isprintable() for line in reply.error.lines())


@settings(max_examples=few(600), deadline=None)
@given(chunks=STREAMS, name=st.sampled_from(["message", "error", "content_block_delta"]))
def test_any_chunks_are_taken_or_reported(chunks: Any, name: str) -> None:
    """a stream of any JSON values gives a consistent reply; nothing is raised"""
    decoder = CODEC.decoder(CHAT, OPTIONS)
    for chunk in chunks if isinstance(chunks, list) else [chunks]:
        decoder.feed([ServerEvent(name, json.dumps(chunk))])
    check(decoder.finish())


@settings(max_examples=few(200), deadline=None)
@given(chunks=STREAMS, cuts=st.lists(st.integers(0, 12), max_size=4))
def test_how_a_stream_is_cut_does_not_change_the_reply(chunks: Any, cuts: list[int]) -> None:
    """feed(a + b) gives the reply of feed(a), feed(b), and the same text in its events"""
    rows = chunks if isinstance(chunks, list) else [chunks]
    events = [ServerEvent("message", json.dumps(chunk)) for chunk in rows]
    whole, pieces = CODEC.decoder(CHAT, OPTIONS), CODEC.decoder(CHAT, OPTIONS)
    at_once = whole.feed(events)
    in_steps = []
    last = 0
    for cut in [*sorted(cuts), len(events)]:
        in_steps += pieces.feed(events[last:cut])
        last = max(last, cut)
    for kind in (TextDelta, ThinkingDelta):
        shown = ["".join(e.text for e in out if isinstance(e, kind)) for out in (at_once, in_steps)]
        assert shown[0] == shown[1]
    one, other = whole.finish(), pieces.finish()
    assert one._replace(error=None) == other._replace(error=None)
    assert str(one.error) == str(other.error)


@settings(max_examples=few(300), deadline=None)
@given(body=RAW_BODIES)
def test_any_body_is_taken_or_reported(body: bytes) -> None:
    """any bytes as a whole answer give a consistent reply; nothing is raised"""
    check(CODEC.decode(body, CHAT, OPTIONS))


@settings(max_examples=few(300), deadline=None)
@given(status=st.integers(100, 599), body=RAW_BODIES, header=ANY_TEXT)
def test_any_failure_has_printable_words(status: int, body: bytes, header: str) -> None:
    """any status, headers and body give an error of one printable line each"""
    headers = {"request-id": header, "location": header}
    error = CODEC.decode_error(status, headers, body, CHAT, OPTIONS)
    assert isinstance(error, PiError)
    assert all(line.isprintable() for line in error.lines())


REFUSALS = st.lists(
    st.sampled_from(
        ["invalid `signature` in `thinking` block", "expected `thinking` or", "anthropic-beta",
         "ttl", "cache_control", "temperature", "display", "adaptive", "effort", "enabled",
         "disabled", "thinking", "max_tokens: 9000 > 5000", "max_tokens: 9 > 0"]
    ),
    max_size=4,
).map(" ".join)  # fmt: skip


@settings(max_examples=few(300), deadline=None)
@given(
    words=REFUSALS,
    style=st.sampled_from(["", "anthropic-adaptive", "anthropic-budget"]),
    thinking=st.sampled_from(["", "off", "high", "max"]),
    temperature=st.sampled_from([None, 0.0]),
    raw=st.one_of(st.none(), RAW_BODIES),
)
def test_corrections_come_to_an_end(
    words: str, style: str, thinking: str, temperature: float | None, raw: bytes | None
) -> None:
    """each change alters the request; a server that keeps refusing runs out of changes"""
    thought = Message("assistant", (Thinking("hm", "sig"), Text("x")))
    chat = CHAT._replace(messages=(thought,), temperature=temperature, max_tokens=9000)
    traits = Traits(thinking_style=style)
    options = OPTIONS._replace(thinking=thinking, traits=traits, cache_retention="long")
    body = json.dumps({"error": {"message": words}}).encode() if raw is None else raw
    for _ in range(16):
        change = CODEC.adapt(400, body, chat, options)
        if change is None:
            return
        assert isinstance(change, Change)
        assert CODEC.encode(chat, change.options) != CODEC.encode(chat, options)
        options = change.options
    raise AssertionError(f"still changing: {sorted(options.without)}")


ARGUMENTS = st.dictionaries(ANY_TEXT, st.one_of(ANY_TEXT, st.integers()), max_size=2)
THOUGHTS = st.one_of(
    st.builds(Thinking, ANY_TEXT, st.sampled_from([None, "sig"])),
    st.just(Thinking("", redacted=True, vendor={"type": "redacted_thinking", "data": "d"})),
)
HISTORY = st.lists(
    st.one_of(
        st.builds(Message, st.just("user"), st.tuples(st.builds(Text, ANY_TEXT))),
        st.builds(
            Message,
            st.just("assistant"),
            st.tuples(
                THOUGHTS,
                st.builds(Text, ANY_TEXT),
                st.builds(ToolCall, ANY_TEXT, st.just("read"), ARGUMENTS),
            ),
        ),
    ),
    max_size=6,
).map(tuple)


def without_marks(body: bytes) -> Any:
    value = json.loads(body)
    for message in value["messages"]:
        for block in message["content"]:
            block.pop("cache_control", None)
    return value


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY, more=HISTORY)
def test_requests_are_append_only_and_repeatable(
    history: tuple[Message, ...], more: tuple[Message, ...]
) -> None:
    """encode(h) == encode(h), UTF-8, and a prefix of encode(h + more) up to its closing"""
    history = (*prepare(history), Message("user", (Text("go"),)))
    short = CODEC.encode(CHAT._replace(messages=history), PLAIN).body
    long = CODEC.encode(CHAT._replace(messages=history + prepare(more)), PLAIN).body
    assert short == CODEC.encode(CHAT._replace(messages=history), PLAIN).body
    assert long.startswith(short[: -len(b"]}]}")])
    json.loads(long.decode("utf-8"))


@settings(max_examples=few(200), deadline=None)
@given(history=HISTORY, retention=st.sampled_from(["short", "long"]))
def test_cache_marks_are_few_and_change_nothing_else(
    history: tuple[Message, ...], retention: str
) -> None:
    """at most four blocks are marked, none of them thinking; the rest is as without caching"""
    chat = CHAT._replace(messages=prepare(history))
    body = CODEC.encode(chat, OPTIONS._replace(cache_retention=retention)).body
    value = json.loads(body)
    blocks = [*value["system"], *(b for m in value["messages"] for b in m["content"])]
    marked = [block for block in blocks if "cache_control" in block]
    assert len(marked) <= 4
    assert all(block["type"] in ("text", "tool_result") for block in marked)
    plain = json.loads(CODEC.encode(chat, PLAIN).body)
    del value["system"][0]["cache_control"]
    assert without_marks(json.dumps(value).encode()) == plain


@settings(max_examples=few(200), deadline=None)
@given(history=HISTORY)
def test_roles_alternate_from_the_user_and_every_call_is_answered_at_once(
    history: tuple[Message, ...],
) -> None:
    """user, assistant, user ...; results of a message's calls begin the next, in order"""
    body = json.loads(CODEC.encode(CHAT._replace(messages=prepare(history)), OPTIONS).body)
    messages = body["messages"]
    assert [row["role"] for row in messages] == ["user", "assistant"] * (len(messages) // 2) + [
        "user"
    ] * (len(messages) % 2)
    for asked, given_back in zip(messages, messages[1:]):
        wanted = [block["id"] for block in asked["content"] if block["type"] == "tool_use"]
        got = [block.get("tool_use_id") for block in given_back["content"]]
        assert got[: len(wanted)] == wanted
        assert not any(got[len(wanted) :])
    assert all(
        block["text"].strip() for row in messages for block in row["content"]
        if block["type"] == "text"
    )  # fmt: skip
