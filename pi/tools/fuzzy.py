"""Where a text is that was typed plainly: other quotes, dashes, spaces, widths in the file.

Both sides are compared in a normal form (Unicode NFKC, then plain quotes and dashes, no
blanks at line ends). A match is mapped back to the original text, so that nothing outside
it changes; one whose edge falls inside a character of the file, such as half of a
ligature, is none. Pure; the cost is linear in the text.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from unicodedata import combining, normalize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANKS = " \t\r\v\f"
_PLAIN = {
    **dict.fromkeys(range(0x2018, 0x201C), "'"),
    **dict.fromkeys(range(0x201C, 0x2020), '"'),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
}
# Marks behind one letter that any writing needs (Unicode Annex 15, "Stream-Safe Text Format").
# Putting them in order takes the square of their number, in a call that nothing can end.
_MAX_MARKS = 30
_SHORT_LINE = 200  # not worth being looked at for that


def fuzzy_matches(text: str, find: str) -> list[tuple[int, int]]:
    """Start and end in ``text`` of what looks like ``find``, in order, without overlaps."""
    wanted = "\n".join(map(_normal_line, find.split("\n")))
    if not wanted.strip():
        return []
    lines = text.split("\n")
    view = _View(lines, [_normal_line(line) for line in lines])
    found = []
    at = view.text.find(wanted)
    while at >= 0:
        start, end = view.original_start(at), view.original_end(at + len(wanted))
        if start is not None and end is not None:
            found.append((start, end))
        at = view.text.find(wanted, at + len(wanted))
    return found


class _View:
    """The normal form of a text, and the way back from it."""

    def __init__(self, lines: Sequence[str], normal: Sequence[str]) -> None:
        self.text = "\n".join(normal)
        self._lines = lines
        self._normal = normal
        self._line_starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
        self._normal_starts = list(accumulate((len(line) + 1 for line in normal), initial=0))

    def original_start(self, offset: int) -> int | None:
        """Where what begins at ``offset`` begins in the original."""
        number, column = self._split(offset)
        line = self._lines[number]
        if column and column == len(self._normal[number]):  # it begins with a line end
            return self._line_starts[number] + len(line) - line.endswith("\r")
        return self._at(number, column)

    def original_end(self, offset: int) -> int | None:
        """Where what ends at ``offset`` ends in the original: before blanks at a line's end."""
        return self._at(*self._split(offset))

    def _split(self, offset: int) -> tuple[int, int]:
        number = bisect_right(self._normal_starts, offset) - 1
        return number, offset - self._normal_starts[number]

    def _at(self, number: int, column: int) -> int | None:
        line, start = self._lines[number], self._line_starts[number]
        if not column or _stays(line):
            return start + column
        length = at = 0
        for part in _clusters(line):
            if length >= column:
                break
            length += len(_plain(part))
            at += len(part)
        is_edge = length == column and _plain(line[:at]) == self._normal[number][:column]
        return start + at if is_edge else None


def _normal_line(line: str) -> str:
    return (line if _stays(line) else _plain(line)).rstrip(_BLANKS)


def _stays(line: str) -> bool:
    """Whether a line is its own normal form, or counts as that: no text has so many marks."""
    if line.isascii():
        return True
    marks = 0
    for character in line if len(line) > _SHORT_LINE else "":
        marks = marks + 1 if combining(character) else 0
        if marks > _MAX_MARKS:
            return True
    return False


def _plain(text: str) -> str:
    return normalize("NFKC", text).translate(_PLAIN)


def _clusters(line: str) -> list[str]:
    """``line`` in parts that normalise by themselves: a character with its marks."""
    parts: list[str] = []
    for character in line:
        first = normalize("NFKC", character)[0]
        # Korean vowels and finals join the letter before them without being marks.
        if parts and (combining(first) or "\u1160" <= first <= "\u11ff"):
            parts[-1] += character
        else:
            parts.append(character)
    return parts
