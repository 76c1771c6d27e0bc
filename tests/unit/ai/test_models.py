"""References to models."""

from __future__ import annotations

import pytest

from pi.ai.models import ModelRef, parse_model
from pi.base.errors import UsageError


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("openai/gpt-4o-mini", ModelRef("openai", "gpt-4o-mini")),
        ("gpt-4o-mini", ModelRef("openai", "gpt-4o-mini")),
        (" Groq / llama-3 ", ModelRef("groq", "llama-3")),
        ("openrouter/openai/gpt-4o", ModelRef("openrouter", "openai/gpt-4o")),
    ],
)
def test_the_first_slash_parts_provider_and_model(text: str, ref: ModelRef) -> None:
    assert parse_model(text) == ref


@pytest.mark.parametrize("text", ["", "  ", "openai/", "/x", "openai/a\nb"])
def test_a_reference_without_its_parts_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--fallback-model"):
        parse_model(text, "--fallback-model")
