from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Change, Options, Traits
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.providers.openai_adapt import hint_for
from pi.ai.types import (
    ChatRequest,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)

CODEC = OpenAiChatCodec()
CALL = ToolCall("c1", "read", {"path": "a"})
CHAT = ChatRequest(
    "m",
    "be good",
    (
        user_message("hi"),
        Message("assistant", (Thinking("hm", vendor={"field": "reasoning_content"}), CALL)),
        tool_message(CALL, "x"),
    ),
    (ToolDefinition("read", "Read", {"type": "object"}),),
    max_tokens=100,
    temperature=0.5,
)
PLAIN = Options("https://models.example.org/v1", thinking="high")
OPENAI = Options(
    "https://api.openai.com/v1",
    thinking="high",
    conversation="c",
    traits=Traits(supports_reasoning=True),
)


def openai_error(message: str, param: str | None = None) -> bytes:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return json.dumps({"error": error}).encode()


def mistral_error(*loc: Any) -> bytes:
    rows = [{"type": "extra_forbidden", "loc": list(loc), "msg": "Extra inputs are not permitted",
             "input": {"temperature": 1}}]  # fmt: skip
    return json.dumps({"object": "error", "message": {"detail": rows}}).encode()


def adapted(body: bytes, options: Options = PLAIN, status: int = 400) -> Change | None:
    return CODEC.adapt(status, body, CHAT, options)


def removed(body: bytes, options: Options = PLAIN, status: int = 400) -> set[str]:
    change = adapted(body, options, status)
    if change is None:
        return set()
    assert change.api == ""
    return set(change.options.without - options.without)


LOCAL = PLAIN._replace(compat={"thinking_replay": "calls", "supports_strict": True})


@pytest.mark.parametrize(
    ("body", "options", "name"),
    [
        (openai_error("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                      "'max_completion_tokens' instead.", "max_tokens"), PLAIN, "max_tokens"),
        (openai_error("Unsupported parameter: 'max_completion_tokens' is not supported with this "
                      "model. Use 'max_tokens'."), OPENAI, "max_completion_tokens"),
        (openai_error("Unsupported value: 'temperature' does not support 0.5 with this model. Only "
                      "the default (1) value is supported.", "temperature"), PLAIN, "temperature"),
        (openai_error("Unrecognized request argument supplied: reasoning_effort"), PLAIN,
         "reasoning_effort"),
        (openai_error("`reasoning_effort` must be one of `none` or `default`"), PLAIN,
         "reasoning_effort"),
        (openai_error("Unknown parameter: 'prompt_cache_key'."), OPENAI, "prompt_cache_key"),
        (openai_error("Unrecognized request argument supplied: store"), OPENAI, "store"),
        (openai_error("'developer' is not one of ['system', 'assistant', 'user', 'function'] - "
                      "'messages.0.role'"), OPENAI, "developer"),
        (openai_error("Additional properties are not allowed ('strict' was unexpected)"), LOCAL,
         "strict"),
        (openai_error("Additional properties are not allowed ('name' was unexpected) - "
                      "'messages.2'"), PLAIN, "name"),
        (mistral_error("body", "stream_options"), PLAIN, "stream_options"),
        (mistral_error("body", "messages", 1, "assistant", "reasoning_content"), LOCAL,
         "reasoning_replay"),
        (mistral_error("body", "messages", 2, "tool", "name"), PLAIN, "name"),
        (b'{"detail":"stream_options is not supported by this model"}', PLAIN, "stream_options"),
        (b"unknown field `stream_options`, expected one of", PLAIN, "stream_options"),
    ],
)  # fmt: skip
def test_what_a_refusal_names_is_left_out_once(body: bytes, options: Options, name: str) -> None:
    assert removed(body, options) == {name}
    again = options._replace(without=frozenset({name}))
    assert removed(body, again) <= {"max_completion_tokens", "max_tokens"} - {name}


def test_a_template_that_refuses_thinking_beside_text_gets_none() -> None:
    words = (
        "Jinja Exception: Cannot pass both content and thinking in an assistant message with "
        "tool calls! Put the analysis message in one or the other, but not both."
    )
    body = json.dumps({"error": {"code": 500, "type": "server_error", "message": words}}).encode()
    assert removed(body, LOCAL, status=500) == {"reasoning_replay"}
    assert removed(body, PLAIN, status=500) == set()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        openai_error("max_tokens is too large: 5000. This model supports at most 4096 tokens"),
        openai_error("This model's maximum context length is 8192 tokens. However, you requested "
                     "9000. Please reduce the length of the messages or max_tokens."),
        openai_error("Invalid value for 'model'"),
        openai_error("Unsupported parameter: 'top_k'"),
        openai_error("The messages are invalid"),
        openai_error("You exceeded your quota"),
    ],
)  # fmt: skip
def test_a_refusal_about_anything_else_changes_nothing(body: bytes) -> None:
    assert adapted(body) is None


@pytest.mark.parametrize("status", [200, 401, 403, 404, 413, 429, 503])
def test_only_a_refused_request_is_changed(status: int) -> None:
    body = openai_error("Unsupported parameter: 'temperature'", "temperature")
    assert adapted(body, status=status) is None


BOTH = (
    "Function tools with reasoning_effort are not supported for gpt-5.6 in /v1/chat/completions. "
    "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, BOTH),
        (404, "This model is only supported in v1/responses and not in v1/chat/completions."),
    ],
)
def test_tools_with_reasoning_go_to_the_other_api(status: int, message: str) -> None:
    body = openai_error(message, "reasoning_effort")
    assert adapted(body, OPENAI, status) == Change(OPENAI, "openai-responses")


def test_without_reasoning_there_is_no_going_back_and_forth() -> None:
    change = adapted(openai_error(BOTH), OPENAI._replace(thinking="off"))
    assert change is None or change.api == ""


@pytest.mark.parametrize(
    ("status", "message", "flag", "value"),
    [
        (400, "The `reasoning_content` in the thinking mode must be passed back to the API.",
         "thinking_replay", "required"),
        (400, "thinking is enabled but reasoning_content is missing in assistant tool call message "
              "at index 2", "thinking_replay", "required"),
        (400, "Tool call id was c1 but must be a-z, A-Z, 0-9, with a length of 9.",
         "tool_id_pattern", "mistral"),
        (500, "Tool call IDs should be alphanumeric strings with length 9!",
         "tool_id_pattern", "mistral"),
        (400, "Unexpected role 'user' after role 'tool'",
         "requires_assistant_after_tool_result", True),
    ],
)  # fmt: skip
def test_what_a_refusal_asks_for_is_added_once(
    status: int, message: str, flag: str, value: Any
) -> None:
    body = openai_error(message)
    change = adapted(body, PLAIN, status)
    assert change is not None
    assert change.options == PLAIN._replace(compat={flag: value})
    again = adapted(body, change.options, status)
    assert again is None or again.options.compat == change.options.compat


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ('"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
         "--enable-auto-tool-choice --tool-call-parser NAME"),
        ("tools param requires --jinja flag", "llama-server with --jinja"),
        ('model "m" not found, try pulling it first', "ollama pull m"),
        ("registry.ollama.ai/library/m does not support tools", "trained to use tools"),
    ],
)  # fmt: skip
def test_refusals_that_the_keeper_of_the_server_can_end_say_how(message: str, hint: str) -> None:
    error = CODEC.decode_error(400, {}, openai_error(message), CHAT, PLAIN)
    assert hint in error.hint
    assert hint_for(b"anything else", CHAT) == ""
    assert hint_for(openai_error(message), CHAT._replace(model="m\x1b[0m")) == ""


def test_a_text_message_is_no_reason_to_look_for_parameters_in_it() -> None:
    chat = CHAT._replace(messages=(Message("user", (Text("temperature"),)),), temperature=None)
    body = openai_error("Unsupported parameter: 'temperature'", "temperature")
    assert CODEC.adapt(400, body, chat, PLAIN) is None
