"""Schemas that make sense and schemas that do not."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.schema_check import describe, schema_error


@pytest.mark.parametrize(
    ("schema", "complaint"),
    [
        ({"type": "strnig"}, 'type: "strnig" is not a type'),
        ({"type": []}, "type: [] is not a type"),
        ({"type": ["string", 1]}, 'type: ["string", 1] is not a type'),
        ({"properties": []}, "properties: [] is not an object"),
        ({"properties": {"a": 1}}, "properties.a: 1 is neither an object"),
        ({"properties": {"a": {"minimum": "1"}}}, 'properties.a: minimum: "1" is not a number'),
        ({"required": "a"}, 'required: "a" is not a list of names'),
        ({"enum": 1}, "enum: 1 is not a list"),
        ({"maximum": True}, "maximum: true is not a number"),
        ({"minLength": -1}, "minLength: -1 is not a whole number"),
        ({"maxLength": float("nan")}, "maxLength: NaN is not a whole number"),
        ({"maxLength": float("inf")}, "maxLength: Infinity is not a whole number"),
        ({"pattern": "("}, 'pattern: "(" is not a regular expression'),
        ({"pattern": 1}, "pattern: 1 is not a regular expression"),
        ({"patternProperties": {"(": {}}}, "patternProperties: "),
        ({"anyOf": []}, "anyOf: [] is not a list of schemas"),
        ({"allOf": [{}, 3]}, "allOf[1]: 3 is neither an object"),
        ({"items": "x"}, 'items: "x" is neither an object'),
        ({"items": [{}, "x"]}, 'items[1]: "x" is neither an object'),
        ({"additionalProperties": None}, "additionalProperties: null is neither an object"),
        ([], "[] is neither an object"),
    ],
)
def test_the_first_mistake_of_a_schema_is_said(schema: Any, complaint: str) -> None:
    assert schema_error(schema).startswith(complaint)


@pytest.mark.parametrize(
    "schema", [{}, True, {"type": ["string", "null"]}, {"items": False}, {"$ref": 1}, {"enum": []}]
)
def test_a_schema_that_can_be_used_is_not_complained_about(schema: Any) -> None:
    assert schema_error(schema) == ""


def test_a_schema_that_nests_without_end_is_broken() -> None:
    schema: dict[str, Any] = {"type": "array"}
    schema["items"] = schema
    assert schema_error(schema).endswith("nested too deeply")
    assert len(describe({"properties": {"a": schema}})) < 100


def test_the_expected_shape_is_one_line() -> None:
    schema = {
        "properties": {
            "path": {"type": "string"},
            "limit": {"type": "integer"},
            "mode": {"enum": ["a", 1]},
            "size": {"type": ["integer", "null"]},
            "edits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"find": {"type": "string"}},
                    "required": ["find"],
                },
            },
            "any": True,
        },
        "required": ["path"],
    }
    assert describe(schema) == (
        'path: string, limit?: integer, mode?: "a" | 1, size?: integer or null, '
        "edits?: array of {find: string}, any?: any"
    )
    assert describe({"type": "object"}) == "object"
