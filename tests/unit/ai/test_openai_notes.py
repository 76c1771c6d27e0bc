from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.events import CallDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.sse import ServerEvent
from pi.ai.types import (
    ChatRequest,
    Message,
    Reply,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)

CODEC = OpenAiChatCodec()
OLLAMA = Options("http://127.0.0.1:11434/v1", provider="ollama")
GROQ = Options("https://api.groq.com/openai/v1", "key-1234", provider="groq")
TOOLS = (ToolDefinition("read", "", {}), ToolDefinition("bash", "", {}))
LONG = ChatRequest("m", "", (user_message("word " * 8000),))


def answered(
    chat: ChatRequest,
    read: int,
    written: int = 100,
    finish: str = "stop",
    options: Options = OLLAMA,
) -> Reply:
    usage = {"prompt_tokens": read, "completion_tokens": written}
    choice = {"message": {"content": "ok"}, "finish_reason": finish}
    return CODEC.decode(json.dumps({"choices": [choice], "usage": usage}).encode(), chat, options)


def test_a_prompt_that_was_cut_without_a_word_is_told() -> None:
    (warning,) = answered(LONG, 4096).warnings
    assert "ollama/m read only 4096 tokens of a prompt of more than 8000" in warning
    assert "OLLAMA_CONTEXT_LENGTH" in warning


def test_tool_calls_and_the_system_prompt_count_as_prompt() -> None:
    call = ToolCall("c", "read", {"text": "word " * 4000, "n": 1})
    history = (Message("assistant", (call,)), tool_message(call, ""))
    assert answered(ChatRequest("m", "word " * 4000, history), 4096).warnings


def test_an_answer_that_stops_at_once_for_want_of_room_is_told() -> None:
    (warning,) = answered(LONG, 8192, written=3, finish="length").warnings
    assert "stopped after 3 tokens" in warning
    asked_for = LONG._replace(max_tokens=3)
    assert answered(asked_for, 8192, written=3, finish="length").warnings == ()


@pytest.mark.parametrize("read", [0, 8000, 20_000])
def test_no_warning_without_a_reason(read: int) -> None:
    assert answered(LONG, read).warnings == ()


def test_short_prompts_and_other_servers_are_not_warned_about() -> None:
    assert answered(LONG._replace(messages=(user_message("hi " * 300),)), 10).warnings == ()
    assert answered(LONG, 4096, options=GROQ).warnings == ()


ASKED = ChatRequest("m", "", (user_message("hi"),), TOOLS)


def refusal(generation: Any, message: str = "Failed to call a function.") -> bytes:
    error = {"message": message, "type": "invalid_request_error", "code": "tool_use_failed",
             "failed_generation": generation}  # fmt: skip
    return json.dumps({"error": error}).encode()


def test_a_call_that_groq_could_not_read_but_we_can_is_taken() -> None:
    reply = CODEC.salvage(refusal('<function=read>{"path":"a"}</function>'), ASKED, GROQ)
    assert reply is not None
    assert (reply.stop_reason, reply.raw_stop_reason) == ("tool_use", "tool_use_failed")
    assert reply.message.tool_calls() == (ToolCall("call_1", "read", {"path": "a"}, rescued=True),)


@pytest.mark.parametrize(
    "body",
    [
        refusal('read{"path": "a"</function>'),
        refusal('<function=read{"path": "a"}</function>'),
        refusal(None, "tool call validation failed: parameters for tool read did not match schema"),
    ],
)
def test_one_that_cannot_be_read_goes_back_to_the_model_once(body: bytes) -> None:
    reply = CODEC.salvage(body, ASKED, GROQ)
    assert reply is not None
    (call,) = reply.message.tool_calls()
    assert (call.name, call.rescued, reply.stop_reason) == ("read", True, "tool_use")
    assert call.raw_arguments is not None
    again = ASKED._replace(
        messages=(*ASKED.messages, reply.message, tool_message(call, "no", True))
    )
    assert CODEC.salvage(body, again, GROQ) is None
    later = again._replace(messages=(*again.messages, user_message("try again")))
    assert CODEC.salvage(body, later, GROQ) is not None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"tool_use_failed",
        refusal("nothing that names a tool"),
        refusal(["read"]),
        b'{"error":{"message":"read","code":"other"}}',
        b'{"error":"tool_use_failed"}',
        b'{"error":{"code":"tool_use_failed","message":["read"],"failed_generation":{"read":1}}}',
    ],
)
def test_any_other_refusal_stays_one(body: bytes) -> None:
    assert CODEC.salvage(body, ASKED, GROQ) is None


def test_in_a_stream_the_same_is_taken_from_the_error_event() -> None:
    decoder = CODEC.decoder(ASKED, GROQ)
    body = refusal('{"name":"bash","parameters":{"command":"ls"}}').decode()
    assert decoder.feed([ServerEvent("error", body)]) == [
        CallDelta(0, "", "bash", '{"command":"ls"}')
    ]
    assert decoder.done
    reply = decoder.finish()
    assert (reply.error, reply.stop_reason) == (None, "tool_use")
