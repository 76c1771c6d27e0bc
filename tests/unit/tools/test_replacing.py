"""Which spans an edit replaces."""

from __future__ import annotations

import pytest

from pi.tools.outcome import ToolFailure
from pi.tools.replacing import Edit, apply_spans, plan_spans


def edited(text: str, *edits: Edit, line_end: str = "\n") -> str:
    return apply_spans(text, plan_spans(text, edits, line_end))


@pytest.mark.parametrize(
    ("text", "edit", "line_end", "expected"),
    [
        ("one two", Edit("two", "2"), "\n", "one 2"),
        ("a a a", Edit("a", "b", True), "\n", "b b b"),
        ("aaaa", Edit("aa", "b", True), "\n", "bb"),
        ("one", Edit("one", ""), "\n", ""),
        # LF from the model, CRLF in the file: both sides are mapped.
        ("a\r\nb\r\nc", Edit("a\nb", "x\ny\nz"), "\r\n", "x\r\ny\r\nz\r\nc"),
        ("a\r\nb\r\n", Edit("a", "x\ny"), "\r\n", "x\r\ny\r\nb\r\n"),
        ("a\nb\n", Edit("a\r\nb", "x\r\ny"), "\n", "x\ny\n"),
        # A text with line ends that is there as it is means them.
        ("a\r\nb\r\n", Edit("a\r\nb", "a\nb"), "\r\n", "a\nb\r\n"),
        ("a\nb\r\n", Edit("a\nb", "x\ny"), "\n", "x\ny\r\n"),
    ],
)
def test_the_span_is_replaced(text: str, edit: Edit, line_end: str, expected: str) -> None:
    assert edited(text, edit, line_end=line_end) == expected


@pytest.mark.parametrize(
    ("text", "edits", "error"),
    [
        ("a", [Edit("", "b")], "'find' must not be empty"),
        ("a", [Edit("a", "a")], "'find' and 'replace' are identical: nothing to change"),
        ("a", [Edit("b", "c")], "target string not found"),
        ("a", [Edit("a", "b"), Edit("x", "y")], "edit 2 of 2: target string not found"),
        (
            "x\ny\nx\n",
            [Edit("x", "z")],
            "target string found 2 times, at lines 1, 3; "
            "add surrounding text to make it unique, or set 'all' to replace every match",
        ),
        (
            "one\ntwo three",
            [Edit("two three", "2 3"), Edit("two", "2")],
            "edits overlap at line 2; nothing was changed",
        ),
    ],
)
def test_what_is_not_clear_is_refused(text: str, edits: list[Edit], error: str) -> None:
    with pytest.raises(ToolFailure) as failure:
        plan_spans(text, edits, "\n")
    assert failure.value.error == error


def test_only_the_first_ten_places_are_listed() -> None:
    with pytest.raises(ToolFailure, match=r"found 12 times, at lines 1, .*, 10, \.\.\.;"):
        plan_spans("x\n" * 12, [Edit("x", "y")], "\n")


def test_every_edit_is_matched_against_the_text_as_it_was() -> None:
    assert edited("a b", Edit("b", "a"), Edit("a", "b")) == "b a"
