"""The heads of HTTP/1.x messages: how a request is written, how an answer's begins.

Pure: bytes in, values out. The stdlib's parser is not used because it takes a head that
broke off for a whole one, and so turns a cut connection into an empty success.

Invariants (property-tested):
  * any slicing of the same bytes gives the same head and the same rest;
  * anything that is not the start of an HTTP/1 answer is refused as soon as it shows,
    without waiting for a line end that may never come.
"""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_HEAD_BYTES = 256 * 1024  # four times what common servers send at the very most
MAX_HEADERS = 200
MAX_INTERIM = 32  # 1xx answers before the real one; servers send one or two

_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.(\d) ([1-9]\d\d)(?: ([^\r\n]*))?\r?\Z")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")


class NotHttp(ValueError):
    """The peer does not speak HTTP/1, or speaks it in a way nobody should."""


class Head(NamedTuple):
    """``headers``: lower-case names; the values of a repeated one joined with ", "."""

    status: int
    reason: str
    headers: dict[str, str]
    minor: int  # 0 or 1: HTTP/1.0 or HTTP/1.1

    @property
    def stays_open(self) -> bool:
        """Whether the server lets the connection be used again after the body."""
        tokens = self.headers.get("connection", "").lower().replace(" ", "").split(",")
        return "keep-alive" in tokens if self.minor == 0 else "close" not in tokens


def request_head(method: str, target: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The bytes before the body. Names and values must have been checked (pi.base.target)."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HeadReader:
    """Fed what arrives until the head of the final answer is complete; 1xx are skipped."""

    def __init__(self) -> None:
        self.rest = b""  # what came after the head, once it is complete
        self.heard = False  # whether any byte has arrived
        self._held = bytearray()
        self._interim = 0

    def feed(self, data: bytes) -> Head | None:
        """Return the head if it is complete. Raises NotHttp."""
        self.heard = self.heard or bool(data)
        searched = max(0, len(self._held) - 3)
        self._held += data
        while True:
            _check_start(self._held)
            end = _END.search(self._held, searched)
            if (end.start() if end else len(self._held)) > MAX_HEAD_BYTES:
                raise NotHttp(f"headers larger than {MAX_HEAD_BYTES} bytes")
            if end is None:
                return None
            head = _parse(bytes(self._held[: end.start()]))
            del self._held[: end.end()]
            if head.status >= 200 or head.status == 101:
                self.rest = bytes(self._held)
                return head
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise NotHttp(f"more than {MAX_INTERIM} interim (1xx) answers")
            searched = 0


def _check_start(held: bytearray) -> None:
    start = bytes(held[:7])
    if start != b"HTTP/1."[: len(start)]:
        raise NotHttp(f"the answer starts with {start!r}, not with HTTP/1.x")


def _parse(head: bytes) -> Head:
    first, *lines = head.split(b"\n")
    status = _STATUS.match(first)
    if status is None:
        raise NotHttp(f"bad status line {first[:60]!r}")
    if len(lines) > MAX_HEADERS:
        raise NotHttp(f"more than {MAX_HEADERS} headers")
    headers: dict[str, str] = {}
    last = ""
    for line in lines:
        text = line.rstrip(b"\r")
        if text[:1] in (b" ", b"\t") and last:  # obsolete folding: one value over two lines
            headers[last] += " " + text.strip().decode("latin-1")
            continue
        name, colon, value = text.partition(b":")
        if not colon or _NAME.match(name) is None:
            raise NotHttp(f"bad header line after {last or 'the status line'!r}")
        last = name.decode("ascii").lower()
        shown = value.strip(b" \t").decode("latin-1")
        headers[last] = f"{headers[last]}, {shown}" if last in headers else shown
    reason = (status[3] or b"").strip().decode("latin-1")
    return Head(int(status[2]), reason, headers, min(int(status[1]), 1))
