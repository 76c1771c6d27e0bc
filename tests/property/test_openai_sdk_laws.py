"""Our chat completions codec against the vendor's own client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import TextDelta
from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.sse import SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Text,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)
from tests.fakes.examples import few

openai = pytest.importorskip("openai")
try:  # newer releases of the library brought their own fork of their HTTP client
    import httpx2 as httpx
except ImportError:
    import httpx
from openai.lib.streaming.chat import ChatCompletionStreamState  # noqa: E402
from openai.types.chat.completion_create_params import CompletionCreateParams  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

CODEC = OpenAiChatCodec()
OPTIONS = Options("http://sdk.test/v1", "sk-key-1234")
CHAT = ChatRequest("m", "", (user_message("hi"),))
PARAMS = TypeAdapter(CompletionCreateParams)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ARGUMENTS = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none()), max_size=3)


class Sliced(httpx.SyncByteStream):
    def __init__(self, raw: bytes, size: int) -> None:
        self._raw, self._size = raw, size

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._raw), self._size):
            yield self._raw[at : at + self._size]


def asked(handler: Any, **body: Any) -> Any:
    with openai.OpenAI(
        api_key="sk-key-1234",
        base_url="http://sdk.test/v1",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(handler)),
    ) as client:
        answer = client.chat.completions.create(**body)
        if not body.get("stream"):
            return answer
        state = ChatCompletionStreamState()
        for chunk in answer:
            state.handle_chunk(chunk)
        return state.current_completion_snapshot


def chunk(usage: Any = None, choices: Any = None, **delta: Any) -> dict[str, Any]:
    finish = delta.pop("finish", None)
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [choice] if choices is None else choices,
        "usage": usage,
    }


@st.composite
def answers(draw: Any) -> list[dict[str, Any]]:
    """The chunks of one valid streamed answer."""
    chunks = [chunk(role="assistant", content=draw(st.sampled_from([None, ""])))]
    chunks += [chunk(content=piece) for piece in draw(st.lists(TEXT, max_size=4))]
    waiting: dict[int, str] = {}
    for index in range(draw(st.integers(0, 3))):
        raw = json.dumps(draw(ARGUMENTS), ensure_ascii=draw(st.booleans()))
        name = draw(st.sampled_from(["read", "bash"]))
        head = {"index": index, "id": f"call_{index}", "type": "function"}
        chunks.append(chunk(tool_calls=[{**head, "function": {"name": name, "arguments": ""}}]))
        waiting[index] = raw
        while waiting and draw(st.booleans()):  # some pieces now, of any open call
            chunks.append(take_piece(draw, waiting))
    while waiting:
        chunks.append(take_piece(draw, waiting))
    finish = draw(st.sampled_from(["stop", "tool_calls", "length", "content_filter"]))
    chunks.append(chunk(finish=finish))
    if draw(st.booleans()):
        prompt, cached, completion = (draw(st.integers(0, 999)) for _ in range(3))
        usage = {
            "prompt_tokens": prompt + cached,
            "completion_tokens": completion,
            "total_tokens": prompt + cached + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        chunks.append(chunk(usage, choices=[]))
    return chunks


def take_piece(draw: Any, waiting: dict[int, str]) -> dict[str, Any]:
    index = draw(st.sampled_from(sorted(waiting)))
    size = draw(st.integers(1, 9))
    piece, rest = waiting[index][:size], waiting[index][size:]
    if rest:
        waiting[index] = rest
    else:
        del waiting[index]
    return chunk(tool_calls=[{"index": index, "function": {"arguments": piece}}])


@settings(max_examples=few(100), deadline=None)
@given(
    chunks=answers(),
    size=st.integers(1, 400),
    ascii_only=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_stream_means_to_us_what_it_means_to_the_vendors_library(
    chunks: list[dict[str, Any]], size: int, ascii_only: bool, line_end: str
) -> None:
    """text, calls, usage and finish reason of any valid stream, sliced anyhow, agree"""
    rows = [json.dumps(row, ensure_ascii=ascii_only) for row in chunks] + ["[DONE]"]
    raw = "".join(f"data: {row}{line_end}{line_end}" for row in rows).encode()

    def handler(request: Any) -> Any:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Sliced(raw, size))

    theirs = asked(handler, model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
    out = []
    for piece in Sliced(raw, size):
        out += decoder.feed(sse.feed(piece))
    out += decoder.feed(sse.finish())
    ours = decoder.finish()

    choice = theirs.choices[0]
    text = choice.message.content or ""
    assert "".join(event.text for event in out if isinstance(event, TextDelta)) == text
    assert ours.message.text() == (text if text.strip() else "")
    assert [
        (call.id, call.name, dict(call.arguments), call.raw_arguments)
        for call in ours.message.tool_calls()
    ] == [
        (call.id, call.function.name, json.loads(call.function.arguments), None)
        for call in choice.message.tool_calls or []
    ]
    assert ours.raw_stop_reason == choice.finish_reason
    assert ours.response_id == theirs.id
    if theirs.usage is None:
        assert ours.usage.total == 0
    else:
        assert ours.usage.total == theirs.usage.total_tokens
        assert ours.usage.output == theirs.usage.completion_tokens
        assert ours.usage.cache_read == theirs.usage.prompt_tokens_details.cached_tokens


NAMES = st.sampled_from(["read", "bash", "odd name"])
CALLS = st.lists(
    st.builds(ToolCall, st.sampled_from(["a", "b", "c"]), NAMES, ARGUMENTS), max_size=3
)
ASSISTANTS = st.builds(lambda text, calls: Message("assistant", (Text(text), *calls)), TEXT, CALLS)
HISTORIES = st.lists(
    st.one_of(
        st.builds(user_message, TEXT),
        st.builds(lambda text: Message("user", (Text(text), Image("image/png", "aGk="))), TEXT),
        st.just(Message("tool", (Image("image/png", "aGk="),), "a", "read")),
        ASSISTANTS,
        st.builds(tool_message, st.builds(ToolCall, st.just("a"), NAMES, st.just({})), TEXT),
    ),
    max_size=6,
).map(tuple)
TOOL_LISTS = st.lists(
    st.builds(ToolDefinition, st.just("read"), TEXT, st.just({"type": "object"})), max_size=2
).map(tuple)


@settings(max_examples=few(100), deadline=None)
@given(
    history=HISTORIES,
    tools=TOOL_LISTS,
    system=TEXT,
    stream=st.booleans(),
    limits=st.sampled_from([(None, None), (5, None), (None, 0.5), (100, 0.0)]),
    vendor=st.booleans(),
)
def test_the_vendors_library_sends_and_accepts_the_same_request(
    history: tuple[Message, ...],
    tools: tuple[ToolDefinition, ...],
    system: str,
    stream: bool,
    limits: tuple[int | None, float | None],
    vendor: bool,
) -> None:
    """our body is valid by the library's own types, and is what the library would send"""
    chat = ChatRequest("m", system, prepare(history), tools, *limits)
    options = OPTIONS._replace(stream=stream)
    if vendor:  # all that only the vendor's own server gets
        options = options._replace(
            conversation="c",
            cache_retention="long",
            thinking="high",
            traits=Traits(supports_reasoning=True),
            compat={
                "supports_store": True,
                "supports_developer_role": True,
                "supports_strict": True,
                "max_tokens_field": "max_completion_tokens",
                "cache_format": "openai",
                "parallel_tool_calls": "no",
            },
        )
    request = CODEC.encode(chat, options)
    body = json.loads(request.body)
    valid = PARAMS.validate_python(body, strict=True)
    assert len(list(valid["messages"])) == len(body["messages"])  # checked as it is walked
    assert len(list(valid.get("tools", ()))) == len(tools)
    for message in body["messages"]:
        message.pop("name", None)  # of tool results; servers take it, the types lack it

    seen = []

    def handler(sent: Any) -> Any:
        seen.append(sent)
        if stream:
            raw = f"data: {json.dumps(chunk(finish='stop'))}\n\ndata: [DONE]\n\n"
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=raw)
        return httpx.Response(200, json=chunk(finish="stop"))

    asked(handler, **body)
    assert str(seen[0].url) == request.url
    assert seen[0].method == request.method
    assert json.loads(seen[0].content) == body
    for name, value in request.headers:
        assert seen[0].headers[name] == value
