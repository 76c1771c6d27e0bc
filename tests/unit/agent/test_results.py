"""Results on their way."""

from __future__ import annotations

from typing import Any

from pi.agent.results import failed, in_format, redacted, with_note
from pi.agent.tool import ToolResult


def hide(text: str) -> str:
    return text.replace("secret", "[REDACTED]")


def test_the_text_form_is_what_the_tool_wrote() -> None:
    result = ToolResult("text", {"a": 1})
    assert in_format(result, "text") is result


def test_the_json_form_is_sorted_indented_and_unescaped() -> None:
    result = ToolResult("text", {"b": ["ü"], "a": {"d": None, "c": True}})
    assert in_format(result, "json").text == (
        '{\n  "a": {\n    "c": true,\n    "d": null\n  },\n  "b": [\n    "ü"\n  ]\n}'
    )


def test_data_that_json_cannot_hold_is_named_as_such() -> None:
    circle: list[Any] = []
    circle.append(circle)
    for content in (circle, {1: "a", "b": 2}):
        assert "cannot be written" in in_format(ToolResult("text", content), "json").text


def test_a_string_is_its_own_json_form() -> None:
    assert in_format(ToolResult("text", 'just "words"\n'), "json").text == 'just "words"\n'


def test_secrets_are_hidden_at_every_depth_and_in_names() -> None:
    content = {"secret": ["a secret", {"x": ("secret", 1, None, 2.5, True)}], "n": 1}
    seen = redacted(ToolResult("the secret", content, True), hide)
    assert seen.text == "the [REDACTED]"
    assert seen.content == {
        "[REDACTED]": ["a [REDACTED]", {"x": ["[REDACTED]", 1, None, 2.5, True]}],
        "n": 1,
    }
    assert seen.is_error


def test_data_that_nests_without_end_is_cut_not_followed() -> None:
    loop: list[Any] = ["secret"]
    loop.append(loop)
    seen = redacted(ToolResult("", loop), hide).content
    assert "secret" not in str(seen)
    assert "nested too deeply" in str(seen)


def test_a_note_is_in_the_text_and_in_the_data() -> None:
    assert with_note(failed("no"), "try b")[:2] == (
        "error: no\n[try b]",
        {"error": "no", "note": "try b"},
    )
    assert with_note(ToolResult("line\n", "line\n"), "b")[:2] == ("line\n[b]", "line\n")
