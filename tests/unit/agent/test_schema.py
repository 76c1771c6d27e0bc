"""Arguments against schemas."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.schema import describe, first_error, lenient

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
        ({"enum": ["a", 1]}, 1, True),
        ({"const": 5}, 5, 6),
        ({"minLength": 2, "maxLength": 3}, "ab", "a"),
        ({"maxLength": 3}, "abc", "abcd"),
        ({"pattern": "^a+$"}, "aa", "b"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, None, 1),
        ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 1.5, 1),
        ({"allOf": [{"minimum": 1}, {"maximum": 2}]}, 2, 3),
        ({"additionalProperties": {"type": "string"}}, {"x": "y"}, {"x": 1}),
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


@pytest.mark.parametrize(
    ("given", "shaped"),
    [
        ({"file_path": "x"}, {"path": "x"}),
        ({"path": "x", "file_path": "y"}, {"path": "x"}),
        ({"path": "x", "limit": "3"}, {"path": "x", "limit": 3}),
        ({"path": "x", "limit": "3.5"}, {"path": "x", "limit": "3.5"}),
        ({"path": "x", "all": "true"}, {"path": "x", "all": True}),
        ({"path": "x", "replace_all": True}, {"path": "x", "all": True}),
        ({"path": "x", "edits": '[{"find": "a"}]'}, {"path": "x", "edits": [{"find": "a"}]}),
        ({"path": "x", "edits": "nonsense"}, {"path": "x", "edits": "nonsense"}),
        ({"path": "x", "unknown": 1}, {"path": "x"}),
        ({"path": "x", "limit": None}, {"path": "x"}),
        ({"path": "12"}, {"path": "12"}),
    ],
)
def test_arguments_are_brought_into_shape_where_the_meaning_is_clear(
    given: dict[str, Any], shaped: dict[str, Any]
) -> None:
    assert lenient(given, PATH) == shaped


def test_an_open_schema_keeps_unknown_properties() -> None:
    assert lenient({"x": 1}, {"type": "object"}) == {"x": 1}


def test_the_expected_shape_is_one_line() -> None:
    assert describe(PATH) == "path: string, limit?: integer, all?: boolean, edits?: array"
