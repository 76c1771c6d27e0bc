from __future__ import annotations

import json

import pytest

from pi.ai.providers.anthropic_adapt import adapted
from pi.ai.providers.anthropic_body import request_body
from pi.ai.providers.codec import Options, Traits
from pi.ai.types import ChatRequest, Message, Text, Thinking, user_message

VENDOR = "https://api.anthropic.com/v1"
THOUGHT = Message("assistant", (Thinking("hm", "sig"), Text("x")))
CHAT = ChatRequest("claude-x", "be good", (user_message("a"), THOUGHT, user_message("b")))
PLAIN = Options(VENDOR, "sk-key-1234", cache_retention="none")
CACHED = Options(VENDOR, cache_retention="long")
ADAPTIVE = PLAIN._replace(thinking="high", traits=Traits(thinking_style="anthropic-adaptive"))
BUDGET = PLAIN._replace(thinking="high", traits=Traits(thinking_style="anthropic-budget"))
OFF = ADAPTIVE._replace(thinking="off")
BINDING = (
    "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a "
    "different conversation. Remove the block, or set "
    '`thinking.block_binding.prefix_mismatch_behavior` to "drop_block". That setting requires the '
    "`thinking-binding-controls-2026-08-01` value in the `anthropic-beta` header. The `system` "
    "prompt differs from the one this block was created with."
)
USE_ADAPTIVE = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
    '"output_config.effort" to control thinking behavior.'
)


def error(message: str) -> bytes:
    inner = {"type": "invalid_request_error", "message": message}
    return json.dumps({"type": "error", "error": inner}).encode()


def after(message: str, options: Options, chat: ChatRequest = CHAT) -> Options | None:
    return adapted(400, error(message), request_body(chat, options), options)


@pytest.mark.parametrize(
    ("message", "options", "left_out"),
    [
        (BINDING, BUDGET, "thinking-history"),
        (BINDING, PLAIN, "thinking-history"),
        (
            "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest "
            "assistant message cannot be modified.",
            ADAPTIVE,
            "thinking-history",
        ),
        ("messages.1.content.0.thinking.signature: Field required", PLAIN, "thinking-history"),
        ("Invalid `data` in `redacted_thinking` block", PLAIN, "thinking-history"),
        (
            "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            "`tool_use`. When `thinking` is enabled, a final `assistant` message must start with "
            "a thinking block.",
            BUDGET,
            "thinking",
        ),
        (
            "Unexpected value(s) `interleaved-thinking-2025-05-14` for the `anthropic-beta` header",
            BUDGET,
            "beta",
        ),
        ("system.0.cache_control.ephemeral.ttl: Extra inputs are not permitted", CACHED,
         "cache-ttl"),
        ("messages.0.content.0.text.cache_control: Extra inputs are not permitted", CACHED,
         "cache_control"),
        ("thinking.adaptive.display: Extra inputs are not permitted", ADAPTIVE,
         "thinking-display"),
        ("adaptive thinking is not supported on this model", ADAPTIVE, "thinking-adaptive"),
        (
            "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected "
            "tags: 'disabled', 'enabled'",
            ADAPTIVE,
            "thinking-adaptive",
        ),
        ("This model does not support the effort parameter", ADAPTIVE, "effort"),
        ("output_config: Extra inputs are not permitted", ADAPTIVE, "effort"),
        (USE_ADAPTIVE, BUDGET, "thinking-budget"),
        ('"thinking.type.disabled" is not supported for this model.', OFF, "thinking-off"),
        ("thinking: Extra inputs are not permitted", ADAPTIVE, "thinking"),
        ("thinking: Extra inputs are not permitted", BUDGET, "thinking"),
    ],
)  # fmt: skip
def test_the_one_thing_a_refusal_names_is_left_out(
    message: str, options: Options, left_out: str
) -> None:
    changed = after(message, options)
    assert changed == options._replace(without=frozenset({left_out}))
    assert request_body(CHAT, changed) != request_body(CHAT, options) or left_out == "beta"
    again = after(message, changed)
    assert again is None or left_out not in again.without - changed.without


def test_a_deprecated_temperature_is_left_out() -> None:
    chat = CHAT._replace(temperature=0.0)
    changed = after("`temperature` is deprecated for this model.", PLAIN, chat)
    assert changed is not None
    assert changed.without == {"temperature"}
    assert after("`temperature` is deprecated for this model.", PLAIN, CHAT) is None


def test_stripped_thinking_is_stripped_once() -> None:
    changed = after(BINDING, PLAIN)
    assert changed is not None
    assert after(BINDING, changed) is None


def test_an_effort_the_model_lacks_is_lowered_before_it_is_dropped() -> None:
    words = "effort 'max' is not supported by this model. Supported levels: high, medium, low"
    highest = ADAPTIVE._replace(thinking="max")
    lowered = after(words, highest)
    assert lowered is not None
    assert request_body(CHAT, lowered)["output_config"] == {"effort": "high"}
    dropped = after(words, lowered)
    assert dropped is not None
    assert "output_config" not in request_body(CHAT, dropped)


def test_a_limit_on_the_answer_is_learned() -> None:
    words = (
        "max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for "
        "claude-3-5-haiku-20241022"
    )
    chat = CHAT._replace(max_tokens=64_000)
    changed = after(words, PLAIN, chat)
    assert changed is not None
    assert request_body(chat, changed)["max_tokens"] == 8192
    assert after(words, changed, chat) is None


@pytest.mark.parametrize("limit", ["0", "99999"])
def test_a_limit_that_explains_nothing_changes_nothing(limit: str) -> None:
    assert after(f"max_tokens: 64000 > {limit}", PLAIN, CHAT) is None


@pytest.mark.parametrize(
    "message",
    ["", "cache_control", "temperature", "thinking", "effort", "prompt is too long: 5 > 4"],
)
def test_what_was_not_sent_is_not_left_out(message: str) -> None:
    assert after(message, PLAIN) is None


def test_only_a_refusal_of_the_request_counts() -> None:
    body = request_body(CHAT, PLAIN)
    for status in (401, 403, 404, 413, 429, 500, 529):
        assert adapted(status, error(BINDING), body, PLAIN) is None
    assert adapted(422, error(BINDING), body, PLAIN) is not None


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b'{"error":7}', b"x" * 200_000])
def test_a_refusal_in_any_shape_is_read_without_trouble(body: bytes) -> None:
    assert adapted(400, body, request_body(CHAT, CACHED), CACHED) is None


def test_words_outside_json_count_too() -> None:
    changed = adapted(400, b"cache_control is unknown", request_body(CHAT, CACHED), CACHED)
    assert changed is not None
    assert changed.without == {"cache_control"}
