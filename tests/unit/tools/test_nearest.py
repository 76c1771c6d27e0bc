"""Finding what was probably meant."""

from __future__ import annotations

from pi.tools.nearest import Nearest, nearest_lines

TEXT = "def one(a):\n    return a\n\ndef two(a, b):\n    return a + b\n"


def test_the_lines_most_alike_are_named() -> None:
    assert nearest_lines(TEXT, "def two(a,b):\n    return a+b") == Nearest(
        4, 5, "def two(a, b):\n    return a + b"
    )


def test_nothing_is_named_when_nothing_is_alike() -> None:
    assert nearest_lines(TEXT, "SELECT name FROM users") is None
    assert nearest_lines("", "x") is None
    assert nearest_lines(TEXT, "+-+") is None


def test_a_text_longer_than_the_file_is_compared_with_all_of_it() -> None:
    assert nearest_lines("a = 1", "a = 1\nb") == Nearest(1, 1, "a = 1")


def test_a_large_file_is_searched_in_reasonable_time() -> None:
    text = "".join(f"value_{number} = compute({number})\n" for number in range(30_000))
    found = nearest_lines(text, "value_29000 = compute(29_000)")
    assert found is not None
    assert found.first == 29_001
