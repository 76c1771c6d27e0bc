"""Lines out of a stream."""

from __future__ import annotations

import pytest

from pi.tools.excerpt import COUNTED_BYTES, Excerpt, take_lines

FIVE = b"one\ntwo\nthree\nfour\nfive\n"


@pytest.mark.parametrize(
    ("first", "lines", "size", "expected"),
    [
        (1, 9, 99, Excerpt(FIVE, 1, 5, 5, True, False, 0)),
        (1, 2, 99, Excerpt(b"one\ntwo\n", 1, 2, 5, True, False, 0)),
        (3, 1, 99, Excerpt(b"three\n", 3, 3, 5, True, False, 0)),
        (5, 9, 99, Excerpt(b"five\n", 5, 5, 5, True, False, 0)),
        (6, 9, 99, Excerpt(b"", 6, 5, 5, True, False, 0)),
        (9, 9, 99, Excerpt(b"", 9, 8, 5, True, False, 0)),
        (1, 9, 8, Excerpt(b"one\ntwo\n", 1, 2, 5, True, True, 0)),
        (1, 9, 9, Excerpt(b"one\ntwo\n", 1, 2, 5, True, True, 0)),
        (3, 9, 4, Excerpt(b"", 3, 2, 5, True, True, 5)),
    ],
)
@pytest.mark.parametrize("piece", [1, 2, 3, 7, 100])
def test_lines_are_whole_and_within_limits(
    piece: int, first: int, lines: int, size: int, expected: Excerpt
) -> None:
    pieces = [FIVE[at : at + piece] for at in range(0, len(FIVE), piece)]
    assert take_lines(pieces, first, lines, size) == expected


def test_an_empty_stream_has_no_lines() -> None:
    assert take_lines([], 1, 9, 9) == Excerpt(b"", 1, 0, 0, True, False, 0)
    assert take_lines([b"", b""], 1, 9, 9).total == 0


def test_a_last_line_without_an_end_counts() -> None:
    assert take_lines([b"a\nb"], 1, 9, 9) == Excerpt(b"a\nb", 1, 2, 2, True, False, 0)


@pytest.mark.parametrize("end", [b"", b"\n", b"\nmore\nlines"])
def test_the_size_of_a_line_that_is_too_long_is_told(end: bytes) -> None:
    pieces = [b"x" * 10, b"x" * 10, b"x" * 10, b"x" * 5 + end]
    found = take_lines(pieces, 1, 9, 12)
    assert (found.data, found.last, found.too_long) == (b"", 0, 35)


def test_counting_stops_in_an_endless_stream() -> None:
    read = 0

    def endless():
        nonlocal read
        while True:
            read += 1 << 20
            yield b"y\n" * (1 << 19)

    found = take_lines(endless(), 1, 2, 100)
    assert found.data == b"y\ny\n"
    assert not found.total_is_exact
    assert read <= COUNTED_BYTES + (4 << 20)
