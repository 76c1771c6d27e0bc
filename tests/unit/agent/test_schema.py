"""Arguments against schemas."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.schema import first_error

PATH = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 9},
        "all": {"type": "boolean"},
        "edits": {"type": "array", "items": {"type": "object", "required": ["find"]}},
    },
    "required": ["path"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"path": "x"}, ""),
        ({"path": "x", "limit": 9.0}, ""),
        ({}, '"path" is a required property'),
        ({"path": 1}, 'path: 1 is not of type "string"'),
        ({"path": "x", "q": 1}, "Additional properties are not allowed ('q' was unexpected)"),
        ({"path": "x", "limit": True}, 'limit: true is not of type "integer"'),
        ({"path": "x", "limit": 0}, "limit: 0 is less than the minimum of 1"),
        ({"path": "x", "limit": 10}, "limit: 10 is greater than the maximum of 9"),
        ({"path": "x", "edits": [{}]}, 'edits: [0]: "find" is a required property'),
        ([], '[] is not of type "object"'),
    ],
)
def test_the_first_finding_is_said(value: Any, complaint: str) -> None:
    assert first_error(value, PATH) == complaint


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": ["string", "null"]}, None, 3),
        ({"enum": ["a", 1]}, 1.0, True),
        ({"enum": [[1, {"a": [True]}]]}, [1, {"a": [True]}], [1, {"a": [1]}]),
        ({"const": 5}, 5, 6),
        ({"const": None}, None, 0),
        ({"minLength": 2, "maxLength": 3}, "ab", "a"),
        ({"maxLength": 3}, "abc", "abcd"),
        ({"pattern": "^a+$"}, "aa", "b"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1.5, 1),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
        ({"additionalProperties": {"type": "string"}}, {"x": "y"}, {"x": 1}),
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": "y", "b": 1}, {"x-a": 1}),
        ({"items": [{"type": "string"}]}, ["a", 1], [1]),
        ({"items": False}, [], [1]),
        ({"properties": {"x": False}}, {"y": 1}, {"x": 1}),
        ({"unknown-keyword": 1}, "anything", None),
    ],
)
def test_each_keyword_accepts_and_refuses(schema: dict[str, Any], good: Any, bad: Any) -> None:
    assert first_error(good, schema) == ""
    if "unknown-keyword" not in schema:
        assert first_error(bad, schema) != ""


def test_a_schema_that_nests_without_end_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    assert "nested too deeply" in first_error(value, schema)


def test_names_that_match_a_pattern_are_no_additional_properties() -> None:
    schema = {"patternProperties": {"^x-": {}}, "additionalProperties": False}
    assert first_error({"x-a": 1}, schema) == ""
    assert first_error({"y": 1}, schema) != ""


def test_a_value_that_nests_without_end_is_told_in_a_few_words() -> None:
    value: list[Any] = []
    value.append(value)
    assert "nested too deeply" in first_error(value, {"type": "string"})
