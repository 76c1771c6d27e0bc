"""The command somebody may have meant."""

from __future__ import annotations

import pytest

from pi.commands.suggest import edit_distance, suggestion

NAMES = ("/help", "/policy", "/skills-search", "/skills-show", "/branch", "/quit", "/exit")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/polciy", "/policy"),
        ("/e", "/exit"),
        ("/", "/help"),
        ("/skills", "/skills-search"),
        ("/zzzzzzzz", ""),
        ("/HELP", ""),
        ("/hlp", "/help"),
        ("/brnach", "/branch"),
        ("", "/help"),
        ("/" + "x" * 100_000, ""),
        ("/\ud800", ""),
    ],
)
def test_the_examples(typed: str, meant: str) -> None:
    assert suggestion(typed, NAMES) == meant


def test_the_first_of_two_equally_near_names_wins() -> None:
    assert suggestion("/ac", ("/ab", "/ad")) == "/ab"


def test_a_distance_counts_up_to_enough() -> None:
    assert edit_distance("kitten", "sitting", 9) == 3
    assert edit_distance("kitten", "sitting", 2) == 2
    assert edit_distance("", "abc", 9) == 3
