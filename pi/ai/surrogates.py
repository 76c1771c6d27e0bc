"""Text that servers cut between the two halves of a UTF-16 pair.

A server that counts UTF-16 units may send U+1F600 as ``\\ud83d`` at the end of one delta
and ``\\ude00`` at the start of the next. Python keeps such halves as lone surrogates, and
writing them anywhere fails. Halves that meet are joined; one that stays alone is U+FFFD.
"""

from __future__ import annotations


def repair(text: str) -> str:
    """Join adjacent halves and replace lone ones; the same object if there is nothing to do."""
    if text.isascii():
        return text
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class Joiner:
    """Repairs a text that comes in pieces; a half at a piece's end waits for the next."""

    __slots__ = ("_half",)

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        if self._half:
            piece, self._half = self._half + piece, ""
        elif piece.isascii():
            return piece
        if "\ud800" <= piece[-1:] <= "\udbff":
            self._half = piece[-1]
            piece = piece[:-1]
        return repair(piece)

    def finish(self) -> str:
        """What was waited for did not come."""
        half, self._half = self._half, ""
        return "\ufffd" if half else ""
