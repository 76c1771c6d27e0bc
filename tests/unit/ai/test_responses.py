from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers import CODECS
from pi.ai.providers.codec import Codec, Options, Traits
from pi.ai.providers.responses import OpenAiResponsesCodec
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    Usage,
    user_message,
)
from pi.base.errors import KeyRefused, ProviderFailed

CODEC: Codec = OpenAiResponsesCodec()
OPTIONS = Options("https://api.example/v1", "sk-key-1234")
PLAIN = OPTIONS._replace(stream=False, traits=Traits(supports_reasoning=False))
TOOL = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("m", "be good", (user_message("hi"),))
HI = {"role": "user", "content": [{"type": "input_text", "text": "hi"}]}


def body_of(chat: ChatRequest = CHAT, options: Options = OPTIONS, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CODEC.encode(chat, options._replace(**changes)).body)
    return body


def test_the_table_of_wire_formats_names_this_codec() -> None:
    assert CODECS[CODEC.api] == "pi.ai.providers.responses:OpenAiResponsesCodec"


def test_the_request_goes_to_responses_with_the_key_in_a_header_only() -> None:
    request = CODEC.encode(CHAT, OPTIONS._replace(timeout_ms=7))
    assert (request.method, request.url) == ("POST", "https://api.example/v1/responses")
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer sk-key-1234"),
    )
    assert request.timeout_ms == 7
    assert b"sk-key" not in request.body


def test_azure_gets_its_own_header_and_the_deployment_as_model() -> None:
    base = "https://r.openai.azure.com/openai/v1"
    request = CODEC.encode(CHAT._replace(model="deployment"), OPTIONS._replace(base_url=base))
    assert request.url == f"{base}/responses"
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("api-key", "sk-key-1234"),
    )
    assert json.loads(request.body)["model"] == "deployment"
    dated = OPTIONS._replace(base_url=base, azure_api_version="preview")
    assert CODEC.encode(CHAT, dated).url == f"{base}/responses?api-version=preview"


def test_nothing_is_stored_at_the_vendor_and_only_what_was_set_is_sent() -> None:
    assert body_of(options=PLAIN) == {
        "model": "m",
        "store": False,
        "instructions": "be good",
        "input": [HI],
    }
    full = body_of(CHAT._replace(tools=(TOOL,), max_tokens=500, temperature=0.5))
    assert full["stream"] is True
    assert full["include"] == ["reasoning.encrypted_content"]
    assert (full["max_output_tokens"], full["temperature"]) == (500, 0.5)
    assert "reasoning" not in full
    assert full["tools"] == [
        {
            "type": "function",
            "name": "read",
            "description": "Read a file",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        }
    ]


def test_the_smallest_cap_the_vendor_takes_stands_for_a_smaller_one() -> None:
    assert body_of(CHAT._replace(max_tokens=1))["max_output_tokens"] == 16


def test_a_model_that_takes_no_temperature_gets_none() -> None:
    chat = CHAT._replace(temperature=0.5)
    assert "temperature" not in body_of(chat, traits=Traits(temperature_allowed=False))


@pytest.mark.parametrize(
    ("thinking", "traits", "expected"),
    [
        ("", Traits(), None),
        ("high", Traits(supports_reasoning=False), None),
        ("high", Traits(), {"effort": "high", "summary": "auto"}),
        ("max", Traits(thinking_levels=("low", "high")), {"effort": "high", "summary": "auto"}),
        ("minimal", Traits(thinking_levels=("low",)), {"effort": "low", "summary": "auto"}),
        ("low", Traits(thinking_levels=("odd",)), {"effort": "low", "summary": "auto"}),
        ("off", Traits(), {"effort": "none"}),
        (
            "off",
            Traits(thinking_levels=("minimal", "low"), thinking_can_disable=False),
            {"effort": "minimal"},
        ),
    ],
)
def test_thinking_is_asked_for_as_far_as_the_model_has_it(
    thinking: str, traits: Traits, expected: Any
) -> None:
    assert body_of(thinking=thinking, traits=traits).get("reasoning") == expected


def test_what_was_refused_before_is_left_out() -> None:
    options = OPTIONS._replace(thinking="low", conversation="c")
    chat = CHAT._replace(temperature=0.5, tools=(TOOL,))
    full = body_of(chat, options)
    for name in ("temperature", "include", "store", "prompt_cache_key", "reasoning"):
        less = body_of(chat, options, without=frozenset({name}))
        assert {name: full[name], **less} == full
        assert name not in less
    less = body_of(chat, options, without=frozenset({"reasoning.summary"}))
    assert less["reasoning"] == {"effort": "low"}
    less = body_of(chat, options, without=frozenset({"reasoning.effort"}))
    assert less["reasoning"] == {"summary": "auto"}
    both = frozenset({"reasoning.effort", "reasoning.summary"})
    assert "reasoning" not in body_of(chat, options, without=both)
    assert "strict" not in body_of(chat, options, without=frozenset({"strict"}))["tools"][0]


def test_the_conversation_names_the_cache_and_long_retention_is_the_vendors_own() -> None:
    body = body_of(conversation="c1", cache_retention="long")
    assert body["prompt_cache_key"] == "c1"
    assert "prompt_cache_retention" not in body
    body = body_of(base_url="https://api.openai.com/v1", cache_retention="long")
    assert body["prompt_cache_retention"] == "24h"
    assert "prompt_cache_key" not in body
    assert "prompt_cache_key" not in body_of(conversation="c1", cache_retention="none")
    assert len(body_of(conversation="c" * 65)["prompt_cache_key"]) <= 64


@pytest.mark.parametrize(("flag", "expected"), [("yes", True), ("no", False), ("", None)])
def test_parallel_calls_are_set_only_if_configured(flag: str, expected: Any) -> None:
    chat = CHAT._replace(tools=(TOOL,))
    body = body_of(chat, compat={"parallel_tool_calls": flag})
    assert body.get("parallel_tool_calls") is expected


def test_a_longer_history_only_adds_bytes_at_the_end() -> None:
    more = (*CHAT.messages, Message("assistant", (Text("x"),)), user_message("y"))
    short = CODEC.encode(CHAT._replace(tools=(TOOL,)), OPTIONS).body
    long = CODEC.encode(CHAT._replace(tools=(TOOL,), messages=more), OPTIONS).body
    assert short.endswith(b"]}")
    assert long.startswith(short[:-2] + b",")


def answer(*output: Any, **fields: Any) -> bytes:
    usage = {
        "input_tokens": 90,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 10},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 12},
        "total_tokens": 110,
    }
    whole = {"id": "r1", "status": "completed", "error": None, "output": output, "usage": usage}
    return json.dumps({**whole, **fields}).encode()


THOUGHT = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "e"}
MESSAGE = {"type": "message", "id": "m1", "content": [{"type": "output_text", "text": "Hi 😀"}]}
CALL = {"type": "function_call", "id": "f", "call_id": "c", "name": "read", "arguments": '{"n":1}'}


def test_a_whole_body_becomes_a_reply() -> None:
    reply = CODEC.decode(answer(THOUGHT, MESSAGE), CHAT, OPTIONS)
    assert reply.message == Message(
        "assistant",
        (Thinking("", vendor=THOUGHT), Text("Hi 😀", '{"id":"m1"}')),
        stop_reason="stop",
        origin=Origin("openai-responses", "openai", "m"),
    )
    assert (reply.stop_reason, reply.raw_stop_reason, reply.error) == ("stop", "completed", None)
    assert reply.usage == Usage(input=16, output=20, cache_read=64, cache_write=10, reasoning=12)
    assert reply.response_id == "r1"


def test_reasoning_goes_back_as_it_came_directly_before_its_call() -> None:
    reply = CODEC.decode(answer(THOUGHT, CALL, CALL), CHAT, OPTIONS)
    assert reply.stop_reason == "tool_use"
    first, second = reply.message.tool_calls()
    assert (first.id, first.item_id, first.arguments) == ("c", "f", {"n": 1})
    assert second.id != first.id
    items = body_of(CHAT._replace(messages=(reply.message,)))["input"]
    assert items[0] == THOUGHT
    assert items[1] == CALL


@pytest.mark.parametrize(
    ("fields", "reason", "code"),
    [
        ({"status": "incomplete"}, "length", ""),
        ({"incomplete_details": None, "status": None}, "stop", ""),
        ({"status": "queued"}, "error", "provider-error"),
        ({"status": "failed", "error": {"code": "server_error"}}, "error", "provider-overloaded"),
    ],
)
def test_the_status_of_a_whole_body_counts(fields: Any, reason: str, code: str) -> None:
    reply = CODEC.decode(answer(MESSAGE, **fields), CHAT, OPTIONS)
    assert reply.stop_reason == reason
    assert (reply.error.code if reply.error else "") == code


@pytest.mark.parametrize(
    ("body", "message", "cause"),
    [
        (b"", "openai/m: the answer is empty", ""),
        (b"<html><title>Log in</title></html>", "openai/m: the answer is not JSON", "Log in"),
        (b"[1]", "openai/m: the answer holds no output", "[1]"),
        (b'{"output":{}}', "openai/m: the answer holds no output", '{"output":{}}'),
        (b"[" * 100_000, "openai/m: the answer is not JSON", "[" * 199 + "…"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_reported(body: bytes, message: str, cause: str) -> None:
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert isinstance(reply.error, ProviderFailed)
    assert (reply.error.code, reply.error.message) == ("malformed-answer", message)
    assert reply.error.cause == cause


def test_an_event_stream_under_another_type_is_read_as_one() -> None:
    body = b': hi\n\nevent: response.completed\ndata: {"response":' + answer(MESSAGE) + b"}"
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.text()) == ("stop", "Hi 😀")


def test_a_bad_status_becomes_an_error() -> None:
    error = CODEC.decode_error(401, {}, b'{"error":{"message":"bad sk-key-1234"}}', CHAT, OPTIONS)
    assert isinstance(error, KeyRefused)
    assert "[redacted]" in error.cause


def test_lone_surrogates_and_odd_numbers_do_not_reach_the_wire() -> None:
    call = ToolCall("c", "read", {"path": "\udc80", "n": float("nan")})
    messages = (Message("assistant", (Text("\ud83d\ude00"), call)),)
    body = json.loads(CODEC.encode(CHAT._replace(messages=messages), OPTIONS).body.decode("utf-8"))
    assert body["input"][0]["content"] == "😀"
    assert body["input"][1]["arguments"] == '{"path":"\ufffd","n":null}'
