from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.anthropic import AnthropicCodec
from pi.ai.providers.codec import Change, Codec, Options, Traits
from pi.ai.types import (
    ChatRequest,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    user_message,
)
from pi.base.errors import KeyRefused

CODEC: Codec = AnthropicCodec()
OPTIONS = Options("https://api.anthropic.com/v1", "sk-key-1234", provider="anthropic")
CHAT = ChatRequest("claude-x", "be good", (user_message("hi"),))


def whole(*content: Any, stop: str | None = "end_turn", **fields: Any) -> Reply:
    body = {"id": "msg_1", "type": "message", "content": list(content), "stop_reason": stop}
    return CODEC.decode(json.dumps({**body, **fields}).encode(), CHAT, OPTIONS)


def code_of(reply: Reply) -> str:
    assert reply.error is not None
    assert reply.stop_reason == reply.message.stop_reason == "error"
    return reply.error.code


def test_the_key_and_the_version_are_headers_and_nowhere_else() -> None:
    request = CODEC.encode(CHAT, OPTIONS._replace(timeout_ms=7))
    assert request.method == "POST"
    assert request.url == "https://api.anthropic.com/v1/messages"
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("anthropic-version", "2023-06-01"),
        ("x-api-key", "sk-key-1234"),
    )
    assert request.timeout_ms == 7
    assert b"sk-key" not in request.body


@pytest.mark.parametrize("base", ["http://h/v1", "http://h/v1/", "http://h/v1/messages"])
def test_the_path_is_added_to_the_base_once(base: str) -> None:
    assert CODEC.encode(CHAT, Options(base)).url == "http://h/v1/messages"


def test_without_a_key_no_credential_is_sent() -> None:
    names = [name for name, _ in CODEC.encode(CHAT, Options("http://h")).headers]
    assert names == ["Content-Type", "anthropic-version"]


def test_extra_headers_replace_ours_of_the_same_name() -> None:
    options = OPTIONS._replace(extra_headers=(("X-API-Key", "other"), ("x-team", "pi")))
    assert CODEC.encode(CHAT, options).headers == (
        ("Content-Type", "application/json"),
        ("anthropic-version", "2023-06-01"),
        ("X-API-Key", "other"),
        ("x-team", "pi"),
    )


def test_thinking_between_calls_is_asked_for_only_with_a_budget() -> None:
    traits = Traits(thinking_style="anthropic-budget")
    options = OPTIONS._replace(thinking="high", traits=traits)
    beta = ("anthropic-beta", "interleaved-thinking-2025-05-14")
    assert beta in CODEC.encode(CHAT, options).headers
    for without in ("beta", "thinking"):
        refused = options._replace(without=frozenset({without}))
        assert beta not in CODEC.encode(CHAT, refused).headers
    adaptive = options._replace(traits=Traits(thinking_style="anthropic-adaptive"))
    assert beta not in CODEC.encode(CHAT, adaptive).headers


def test_a_whole_answer_is_read_in_its_order() -> None:
    usage = {
        "input_tokens": 5,
        "output_tokens": 7,
        "cache_read_input_tokens": 3,
        "cache_creation_input_tokens": 2,
    }
    reply = whole(
        {"type": "thinking", "thinking": "hm", "signature": "s1"},
        {"type": "redacted_thinking", "data": "d1"},
        {"type": "text", "text": "Grüße"},
        {"type": "tool_use", "id": "t1", "name": "read", "input": {"path": "a.py"}},
        {"type": "text", "text": " "},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        "noise",
        {"type": "tool_use", "id": "t2", "name": "list", "input": {}},
        stop="tool_use",
        usage=usage,
    )
    assert reply.message.blocks == (
        Thinking("hm", "s1"),
        Thinking("", redacted=True, vendor={"type": "redacted_thinking", "data": "d1"}),
        Text("Grüße"),
        ToolCall("t1", "read", {"path": "a.py"}),
        ToolCall("t2", "list", {}),
    )
    assert reply.stop_reason == "tool_use"
    assert reply.raw_stop_reason == "tool_use"
    assert reply.usage == Usage(5, 7, 3, 2)
    assert reply.response_id == "msg_1"
    assert reply.message.origin == ("anthropic", "anthropic", "claude-x")


def test_a_refusal_without_words_says_why() -> None:
    details = {"type": "refusal", "category": "cyber", "explanation": "Not this."}
    assert whole(stop="refusal", stop_details=details).message.text() == "Not this."
    spoken = whole({"type": "text", "text": "No."}, stop="refusal", stop_details=details)
    assert spoken.message.text() == "No."
    assert spoken.stop_reason == "refusal"


def test_content_that_is_a_string_is_text() -> None:
    body = json.dumps({"content": "hi", "stop_reason": "end_turn"}).encode()
    assert CODEC.decode(body, CHAT, OPTIONS).message.text() == "hi"


def test_a_stream_under_another_content_type_is_understood() -> None:
    rows = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "message_stop"},
    ]
    raw = "".join(f"event: {row['type']}\ndata: {json.dumps(row)}\n\n" for row in rows)
    reply = CODEC.decode(raw.encode(), CHAT, OPTIONS)
    assert (reply.message.text(), reply.stop_reason) == ("hi", "stop")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"", "the answer is empty"),
        (b"<html><title>Gateway</title></html>", "the answer is not JSON"),
        (b"[1]", "the answer holds no content"),
        (b'{"choices":[]}', "the answer holds no content"),
        (b'{"content":7}', "the answer holds no content"),
    ],
)
def test_a_body_that_is_no_answer_is_named(body: bytes, what: str) -> None:
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert code_of(reply) == "malformed-answer"
    assert reply.error is not None
    assert what in reply.error.message


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("overloaded_error", "provider-overloaded"),
        ("api_error", "provider-overloaded"),
        ("rate_limit_error", "provider-overloaded"),
        ("timeout_error", "provider-overloaded"),
        ("invalid_request_error", "provider-error"),
        ("not_found_error", "provider-error"),
        ("authentication_error", "api-key-refused"),
        ("billing_error", "quota-exhausted"),
    ],
)
def test_an_error_with_a_good_status_is_a_failure_by_its_type(kind: str, code: str) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "sk-key-1234 says no"}}
    reply = CODEC.decode(json.dumps(body).encode(), CHAT, OPTIONS)
    assert code_of(reply) == code
    assert reply.error is not None
    assert "sk-key" not in " ".join(reply.error.lines())


def test_a_refused_key_is_told_apart() -> None:
    body = b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'
    error = CODEC.decode_error(401, {"request-id": "req_1"}, body, CHAT, OPTIONS)
    assert isinstance(error, KeyRefused)
    assert "invalid x-api-key" in error.cause
    assert "req_1" in error.cause


def test_a_refused_parameter_is_left_out_the_next_time() -> None:
    chat = CHAT._replace(temperature=0.0)
    body = b'{"error":{"message":"`temperature` is deprecated for this model."}}'
    change = CODEC.adapt(400, body, chat, OPTIONS)
    assert isinstance(change, Change)
    assert change.options.without == {"temperature"}
    assert b"temperature" in CODEC.encode(chat, OPTIONS).body
    assert b"temperature" not in CODEC.encode(chat, change.options).body
    assert CODEC.adapt(400, body, chat, change.options) is None


def test_a_refusal_of_something_else_changes_nothing() -> None:
    body = b'{"error":{"message":"messages: at least one message is required"}}'
    assert CODEC.adapt(400, body, CHAT, OPTIONS) is None
