"""What of the command line holds for another model."""

from __future__ import annotations

from pi.ai.models import ModelRef
from pi.cli.conversation_services import model_settings
from pi.cli.parse import parse
from pi.cli.settings import ModelSettings, build_settings

GROQ = (
    *("--model", "groq/a", "--api-base", "http://127.0.0.1:1/v1", "--api-key", "key-of-groq"),
    *("--openai-api-key", "key-of-openai", "--api-format", "openai-chat"),
    *("--fallback-model", "groq/b,openai/gpt-4o"),
)


def switched(*ref: str) -> ModelSettings:
    return model_settings(build_settings(parse(GROQ, {})).model, ModelRef(*ref))


def test_another_vendor_gets_neither_the_address_nor_the_key_of_the_first() -> None:
    model = switched("openai", "gpt-4o-mini")
    assert model.bases == {}
    assert model.keys == {"--openai-api-key": "key-of-openai"}
    assert (model.api_format, model.api_base_typed) == ("", False)


def test_a_model_of_the_same_vendor_keeps_them() -> None:
    model = switched("groq", "c")
    assert model.bases == {"--api-base": "http://127.0.0.1:1/v1"}
    assert model.keys["--api-key"] == "key-of-groq"
    assert model.api_format == "openai-chat"


def test_a_model_is_not_its_own_fallback() -> None:
    assert switched("groq", "b").fallbacks == (ModelRef("openai", "gpt-4o"),)
