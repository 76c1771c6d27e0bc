"""What the events of a stream have in common, said once instead of a thousand times. Pure.

A model's answer is the same event again and again around a few changing letters. Cut at
what stands ``between`` them, a read of some hundred events is a short list that people can
read, a tenth of the size, and cheap to write and to search for secrets.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

MIN_BYTES = 2048  # less than that holds too few events to gain anything
MIN_FRAME = 32
AROUND = 14  # bytes on both sides of the first newline between two events, to search for
LOOKED_AT = 8  # events at the beginning, to find two neighbours of one kind that differ


class Pieces(NamedTuple):
    """The bytes ``between.join(pieces)``."""

    between: bytes
    pieces: list[bytes]


def cut(data: bytes, known: bytes = b"") -> Pieces | None:
    """Cut some events; None if they have too little in common.

    ``known`` is what stood between the events before them, or nothing.
    """
    if len(data) < MIN_BYTES:
        return None
    if known:
        pieces = _split(data, known)
        if 2 * len(pieces) * len(known) > len(data):
            return Pieces(known, pieces)
    gap = b"\r\n\r\n" if b"\r\n\r\n" in data[:MIN_BYTES] else b"\n\n"
    events = data.split(gap, LOOKED_AT + 1)[1:-1]
    for one, other in zip(events, events[1:]):
        begin, end = frame(one, other)
        if len(begin) + len(end) >= MIN_FRAME:
            between = end + gap + begin
            pieces = _split(data, between)
            if len(pieces) >= LOOKED_AT:
                return Pieces(between, pieces)
    return None


def _split(data: bytes, between: bytes) -> list[bytes]:
    """``data.split(between)``, but by a short part of it: that takes half the time.

    The part is where one event ends and the next begins; other places look like it less.
    """
    start = max(0, between.index(b"\n") - AROUND)
    part = between[start : start + 2 * AROUND]
    before, after = between[:start], between[start + len(part) :]
    rough = data.split(part)
    # The data may begin or end in the middle of one.
    if len(rough) > 1 and not rough[0].endswith(before):
        rough[:2] = [part.join(rough[:2])]
    if len(rough) > 1 and not rough[-1].startswith(after):
        rough[-2:] = [part.join(rough[-2:])]
    if len(rough) > 1:
        inner = slice(len(after), -start or None)
        pieces = [piece[inner] for piece in rough]
        pieces[0], pieces[-1] = rough[0][: -start or None], rough[-1][len(after) :]
        if between.join(pieces) == data:
            return pieces
    return data.split(between)


def frame(one: bytes, other: bytes) -> tuple[bytes, bytes]:
    """How two events of one kind begin and end; nothing if they have nothing in common.

    Both stop at a quotation mark: letters that two words happen to share are not common
    to all of them.
    """
    if one == other:
        return b"", b""
    same = common_start(one, other)
    begin = one.rfind(b'"', 0, same) + 1
    same_end = common_start(one[same:][::-1], other[same:][::-1])
    end = one.find(b'"', len(one) - same_end)
    return (one[:begin], one[end:]) if begin and end >= 0 else (b"", b"")


def ends_of_frame(between: bytes) -> tuple[bytes, bytes]:
    """How the events begin and end that ``between`` stands between."""
    return between[between.rindex(b"\n") + 1 :], between[: between.index(b"\n")].rstrip(b"\r")


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
