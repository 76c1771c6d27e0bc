from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Codec, Options
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Text,
    ToolCall,
    ToolDefinition,
    Usage,
    tool_message,
    user_message,
)
from pi.base.errors import Bug, KeyRefused, ProviderFailed

CODEC: Codec = OpenAiChatCodec()
OPTIONS = Options("https://api.example/v1", "sk-key-1234")
CALL = ToolCall("c1", "read", {"path": "ä.py", "n": 1})
TOOL = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("m", "be good", (user_message("hi"),))


def body_of(chat: ChatRequest, options: Options = OPTIONS) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CODEC.encode(chat, options).body)
    return body


def messages_of(*messages: Message) -> list[Any]:
    found: list[Any] = body_of(ChatRequest("m", "", messages))["messages"]
    return found


def test_the_request_goes_to_chat_completions_with_the_key_in_a_header_only() -> None:
    request = CODEC.encode(CHAT, OPTIONS._replace(timeout_ms=7))
    assert request.method == "POST"
    assert request.url == "https://api.example/v1/chat/completions"
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer sk-key-1234"),
    )
    assert request.timeout_ms == 7
    assert b"sk-key" not in request.body


@pytest.mark.parametrize("base", ["http://h/v1", "http://h/v1/", "http://h/v1/chat/completions"])
def test_the_path_is_added_to_the_base_once(base: str) -> None:
    assert CODEC.encode(CHAT, Options(base)).url == "http://h/v1/chat/completions"


def test_without_a_key_no_credential_is_sent() -> None:
    assert CODEC.encode(CHAT, Options("http://h")).headers == (
        ("Content-Type", "application/json"),
    )


def test_extra_headers_replace_ours_of_the_same_name() -> None:
    options = OPTIONS._replace(extra_headers=(("authorization", "Basic x"), ("X-Title", "pi")))
    assert CODEC.encode(CHAT, options).headers == (
        ("Content-Type", "application/json"),
        ("authorization", "Basic x"),
        ("X-Title", "pi"),
    )


def test_only_what_was_set_is_sent() -> None:
    assert body_of(CHAT, OPTIONS._replace(stream=False)) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be good"},
            {"role": "user", "content": "hi"},
        ],
    }
    full = body_of(CHAT._replace(tools=(TOOL,), max_tokens=5, temperature=0.5))
    assert full["stream"] is True
    assert full["stream_options"] == {"include_usage": True}
    assert (full["max_tokens"], full["temperature"]) == (5, 0.5)
    assert full["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "read",
                "description": "Read a file",
                "parameters": {"type": "object", "properties": {}},
            },
        }
    ]
    assert "stream_options" not in body_of(CHAT, OPTIONS._replace(include_usage=False))


def test_each_kind_of_message_has_its_wire_form() -> None:
    assert messages_of(
        user_message("a"),
        Message("assistant", (Text("let me"), Text("see"), CALL)),
        tool_message(CALL, "text", is_error=True),
        Message("assistant", (CALL,)),
        tool_message(CALL, ""),
        Message("assistant", (Text("done"),)),
        Message("system", (Text("note"),)),
        Message("tool", (Text("x"),), "c2"),
    ) == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "let me\nsee", "tool_calls": [WIRE_CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "text", "name": "read"},
        {"role": "assistant", "content": None, "tool_calls": [WIRE_CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "", "name": "read"},
        {"role": "assistant", "content": "done"},
        {"role": "system", "content": "note"},
        {"role": "tool", "tool_call_id": "c2", "content": "x"},
    ]


WIRE_CALL = {
    "id": "c1",
    "type": "function",
    "function": {"name": "read", "arguments": '{"path":"ä.py","n":1}'},
}


def test_a_call_that_was_not_understood_goes_back_without_arguments() -> None:
    (message,) = messages_of(Message("assistant", (ToolCall("c", "read", {}, "{oops"),)))
    assert message["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_result_without_a_call_id_is_a_bug() -> None:
    with pytest.raises(Bug, match="missing tool_call_id"):
        messages_of(Message("tool", (Text("x"),)))


def test_lone_surrogates_and_odd_numbers_do_not_reach_the_wire() -> None:
    call = ToolCall("c", "read", {"path": "\udc80", "n": float("nan")})
    raw = CODEC.encode(
        ChatRequest("m", "\ud83d\ude00", (Message("assistant", (call,)),)), OPTIONS
    ).body
    body = json.loads(raw.decode("utf-8"))
    assert body["messages"][0]["content"] == "😀"
    assert body["messages"][1]["tool_calls"][0]["function"]["arguments"] == (
        '{"path":"\ufffd","n":null}'
    )


def test_a_longer_history_only_adds_bytes_at_the_end() -> None:
    more = (*CHAT.messages, Message("assistant", (Text("x"),)), user_message("y"))
    short = CODEC.encode(CHAT._replace(tools=(TOOL,)), OPTIONS).body
    long = CODEC.encode(CHAT._replace(tools=(TOOL,), messages=more), OPTIONS).body
    assert short.endswith(b"]}")
    assert long.startswith(short[:-2] + b",")


def whole(**message: Any) -> bytes:
    return json.dumps(
        {
            "id": "r1",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
        }
    ).encode()


def test_a_whole_body_becomes_a_reply() -> None:
    reply = CODEC.decode(whole(role="assistant", content="Hi 😀"), CHAT, OPTIONS)
    assert reply.message == Message(
        "assistant",
        (Text("Hi 😀"),),
        stop_reason="stop",
        origin=Origin("openai-chat", "openai", "m"),
    )
    assert (reply.stop_reason, reply.raw_stop_reason, reply.error) == ("stop", "stop", None)
    assert reply.usage == Usage(input=9, output=2)
    assert reply.response_id == "r1"


def test_whole_calls_stand_apart_whatever_index_they_claim() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "read", "arguments": '{"n":1}'}},
        {"index": 0, "function": {"name": "read", "arguments": {"n": 2}}},
        {"id": "c", "type": "custom", "custom": {"name": "x"}},
        None,
    ]
    reply = CODEC.decode(whole(content="", tool_calls=calls), CHAT, OPTIONS)
    assert reply.stop_reason == "tool_use"
    assert reply.message.blocks == (
        ToolCall("a", "read", {"n": 1}),
        ToolCall("call_2", "read", {"n": 2}),
    )


def test_a_refusal_is_text_and_a_stop_reason() -> None:
    reply = CODEC.decode(whole(content=None, refusal="I will not"), CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.text()) == ("refusal", "I will not")


@pytest.mark.parametrize(
    ("body", "message", "cause"),
    [
        (b"", "openai/m: the answer is empty", ""),
        (b"\xff\x00oops", "openai/m: the answer is not JSON", "\ufffdoops"),
        (b"<html><title>Log in</title></html>", "openai/m: the answer is not JSON", "Log in"),
        (b"[1]", "openai/m: the answer holds no choices", "[1]"),
        (b'{"choices":[]}', "openai/m: the answer holds no choices", '{"choices":[]}'),
        (b'{"choices":[{}]}', "openai/m: the answer holds no message", '{"choices":[{}]}'),
        (b"x" * 999, "openai/m: the answer is not JSON", "x" * 199 + "…"),
        (b"[" * 100_000, "openai/m: the answer is not JSON", "[" * 199 + "…"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_reported(body: bytes, message: str, cause: str) -> None:
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert reply.stop_reason == "error"
    assert isinstance(reply.error, ProviderFailed)
    assert (reply.error.code, reply.error.message) == ("malformed-answer", message)
    assert reply.error.cause == cause


def test_an_error_object_with_a_good_status_is_an_error() -> None:
    reply = CODEC.decode(b'{"error":{"message":"no","code":401}}', CHAT, OPTIONS)
    assert isinstance(reply.error, KeyRefused)
    assert reply.error.cause == "no"


def test_an_event_stream_under_another_type_is_read_as_one() -> None:
    body = b': hi\n\ndata: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}'
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.text()) == ("stop", "a")


def test_a_bad_status_becomes_an_error() -> None:
    error = CODEC.decode_error(401, {}, b'{"error":{"message":"bad sk-key-1234"}}', CHAT, OPTIONS)
    assert isinstance(error, KeyRefused)
    assert error.cause == "bad [redacted]"
