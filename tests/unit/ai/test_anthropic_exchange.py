"""The Messages codec in a client: over a scripted transport, and over HTTP to a server by
somebody else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.client import Client, Clock
from pi.ai.events import ReplyDone, StreamEvent, TextDelta, ThinkingDelta
from pi.ai.providers.anthropic import AnthropicCodec
from pi.ai.providers.codec import Options, Traits
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Reply,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.retry import RetryPolicy
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.aimock import aimock  # noqa: F401
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

SSE = {"content-type": "text/event-stream; charset=utf-8"}
READ = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("claude-x", "be good", (user_message("hi"),), (READ,))
OPTIONS = Options("http://h/v1", "sk-key-1234", provider="anthropic")
ORIGIN = Origin("anthropic", "anthropic", "claude-x")


def event(row: dict[str, Any]) -> bytes:
    return f"event: {row['type']}\ndata: {json.dumps(row)}\n\n".encode()


def text(words: str) -> bytes:
    delta = {"type": "text_delta", "text": words}
    return event({"type": "content_block_delta", "index": 0, "delta": delta})


END = event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}) + event(
    {"type": "message_stop"}
)
OVERLOADED = event(
    {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
)


def ok(*chunks: bytes | Exception) -> ScriptedResponse:
    return ScriptedResponse(200, SSE, *chunks)


def refused(message: str) -> ScriptedResponse:
    inner = {"type": "invalid_request_error", "message": message}
    return ScriptedResponse(400, {}, json.dumps({"type": "error", "error": inner}).encode())


def asked(
    transport: Any, chat: ChatRequest = CHAT, options: Options = OPTIONS
) -> tuple[list[StreamEvent], Reply, Client]:
    clock = Clock(lambda: 1000, lambda ms, cancel: None, lambda: 0.0)
    client = Client(
        AnthropicCodec(), options, transport, clock=clock, user_agent="pi/test",
        retry=RetryPolicy(2, jitter=False),
    )  # fmt: skip
    events = list(client.stream(chat, Cancel()))
    assert isinstance(events[-1], ReplyDone)
    return events[:-1], events[-1].reply, client


def bodies(transport: ScriptedTransport) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in transport.requests]


def test_an_overload_before_any_word_is_asked_again() -> None:
    transport = ScriptedTransport(ok(OVERLOADED), ok(text("hi"), END))
    _, reply, _ = asked(transport)
    assert (reply.stop_reason, reply.message.text()) == ("stop", "hi")


def test_an_overload_in_the_middle_keeps_the_part_and_it_is_not_sent_back() -> None:
    transport = ScriptedTransport(ok(text("Hel"), text("lo"), OVERLOADED), ok(text("hi"), END))
    events, reply, client = asked(transport)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello"
    assert reply.stop_reason == "error"
    assert reply.error is not None
    assert reply.error.code == "provider-overloaded"
    again = CHAT._replace(messages=(*CHAT.messages, reply.message))
    list(client.stream(again, Cancel()))
    first, second = bodies(transport)
    assert first == second


def test_a_deprecated_temperature_is_dropped_once_and_remembered() -> None:
    transport = ScriptedTransport(
        refused("`temperature` is deprecated for this model."), ok(END), ok(END)
    )
    chat = CHAT._replace(temperature=0.0)
    _, reply, client = asked(transport, chat)
    assert reply.stop_reason == "stop"
    list(client.stream(chat, Cancel()))
    assert ["temperature" in body for body in bodies(transport)] == [True, False, False]


def test_thinking_bound_to_another_conversation_is_dropped_once() -> None:
    words = (
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a "
        "different conversation."
    )
    thought = Message("assistant", (Thinking("hm", "s=="), Text("x")), origin=ORIGIN)
    chat = CHAT._replace(messages=(user_message("a"), thought, user_message("b")))
    transport = ScriptedTransport(refused(words), ok(text("hi"), END))
    _, reply, _ = asked(transport, chat)
    assert reply.message.text() == "hi"
    kinds = [
        [block["type"] for block in body["messages"][1]["content"]] for body in bodies(transport)
    ]
    assert kinds == [["thinking", "text"], ["text"]]
    transport = ScriptedTransport(refused(words), refused(words))
    _, reply, _ = asked(transport, chat)
    assert reply.stop_reason == "error"
    assert len(transport.requests) == 2


def test_a_model_that_thinks_the_other_way_is_asked_that_way() -> None:
    words = '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive"'
    options = OPTIONS._replace(thinking="low", traits=Traits(thinking_style="anthropic-budget"))
    transport = ScriptedTransport(refused(words), ok(END))
    asked(transport, options=options)
    kinds = [body["thinking"]["type"] for body in bodies(transport)]
    assert kinds == ["enabled", "adaptive"]


def test_a_gateways_whole_body_instead_of_a_stream_is_one_delta() -> None:
    body = {
        "id": "msg_1", "type": "message", "role": "assistant", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "hi there"}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }  # fmt: skip
    whole = ScriptedResponse(200, {"content-type": "application/json"}, json.dumps(body).encode())
    events, reply, _ = asked(ScriptedTransport(whole))
    assert events == [TextDelta("hi there")]
    assert reply.usage.total == 3


def test_system_and_tools_are_the_same_bytes_in_every_request_of_a_conversation() -> None:
    transport = ScriptedTransport(*[ok(text("x"), END) for _ in range(20)])
    history: tuple[Message, ...] = ()
    seen = set()
    for turn in range(20):
        history = (*history, user_message(f"question {turn}"))
        _, reply, _ = asked(transport, CHAT._replace(messages=history))
        history = (*history, reply.message)
        raw = transport.requests[-1].body
        seen.add(raw[: raw.index(b'"messages"')])
    assert len(seen) == 1


TURNS = [
    {
        "match": {"turnIndex": 0},
        "response": {
            "content": "Both 😀 files.",
            "reasoning": "I should read",
            "toolCalls": [
                {"name": "read", "arguments": {"path": "ä.py"}},
                {"name": "read", "arguments": {"path": "b.py"}},
            ],
        },
    },
    {"match": {"turnIndex": 1}, "response": {"content": "Done 😀"}},
]


@pytest.mark.parametrize("size", ["1", "40"])
def test_a_tool_conversation_with_a_server_by_somebody_else(aimock: Any, size: str) -> None:  # noqa: F811
    server = aimock(TURNS, "-c", size)
    transport = UrllibTransport(HttpSettings("", "", {}))
    options = OPTIONS._replace(base_url=server.url + "/v1")
    try:
        events, first, _ = asked(transport, options=options)
        results = [tool_message(call, f"text of {n}") for n, call in
                   enumerate(first.message.tool_calls())]  # fmt: skip
        history = (*CHAT.messages, first.message, *results)
        _, second, _ = asked(transport, CHAT._replace(messages=history), options)
    finally:
        transport.close()

    kinds = [type(block) for block in first.message.blocks]
    assert kinds == [Thinking, Text, ToolCall, ToolCall]
    assert first.stop_reason == "tool_use"
    assert first.message.text() == "Both 😀 files."
    shown = "".join(event.text for event in events if isinstance(event, ThinkingDelta))
    assert shown == "I should read"
    paths = [call.arguments["path"] for call in first.message.tool_calls()]
    assert paths == ["ä.py", "b.py"]
    assert (second.stop_reason, second.message.text()) == ("stop", "Done 😀")
    assert [entry["path"] for entry in server.requests()] == ["/v1/messages"] * 2
