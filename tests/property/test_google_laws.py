from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.google import GoogleCodec
from pi.ai.providers.google_config import openapi_schema
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
    user_message,
)
from pi.base.errors import PiError
from tests.fakes.examples import few

CODEC = GoogleCodec()
OPTIONS = Options("http://x/v1beta", "AIza-key-1234", provider="google")
CHAT = ChatRequest("gemini-3-flash", "", (), (ToolDefinition("read", "", {"type": "object"}),))
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
KEYS = st.sampled_from(
    ["candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall",
     "name", "args", "id", "index", "finishReason", "finishMessage", "promptFeedback",
     "blockReason", "usageMetadata", "promptTokenCount", "cachedContentTokenCount",
     "thoughtsTokenCount", "error", "code", "status", "message", "details", "responseId"]
)  # fmt: skip
WIRE_LIKE = st.recursive(
    st.one_of(NUMBERS, st.sampled_from(["", "text", "read", "c2ln", "STOP", "SAFETY", "{", "{}",
                                        "UNAVAILABLE", "3s", "\ud83d", "\ude00", '{"a":1}'])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=20,
)  # fmt: skip
REAL_CHUNK = {
    "candidates": [
        {
            "index": 0,
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True, "thoughtSignature": "QQ=="},
                    {"text": "a"},
                    {"text": "b", "thoughtSignature": "Qg=="},
                    {"functionCall": {"name": "read", "args": {"path": "x"}, "id": "w"},
                     "thoughtSignature": "Qw=="},
                ],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {"promptTokenCount": 9, "cachedContentTokenCount": 3, "thoughtsTokenCount": 1,
                      "candidatesTokenCount": 4, "toolUsePromptTokenCount": 1},
    "promptFeedback": {},
    "responseId": "r",
}  # fmt: skip


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


MUTATED = st.builds(
    replaced,
    st.just(REAL_CHUNK),
    st.sampled_from(paths(REAL_CHUNK)),
    st.one_of(ANY_JSON, WIRE_LIKE),
)
CHUNKS = st.one_of(ANY_JSON, WIRE_LIKE, MUTATED)


def check(reply: Reply) -> None:
    """A reply is consistent, and can be written and sent again."""
    assert reply.stop_reason in REASONS
    assert reply.message.stop_reason == reply.stop_reason
    assert (reply.error is not None) == (reply.stop_reason in ("error", "aborted"))
    assert min(reply.usage) >= 0
    calls = reply.message.tool_calls()
    assert len({call.id for call in calls}) == len(calls)
    assert all(call.id and call.name for call in calls)
    again = reply.message._replace(stop_reason="stop")
    body = CODEC.encode(CHAT._replace(messages=prepare((again,))), OPTIONS).body
    json.loads(body.decode("utf-8"), parse_constant=AssertionError)
    if reply.error is not None:
        assert all(line.isprintable() for line in reply.error.lines())


@settings(max_examples=few(500), deadline=None)
@given(chunks=st.lists(CHUNKS, max_size=5), name=st.sampled_from(["message", "error"]))
def test_any_chunks_are_taken_or_reported(chunks: list[Any], name: str) -> None:
    """a stream of any JSON values gives a consistent reply; nothing is raised"""
    decoder = CODEC.decoder(CHAT, OPTIONS)
    for chunk in chunks:
        decoder.feed([ServerEvent(name, json.dumps(chunk))])
    check(decoder.finish())


ANY_BODY = st.one_of(st.binary(max_size=60), CHUNKS.map(lambda value: json.dumps(value).encode()))


@settings(max_examples=few(300), deadline=None)
@given(body=ANY_BODY)
def test_any_body_is_taken_or_reported(body: bytes) -> None:
    """any bytes as a whole answer give a consistent reply; nothing is raised"""
    check(CODEC.decode(body, CHAT, OPTIONS))


@settings(max_examples=few(300), deadline=None)
@given(status=st.integers(100, 599), body=ANY_BODY, header=ANY_TEXT)
def test_any_failure_has_printable_words(status: int, body: bytes, header: str) -> None:
    """any status, headers and body give an error of printable lines, and no exception"""
    headers = {"x-request-id": header, "location": header}
    error = CODEC.decode_error(status, headers, body, CHAT, OPTIONS)
    assert isinstance(error, PiError)
    assert all(line.isprintable() for line in error.lines())
    change = CODEC.adapt(status, body, CHAT, OPTIONS)
    assert change is None or change.options != OPTIONS


SIGNED = st.one_of(st.none(), st.sampled_from(["c2ln", "QUJD"]))
PIECES = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=6), st.booleans()),
    max_size=4,
)
ARGUMENTS = st.dictionaries(ANY_TEXT, st.one_of(ANY_TEXT, st.integers()), max_size=2)
CALLS = st.lists(st.tuples(st.sampled_from(["read", "bash"]), ARGUMENTS, SIGNED), max_size=3)


@settings(max_examples=few(300), deadline=None)
@given(
    pieces=PIECES,
    calls=CALLS,
    size=st.integers(1, 60),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    cut=st.booleans(),
)
def test_a_stream_and_a_whole_body_give_the_same_reply(
    pieces: list[tuple[str, bool]],
    calls: list[tuple[str, dict[str, Any], str | None]],
    size: int,
    line_end: str,
    cut: bool,
) -> None:
    """decoder(chunks) == decode(chunks in one body or one list); the deltas add up to it"""
    parts: list[dict[str, Any]] = [
        {"text": text, **({"thought": True} if thought else {})} for text, thought in pieces
    ]
    for name, arguments, signature in calls:
        part: dict[str, Any] = {"functionCall": {"name": name, "args": arguments}}
        parts.append({**part, "thoughtSignature": signature} if signature else part)
    usage = {"promptTokenCount": 5, "candidatesTokenCount": 6}
    rows: list[dict[str, Any]] = [
        {"responseId": "r", "candidates": [{"content": {"parts": [part]}}]} for part in parts
    ]
    rows.append(
        {"responseId": "r", "candidates": [{"finishReason": "STOP"}], "usageMetadata": usage}
    )
    stream = "".join(f"data: {json.dumps(row)}{line_end}{line_end}" for row in rows).encode()
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    whole: Any = {"responseId": "r", "candidates": [candidate], "usageMetadata": usage}

    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
    out = []
    for at in range(0, len(stream), size):
        out += decoder.feed(sse.feed(stream[at : at + size]))
    out += decoder.feed(sse.finish())
    reply = decoder.finish()

    decoded = CODEC.decode(json.dumps(rows if cut else whole).encode(), CHAT, OPTIONS)
    assert without_error(reply) == without_error(decoded)
    assert [
        (call.name, dict(call.arguments), call.signature) for call in reply.message.tool_calls()
    ] == [(name, json.loads(json.dumps(args)), sig) for name, args, sig in calls]
    for kind, wanted in ((TextDelta, False), (ThinkingDelta, True)):
        shown = "".join(event.text for event in out if isinstance(event, kind))
        assert shown == "".join(text for text, thought in pieces if thought is wanted)
    assert [event.position for event in out if isinstance(event, CallDelta)] == [*range(len(calls))]


def without_error(reply: Reply) -> tuple[Any, ...]:
    """A reply as a value: errors compare by what they say."""
    error = reply.error
    return (*reply._replace(error=None), error.lines() if error else [])


BLOCKS = st.one_of(
    st.builds(Text, ANY_TEXT, st.one_of(SIGNED, ANY_TEXT, st.just("2:c2ln"))),
    st.builds(Thinking, ANY_TEXT, SIGNED, st.booleans()),
    st.builds(
        ToolCall, ANY_TEXT, st.just("read"), ARGUMENTS, signature=SIGNED, item_id=st.just("w")
    ),
)
HISTORY = st.lists(
    st.one_of(
        st.builds(Message, st.just("user"), st.tuples(st.builds(Text, ANY_TEXT))),
        st.builds(Message, st.just("user"), st.tuples(st.just(Image("image/png", "aWJt")))),
        st.builds(Message, st.just("assistant"), st.lists(BLOCKS, max_size=4).map(tuple)),
    ),
    max_size=6,
).map(tuple)
WITHOUT = st.frozensets(
    st.sampled_from(["thoughtSignature", "functionCall.id", "functionResponse.parts"])
)


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY, more=HISTORY, without=WITHOUT)
def test_requests_are_append_only_and_repeatable(
    history: tuple[Message, ...], more: tuple[Message, ...], without: frozenset[str]
) -> None:
    """encode(h) == encode(h), UTF-8, and a prefix of encode(h + more) up to its closing"""
    options = OPTIONS._replace(without=without)
    history = (*prepare(history), user_message("go"))
    short = CODEC.encode(CHAT._replace(messages=history), options).body
    long = CODEC.encode(CHAT._replace(messages=history + prepare(more)), options).body
    assert short == CODEC.encode(CHAT._replace(messages=history), options).body
    assert long.startswith(short[: -len(b"]}")])
    json.loads(long.decode("utf-8"))


@settings(max_examples=few(300), deadline=None)
@given(history=HISTORY)
def test_every_turn_of_calls_is_answered_in_one_content_in_order(
    history: tuple[Message, ...],
) -> None:
    """after a content with calls comes one with as many answers, their ids in the same order"""
    chat = CHAT._replace(messages=prepare(history))
    contents = json.loads(CODEC.encode(chat, OPTIONS).body)["contents"]
    for content, following in zip(contents, [*contents[1:], None]):
        calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
        if calls:
            assert following is not None
            answers = [part["functionResponse"] for part in following["parts"]]
            assert [row.get("id") for row in answers] == [call.get("id") for call in calls]
            assert [row["name"] for row in answers] == [call["name"] for call in calls]


SCHEMA_KEYS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "oneOf", "enum", "const", "additionalProperties",
     "$schema", "format", "required", "minimum", "default"]
)  # fmt: skip
SCHEMAS = st.dictionaries(
    SCHEMA_KEYS,
    st.recursive(
        st.one_of(NUMBERS, st.sampled_from(["string", "null", "object"])),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(SCHEMA_KEYS, inner, max_size=3)
        ),
        max_leaves=12,
    ),
    max_size=4,
)


@settings(max_examples=few(300), deadline=None)
@given(schema=SCHEMAS)
def test_any_schema_can_be_made_an_older_one_and_that_once(schema: dict[str, Any]) -> None:
    """openapi_schema raises nothing, and openapi_schema(openapi_schema(s)) == openapi_schema(s)"""
    once = openapi_schema(schema)
    assert json.dumps(openapi_schema(once), sort_keys=True) == json.dumps(once, sort_keys=True)
    assert not {"$schema", "additionalProperties", "const", "oneOf", "format"} & set(once)
