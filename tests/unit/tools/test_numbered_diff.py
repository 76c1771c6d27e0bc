"""The difference an edit makes, as a model sees it."""

from __future__ import annotations

from pi.tools.numbered_diff import MAX_DIFF_LINES, Diff, diff_spans
from pi.tools.replacing import Edit, plan_spans


def diff(text: str, *edits: Edit) -> Diff:
    return diff_spans(text, plan_spans(text, edits, "\n"))


def test_old_and_new_lines_stand_in_their_surroundings() -> None:
    text = "".join(f"line {number}\n" for number in range(1, 21))
    found = diff(text, Edit("line 2\n", "second\nand more\n"), Edit("line 15\n", ""))
    assert found.first_changed_line == 2
    assert found.text == "\n".join(
        [
            "  1 line 1",
            "- 2 line 2",
            "+ 2 second",
            "+ 3 and more",
            "  3 line 3",
            "  4 line 4",
            "  5 line 5",
            "  6 line 6",
            "    ...",
            " 11 line 11",
            " 12 line 12",
            " 13 line 13",
            " 14 line 14",
            "-15 line 15",
            " 16 line 16",
            " 17 line 17",
            " 18 line 18",
            " 19 line 19",
            "    ...",
        ]
    )


def test_two_changes_in_one_line_are_one() -> None:
    assert diff("a b c\n", Edit("a", "1"), Edit("c", "3")).text == "-1 a b c\n+1 1 b 3"


def test_lines_joined_by_a_removed_line_end_are_told() -> None:
    assert diff("a\nb\n", Edit("a\n", "a")).text == "-1 a\n-2 b\n+1 ab"


def test_unchanged_lines_at_the_ends_of_a_span_are_not_marked() -> None:
    assert diff("a\nb\nc\n", Edit("a\nb\nc", "a\nB\nc")).text == " 1 a\n-2 b\n+2 B\n 3 c"


def test_a_change_all_over_a_file_is_cut() -> None:
    found = diff("x\n" * 100_000, Edit("x", "y", True))
    lines = found.text.split("\n")
    assert len(lines) == MAX_DIFF_LINES + 1
    assert lines[-1] == "[rest of the difference not shown]"


def test_a_huge_replacement_is_cut() -> None:
    found = diff("a\n", Edit("a", "\n".join("x" * 9000 for _ in range(1000))))
    assert len(found.text) < 120_000
