"""Heads of skill files as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from pi.skills.frontmatter import parse
from pi.skills.yaml_lines import FrontmatterError


def fields(*lines: str) -> Any:
    return parse("---\n" + "".join(f"{line}\n" for line in lines) + "---\n").fields


def test_a_text_without_a_head_is_left_as_it_is() -> None:
    assert parse("just text\r\n") == (None, "just text\n")
    assert parse("---\na rule, never closed\n").fields is None


def test_the_body_is_what_follows_trimmed() -> None:
    assert parse("---\r\nname: x\r\n---\r\n\r\n# Title\r\n\r\n") == ({"name": "x"}, "# Title")


def test_a_plain_value_may_hold_a_colon_and_go_on_in_the_next_line() -> None:
    assert fields("description: Use when: asked", "  for it # not this", "name: n") == {
        "description": "Use when: asked for it",
        "name": "n",
    }


def test_numbers_and_dates_stay_text() -> None:
    assert fields("version: 1.0", "day: 2026-01-02", "on: yes") == {
        "version": "1.0",
        "day": "2026-01-02",
        "on": "yes",
    }


def test_true_false_and_null_are_what_they_say() -> None:
    assert fields("a: true", "b: False", "c: null", "d: ~", "e:", "f: 'true'") == {
        "a": True,
        "b": False,
        "c": None,
        "d": None,
        "e": None,
        "f": "true",
    }


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("|", "one\n two\n\nthree\n"),
        ("|-", "one\n two\n\nthree"),
        ("|+", "one\n two\n\nthree\n\n"),
        (">", "one\n two\n\nthree\n"),
        ("|2-", "one\n two\n\nthree"),
    ],
)
def test_blocks_keep_or_join_their_lines(header: str, text: str) -> None:
    lines = ("  one", "   two", "", "  three", "", "after: x")
    found = fields(f"a: {header}", *lines)
    assert found == {"a": text, "after": "x"}


def test_a_folded_block_joins_lines() -> None:
    assert fields("a: >-", "  one", "  two", "", "  three") == {"a": "one two\nthree"}


def test_lists_of_both_forms_hold_text() -> None:
    assert fields("a: [b, 'c, d', \"e\"]", "f:", "- g", "- h: i", "j: [", "  k", "  ]") == {
        "a": ["b", "c, d", "e"],
        "f": ["g", "h: i"],
        "j": ["k"],
    }


def test_a_map_has_one_level_and_what_is_deeper_is_text() -> None:
    assert fields("metadata:", "  author: me", "  deep:", "    - x", "    - y: z", "b: c") == {
        "metadata": {"author": "me", "deep": "- x\n- y: z"},
        "b": "c",
    }


def test_quotes_have_the_escapes_of_yaml() -> None:
    assert fields('a: "tab\\t \\u00e9 \\x41"', "b: 'it''s'", 'c: "over', '  two"') == {
        "a": "tab\t \u00e9 A",
        "b": "it's",
        "c": "over two",
    }


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["a: [b"], "the bracket '[' is never closed at line 2"),
        (["a: b", "c: 'd"], "the quote ' is never closed at line 3"),
        (["a:", "\tb: c"], "a tab as indentation at line 3"),
        (["a: b", "a: c"], "'a' is given twice at line 3"),
        (["a: &x b"], "anchors are not supported at line 2"),
        (["a: *x"], "aliases are not supported; put the text in quotes at line 2"),
        (["a: !!str b"], "tags are not supported; put the text in quotes at line 2"),
        (["a: {b: c}"], "maps in braces are not supported; write 'key: value' lines at line 2"),
        (["nothing"], "expected 'key: value' at line 2"),
        (["  a: b", "c: d"], "unexpected indentation at line 2"),
        (['a: "\\q"'], "unknown escape '\\\\q' at line 2"),
        (['a: "\\ud800"'], "\\ud800 is no character at line 2"),
        (["a: 'b' c"], "unexpected 'c' after the quoted text at line 2"),
        (["a: |9x"], "'|9x' is no way to begin a block of text at line 2"),
        (["a: [b, [c]]"], "a list holds a list or a map; only text is supported at line 2"),
        (["..."], "expected 'key: value' at line 2"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(lines: list[str], why: str) -> None:
    with pytest.raises(FrontmatterError) as caught:
        fields(*lines)
    assert str(caught.value) == why


def test_a_long_head_costs_in_proportion_to_its_length() -> None:
    many = 20_000
    assert len(fields(*[f"k{number}: v" for number in range(many)])) == many
