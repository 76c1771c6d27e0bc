"""Whole lines out of a stream of bytes: from where, how many, how much.

No files here: the caller gives pieces of bytes. Held at once: the wanted lines and one
piece, however long the stream is.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# The total of a longer rest is not worth reading for; it is told as "more than".
COUNTED_BYTES = 1 << 28


class Excerpt(NamedTuple):
    """Lines ``first`` to ``last`` (counted from 1; ``last < first`` if there are none).

    ``total`` counts all lines; with ``total_is_exact`` unset it is what was counted.
    ``too_long`` is the size of line ``first`` when it alone is over the byte limit.
    ``cut_by_bytes`` tells that the byte limit, not the line limit, ended the excerpt.
    """

    data: bytes
    first: int
    last: int
    total: int
    total_is_exact: bool
    cut_by_bytes: bool
    too_long: int


def take_lines(pieces: Iterable[bytes], first: int, max_lines: int, max_bytes: int) -> Excerpt:
    """At most ``max_lines`` lines and ``max_bytes`` bytes from line ``first`` on."""
    skip = first - 1  # line ends still to pass
    held = bytearray()
    line_ends = 0  # seen so far, anywhere
    open_line = False  # the stream ends (so far) in an unfinished line
    first_open = True  # no end of line ``first`` seen yet
    beyond = 0  # how much of line ``first`` did not get into ``held``
    rest = 0
    exact = True
    for piece in pieces:
        if not piece:
            continue
        ends = piece.count(b"\n")
        line_ends += ends
        open_line = not piece.endswith(b"\n")
        if skip > ends or (skip and skip == ends and not open_line):
            skip -= ends
            continue
        if skip:
            piece = piece[_after(piece, skip) :]
            skip = 0
        if len(held) <= max_bytes and held.count(b"\n") < max_lines:
            held += piece
            continue
        first_open = first_open and b"\n" not in held
        if first_open:
            end = piece.find(b"\n")
            beyond += len(piece) if end < 0 else end
            first_open = end < 0
        rest += len(piece)
        if rest > COUNTED_BYTES:
            exact = False
            break
    taken, lines, cut_by_bytes = _whole_lines(held, max_lines, max_bytes)
    too_long = 0
    if cut_by_bytes and not lines:
        end = held.find(b"\n")
        too_long = end if end >= 0 else len(held) + beyond
    total = line_ends + open_line
    return Excerpt(
        bytes(held[:taken]), first, first + lines - 1, total, exact, cut_by_bytes, too_long
    )


def _after(piece: bytes, count: int) -> int:
    """The offset just behind the ``count``-th line end."""
    offset = 0
    for _ in range(count):
        offset = piece.index(b"\n", offset) + 1
    return offset


def _whole_lines(held: bytearray, max_lines: int, max_bytes: int) -> tuple[int, int, bool]:
    """How many bytes and lines fit, and whether the bytes were what did not."""
    taken = lines = 0
    while lines < max_lines and taken < len(held):
        end = held.find(b"\n", taken) + 1 or len(held)
        if end > max_bytes:
            return taken, lines, True
        taken = end
        lines += 1
    return taken, lines, False
