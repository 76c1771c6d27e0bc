"""Which failures say that the conversation is too long, and how long it may be."""

from __future__ import annotations

import pytest

from pi.ai.overflow import Overflow, find_overflow

TEXTS = [
    ("prompt is too long: 213462 tokens > 200000 maximum", 200000),
    ("prompt is too long", None),
    ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", 200000),
    ("ValidationException: Input is too long for requested model.", None),
    ("Your input exceeds the context window of this model. Please adjust your input", None),
    ("input token count (1196265) exceeds the maximum number of tokens allowed (1048575)", 1048575),
    ("input token count exceeds the maximum", None),
    ("This model's maximum prompt length is 131072 but the request holds 537812 tokens", 131072),
    ("Please reduce the length of the messages or completion.", None),
    ("This model's maximum context length is 128000 tokens. However, you sent 130001", 128000),
    ("prompt token count of 66542 exceeds the limit of 64000", 64000),
    ("the request exceeds the available context size. try increasing the context size", None),
    ("request (5121 tokens) exceeds the available context size (4096 tokens), try", 4096),
    ("number of tokens to keep from the initial prompt is greater than the context length", None),
    ("the model is loaded with context length of only 4096 tokens, which is not enough", 4096),
    ("Requested tokens (2285) exceed context window of 2048", 2048),
    ("invalid params, context window exceeds limit (2013)", None),
    ("Your request exceeded model token limit: 262144 (requested: 291351)", 262144),
    ("140000 tokens, too large for model with 131072 maximum context length", 131072),
    ("context_length_exceeded", None),
    ("Context length exceeded", None),
    ("prompt too long; exceeded max context length by 12 tokens", None),
    ("model_context_window_exceeded", None),
    ("Too many tokens in the prompt", None),
    ("token limit exceeded", None),
    ("MAXIMUM CONTEXT LENGTH IS 32,768 TOKENS", 32768),
]  # fmt: skip


@pytest.mark.parametrize(("text", "window"), TEXTS)
@pytest.mark.parametrize("status", [400, 413, 500, None])
def test_each_wording_is_an_overflow_and_names_its_window(
    text: str, window: int | None, status: int | None
) -> None:
    assert find_overflow(status, text) == Overflow(window)


@pytest.mark.parametrize("text", [text for text, _ in TEXTS])
@pytest.mark.parametrize("status", [401, 402, 403, 429])
def test_a_limit_on_rates_money_or_access_is_none(text: str, status: int) -> None:
    assert find_overflow(status, text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no such model",
        "Too many tokens, please wait before trying again.",
        "rate_limit_error: too many tokens",
        "too large on tokens per minute (TPM): Limit 6000; reduce the length of the messages",
        "ThrottlingException: too many tokens",
        "messages.1: the number of images exceeds the limit of 100",
        "max_tokens: 99999 exceeds the limit of 8192",
        "x" * 5000 + "prompt is too long",
    ],
)  # fmt: skip
def test_other_failures_are_none(text: str) -> None:
    assert find_overflow(400, text) is None


def test_a_code_is_enough_and_a_field_names_the_window() -> None:
    assert find_overflow(400, "no", {"exceed_context_size_error"}, 4096) == Overflow(4096)
    assert find_overflow(400, "no", {"context_length_exceeded"}) == Overflow(None)
    assert find_overflow(400, "prompt is too long", (), 512) == Overflow(512)


@pytest.mark.parametrize("n_ctx", [0, -1, True, "4096", 10**12, None, {}])
def test_a_field_that_is_no_window_is_passed_over(n_ctx: object) -> None:
    assert find_overflow(400, "prompt is too long", (), n_ctx) == Overflow(None)


def test_an_absurd_number_is_no_window() -> None:
    assert find_overflow(400, "maximum prompt length is 99999999999") == Overflow(None)
    assert find_overflow(400, "maximum prompt length is 0") == Overflow(None)
