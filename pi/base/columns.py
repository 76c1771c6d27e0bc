"""Text in columns, and how many columns there are."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

LEAST = 20  # what is told to be narrower is taken to be this wide
_BESIDE = 24  # a second column narrower than this goes below the first


def terminal_columns(stream: TextIO | None, environ: Mapping[str, str]) -> int:
    """The width of the terminal that ``stream`` is, 0 if it is none. COLUMNS beats it."""
    try:
        if stream is None or not stream.isatty():
            return 0
        width = given_columns(environ) or os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0
    return max(width, LEAST) if width > 0 else 0


def given_columns(environ: Mapping[str, str]) -> int:
    """What the variable COLUMNS says, 0 for nothing that can be used."""
    text = environ.get("COLUMNS", "")
    if text.isascii() and text.isdigit() and len(text) < 6:
        return max(int(text), LEAST) if int(text) else 0
    return 0


def wrapped(text: str, width: int) -> list[str]:
    """``text`` as lines of at most ``width``; only a word that is longer sticks out."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines


def row(left: str, right: str, column: int, width: int) -> list[str]:
    """``left``, and ``right`` from ``column`` on: beside it where that fits, else below.

    Where the second column would be a strip, or a word would stick out of it, it begins
    further left.
    """
    if width - column < max(_BESIDE, *map(len, right.split()), 0):
        column = 6
    if len(left) > width:
        indent = len(left) - len(left.lstrip())
        first = wrapped(left, width - indent - 2)
        lines = [" " * (indent + 2 * bool(number)) + part for number, part in enumerate(first)]
    else:
        lines = [left]
    rest = [" " * column + part for part in wrapped(right, width - column)]
    if rest and len(lines) == 1 and len(left) < column:
        lines = [left.ljust(column) + rest.pop(0).lstrip()]
    return lines + rest
