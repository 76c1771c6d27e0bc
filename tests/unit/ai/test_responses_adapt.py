from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Change, Codec, Options, Traits
from pi.ai.providers.responses import OpenAiResponsesCodec
from pi.ai.types import ChatRequest, Message, Text, Thinking, ToolCall, ToolDefinition, user_message

CODEC: Codec = OpenAiResponsesCodec()
OPTIONS = Options(
    "https://api.openai.com/v1",
    "sk-key-1234",
    thinking="high",
    conversation="c1",
    cache_retention="long",
    compat={"parallel_tool_calls": "no"},
)
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
ANSWER = Message("assistant", (Thinking("", vendor=REASONING), ToolCall("c", "read", {})))
CHAT = ChatRequest(
    "gpt-9",
    "",
    (user_message("hi"), ANSWER),
    (ToolDefinition("read", "", {}),),
    temperature=0.5,
)


def refusal(message: str, param: Any = None, code: Any = None) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return json.dumps({"error": error}).encode()


def change(status: int, body: bytes, options: Options = OPTIONS) -> Change | None:
    return CODEC.adapt(status, body, CHAT, options)


def sent(options: Options, chat: ChatRequest = CHAT) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(CODEC.encode(chat, options).body)
    return body


UNSUPPORTED = "Unsupported parameter: '{0}' is not supported with this model."


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (refusal(UNSUPPORTED.format("temperature"), "temperature"), "temperature"),
        (
            refusal(
                "Unsupported value: 'temperature' does not support 0.5 with this model.",
                "temperature",
                "unsupported_value",
            ),
            "temperature",
        ),
        (refusal("`temperature` is deprecated for this model."), "temperature"),
        (
            refusal(
                "Your organization must be verified to generate reasoning summaries.",
                "reasoning.summary",
                "unsupported_value",
            ),
            "reasoning.summary",
        ),
        (refusal(UNSUPPORTED.format("reasoning.effort"), "reasoning.effort"), "reasoning.effort"),
        (refusal("Encrypted content is not supported with this model.", "include"), "include"),
        (refusal("Unknown parameter: 'store'.", "store", "unknown_parameter"), "store"),
        (refusal("Unsupported parameter: prompt_cache_key"), "prompt_cache_key"),
        (refusal("Unknown field 'prompt_cache_retention'"), "prompt_cache_retention"),
        (refusal("x", "parallel_tool_calls", "unsupported_parameter"), "parallel_tool_calls"),
        (refusal("Unknown parameter: 'tools[0].strict'.", "tools[0].strict"), "strict"),
        (refusal("Unrecognized request argument supplied: 'reasoning'"), "reasoning"),
        (
            b'{"detail":[{"loc":["body","prompt_cache_key"],'
            b'"msg":"Extra inputs are not permitted"}]}',
            "prompt_cache_key",
        ),
        (b"got an unexpected keyword argument 'include'", "include"),
        (b'{"message":"Unsupported parameter","param":"store"}', "store"),
    ],
)
def test_a_refused_parameter_is_removed_alone_and_once(body: bytes, name: str) -> None:
    found = change(400, body)
    assert found == Change(OPTIONS._replace(without=frozenset({name})))
    assert found is not None
    before, after = sent(OPTIONS), sent(found.options)
    assert before != after
    assert before["input"] == after["input"]
    assert change(400, body, found.options) is None


@pytest.mark.parametrize(
    "message",
    [
        "The encrypted content for item rs_1 could not be verified. Reason: invalid.",
        "Item 'fc_1' of type 'function_call' was provided without its required 'reasoning' item",
        "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false.",
        "The requested item was created under a different Azure OpenAI resource.",
    ],
)
@pytest.mark.parametrize("status", [400, 404])
def test_reasoning_that_is_not_taken_back_is_left_out(message: str, status: int) -> None:
    found = change(status, refusal(message, "input"))
    assert found is not None
    assert found.api == ""
    assert [item.get("type") for item in sent(found.options)["input"]] == [None, "function_call"]


def test_streaming_that_is_not_allowed_is_switched_off() -> None:
    body = refusal(
        "Your organization must be verified to stream this model.", "stream", "unsupported_value"
    )
    assert change(400, body) == Change(OPTIONS._replace(stream=False))


@pytest.mark.parametrize(
    ("thinking", "said", "effort"),
    [
        ("max", "'low', 'medium', and 'high'", "high"),
        ("off", "'minimal', 'low', 'medium', and 'high'", "minimal"),
        ("minimal", "'none' and 'high'", "high"),
        ("off", "'medium'", "medium"),
    ],
)
def test_a_level_the_model_lacks_becomes_the_nearest_it_names(
    thinking: str, said: str, effort: str
) -> None:
    options = OPTIONS._replace(thinking=thinking)
    message = f"Unsupported value: 'x' is not supported with 'm'. Supported values are: {said}."
    body = refusal(message, "reasoning.effort", "unsupported_value")
    found = change(400, body, options)
    assert found is not None
    assert sent(found.options)["reasoning"]["effort"] == effort
    again = change(400, body, found.options)  # it says so and refuses all the same
    assert again is not None
    assert "effort" not in sent(again.options).get("reasoning", {})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b""),
        (404, b"404 page not found"),
        (404, b'{"detail":"Not Found"}'),
        (405, b"<html><title>Method Not Allowed</title></html>"),
        (400, refusal("This model is not supported in the v1/responses endpoint.", "model")),
        (
            400,
            refusal("This model is only supported in v1/chat/completions and not in v1/responses."),
        ),
        (400, refusal("The responses operation does not work with the specified model, gpt-4.")),
        (400, refusal("The model does not support it", None, "OperationNotSupported")),
        (400, refusal("Responses API is enabled only for api-version 2025-03-01-preview")),
    ],
)
def test_a_server_without_responses_is_asked_over_chat_without_thinking(
    status: int, body: bytes
) -> None:
    assert change(status, body) == Change(OPTIONS._replace(thinking="off"), "openai-chat")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, refusal("The model `gpt-9` does not exist", None, "model_not_found")),
        (404, b'{"error":{"code":"DeploymentNotFound","message":"no deployment"}}'),
        (400, refusal("Invalid value for 'temperature': must be <= 2", "temperature")),
        (400, refusal("messages must include a user turn")),
        (400, refusal("Invalid image", "input[0].content[1]", "invalid_image")),
        (400, refusal(UNSUPPORTED.format("top_p"), "top_p", "unsupported_parameter")),
        (400, refusal("'store' is not supported", "input")),
        (400, b""),
        (400, b"[" * 100_000),
        (400, b"\xff\x00"),
        (401, refusal(UNSUPPORTED.format("temperature"), "temperature")),
        (429, refusal(UNSUPPORTED.format("temperature"), "temperature")),
        (500, refusal(UNSUPPORTED.format("temperature"), "temperature")),
    ],
)
def test_a_refusal_about_something_else_changes_nothing(status: int, body: bytes) -> None:
    assert change(status, body) is None


def test_what_was_not_sent_is_not_removed() -> None:
    plain = Options("http://h", traits=Traits(supports_reasoning=False))
    chat = ChatRequest("m", "", (user_message("hi"), Message("assistant", (Text("x"),))))
    for name in ("temperature", "include", "prompt_cache_key", "reasoning.summary", "tools.strict"):
        assert CODEC.adapt(400, refusal(UNSUPPORTED.format(name), name), chat, plain) is None
    stale = refusal("The encrypted content for item rs_1 could not be verified.")
    assert CODEC.adapt(400, stale, chat, plain) is None
