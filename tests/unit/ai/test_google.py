from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Codec, Options, Traits
from pi.ai.providers.failure import Reported
from pi.ai.providers.google import GoogleCodec
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    Usage,
    tool_message,
    user_message,
)
from pi.base.errors import KeyRefused, PiError, ProviderFailed

CODEC: Codec = GoogleCodec()
BASE = "https://generativelanguage.googleapis.com/v1beta"
MODEL = "gemini-2.5-flash"
OPTIONS = Options(BASE, "AIza-key-1234", provider="google")
CALL = ToolCall("c1", "read", {"path": "ä.py", "n": 1})
TOOL = ToolDefinition(
    "read",
    "Read a file",
    {"type": "object", "properties": {"path": {"type": "string"}}, "additionalProperties": False},
)
CHAT = ChatRequest(MODEL, "be good", (user_message("hi"),))


def body_of(chat: ChatRequest, options: Options = OPTIONS) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CODEC.encode(chat, options).body)
    return body


def url_of(base: str, model: str = MODEL, stream: bool = True) -> str:
    options = Options(base, stream=stream)
    return CODEC.encode(ChatRequest(model, "", ()), options).url


def test_the_request_names_the_model_in_its_path_and_the_key_in_a_header_only() -> None:
    request = CODEC.encode(CHAT, OPTIONS._replace(timeout_ms=7))
    assert request.method == "POST"
    assert request.url == f"{BASE}/models/{MODEL}:streamGenerateContent?alt=sse"
    assert request.headers == (
        ("Content-Type", "application/json"),
        ("x-goog-api-key", "AIza-key-1234"),
    )
    assert request.timeout_ms == 7
    assert b"AIza" not in request.body


@pytest.mark.parametrize(
    ("base", "stream", "url"),
    [
        ("http://h/v1", False, f"http://h/v1/models/{MODEL}:generateContent"),
        ("http://h/v1/", True, f"http://h/v1/models/{MODEL}:streamGenerateContent?alt=sse"),
        (
            "http://h/x/{model}:generateContent",
            True,
            f"http://h/x/{MODEL}:streamGenerateContent?alt=sse",
        ),
        ("http://h/x/{model}:streamGenerateContent", False, f"http://h/x/{MODEL}:generateContent"),
        (
            "http://h/x/m:streamGenerateContent?alt=sse&a=1",
            True,
            "http://h/x/m:streamGenerateContent?a=1&alt=sse",
        ),
        ("http://h/x/m:generateContent?alt=sse", False, "http://h/x/m:generateContent"),
    ],
)
def test_a_base_that_names_the_method_is_a_template(base: str, stream: bool, url: str) -> None:
    assert url_of(base, stream=stream) == url


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("models/gemini-x", "models/gemini-x"),
        ("tunedModels/mine", "tunedModels/mine"),
        ("a b?#ü/c:d", "models/a%20b%3F%23%C3%BC/c:d"),
        ("\ud83d", "models/%EF%BF%BD"),
    ],
)
def test_a_model_is_percent_encoded_but_for_slash_and_colon(model: str, path: str) -> None:
    assert url_of("http://h", model, stream=False) == f"http://h/{path}:generateContent"


def test_extra_headers_replace_ours_of_the_same_name() -> None:
    options = OPTIONS._replace(extra_headers=(("X-Goog-Api-Key", "other"), ("X-Title", "pi")))
    assert CODEC.encode(CHAT, options).headers == (
        ("Content-Type", "application/json"),
        ("X-Goog-Api-Key", "other"),
        ("X-Title", "pi"),
    )


def test_without_a_key_no_credential_is_sent() -> None:
    assert CODEC.encode(CHAT, Options(BASE)).headers == (("Content-Type", "application/json"),)


def test_only_what_was_set_is_sent() -> None:
    assert body_of(ChatRequest(MODEL, " ", (user_message("hi"),))) == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}]
    }
    full = body_of(CHAT._replace(tools=(TOOL,), max_tokens=5, temperature=0.5))
    assert list(full) == ["systemInstruction", "tools", "generationConfig", "contents"]
    assert full["systemInstruction"] == {"parts": [{"text": "be good"}]}
    assert full["generationConfig"] == {"temperature": 0.5, "maxOutputTokens": 5}
    assert full["tools"] == [
        {
            "functionDeclarations": [
                {
                    "name": "read",
                    "description": "Read a file",
                    "parametersJsonSchema": dict(TOOL.parameters),
                }
            ]
        }
    ]


def test_a_temperature_the_model_does_not_take_is_not_sent() -> None:
    options = OPTIONS._replace(traits=Traits(temperature_allowed=False))
    assert "generationConfig" not in body_of(CHAT._replace(temperature=0.5), options)


def test_a_longer_history_only_adds_bytes_at_the_end() -> None:
    more = (*CHAT.messages, Message("assistant", (CALL,)), tool_message(CALL, "x"))
    short = CODEC.encode(CHAT._replace(tools=(TOOL,)), OPTIONS).body
    long = CODEC.encode(CHAT._replace(tools=(TOOL,), messages=more), OPTIONS).body
    assert short.endswith(b"]}")
    assert long.startswith(short[:-2] + b",")


def whole(*parts: Any, finish: str | None = "STOP", **more: Any) -> bytes:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "finishReason": finish}
    return json.dumps({"candidates": [candidate], "responseId": "r1", **more}).encode()


def test_a_whole_body_becomes_a_reply() -> None:
    usage = {
        "promptTokenCount": 20,
        "cachedContentTokenCount": 8,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 30,
        "toolUsePromptTokenCount": 2,
        "totalTokenCount": 57,
    }
    thought = {"text": "Look", "thought": True}
    call = {"functionCall": {"name": "read", "args": {"path": "a.py"}}, "thoughtSignature": "c2ln"}
    body = whole(thought, {"text": "Hi 😀"}, call, usageMetadata=usage)
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert reply.message == Message(
        "assistant",
        (
            Thinking("Look"),
            Text("Hi 😀"),
            ToolCall("call_1", "read", {"path": "a.py"}, signature="c2ln"),
        ),
        stop_reason="tool_use",
        origin=Origin("google", "google", MODEL),
    )
    assert (reply.stop_reason, reply.raw_stop_reason, reply.error) == ("tool_use", "STOP", None)
    assert reply.usage == Usage(14, 35, 8, 0, 30)
    assert reply.usage.total == 57
    assert reply.response_id == "r1"


def test_a_whole_body_needs_no_finish_reason() -> None:
    reply = CODEC.decode(whole({"text": "a"}, finish=None), CHAT, OPTIONS)
    assert (reply.stop_reason, reply.raw_stop_reason) == ("stop", None)


def test_the_pieces_of_a_stream_in_one_list_are_one_answer() -> None:
    pieces = [json.loads(whole({"text": text}, finish=None)) for text in ("Hel", "lo")]
    reply = CODEC.decode(json.dumps(pieces).encode(), CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.blocks) == ("stop", (Text("Hello"),))


def test_an_error_among_the_pieces_of_a_list_ends_the_answer() -> None:
    pieces = [json.loads(whole({"text": text}, finish=None)) for text in ("Hel", "lo")]
    pieces.insert(1, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy"}})
    reply = CODEC.decode(json.dumps(pieces).encode(), CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.text()) == ("error", "Hel")
    assert reply.error is not None
    assert reply.error.code == "provider-overloaded"


def test_an_event_stream_under_another_type_is_read_as_one() -> None:
    body = b": hi\n\ndata: " + whole({"text": "a"})
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert (reply.stop_reason, reply.message.text()) == ("stop", "a")


@pytest.mark.parametrize(
    ("body", "message", "cause"),
    [
        (b"", "the answer is empty", ""),
        (b"\xff\x00oops", "the answer is not JSON", "\ufffdoops"),
        (b"<html><title>Log in</title></html>", "the answer is not JSON", "Log in"),
        (b"5", "the answer holds no candidates", "5"),
        (b'{"detail":"no"}', "the answer holds no candidates", '{"detail":"no"}'),
        (b"[" * 100_000, "the answer is not JSON", "[" * 199 + "…"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_reported(body: bytes, message: str, cause: str) -> None:
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert reply.stop_reason == "error"
    assert isinstance(reply.error, ProviderFailed)
    assert reply.error.code == "malformed-answer"
    assert reply.error.message == f"google/{MODEL}: {message}"
    assert reply.error.cause == cause


def test_a_list_of_something_else_is_reported() -> None:
    reply = CODEC.decode(b"[1]", CHAT, OPTIONS)
    assert reply.error is not None
    assert reply.error.code == "malformed-stream"


def test_an_error_object_with_a_good_status_is_an_error() -> None:
    body = b'[{"error":{"message":"no","code":401,"status":"UNAUTHENTICATED"}}]'
    reply = CODEC.decode(body, CHAT, OPTIONS)
    assert isinstance(reply.error, KeyRefused)
    assert reply.error.cause == "no"


def test_a_bad_status_becomes_an_error_without_the_key() -> None:
    body = b'[{"error":{"code":403,"message":"bad AIza-key-1234","status":"PERMISSION_DENIED"}}]'
    error = CODEC.decode_error(403, {}, body, CHAT, OPTIONS)
    assert isinstance(error, KeyRefused)
    assert error.cause == "bad [redacted]"


DETAIL = "type.googleapis.com/google.rpc."


def failed(status: int, word: str, message: str, *details: Any) -> PiError:
    error = {"code": status, "message": message, "status": word, "details": list(details)}
    body = json.dumps([{"error": error}]).encode()
    return CODEC.decode_error(status, {}, body, CHAT, OPTIONS)


def test_a_bad_key_is_told_from_a_bad_request() -> None:
    reason = {"@type": DETAIL + "ErrorInfo", "reason": "API_KEY_INVALID"}
    error = failed(400, "INVALID_ARGUMENT", "API key not valid.", reason)
    assert isinstance(error, KeyRefused)
    assert failed(400, "INVALID_ARGUMENT", "bad").code == "http-400"


@pytest.mark.parametrize("words", ["", "Please retry in 34.07s."])
def test_a_limit_per_minute_carries_the_wait_it_asks_for(words: str) -> None:
    details: list[Any] = [
        {"@type": DETAIL + "QuotaFailure", "violations": [{"quotaId": "RequestsPerMinute"}]}
    ]
    if not words:
        details.append({"@type": DETAIL + "RetryInfo", "retryDelay": "34.07s"})
    error = failed(429, "RESOURCE_EXHAUSTED", "You exceeded your quota. " + words, *details)
    assert isinstance(error, Reported)
    assert (error.code, error.retry_after_ms) == ("http-429", 34070)


def test_a_daily_quota_does_not_pass_by_waiting() -> None:
    rows = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]
    quota = {"@type": DETAIL + "QuotaFailure", "violations": rows}
    wait = {"@type": DETAIL + "RetryInfo", "retryDelay": "34s"}
    error = failed(429, "RESOURCE_EXHAUSTED", "Please retry in 34s.", quota, wait)
    assert error.code == "quota-exhausted"


def test_a_conversation_that_is_too_long_is_named_so() -> None:
    words = (
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    )
    assert failed(400, "INVALID_ARGUMENT", words).code == "context-overflow"


def refusal(message: str) -> bytes:
    return json.dumps([{"error": {"code": 400, "message": message}}]).encode()


RICH = CHAT._replace(
    tools=(TOOL,),
    temperature=0.0,
    messages=(
        user_message("hi"),
        Message("assistant", (CALL._replace(item_id="w1", signature="c2ln"),)),
        tool_message(CALL, "x"),
    ),
)
BUDGET = OPTIONS._replace(thinking="high", traits=Traits(thinking_style="gemini-budget"))
LEVEL = OPTIONS._replace(thinking="high", traits=Traits(thinking_style="gemini-level"))


@pytest.mark.parametrize(
    ("options", "message", "name"),
    [
        (
            BUDGET,
            'Invalid JSON payload received. Unknown name "parametersJsonSchema" at '
            "'tools[0].function_declarations[0]': Cannot find field.",
            "parametersJsonSchema",
        ),
        (
            BUDGET,
            'Invalid JSON payload received. Unknown name "id" at '
            "'contents[7].parts[0].function_response': Cannot find field.",
            "functionCall.id",
        ),
        (LEVEL, "Thinking level is not supported for this model.", "thinkingLevel"),
        (
            LEVEL,
            "Unable to submit request because thinking_level MEDIUM is not supported",
            "thinkingLevel",
        ),
        (BUDGET, "The thinking budget (52428) is invalid.", "thinkingBudget"),
        (
            BUDGET,
            "Budget 0 is invalid. This model only works in thinking mode.",
            "thinkingBudget",
        ),
        (BUDGET, "Unknown name \"thinkingConfig\" at 'generation_config'", "thinkingConfig"),
        (BUDGET, "Thinking is not enabled for models/gemini-2.5-x", "thinkingConfig"),
        (
            BUDGET,
            "Function call is missing a thought_signature in functionCall parts.",
            "unsignedCalls",
        ),
        (BUDGET, "Thought signature is not valid", "thoughtSignature"),
        (BUDGET, "Developer instruction is not enabled for models/gemma", "systemInstruction"),
        (BUDGET, "temperature is not supported by this model", "temperature"),
    ],
)
def test_what_a_refusal_names_is_left_out_next_time(
    options: Options, message: str, name: str
) -> None:
    chat = RICH
    if name == "unsignedCalls":
        chat = RICH._replace(messages=(Message("assistant", (CALL,)), tool_message(CALL, "x")))
    change = CODEC.adapt(400, refusal(message), chat, options)
    assert change is not None
    assert change.options == options._replace(without=frozenset({name}))
    assert change.api == ""
    assert body_of(chat, change.options) != body_of(chat, options)
    assert CODEC.adapt(400, refusal(message), chat, change.options) != change


def test_what_was_not_sent_is_not_left_out() -> None:
    body = refusal("thinking_level, thinking budget, temperature and parametersJsonSchema")
    assert CODEC.adapt(400, body, CHAT, OPTIONS) is None
    assert CODEC.adapt(429, body, RICH, LEVEL) is None
    assert CODEC.adapt(400, b"\xff{", RICH, LEVEL) is None


def test_a_refusal_that_is_no_json_is_read_as_words() -> None:
    change = CODEC.adapt(422, b"bad thinkingConfig", RICH, LEVEL)
    assert change is not None
    assert change.options.without == {"thinkingConfig"}
    assert "thinkingConfig" not in body_of(RICH, change.options)["generationConfig"]


def test_a_model_that_refuses_both_ways_of_effort_is_asked_for_its_thoughts_only() -> None:
    options, seen = LEVEL, []
    for message in ("Thinking level is not supported", "The thinking budget (1) is invalid"):
        seen.append(body_of(RICH, options)["generationConfig"]["thinkingConfig"])
        change = CODEC.adapt(400, refusal(message), RICH, options)
        assert change is not None
        options = change.options
    seen.append(body_of(RICH, options)["generationConfig"]["thinkingConfig"])
    assert seen == [
        {"includeThoughts": True, "thinkingLevel": "HIGH"},
        {"includeThoughts": True, "thinkingBudget": 24576},
        {"includeThoughts": True},
    ]


def test_a_system_prompt_that_has_no_place_of_its_own_comes_first() -> None:
    options = OPTIONS._replace(without=frozenset({"systemInstruction"}))
    assert body_of(CHAT, options) == {
        "contents": [
            {"role": "user", "parts": [{"text": "be good"}]},
            {"role": "user", "parts": [{"text": "hi"}]},
        ]
    }
