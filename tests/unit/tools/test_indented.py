"""Lines found by what they say, whatever their indentation."""

from __future__ import annotations

import pytest

from pi.tools.indented import indented_matches


@pytest.mark.parametrize(
    ("text", "find", "replace", "expected"),
    [
        ("  a\n    b\nc", "a\n  b", "x\n  y", "  x\n    y\nc"),
        ("a\n  b\nc", "    a\n      b", "    x", "x\nc"),
        ("\ta\n\n\t\tb\n", "a\n\n\tb\n", "x\n\n\ty\n", "\tx\n\n\t\ty\n"),
        ("  a  \n  b\t\n", "a\nb", "x", "  x\n"),
        ("  a\r\n  b\r\nc", "a\r\nb", "x\r\ny", "  x\r\n  y\r\nc"),
        ("    a\n    b", "  a\n  b", "", ""),
    ],
)
def test_the_lines_are_replaced_with_their_own_indentation(
    text: str, find: str, replace: str, expected: str
) -> None:
    ((start, end, new),) = indented_matches(text, find, replace)
    assert text[:start] + new + text[end:] == expected


@pytest.mark.parametrize(
    ("text", "find", "replace"),
    [
        ("  a\n b", "a\nb", "x"),  # not the same for all lines
        ("  a", "a\n", "x\n"),  # no line end there
        ("  xa", "a", "x"),  # not the whole line
        ("  a", "    a\n", "x"),  # less than the lines it replaces
        ("  a\n  b", "a\nb\nc", "x"),
        ("\n\n", "\n", "x"),
        ("a", "", "x"),
        ("a", "\na", "x"),  # begins with a blank line: where it starts is not clear
    ],
)
def test_what_is_not_clear_is_not_found(text: str, find: str, replace: str) -> None:
    assert indented_matches(text, find, replace) == []


def test_every_place_is_found() -> None:
    found = indented_matches("  a\n\ta\n\n    a", "      a", "      b")
    assert [new for _, _, new in found] == ["  b", "\tb", "    b"]
