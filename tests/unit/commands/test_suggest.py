"""The command somebody may have meant."""

from __future__ import annotations

import pytest

from pi.commands.suggest import did_you_mean, edit_distance, suggestion, suggestions

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


def test_up_to_three_are_told_the_first_as_ever() -> None:
    names = ("/skills-search", "/skills-show", "/skills-list", "/skills-sync", "/exit")
    assert did_you_mean("/skills", names) == [
        "did you mean /skills-search?",
        "or: /skills-show, /skills-list",
    ]
    assert suggestions("/skils-lst", names) == ("/skills-list",)
    assert did_you_mean("/exot", names) == ["did you mean /exit?"]
    assert did_you_mean("/zzzzzzzz", names) == []


def test_for_a_sign_or_two_one_name_is_enough() -> None:
    assert did_you_mean("/", NAMES) == ["did you mean /help?"]
    assert did_you_mean("/e", NAMES) == ["did you mean /exit?"]
