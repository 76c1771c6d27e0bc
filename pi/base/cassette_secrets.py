"""What a cassette must not keep: credentials by header name, secrets by their value. Pure.

A secret is also found as JSON, JSON inside JSON and URLs write it, where two reads split
it, and where a model spells it out over several events of a stream.

Invariants (each has a property test):
  * what comes out holds none of the values, however the stream was sliced;
  * a stream without secrets comes out as it went in, only later: what may be the beginning
    of a secret waits, at most ``MAX_HELD_BYTES``.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from pi.base.text import MIN_SECRET_BYTES, REDACTED, redact, whole_characters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.base.http import Request

CREDENTIAL_HEADERS = {
    *("authorization", "proxy-authorization", "cookie", "set-cookie"),
    *("api-key", "x-api-key", "x-goog-api-key"),
}
MAX_HELD_BYTES = 256 * 1024  # one event: longer ones hold whole files, not pieces of words
_BLANK = REDACTED.encode()
# The members in which the vendors' streams carry pieces of text, thoughts and arguments.
_PIECES = (
    rb'"(content|text|arguments|partial_json|delta|thinking|reasoning|reasoning_content|refusal)"'
    rb'\s*:\s*"([^"\\]*(?:\\.[^"\\]*)*)"'
)


class _Piece(NamedTuple):
    """A piece of text inside the held bytes, and where it stands in the joined text."""

    start: int
    end: int
    at: int


class Secrets:
    """The values to take out, in all their spellings."""

    def __init__(self, values: Iterable[str]) -> None:
        found = {
            spelling
            for value in values
            if len(value.encode("utf-8", "surrogatepass")) >= MIN_SECRET_BYTES
            and value not in REDACTED
            for spelling in _spellings(value)
        }
        self.texts = tuple(sorted(found, key=lambda text: (-len(text), text)))
        self.values = tuple(text.encode("utf-8", "surrogatepass") for text in self.texts)

    def text(self, text: str) -> str:
        return redact(text, self.texts)

    def data(self, data: bytes) -> bytes:
        for value in self.values:
            if value in data:
                data = data.replace(value, _BLANK)
        return data

    def headers(self, pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        return tuple(
            (name, REDACTED if name.lower() in CREDENTIAL_HEADERS else self.text(value))
            for name, value in pairs
        )

    def request(self, request: Request) -> Request:
        return request._replace(
            url=self.text(request.url),
            headers=self.headers(request.headers),
            body=self.data(request.body),
        )

    def stream(self, *, is_events: bool) -> StreamRedactor:
        return StreamRedactor(self, is_events=is_events)


class StreamRedactor:
    """Takes secrets out of a body that comes in reads.

    ``feed`` returns what is safe to write; what may be part of a secret, or is half a
    character, waits for the next read. Of an event stream whole lines are returned.
    """

    def __init__(self, secrets: Secrets, *, is_events: bool) -> None:
        self._secrets = secrets
        self._is_events = is_events and bool(secrets.values)
        self._inside = frozenset(b"".join(secrets.values))
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._secrets.data(self._held + data if self._held else data)
        end = min(whole_characters(data), len(data) - self._begun(data))
        if not self._is_events or len(data) > MAX_HELD_BYTES:
            self._held = data[end:]
            return data[:end]
        end = min(end, data.rfind(b"\n") + 1)
        lines, keep = self._without_spelled(data[:end])
        self._held = lines[keep:] + data[end:]
        return lines[:keep]

    def finish(self) -> bytes:
        """The body has ended: nothing that waits can become more than it is."""
        rest, self._held = self._held, b""
        return self._without_spelled(rest)[0] if self._is_events else rest

    def _begun(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` may be the beginning of a secret."""
        if not data or data[-1] not in self._inside:
            return 0
        most = 0
        for value in self._secrets.values:
            start = max(0, len(data) - len(value) + 1)
            while True:
                start = data.find(value[:1], start)
                if start < 0 or len(data) - start <= most:
                    break
                if value.startswith(data[start:]):
                    most = len(data) - start
                    break
                start += 1
        return most

    def _without_spelled(self, data: bytes) -> tuple[bytes, int]:
        """``data`` without the secrets that pieces of text make up together.

        Returns also how much of it can be written: the line in which another secret may
        begin, and all behind it, waits.
        """
        found: list[tuple[bytes, bytes]] = re.findall(_PIECES, data)
        names = {name for name, _ in found}
        texts = {name: b"".join([text for key, text in found if key == name]) for name in names}
        for name in names:
            while any(value in texts[name] for value in self._secrets.values):
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
        done, mark = 0, _BLANK
        for piece in _pieces(data, name):
            begin = max(first - piece.at, 0)
            stop = min(last - piece.at, piece.end - piece.start)
            if begin < stop:
                parts += [data[done : piece.start + begin], mark]
                done, mark = piece.start + stop, b""
        return b"".join([*parts, data[done:]]), joined[:first] + _BLANK + joined[last:]


def _pieces(data: bytes, name: bytes) -> list[_Piece]:
    pieces: list[_Piece] = []
    at = 0
    for match in re.finditer(_PIECES, data):
        if match[1] == name:
            start, end = match.span(2)
            pieces.append(_Piece(start, end, at))
            at += end - start
    return pieces


def _spellings(value: str) -> set[str]:
    """``value`` as it stands in texts, in JSON, in JSON inside JSON, and in URLs."""
    from urllib.parse import quote, quote_plus  # loaded anyway by the transport

    level = {value}
    found = {value, quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
    for _ in range(2):
        level = {
            escaped
            for text in level
            for dumped in (json.dumps(text), json.dumps(text, ensure_ascii=False))
            for escaped in (dumped[1:-1], dumped[1:-1].replace("/", "\\/"))
        }
        found |= level
    return found
