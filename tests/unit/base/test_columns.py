"""Text in columns."""

from __future__ import annotations

import io

import pytest

from pi.base.columns import given_columns, row, terminal_columns, wrapped


def test_words_are_wrapped_and_a_long_one_sticks_out() -> None:
    assert wrapped("one two  three", 7) == ["one two", "three"]
    assert wrapped("x unbreakable y", 5) == ["x", "unbreakable", "y"]
    assert wrapped("  ", 5) == []


def test_the_second_column_is_beside_or_below() -> None:
    assert row("  -x", "what it does", 10, 80) == ["  -x      what it does"]
    assert row("  --longer-name", "what it does", 10, 80) == [
        "  --longer-name",
        "          what it does",
    ]
    assert row("  -x", "one two three four five six seven", 6, 40) == [
        "  -x  one two three four five six seven"
    ]
    assert row("  -x", "", 6, 40) == ["  -x"]


def test_a_narrow_width_moves_the_second_column() -> None:
    lines = row("  --name VALUE", "one two three four five", 34, 30)
    assert lines == ["  --name VALUE", "      one two three four five"[:30]]
    assert max(map(len, row("  /x <a> <b> <c> <d> <e>", "words " * 9, 25, 20))) <= 20


@pytest.mark.parametrize(
    ("text", "columns"),
    [("100", 100), ("", 0), ("0", 0), ("3", 20), ("-5", 0), ("x", 0), ("9" * 30, 0), ("٣", 0)],
)
def test_the_variable_is_a_plain_number(text: str, columns: int) -> None:
    assert given_columns({"COLUMNS": text}) == columns


def test_what_is_no_terminal_has_no_columns() -> None:
    assert terminal_columns(None, {}) == 0
    assert terminal_columns(io.StringIO(), {"COLUMNS": "90"}) == 0
    closed = io.StringIO()
    closed.close()
    assert terminal_columns(closed, {}) == 0
