"""The codec with a model server by somebody else, over loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pi.ai.client import Client, Clock
from pi.ai.events import ReplyDone, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.google import GoogleCodec
from pi.ai.types import ChatRequest, Reply, Thinking, ToolDefinition, tool_message, user_message
from pi.base.cancel import Cancel
from pi.base.retry import RetryPolicy
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.aimock import aimock  # noqa: F401
from tests.fakes.aimock_process import Aimock

KEY = "AIza-0123456789-secret"
TOOL = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("gemini-2.5-flash", "be good", (user_message("read both 😀"),), (TOOL,))
CALLS = [{"name": "read", "arguments": f'{{"path":"{name}.py"}}'} for name in "ab"]
FIXTURES = [
    {
        "match": {"hasToolResult": False},
        "response": {"content": "Let me look 😀.", "reasoning": "hm 😀", "toolCalls": CALLS},
    },
    {"match": {}, "response": {"content": "Both print numbers."}},
]


def ask(server: Aimock, chat: ChatRequest, stream: bool) -> tuple[list[Any], Reply]:
    client = Client(
        GoogleCodec(),
        Options(server.url + "/v1beta", KEY, provider="google", stream=stream),
        UrllibTransport(HttpSettings("", "", {})),
        clock=Clock(lambda: 0, lambda ms, cancel: None, lambda: 0.5),
        user_agent="pi",
        retry=RetryPolicy(0),
    )
    *events, done = client.stream(chat, Cancel())
    client.close()
    assert isinstance(done, ReplyDone)
    return events, done.reply


@pytest.mark.parametrize("stream", [True, False])
def test_a_conversation_with_parallel_calls(
    aimock: Callable[..., Aimock],  # noqa: F811
    stream: bool,
) -> None:
    server = aimock(FIXTURES, "-c", "3")
    events, reply = ask(server, CHAT, stream)
    assert (reply.error, reply.stop_reason) == (None, "tool_use")
    assert reply.message.text() == "Let me look 😀."
    assert reply.message.blocks[0] == Thinking("hm 😀")
    assert [dict(call.arguments) for call in reply.message.tool_calls()] == [
        {"path": "a.py"},
        {"path": "b.py"},
    ]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == (
        "Let me look 😀."
    )
    if stream:
        thoughts = [event.text for event in events if isinstance(event, ThinkingDelta)]
        assert "".join(thoughts) == "hm 😀"

    results = [tool_message(call, "print(1)") for call in reply.message.tool_calls()]
    _, last = ask(server, CHAT._replace(messages=(*CHAT.messages, reply.message, *results)), stream)
    assert (last.stop_reason, last.message.text()) == ("stop", "Both print numbers.")
    seen = server.requests()[-1]
    assert KEY not in seen["path"]
    assert [message["role"] for message in seen["body"]["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "tool",
    ]
