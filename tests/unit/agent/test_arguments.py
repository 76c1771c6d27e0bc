"""What models send, brought into shape."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.arguments import lenient

EDIT = {"type": "object", "properties": {"find": {"type": "string"}, "replace": {}}}
PATH = {
    "type": "object",
    "properties": {
        "path": {"type": "string"},
        "limit": {"type": "integer"},
        "seconds": {"type": ["number", "null"]},
        "all": {"type": "boolean"},
        "any": {"type": ["integer", "string"]},
        "edits": {"type": "array", "items": {**EDIT, "additionalProperties": False}},
        "where": {"type": "object"},
    },
    "required": ["path"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("given", "shaped"),
    [
        ({"file_path": "x"}, {"path": "x"}),
        ({"limit": "3"}, {"limit": 3}),
        ({"limit": "-3"}, {"limit": -3}),
        ({"seconds": "1.5"}, {"seconds": 1.5}),
        ({"seconds": "2"}, {"seconds": 2}),
        ({"all": "true"}, {"all": True}),
        ({"replace_all": True}, {"all": True}),
        ({"edits": '[{"find": "a"}]'}, {"edits": [{"find": "a"}]}),
        ({"where": '{"a": 1}'}, {"where": {"a": 1}}),
        (
            {"edits": [{"old_string": "a", "newText": "b"}]},
            {"edits": [{"find": "a", "replace": "b"}]},
        ),
        ({"limit": None}, {}),
    ],
)  # fmt: skip
def test_the_meaning_is_taken_where_it_is_clear(
    given: dict[str, Any], shaped: dict[str, Any]
) -> None:
    assert lenient(given, PATH) == (shaped, ())


@pytest.mark.parametrize(
    "given",
    [
        {"limit": "3.5"},
        {"limit": "1e3"},
        {"limit": " 3"},
        {"limit": "٣"},
        {"limit": "3" * 30},
        {"seconds": "NaN"},
        {"seconds": "1e3"},
        {"all": "True"},
        {"all": "yes"},
        {"edits": "nonsense"},
        {"edits": "[" * 5000},
        {"path": "12"},
        {"path": "true"},
        {"path": None},
        {"any": "12"},
        {"where": "[1]"},
    ],
)
def test_what_is_not_exactly_that_stays_as_it_was_sent(given: dict[str, Any]) -> None:
    assert lenient(given, PATH) == (given, ())


@pytest.mark.parametrize(
    ("given", "shaped", "dropped"),
    [
        ({"path": "x", "unknown": 1}, {"path": "x"}, ("unknown",)),
        ({"path": "x", "file_path": "y"}, {"path": "x"}, ("file_path",)),
        ({"file_path": "x", "filepath": "y"}, {"path": "x"}, ("filepath",)),
        ({"edits": [{"find": "a", "why": "b"}]}, {"edits": [{"find": "a"}]}, ("edits.why",)),
    ],
)
def test_what_a_tool_does_not_know_is_dropped_and_named(
    given: dict[str, Any], shaped: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    assert lenient(given, PATH) == (shaped, dropped)


def test_an_open_schema_keeps_unknown_properties() -> None:
    assert lenient({"x": 1}, {"type": "object"}) == ({"x": 1}, ())
    closed = {"patternProperties": {"^x": {}}, "additionalProperties": False}
    assert lenient({"x": 1}, closed) == ({"x": 1}, ())


def test_an_alias_that_the_schema_knows_itself_is_no_alias() -> None:
    schema = {"properties": {"path": {}, "file_path": {}}}
    assert lenient({"file_path": "x"}, schema) == ({"file_path": "x"}, ())
