"""What the events of a stream have in common, said once instead of a thousand times. Pure.

A model's answer is the same event again and again around a few changing letters. Cut at
what stands ``between`` them, a read of some hundred events is a short list that people can
read, a tenth of the size, and cheap to write and to search for secrets.
"""

from __future__ import annotations

from typing import NamedTuple

MIN_CHARACTERS = 2048  # a shorter text holds too few events to gain anything
MIN_FRAME = 32
AROUND = 14  # characters on both sides of the first newline in it, to search for
LOOKED_AT = 8  # events at the beginning, to find two neighbours of one kind that differ


class Pieces(NamedTuple):
    """The text ``between.join(pieces)``."""

    between: str
    pieces: list[str]


def cut(text: str, known: str = "") -> Pieces | None:
    """Cut the text of some events; None if they have too little in common.

    ``known`` is what stood between the events before them, or "".
    """
    if len(text) < MIN_CHARACTERS:
        return None
    if known:
        pieces = _split(text, known)
        if 2 * len(pieces) * len(known) > len(text):
            return Pieces(known, pieces)
    gap = "\r\n\r\n" if "\r\n\r\n" in text[:MIN_CHARACTERS] else "\n\n"
    events = text.split(gap, LOOKED_AT + 1)[1:-1]
    for one, other in zip(events, events[1:]):
        begin, end = frame(one, other)
        if len(begin) + len(end) >= MIN_FRAME:
            between = end + gap + begin
            pieces = _split(text, between)
            if len(pieces) >= LOOKED_AT:
                return Pieces(between, pieces)
    return None


def _split(text: str, between: str) -> list[str]:
    """``text.split(between)``, but by a short part of it: that takes half the time.

    The part is where one event ends and the next begins; other places look like it less.
    """
    start = max(0, between.index("\n") - AROUND)
    part = between[start : start + 2 * AROUND]
    after = len(between) - start - len(part)
    rough = text.split(part)
    if len(rough) > 1:
        inner = slice(after, -start or None)
        pieces = [piece[inner] for piece in rough]
        pieces[0], pieces[-1] = rough[0][: -start or None], rough[-1][after:]
        if between.join(pieces) == text:
            return pieces
    return text.split(between)


def frame(one: str, other: str) -> tuple[str, str]:
    """How two events of one kind begin and end; ("", "") if they have nothing in common.

    Both stop at a quotation mark: letters that two words happen to share are not common
    to all of them.
    """
    if one == other:
        return "", ""
    same = common_start(one, other)
    begin = one.rfind('"', 0, same) + 1
    same_end = common_start(one[same:][::-1], other[same:][::-1])
    end = one.find('"', len(one) - same_end)
    return (one[:begin], one[end:]) if begin and end >= 0 else ("", "")


def common_start(one: str | bytes, other: str | bytes) -> int:
    """The length of the common beginning; by halves, since both may be megabytes long."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
