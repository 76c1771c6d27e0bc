from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.google_config import declarations, openapi_schema, thinking_config
from pi.ai.types import ChatRequest, ToolDefinition

LEVEL = Traits(thinking_style="gemini-level", thinking_levels=("low", "high"))
BUDGET = Traits(thinking_style="gemini-budget")


def asked(thinking: str, traits: Traits, model: str = "gemini-2.5-flash") -> dict[str, Any]:
    return thinking_config(model, Options("http://h", thinking=thinking, traits=traits))


@pytest.mark.parametrize(
    ("thinking", "level"),
    [
        ("minimal", "LOW"),
        ("low", "LOW"),
        ("medium", "LOW"),
        ("high", "HIGH"),
        ("xhigh", "HIGH"),
        ("max", "HIGH"),
    ],
)
def test_a_level_is_the_nearest_the_model_has(thinking: str, level: str) -> None:
    assert asked(thinking, LEVEL) == {"includeThoughts": True, "thinkingLevel": level}


def test_levels_that_are_not_known_are_the_common_ones() -> None:
    traits = Traits(thinking_style="gemini-level")
    levels = [asked(word, traits)["thinkingLevel"] for word in ("minimal", "medium", "max")]
    assert levels == ["LOW", "MEDIUM", "HIGH"]


def test_thinking_that_cannot_be_turned_off_is_as_short_as_can_be_and_not_shown() -> None:
    assert asked("off", LEVEL) == {"includeThoughts": False, "thinkingLevel": "LOW"}
    stuck = BUDGET._replace(thinking_can_disable=False)
    assert asked("off", stuck) == {"includeThoughts": False, "thinkingBudget": 128}
    assert asked("off", BUDGET, "gemini-2.5-pro")["thinkingBudget"] == 128


def test_thinking_that_can_be_turned_off_is() -> None:
    assert asked("off", BUDGET) == {"includeThoughts": False, "thinkingBudget": 0}


@pytest.mark.parametrize(
    ("model", "budgets"),
    [
        ("gemini-2.5-pro", [128, 2048, 8192, 32768, 32768]),
        ("gemini-2.5-flash", [128, 2048, 8192, 24576, 24576]),
        ("gemini-2.5-flash-lite", [512, 2048, 8192, 24576, 24576]),
    ],
)
def test_budgets_are_within_each_models_limits(model: str, budgets: list[int]) -> None:
    words = ("minimal", "low", "medium", "high", "max")
    assert [asked(word, BUDGET, model)["thinkingBudget"] for word in words] == budgets


def test_nothing_is_said_of_thinking_when_nothing_was_asked() -> None:
    assert asked("", LEVEL) == {}


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("gemini-2.5-flash", "thinkingBudget"),
        ("gemini-3-flash", "thinkingLevel"),
        ("gemini-flash-latest", "thinkingLevel"),
        ("models/gemini-2.5-pro", "thinkingBudget"),
        ("gemini-2.0-flash", ""),
        ("gemini-1.5-pro", ""),
        ("gemma-3-27b-it", ""),
    ],
)
def test_an_unknown_model_is_asked_as_its_name_suggests(model: str, key: str) -> None:
    assert key in ("", *asked("low", Traits(), model))
    assert bool(asked("low", Traits(), model)) is bool(key)


def test_a_model_without_reasoning_is_not_asked_for_it() -> None:
    assert asked("high", Traits(supports_reasoning=False)) == {}


def test_the_older_schema_field_gets_only_what_it_knows() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "format": "uri", "default": "x"},
            "limit": {"type": ["integer", "null"], "minimum": 1, "exclusiveMinimum": 0},
            "either": {"type": ["string", "integer"]},
            "kind": {"const": "a"},
            "sizes": {"type": "array", "items": {"enum": [1, 2], "title": "s"}},
            "choice": {"oneOf": [{"type": "string", "$comment": "x"}, True]},
            "odd": True,
        },
    }
    assert openapi_schema(schema) == {
        "type": "object",
        "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1},
            "limit": {"type": "integer", "nullable": True, "minimum": 1},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "kind": {"enum": ["a"]},
            "sizes": {"type": "array", "items": {"title": "s"}},
            "choice": {"anyOf": [{"type": "string"}]},
        },
    }


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"$schema": {"type": "string"}}}
    assert openapi_schema(schema) == schema


def test_a_schema_nested_without_end_is_cut() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema}
    assert openapi_schema(schema)["type"] == "array"


def test_a_tool_without_parameters_has_no_older_schema() -> None:
    tool = ToolDefinition("now", "The time", {"type": "object", "properties": {}})
    chat = ChatRequest("m", "", (), (tool,))
    options = Options("http://h", without=frozenset({"parametersJsonSchema"}))
    assert declarations(chat, options) == [{"name": "now", "description": "The time"}]
    assert declarations(chat, Options("http://h"))[0]["parametersJsonSchema"] == tool.parameters
