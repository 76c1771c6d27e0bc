"""Our Messages codec against the vendor's own client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.anthropic import AnthropicCodec
from pi.ai.providers.codec import Options, Traits
from pi.ai.sse import SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    Usage,
    tool_message,
    user_message,
)
from tests.fakes.examples import few

anthropic = pytest.importorskip("anthropic")
try:  # newer releases of the library brought their own fork of their HTTP client
    import httpx2 as httpx
except ImportError:
    import httpx
from anthropic.types.message_create_params import MessageCreateParams  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

CODEC = AnthropicCodec()
OPTIONS = Options("http://sdk.test/v1", "sk-key-1234", provider="anthropic")
CHAT = ChatRequest("m", "", (user_message("hi"),))
PARAMS = TypeAdapter(MessageCreateParams)
ASKED = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PIECES = st.lists(TEXT, max_size=4)
ARGUMENTS = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none()), max_size=3)
COUNT = st.integers(0, 9999)


class Sliced(httpx.SyncByteStream):
    def __init__(self, raw: bytes, size: int) -> None:
        self._raw, self._size = raw, size

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._raw), self._size):
            yield self._raw[at : at + self._size]


def library(handler: Any) -> Any:
    return anthropic.Anthropic(
        api_key="sk-key-1234",
        base_url="http://sdk.test",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(handler)),
    )


def cut(draw: Any, text: str) -> list[str]:
    """``text`` in pieces, with empty ones among them."""
    pieces = []
    while text:
        size = draw(st.integers(0, 9))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@st.composite
def blocks(draw: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The start of one block and its deltas."""
    kind = draw(st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use"]))
    if kind == "text":
        return {"type": kind, "text": ""}, [
            {"type": "text_delta", "text": piece} for piece in draw(PIECES)
        ]
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in draw(PIECES)]
        signed = {"type": "signature_delta", "signature": draw(st.sampled_from(["s==", "Eq+/"]))}
        return {"type": kind, "thinking": "", "signature": ""}, [*deltas, signed]
    if kind == "redacted_thinking":
        return {"type": kind, "data": draw(st.sampled_from(["d1==", "d2"]))}, []
    arguments = draw(ARGUMENTS)
    raw = json.dumps(arguments, ensure_ascii=draw(st.booleans()))
    streamed = ["", *cut(draw, raw)] if arguments or draw(st.booleans()) else []
    name = draw(st.sampled_from(["read", "bash"]))
    return {"type": kind, "name": name, "input": {}}, [
        {"type": "input_json_delta", "partial_json": piece} for piece in streamed
    ]


@st.composite
def answers(draw: Any) -> list[dict[str, Any]]:
    """The events of one valid streamed answer."""
    usage = {"input_tokens": draw(COUNT), "output_tokens": 1}
    optional = ("cache_read_input_tokens", "cache_creation_input_tokens")
    usage.update({key: draw(COUNT) for key in optional if draw(st.booleans())})
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": usage,
    }  # fmt: skip
    rows: list[dict[str, Any]] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    for index, (start, deltas) in enumerate(draw(st.lists(blocks(), min_size=1, max_size=5))):
        if start["type"] == "tool_use":
            start = {**start, "id": f"toolu_{index}"}
        rows.append({"type": "content_block_start", "index": index, "content_block": start})
        rows += [{"type": "content_block_delta", "index": index, "delta": row} for row in deltas]
        rows.append({"type": "content_block_stop", "index": index})
    reasons = ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"]
    delta = {"stop_reason": draw(st.sampled_from(reasons)), "stop_sequence": None}
    later: dict[str, Any] = {"output_tokens": draw(COUNT)}
    later.update({key: draw(COUNT) for key in optional if draw(st.booleans())})
    if draw(st.booleans()):
        later["input_tokens"] = draw(COUNT)
    rows.append({"type": "message_delta", "delta": delta, "usage": later})
    return [*rows, {"type": "message_stop"}]


def ours(raw: bytes, size: int) -> tuple[list[Any], Reply]:
    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
    out = []
    for piece in Sliced(raw, size):
        out += decoder.feed(sse.feed(piece))
    out += decoder.feed(sse.finish())
    return out, decoder.finish()


def as_ours(content: list[Any]) -> list[Any]:
    """The library's blocks in our terms, without those that say nothing."""
    found: list[Any] = []
    for block in content:
        if block.type == "text" and block.text.strip():
            found.append(Text(block.text))
        elif block.type == "thinking":
            found.append(Thinking(block.thinking, block.signature))
        elif block.type == "redacted_thinking":
            vendor = {"type": "redacted_thinking", "data": block.data}
            found.append(Thinking("", redacted=True, vendor=vendor))
        elif block.type == "tool_use":
            found.append(ToolCall(block.id, block.name, block.input))
    return found


def usage_of(message: Any) -> Usage:
    usage = message.usage
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.cache_read_input_tokens or 0,
        usage.cache_creation_input_tokens or 0,
    )


@settings(max_examples=few(100), deadline=None)
@given(
    rows=answers(),
    size=st.integers(1, 400),
    ascii_only=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_stream_means_to_us_what_it_means_to_the_vendors_library(
    rows: list[dict[str, Any]], size: int, ascii_only: bool, line_end: str
) -> None:
    """blocks, their order, usage and stop reason of any valid stream, sliced anyhow, agree"""
    raw = "".join(
        f"event: {row['type']}{line_end}"
        f"data: {json.dumps(row, ensure_ascii=ascii_only)}{line_end}{line_end}"
        for row in rows
    ).encode()

    def handler(request: Any) -> Any:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Sliced(raw, size))

    with library(handler) as client, client.messages.stream(**ASKED) as stream:
        theirs = stream.get_final_message()
    out, reply = ours(raw, size)

    blocks = [
        block._replace(raw_arguments=None) if isinstance(block, ToolCall) else block
        for block in reply.message.blocks
    ]
    expected = as_ours(theirs.content)
    assert blocks == expected
    assert [type(block) for block in blocks] == [type(block) for block in expected]
    assert reply.raw_stop_reason == theirs.stop_reason
    assert reply.response_id == theirs.id
    assert reply.usage == usage_of(theirs)
    for kind, of in ((TextDelta, "text"), (ThinkingDelta, "thinking")):
        shown = "".join(event.text for event in out if isinstance(event, kind))
        wanted = [getattr(block, of) for block in theirs.content if block.type == of]
        assert shown == "".join(wanted)
    for position, call in enumerate(reply.message.tool_calls()):
        pieces = [e.json_piece for e in out if isinstance(e, CallDelta) and e.position == position]
        assert json.loads("".join(pieces) or "{}") == call.arguments


@settings(max_examples=few(50), deadline=None)
@given(rows=answers())
def test_a_stream_and_a_whole_body_give_the_same_reply(rows: list[dict[str, Any]]) -> None:
    """decoder(the stream of a message) == decode(the message as the library has it)"""
    raw = "".join(f"event: {row['type']}\ndata: {json.dumps(row)}\n\n" for row in rows).encode()

    def handler(request: Any) -> Any:
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=raw)

    with library(handler) as client, client.messages.stream(**ASKED) as stream:
        theirs = stream.get_final_message()
    body = theirs.model_dump_json().encode()
    whole, streamed = CODEC.decode(body, CHAT, OPTIONS), ours(raw, len(raw))[1]
    assert whole._replace(error=None) == streamed._replace(error=None)
    assert str(whole.error) == str(streamed.error)


NAMES = st.sampled_from(["read", "bash", "odd name"])
CALLS = st.lists(
    st.builds(ToolCall, st.sampled_from(["a", "b", "c"]), NAMES, ARGUMENTS), max_size=3
)
THOUGHTS = st.lists(
    st.sampled_from([
        Thinking("hm", "sig=="),
        Thinking("", "sig=="),
        Thinking("unsigned"),
        Thinking("", redacted=True, vendor={"type": "redacted_thinking", "data": "d=="}),
    ]),
    max_size=2,
)  # fmt: skip
ASSISTANTS = st.builds(
    lambda thoughts, text, calls: Message("assistant", (*thoughts, Text(text), *calls)),
    THOUGHTS,
    TEXT,
    CALLS,
)
PICTURE = Image("image/png", "iVBORw0=")
RESULT_CALLS = st.builds(ToolCall, st.sampled_from(["a", "b"]), NAMES, st.just({}))
HISTORIES = st.lists(
    st.one_of(
        st.builds(user_message, TEXT),
        st.builds(lambda text: Message("user", (Text(text), PICTURE)), TEXT),
        ASSISTANTS,
        st.builds(tool_message, RESULT_CALLS, TEXT, st.booleans()),
        st.builds(lambda: Message("tool", (PICTURE,), "a", "read")),
    ),
    max_size=6,
).map(tuple)
TOOL_LISTS = st.lists(
    st.builds(ToolDefinition, st.just("read"), TEXT, st.just({"type": "object"})), max_size=2
).map(tuple)
STYLES = st.sampled_from(["", "anthropic-adaptive", "anthropic-budget"])
LEVELS = st.sampled_from(["", "off", "minimal", "low", "medium", "high", "xhigh", "max"])


@settings(max_examples=few(150), deadline=None)
@given(
    history=HISTORIES,
    tools=TOOL_LISTS,
    system=TEXT,
    stream=st.booleans(),
    limits=st.sampled_from([(None, None), (5, None), (None, 0.5), (100, 0.0)]),
    style=STYLES,
    thinking=LEVELS,
    cache=st.sampled_from(["none", "short", "long"]),
)
def test_the_vendors_library_sends_and_accepts_the_same_request(
    history: tuple[Message, ...],
    tools: tuple[ToolDefinition, ...],
    system: str,
    stream: bool,
    limits: tuple[int | None, float | None],
    style: str,
    thinking: str,
    cache: str,
) -> None:
    """our body is valid by the library's own types, and is what the library would send"""
    chat = ChatRequest("m", system, prepare(history), tools, *limits)
    options = OPTIONS._replace(
        stream=stream,
        thinking=thinking,
        traits=Traits(thinking_style=style),
        cache_retention=cache,
        compat={"supports_long_cache_retention": True},
    )
    request = CODEC.encode(chat, options)
    body = json.loads(request.body)
    valid = PARAMS.validate_python(body, strict=True)
    messages = list(valid["messages"])  # checked as they are walked
    assert len(messages) == len(body["messages"])
    for message in messages:
        for block in message["content"]:
            if not isinstance(block.get("content", ""), str):
                assert list(block["content"])
    assert len(list(valid.get("tools", ()))) == len(tools)
    assert len(list(valid.get("system", ()))) <= 1

    seen = []

    def handler(sent: Any) -> Any:
        seen.append(sent)
        if stream:
            raw = 'event: message_stop\ndata: {"type":"message_stop"}\n\n'
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=raw)
        return httpx.Response(200, json={"type": "message", "content": []})

    # The newest library has no name for it any more; older models still take it.
    named = {key: value for key, value in body.items() if key != "temperature"}
    extra = {key: body[key] for key in body.keys() - named.keys()}
    with library(handler) as client:
        answer = client.messages.create(**named, extra_body=extra, timeout=60)
        if stream:
            answer.close()
    assert str(seen[0].url) == request.url
    assert seen[0].method == request.method
    assert json.loads(seen[0].content) == body
    assert seen[0].headers["content-type"] == "application/json"
