"""Takes secrets out of a body that comes in reads. Pure.

A secret is found where two reads split it, and where a model spells it out over several
events of a stream, a few letters each.

Invariants (each has a property test):
  * what comes out holds none of the secrets, however the body was sliced;
  * a body without secrets comes out as it went in, only later: what may be the beginning
    of a secret waits, and so does an event that is not whole, up to ``MAX_HELD_BYTES``.
"""

from __future__ import annotations

import re

from pi.base.cassette_pieces import MIN_BYTES, Pieces, cut, ends_of_frame, frame
from pi.base.cassette_secrets import REDACTED_BYTES
from pi.base.text import whole_characters
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.cassette_secrets import Secrets

MAX_HELD_BYTES = 256 * 1024  # one event: longer ones hold whole files, not pieces of words
# The members in which the vendors' streams carry pieces of text, thoughts and arguments.
_NAMES = (
    *(b"content", b"text", b"arguments", b"partial_json", b"delta", b"thinking"),
    *(b"reasoning", b"reasoning_content", b"refusal"),
)
_PIECES = rb'"(%s)"\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"' % b"|".join(_NAMES)


class _Piece(NamedTuple):
    """A piece of text inside the held bytes, and where it stands in the joined text."""

    start: int
    end: int
    at: int


class StreamRedactor:
    """Takes secrets out of a body that comes in reads.

    ``feed`` returns what is safe to write; what may be part of a secret, or is half a
    character, waits for the next read. Of an event stream whole lines are returned, in
    pieces where that is possible.
    """

    def __init__(self, secrets: Secrets, *, is_events: bool) -> None:
        self._secrets = secrets
        self._is_events = is_events
        self._inside = frozenset(b"".join(secrets.values))
        self._longest = max(map(len, secrets.values), default=0)
        self._by_first: dict[bytes, list[bytes]] = {}
        for value in secrets.values:
            self._by_first.setdefault(value[:1], []).append(value)
        # A secret with a quotation mark in it could lie across the ends of pieces.
        self._may_cross = b'"' in b"".join(secrets.values)
        self._shortest = min(map(len, secrets.values), default=MAX_HELD_BYTES)
        self._between = b""  # what stood between the events of the last pieces
        self._ends = (b"", b"")  # of one such event, if there is one text in it; else nothing
        self._held = b""
        self._last = b""  # the last read, if it was short and clean
        self._frame = (b"", b"")  # how it began and ended, and the one before it

    def feed(self, data: bytes) -> bytes | Pieces:
        if not self._held and self._is_like_the_last(data):
            return data
        if self._is_events and len(data) >= MIN_BYTES:
            pieces = self._clean_pieces(data)
            if pieces is not None:
                return pieces
        data = self._secrets.data(self._held + data)
        end = min(whole_characters(data), len(data) - self._begun(data))
        if not self._is_events or len(data) > MAX_HELD_BYTES:
            self._held = data[end:]
            return data[:end]
        end = min(end, data.rfind(b"\n") + 1)
        lines, keep = self._without_spelled(data[:end])
        self._held = lines[keep:] + data[end:]
        if not self._held and len(data) < MIN_BYTES:
            self._learn(data)
        return lines[:keep]

    def finish(self) -> bytes:
        """The body has ended: nothing that waits can become more than it is."""
        rest, self._held = self._held, b""
        return self._without_spelled(rest)[0] if self._is_events else rest

    def _is_like_the_last(self, data: bytes) -> bool:
        """Whether a read is an event like those before it, but for a few clean letters.

        So are most, and looking closely at every one would take five times as long.
        """
        begin, end = self._frame
        size = len(data) - len(begin) - len(end)
        if not begin or not 0 <= size < self._shortest:
            return False
        if not (data.startswith(begin) and data.endswith(end)):
            return False
        text = data[len(begin) : len(begin) + size]
        return b'"' not in text and not self._begun(text)

    def _learn(self, data: bytes) -> None:
        begin, end = frame(self._last, data)
        self._last = data
        # A frame that ends in the middle of a line could be the beginning of another.
        if end.endswith(b"\n") and not self._may_cross:
            self._frame = begin, end

    def _clean_pieces(self, data: bytes) -> Pieces | None:
        """What waited and the whole lines of ``data`` in pieces, if nothing in it is secret.

        Put together, the pieces are one event with all the text: that takes a tenth of the
        time to search. What is found there, or may begin there, is left to the long way.
        """
        if self._may_cross or len(self._held) > MIN_BYTES:
            return None
        found = cut(data, self._between)
        if found is None:
            return None
        between, pieces = found
        if b"\n" not in pieces[-1]:  # the last line begins in what stands before it
            pieces[-2:] = [between.join(pieces[-2:])]
        end = pieces[-1].rfind(b"\n") + 1
        rest, pieces[-1] = pieces[-1][end:], pieces[-1][:end]
        pieces[0] = self._held + pieces[0]
        if self._secrets.values and not self._are_clean(between, pieces):
            return None
        self._between, self._held = between, rest
        return found

    def _are_clean(self, between: bytes, pieces: list[bytes]) -> bool:
        """Whether no secret is in the pieces, spelled out by them, or begun at their end."""
        text = b"".join(pieces[1:-1])
        # A piece that holds more than the letters of one event is not looked through.
        if b'"' in text and b'"' in text.replace(b"\\\\", b"").replace(b'\\"', b""):
            return False
        if between is not self._between:
            if self._secrets.are_in(between):
                return False
            self._ends = _ends_of_text(between)
        one = pieces[0] + text + pieces[-1]
        if self._secrets.are_in(one):
            return False
        begin, end = self._ends
        whole = one.rstrip(b"\r\n")
        if begin and whole.startswith(begin) and whole.endswith(end):
            text = whole[len(begin) : -len(end)]
            if b'"' not in text and not text.endswith(b"\\"):
                return not self._begun(text)  # all there is to find: one event with one text
        return self._without_spelled(one) == (one, len(one))

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` may be the beginning of a secret."""
        if not data or data[-1] not in self._inside:
            return 0
        size = len(data)
        begun = size
        for first, values in self._by_first.items():
            start = data.find(first, max(0, size - self._longest + 1))
            while 0 <= start < begun:
                end = data[start:]
                for value in values:
                    if value.startswith(end) and value != end:
                        begun = start
                start = data.find(first, start + 1)
        return size - begun

    def _without_spelled(self, data: bytes) -> tuple[bytes, int]:
        """``data`` without the secrets that pieces of text make up together.

        Returns also how much of it can be written: the line in which another secret may
        begin, and all behind it, waits.
        """
        if not self._secrets.values:
            return data, len(data)
        found: dict[bytes, list[bytes]] = {}
        for name, text in re.findall(_PIECES, data):
            found.setdefault(name, []).append(text)
        texts = {name: b"".join(pieces) for name, pieces in found.items()}
        for name, pieces in found.items():
            while len(pieces) > 1 and self._secrets.are_in(texts[name]):
                data, texts[name] = self._blank(data, name, texts[name])
        keep = len(data)
        for name, text in texts.items():
            begun = self._begun(text)
            if begun:
                at = len(text) - begun
                first = next(p for p in _pieces(data, name) if p.at + p.end - p.start > at)
                keep = min(keep, data.rfind(b"\n", 0, first.start) + 1)
        return data, keep

    def _blank(self, data: bytes, name: bytes, joined: bytes) -> tuple[bytes, bytes]:
        """Take one spelled-out secret away; the first of its pieces says so."""
        value = next(value for value in self._secrets.values if value in joined)
        first = joined.index(value)
        last = first + len(value)
        parts: list[bytes] = []
        done, mark = 0, REDACTED_BYTES
        for piece in _pieces(data, name):
            begin = max(first - piece.at, 0)
            stop = min(last - piece.at, piece.end - piece.start)
            if begin < stop:
                parts += [data[done : piece.start + begin], mark]
                done, mark = piece.start + stop, b""
        return b"".join([*parts, data[done:]]), joined[:first] + REDACTED_BYTES + joined[last:]


def _ends_of_text(between: bytes) -> tuple[bytes, bytes]:
    """How an event begins and ends around its text; nothing if there may be other texts in it."""
    begin, end = ends_of_frame(between)
    is_one = _openings(begin) == [len(begin)] and not _openings(end) and end.startswith(b'"')
    return (begin, end) if is_one else (b"", b"")


def _openings(data: bytes) -> list[int]:
    """Where texts begin, as ``_PIECES`` finds them; without the millisecond to compile it."""
    found = []
    for name in _NAMES:
        quoted = b'"%s"' % name
        at = data.find(quoted)
        while at >= 0:
            colon = data[at + len(quoted) :].lstrip()
            value = colon[1:].lstrip()
            if colon.startswith(b":") and value.startswith(b'"'):
                found.append(len(data) - len(value) + 1)
            at = data.find(quoted, at + 1)
    return found


def _pieces(data: bytes, name: bytes) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    for match in re.finditer(_PIECES, data):
        if match[1] == name:
            start, end = match.span(2)
            pieces.append(_Piece(start, end, at))
            at += end - start
    return pieces
