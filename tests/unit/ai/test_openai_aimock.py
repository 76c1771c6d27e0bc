"""The chat completions codec against a published model server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.openai import OpenAiChatCodec
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
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.aimock import aimock  # noqa: F401
from tests.fakes.aimock_process import Aimock

CODEC = OpenAiChatCodec()
TOOLS = (ToolDefinition("read", "Read", {"type": "object"}),)
CHAT = ChatRequest("gpt-5", "be good", (user_message("go"),), TOOLS)
WRITTEN = 'On it.\n<tool_call>\n{"name":"read","arguments":{"path":"a.py"}}\n</tool_call>'


def ask(server: Aimock, chat: ChatRequest, path: str = "/v1") -> tuple[list[Any], Reply]:
    options = Options(server.url + path, provider="llamacpp")
    transport = UrllibTransport(HttpSettings("", "", {}))
    decoder, sse = CODEC.decoder(chat, options), SseDecoder()
    events: list[Any] = []
    try:
        response = transport.send(CODEC.encode(chat, options), Cancel())
        assert response.status == 200
        while not decoder.done:
            piece = response.read(50)
            events += decoder.feed(sse.feed(piece) if piece else sse.finish())
            if not piece:
                break
        response.close()
    finally:
        transport.close()
    return events, decoder.finish()


def joined(events: list[Any], kind: type[Any]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


def test_reasoning_and_text_of_the_server_are_told_apart(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    answer = {"content": "Grüße 😀, done.", "reasoning": "first think, then say"}
    events, reply = ask(aimock([{"match": {}, "response": answer}], "-c", "3"), CHAT)
    assert reply.error is None
    assert joined(events, ThinkingDelta) == answer["reasoning"]
    assert joined(events, TextDelta) == answer["content"]
    assert [type(block) for block in reply.message.blocks] == [Thinking, Text]


@pytest.mark.parametrize("size", ["1", "5", "1000"])
def test_a_call_the_server_left_in_the_text_is_taken_out(
    aimock: Callable[..., Aimock],  # noqa: F811
    size: str,
) -> None:
    events, reply = ask(aimock([{"match": {}, "response": {"content": WRITTEN}}], "-c", size), CHAT)
    assert joined(events, TextDelta) == "On it.\n"
    assert any(isinstance(event, CallDelta) for event in events)
    (call,) = reply.message.tool_calls()
    assert (call.name, call.arguments, call.rescued) == ("read", {"path": "a.py"}, True)
    assert reply.stop_reason == "tool_use"


def test_a_history_with_pictures_and_rescued_calls_is_accepted(
    aimock: Callable[..., Aimock],  # noqa: F811
) -> None:
    server = aimock([{"match": {}, "response": {"content": "ok"}}])
    thinking = Thinking("hm", vendor={"field": "reasoning_content"})
    history = (
        Message("user", (Text("see"), Image("image/png", "aGk="))),
        Message("assistant", (thinking, ToolCall("call_1", "read", {"path": "a"}, rescued=True))),
        Message("tool", (Image("image/png", "aGk="),), "call_1", "read"),
    )
    _, reply = ask(server, CHAT._replace(messages=history))
    assert reply.message.text() == "ok"
    sent = server.requests()[0]["body"]["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "user"]
    assert sent[2]["reasoning_content"] == "hm"
