"""Which key a provider gets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pi.ai.providers import BY_NAME
from pi.auth.resolve import resolve_key
from pi.base.errors import ConfigError, MissingKey

NONE: dict[str, str] = {}


def key(
    provider: str,
    given: Mapping[str, str] = NONE,
    local: bool = False,
    primary: bool = True,
    **environ: str,
) -> str:
    return resolve_key(BY_NAME[provider], given, environ, is_primary=primary, is_local=local)


def test_a_vendors_key_goes_to_that_vendor_only() -> None:
    environ = {"OPENAI_API_KEY": "sk-openai", "GROQ_API_KEY": "sk-groq"}
    assert key("groq", **environ) == "sk-groq"
    assert key("openai", **environ) == "sk-openai"
    with pytest.raises(MissingKey):
        key("xai", **environ)


def test_a_key_typed_on_the_command_line_beats_the_environment() -> None:
    assert key("openai", {"--api-key": "typed"}, OPENAI_API_KEY="env") == "typed"
    both = {"--api-key": "typed", "--openai-api-key": "explicit"}
    assert key("groq", both, GROQ_API_KEY="env") == "explicit"
    assert key("anthropic", both, ANTHROPIC_API_KEY="env") == "typed"
    assert key("gemini", {"--google-api-key": "typed"}) == "typed"


def test_a_key_typed_for_the_primary_model_does_not_go_to_a_fallback_of_another_vendor() -> None:
    typed = {"--api-key": "typed"}
    assert key("anthropic", typed, primary=False, ANTHROPIC_API_KEY="own") == "own"
    with pytest.raises(MissingKey):
        key("anthropic", typed, primary=False)


def test_the_general_key_is_the_last_resort() -> None:
    assert key("xai", PI_API_KEY="any") == "any"
    assert key("xai", PI_API_KEY="any", XAI_API_KEY="own") == "own"


def test_a_missing_key_names_the_variables() -> None:
    with pytest.raises(MissingKey) as caught:
        key("openai", OPENAI_API_KEY="   ")
    assert "OPENAI_API_KEY" in caught.value.hint
    assert "PI_API_KEY" in caught.value.hint
    assert caught.value.exit_code == 3


def test_local_and_keyless_providers_need_none() -> None:
    assert key("openai", local=True) == ""
    assert key("ollama") == ""
    assert key("demo") == ""


@pytest.mark.parametrize("bad", ["abc\ndef", "ab cd", "schlüssel", "a\x7fb"])
def test_a_key_that_cannot_be_a_header_is_refused_unseen(bad: str) -> None:
    with pytest.raises(ConfigError) as caught:
        key("openai", OPENAI_API_KEY=bad)
    assert bad not in "\n".join(caught.value.lines())
    assert "OPENAI_API_KEY" in caught.value.message
