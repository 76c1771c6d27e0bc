"""A piece of shell text that was taken out of another, with the way back."""

from __future__ import annotations

from bisect import bisect_right

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Fragment:
    """``text`` after characters were dropped from its source.

    ``marks`` are pairs (offset here, offset in the source), ascending, the first at 0;
    between two marks the offsets run alike.
    """

    __slots__ = ("_here", "_source", "text")

    def __init__(self, text: str, marks: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self._here = [here for here, _ in marks]
        self._source = [source for _, source in marks]

    def where(self, offset: int) -> int:
        """The offset in the source of what is at ``offset`` here."""
        index = bisect_right(self._here, offset) - 1
        return self._source[index] + offset - self._here[index]


def without_backslashes(text: str, start: int, end: int, escaped: str) -> Fragment:
    """``text[start:end]`` with the backslash gone before each character of ``escaped``."""
    parts: list[str] = []
    marks = [(0, start)]
    length = 0
    begin = start
    at = text.find("\\", start, end)
    while at >= 0:
        if text[at + 1] in escaped:
            parts.append(text[begin:at])
            length += at - begin
            begin = at + 1
            marks.append((length, begin))
        at = text.find("\\", at + 2, end)
    parts.append(text[begin:end])
    return Fragment("".join(parts), marks)
