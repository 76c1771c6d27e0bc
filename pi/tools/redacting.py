"""Secrets blanked out of a stream of bytes, wherever the pieces break.

Only what may be the beginning of a secret is held back, so ordinary output is not
delayed. Invariant (it has a property test): however a stream is sliced, what comes out is
what one pass over the whole, leftmost match first and longest there, would give.
"""

from __future__ import annotations

import re

from pi.base.text import REDACTED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Redactor:
    def __init__(self, secrets: Iterable[str]) -> None:
        self._values = sorted({_as_bytes(value) for value in secrets if value}, key=len)[::-1]
        self._firsts = {value[0] for value in self._values}
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        """What is certain by now."""
        if not self._values:
            return piece
        data = self._held + piece
        clean = []
        at = 0
        begins = self._beginnings(data)
        if any(value in data for value in self._values):
            for match in re.finditer(self._pattern(), data):
                # A secret may still grow into a longer one, or be a part of one.
                if any(at <= begin <= match.start() for begin in begins):
                    break
                clean += [data[at : match.start()], REDACTED.encode()]
                at = match.end()
        end = next((begin for begin in begins if begin >= at), len(data))
        self._held = data[end:]
        clean.append(data[at:end])
        return b"".join(clean)

    def finish(self) -> bytes:
        """The rest: nothing more comes."""
        rest, self._held = self._held, b""
        return re.sub(self._pattern(), REDACTED.encode(), rest) if rest else b""

    def _pattern(self) -> bytes:
        return b"|".join(map(re.escape, self._values))

    def _beginnings(self, data: bytes) -> list[int]:
        """Where ``data`` ends in the first part, but not all, of a secret."""
        start = max(0, len(data) - len(self._values[0]) + 1)
        tail = data[start:]
        if self._firsts.isdisjoint(tail):
            return []
        return [
            start + at
            for at in range(len(tail))
            if tail[at] in self._firsts
            and any(
                len(value) > len(tail) - at and value.startswith(tail[at:])
                for value in self._values
            )
        ]


def _as_bytes(value: str) -> bytes:
    """As commands print it: variables may hold bytes that are no text."""
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
