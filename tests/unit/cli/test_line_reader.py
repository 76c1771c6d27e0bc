"""Lines that come through a pipe."""

from __future__ import annotations

import io

import pytest

from pi.base.errors import PiError
from pi.cli.line_reader import PipedLines, read_line


def read(data: bytes) -> list[str | None]:
    lines = PipedLines(io.BytesIO(data))
    found: list[str | None] = []
    while not found or found[-1] is not None:
        found.append(lines.read("pi> "))
    return found


def test_lines_come_without_their_breaks_and_the_last_needs_none() -> None:
    assert read(b"one\r\ntwo\n\nthree") == ["one", "two", "", "three", None]
    assert read(b"") == [None]


def test_what_is_not_utf_8_is_replaced() -> None:
    assert read(b"\xef\xbb\xbfa\xff\n\xc3\xa9\n") == ["a\ufffd", "é", None]


def test_a_line_that_is_too_long_is_passed_over() -> None:
    stream = io.BytesIO(b"x" * 25 + b"\nnext\n")
    with pytest.raises(PiError, match="longer than 10 bytes"):
        read_line(stream, 10)
    assert read_line(stream, 10) == "next"
    assert read_line(io.BytesIO(b"123456789\n"), 10) == "123456789"


def test_a_stream_that_was_closed_is_one_error() -> None:
    stream = io.BytesIO(b"x")
    stream.close()
    with pytest.raises(PiError) as caught:
        read_line(stream)
    assert caught.value.code == "input-failed"
