"""Which key a provider gets."""

from __future__ import annotations

import pytest

from pi.ai.providers import BY_NAME
from pi.auth.resolve import GivenKeys, resolve_key
from pi.base.errors import ConfigError, MissingKey

NONE = GivenKeys()


def key(provider: str, given: GivenKeys = NONE, local: bool = False, **environ: str) -> str:
    return resolve_key(BY_NAME[provider], given, environ, is_local=local)


def test_a_vendors_key_goes_to_that_vendor_only() -> None:
    environ = {"OPENAI_API_KEY": "sk-openai", "GROQ_API_KEY": "sk-groq"}
    assert key("groq", **environ) == "sk-groq"
    assert key("openai", **environ) == "sk-openai"
    with pytest.raises(MissingKey):
        key("xai", **environ)


def test_a_key_typed_on_the_command_line_beats_the_environment() -> None:
    assert key("openai", GivenKeys("typed"), OPENAI_API_KEY="env") == "typed"
    assert key("groq", GivenKeys("typed", "explicit"), GROQ_API_KEY="env") == "explicit"


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
