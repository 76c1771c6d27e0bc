"""Our Responses codec against the vendor's own client library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.context import prepare
from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.responses import OpenAiResponsesCodec
from pi.ai.sse import SseDecoder
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Text,
    Thinking,
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
from openai.types.responses.response_create_params import ResponseCreateParams  # noqa: E402
from pydantic import TypeAdapter  # noqa: E402

CODEC = OpenAiResponsesCodec()
OPTIONS = Options("http://sdk.test/v1", "sk-key-1234")
CHAT = ChatRequest("m", "", (user_message("hi"),))
PARAMS = TypeAdapter(ResponseCreateParams)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
WORDS = TEXT.filter(str.strip)
ARGUMENTS = st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none()), max_size=3)


class Sliced(httpx.SyncByteStream):
    def __init__(self, raw: bytes, size: int) -> None:
        self._raw, self._size = raw, size

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, len(self._raw), self._size):
            yield self._raw[at : at + self._size]


def library(handler: Any) -> Any:
    return openai.OpenAI(
        api_key="sk-key-1234",
        base_url="http://sdk.test/v1",
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(handler)),
    )


def pieces_of(draw: Any, text: str) -> list[str]:
    size = draw(st.integers(1, 9))
    return [text[at : at + size] for at in range(0, len(text), size)]


def response(status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        **fields,
    }


def a_message(draw: Any, place: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    text = draw(WORDS)
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": f"msg_{place}", "role": "assistant"}
    phase = draw(st.sampled_from([None, "commentary", "final_answer"]))
    item.update({"phase": phase} if phase else {})
    where = {"item_id": item["id"], "output_index": place, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "output_item.added", "item": {**item, "status": "in_progress", "content": []}},
        {"type": "content_part.added", **where, "part": {**part, "text": ""}},
    ]
    events += [
        {"type": "output_text.delta", **where, "delta": piece, "logprobs": []}
        for piece in pieces_of(draw, text)
    ]
    events.append({"type": "output_text.done", **where, "text": text, "logprobs": []})
    events.append({"type": "content_part.done", **where, "part": part})
    return {**item, "status": "completed", "content": [part]}, events


def a_thought(draw: Any, place: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    summary = [{"type": "summary_text", "text": text} for text in draw(st.lists(WORDS, max_size=2))]
    item = {"type": "reasoning", "id": f"rs_{place}", "summary": summary}
    start = {**item, "summary": [], "encrypted_content": "part"}
    events: list[dict[str, Any]] = [{"type": "output_item.added", "item": start}]
    for index, part in enumerate(summary):
        where = {"item_id": item["id"], "output_index": place, "summary_index": index}
        events.append(
            {"type": "reasoning_summary_part.added", **where, "part": {**part, "text": ""}}
        )
        events += [
            {"type": "reasoning_summary_text.delta", **where, "delta": piece}
            for piece in pieces_of(draw, part["text"])
        ]
        events.append({"type": "reasoning_summary_part.done", **where, "part": part})
    return {**item, "encrypted_content": draw(TEXT.map(lambda text: "e" + text))}, events


def a_call(draw: Any, place: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    raw = json.dumps(draw(ARGUMENTS), ensure_ascii=draw(st.booleans()))
    name = draw(st.sampled_from(["read", "bash"]))
    item = {"type": "function_call", "id": f"fc_{place}", "call_id": f"call_{place}", "name": name}
    where = {"item_id": item["id"], "output_index": place}
    start = {**item, "arguments": "", "status": "in_progress"}
    events: list[dict[str, Any]] = [{"type": "output_item.added", "item": start}]
    events += [
        {"type": "function_call_arguments.delta", **where, "delta": piece}
        for piece in pieces_of(draw, raw)
    ]
    events.append({"type": "function_call_arguments.done", **where, "arguments": raw, "name": name})
    return {**item, "arguments": raw, "status": "completed"}, events


@st.composite
def answers(draw: Any) -> list[dict[str, Any]]:
    """The events of one valid streamed answer."""
    events: list[dict[str, Any]] = [
        {"type": "created", "response": response()},
        {"type": "in_progress", "response": response()},
    ]
    output = []
    for place in range(draw(st.integers(0, 4))):
        make = draw(st.sampled_from([a_message, a_thought, a_call]))
        item, found = make(draw, place)
        done = {"type": "output_item.done", "item": item}
        events += [{"output_index": place, **event} for event in [*found, done]]
        output.append(item)
    cached, fresh, said, thought = (draw(st.integers(0, 999)) for _ in range(4))
    usage = {
        "input_tokens": cached + fresh,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": 0},
        "output_tokens": said + thought,
        "output_tokens_details": {"reasoning_tokens": thought},
        "total_tokens": cached + fresh + said + thought,
    }
    end = response("completed", output=output, usage=usage)
    events.append({"type": "completed", "response": end})
    return [
        {**event, "type": "response." + event["type"], "sequence_number": number}
        for number, event in enumerate(events)
    ]


@settings(max_examples=few(100), deadline=None)
@given(
    events=answers(),
    size=st.integers(1, 400),
    ascii_only=st.booleans(),
    line_end=st.sampled_from(["\n", "\r\n"]),
    named=st.booleans(),
)
def test_a_stream_means_to_us_what_it_means_to_the_vendors_library(
    events: list[dict[str, Any]], size: int, ascii_only: bool, line_end: str, named: bool
) -> None:
    """text, thinking, calls, ids and usage of any valid stream, sliced anyhow, agree"""
    rows = []
    for event in events:
        name = f"event: {event['type']}{line_end}" if named else ""
        rows.append(f"{name}data: {json.dumps(event, ensure_ascii=ascii_only)}{line_end * 2}")
    raw = "".join(rows).encode()

    def handler(request: Any) -> Any:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=Sliced(raw, size))

    their_text, their_arguments = {}, {}
    with library(handler) as client, client.responses.stream(model="m", input="hi") as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                their_text[event.output_index] = event.snapshot
            elif event.type == "response.function_call_arguments.delta":
                their_arguments[event.output_index] = event.snapshot
        theirs = stream.get_final_response()

    sse, decoder = SseDecoder(), CODEC.decoder(CHAT, OPTIONS)
    out = []
    for piece in Sliced(raw, size):
        out += decoder.feed(sse.feed(piece))
    out += decoder.feed(sse.finish())
    ours = decoder.finish()

    assert "".join(e.text for e in out if isinstance(e, TextDelta)) == ours.message.text()
    assert ours.message.text() == "\n".join(their_text.values())
    calls = ours.message.tool_calls()
    assert [call.arguments for call in calls] == [json.loads(a) for a in their_arguments.values()]
    assert len(ours.message.blocks) == len(theirs.output)
    for block, item in zip(ours.message.blocks, theirs.output):
        if isinstance(block, Text):
            assert block.text == item.content[0].text
            kept = {"id": item.id, "phase": getattr(item, "phase", None)}
            assert json.loads(block.signature or "") == {k: v for k, v in kept.items() if v}
        elif isinstance(block, Thinking):
            assert block.vendor == item.to_dict()
            assert block.text == "\n\n".join(part.text for part in item.summary)
        else:
            assert isinstance(block, ToolCall)
            assert (block.id, block.item_id, block.name) == (item.call_id, item.id, item.name)
            assert block.arguments == json.loads(item.arguments)
    assert "".join(e.text for e in out if isinstance(e, ThinkingDelta)) == "".join(
        block.text for block in ours.message.blocks if isinstance(block, Thinking)
    )
    assert (ours.raw_stop_reason, ours.response_id) == (theirs.status, theirs.id)
    assert ours.usage.total == theirs.usage.total_tokens
    assert ours.usage.output == theirs.usage.output_tokens
    assert ours.usage.reasoning == theirs.usage.output_tokens_details.reasoning_tokens
    assert ours.usage.cache_read == theirs.usage.input_tokens_details.cached_tokens


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
NAMES = st.sampled_from(["read", "bash", "odd name"])
CALLS = st.builds(
    lambda identity, name, arguments, item: ToolCall(identity, name, arguments, item_id=item),
    st.sampled_from(["a", "b", "c" * 99]),
    NAMES,
    ARGUMENTS,
    st.sampled_from([None, "fc_1"]),
)
BLOCKS = st.one_of(
    st.builds(Text, TEXT, st.sampled_from([None, '{"id":"msg_1","phase":"commentary"}'])),
    st.sampled_from([Thinking("x"), Thinking("", vendor=REASONING)]),
    CALLS,
)
PICTURE = Image("image/png", "eA==")
HISTORIES = st.lists(
    st.one_of(
        st.builds(user_message, TEXT),
        st.builds(lambda text: Message("user", (PICTURE, Text(text))), TEXT),
        st.builds(lambda blocks: Message("assistant", tuple(blocks)), st.lists(BLOCKS, max_size=4)),
        st.builds(tool_message, CALLS, TEXT),
        st.builds(lambda call: Message("tool", (PICTURE,), call.id, call.name), CALLS),
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
    thinking=st.sampled_from(["", "off", "low", "max"]),
    limits=st.sampled_from([(None, None), (5, None), (None, 0.5), (100, 0.0)]),
)
def test_the_vendors_library_sends_and_accepts_the_same_request(
    history: tuple[Message, ...],
    tools: tuple[ToolDefinition, ...],
    system: str,
    stream: bool,
    thinking: str,
    limits: tuple[int | None, float | None],
) -> None:
    """our body is valid by the library's own types, and is what the library would send"""
    chat = ChatRequest("m", system, prepare(history), tools, *limits)
    options = OPTIONS._replace(stream=stream, thinking=thinking, conversation="c1")
    request = CODEC.encode(chat, options)
    body = json.loads(request.body)
    valid = PARAMS.validate_python(body, strict=True)
    walk(valid)  # lists are checked as they are walked

    seen = []

    def handler(sent: Any) -> Any:
        seen.append(sent)
        if stream:
            end = {"type": "response.completed", "response": response("completed")}
            raw = f"data: {json.dumps(end)}\n\n"
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text=raw)
        return httpx.Response(200, json=response("completed"))

    with library(handler) as client:
        answer = client.responses.create(**body)
        if stream:
            list(answer)
    assert str(seen[0].url) == request.url
    assert seen[0].method == request.method
    assert json.loads(seen[0].content) == body
    for name, value in request.headers:
        assert seen[0].headers[name] == value


def walk(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            walk(inner)
    elif not isinstance(value, str) and hasattr(value, "__iter__"):
        for inner in value:
            walk(inner)
