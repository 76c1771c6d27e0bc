from __future__ import annotations

import pytest

from pi.ai.surrogates import Joiner, repair

HIGH, LOW = "\ud83d", "\ude00"


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("", ""),
        ("plain", "plain"),
        ("größe 😀", "größe 😀"),
        (HIGH + LOW, "😀"),
        (f"a{HIGH}{LOW}b😀", "a😀b😀"),
        (HIGH, "\ufffd"),
        (LOW, "\ufffd"),
        (LOW + HIGH, "\ufffd\ufffd"),
        (f"{HIGH}{HIGH}{LOW}{LOW}", "\ufffd😀\ufffd"),
        (f"{HIGH}x{LOW}", "\ufffdx\ufffd"),
    ],
)
def test_halves_that_meet_are_joined_and_lone_ones_replaced(text: str, repaired: str) -> None:
    assert repair(text) == repaired


@pytest.mark.parametrize("text", ["plain", "größe 😀"])
def test_clean_text_comes_back_as_the_same_object(text: str) -> None:
    assert repair(text) is text


def test_a_half_waits_for_the_next_piece() -> None:
    joiner = Joiner()
    assert [joiner.feed(piece) for piece in ("plain", "ok " + HIGH, "", LOW + "!", LOW)] == [
        "plain",
        "ok ",
        "",
        "😀!",
        "\ufffd",
    ]
    assert joiner.finish() == ""


def test_a_half_that_stays_alone_is_replaced_where_it_was() -> None:
    joiner = Joiner()
    assert joiner.feed(HIGH) == ""
    assert joiner.feed("x" + HIGH) == "\ufffdx"
    assert joiner.finish() == "\ufffd"
    assert joiner.finish() == ""
