"""How the body of an HTTP/1 answer is delimited and coded, decoded from any slices.

Pure: the caller feeds what it received. Written instead of using the stdlib's reader
because that returns one chunk per call, at some ten microseconds each, and servers put
every streamed event into a chunk of its own; here all chunks of one receive come at once.

Invariants (property-tested):
  * any slicing of the same bytes gives the same body and the same rest;
  * a body is ``done`` only if its end really arrived.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Union

    from pi.base.http_head import Head

    Framing = Union["ChunkedBody", "LengthBody", "OpenBody"]

MAX_CHUNK_LINE = 8192  # a size of 16 digits; the rest is room for extensions nobody sends
MAX_TRAILER_BYTES = 16 * 1024
INFLATE_STEP = 64 * 1024

_HEX = b"0123456789abcdefABCDEF"


class BadBody(ValueError):
    """The bytes are not what the headers promised."""


class LengthBody:
    """``Content-Length``, or no body at all."""

    def __init__(self, length: int) -> None:
        self.rest = b""
        self._left = self._length = length

    @property
    def done(self) -> bool:
        return not self._left

    def feed(self, data: bytes) -> bytes:
        body, self.rest = data[: self._left], data[self._left :]
        self._left -= len(body)
        return body

    def missing(self) -> str:
        """What an end of the connection at this point leaves out; "" if nothing."""
        return f"{self._left} of {self._length} bytes are missing" if self._left else ""


class OpenBody:
    """Neither length nor chunks: the body lasts until the server closes."""

    done = False
    rest = b""

    def feed(self, data: bytes) -> bytes:
        return data

    def missing(self) -> str:
        return ""


class ChunkedBody:
    def __init__(self) -> None:
        self.done = False
        self.rest = b""
        self._left = 0  # bytes of the present chunk still to come, its CRLF not counted
        self._held = b""  # the beginning of a framing line
        self._in_chunk = False  # a chunk was begun whose closing CRLF has not been seen
        self._trailer_left = 0  # bytes trailers may still take; 0: not in the trailers

    def feed(self, data: bytes) -> bytes:
        """Return the payload in ``data``. Raises BadBody if it is not chunks."""
        if self._held:
            data, self._held = self._held + data, b""
        pieces: list[bytes] = []
        at = 0
        if self._in_chunk:
            at = self._finish_chunk(data, pieces)
        while not self._in_chunk and not self._trailer_left:
            line_end = data.find(b"\n", at)
            if line_end < 0:
                break
            size = _chunk_size(data[at:line_end])
            at = line_end + 1
            if not size:
                self._trailer_left = MAX_TRAILER_BYTES
                break
            end = at + size
            if data[end : end + 2] == b"\r\n":  # the whole chunk is here: the common case
                pieces.append(data[at:end])
                at = end + 2
            else:
                self._in_chunk, self._left = True, size
                at += self._finish_chunk(data[at:], pieces)
        if not self._in_chunk:
            self._hold(data[at:])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def missing(self) -> str:
        return "" if self.done else "the closing chunk never came"

    def _finish_chunk(self, data: bytes, pieces: list[bytes]) -> int:
        """Take what belongs to the present chunk; return how much of ``data`` that was."""
        piece = data[: self._left]
        if piece:
            pieces.append(piece)
            self._left -= len(piece)
        at = len(piece)
        if self._left:
            return at
        closing = data[at : at + 2]
        if closing == b"\r\n":
            self._in_chunk = False
            return at + 2
        if closing not in (b"", b"\r"):
            raise BadBody("a chunk is longer than its announced size")
        self._held = closing
        return at + len(closing)

    def _hold(self, data: bytes) -> None:
        """Keep the start of a size line, or walk through the trailers to the end."""
        while self._trailer_left and not self.done:
            line, newline, tail = data.partition(b"\n")
            if len(line) + 1 >= self._trailer_left:
                raise BadBody(f"trailers larger than {MAX_TRAILER_BYTES} bytes")
            if not newline:
                break
            self._trailer_left -= len(line) + 1
            data = tail
            self.done = line in (b"", b"\r")
        if self.done:
            self.rest = data
        elif len(data) > MAX_CHUNK_LINE and not self._trailer_left:
            raise BadBody("no chunk size where one must stand")
        else:
            self._held = data


@lru_cache(maxsize=256)  # events are of few sizes: halves the time of a chunked stream
def _chunk_size(line: bytes) -> int:
    digits = line.rstrip(b"\r")
    if digits.strip(_HEX):  # not digits only: maybe an extension or padding
        digits = digits.partition(b";")[0].strip(b" \t")
    if not digits or len(digits) > 16 or digits.strip(_HEX):
        raise BadBody(f"bad chunk size {line[:40]!r}")
    return int(digits, 16)


def framing_of(head: Head, method: str) -> Framing:
    """How the body after ``head`` is delimited. Raises BadBody if the headers contradict."""
    if method == "HEAD" or head.status < 200 or head.status in (204, 304):
        return LengthBody(0)
    transfer = head.headers.get("transfer-encoding", "").lower()
    if transfer and transfer != "identity":
        if transfer != "chunked":
            raise BadBody(f"unknown transfer encoding {transfer[:40]!r}")
        return ChunkedBody()
    length = head.headers.get("content-length")
    if length is None:
        return OpenBody()
    values = {value.strip() for value in length.split(",")}
    text = values.pop()
    if values or not (text.isascii() and text.isdigit()) or len(text) > 18:
        raise BadBody(f"bad content length {length[:40]!r}")
    return LengthBody(int(text))


class Inflater:
    """gzip or deflate, decoded in steps of bounded size: a bomb costs no memory.

    It was not asked for (``Accept-Encoding: identity``), but some gateways do it anyway.
    """

    def __init__(self, coding: str) -> None:
        import zlib  # only answers of such gateways need it

        self._zlib = zlib
        self._gzip = coding != "deflate"
        self._stream: Any = zlib.decompressobj(31 if self._gzip else 15)
        self._fresh = True
        self._tail = b""
        self._started = False
        self.done = False

    @property
    def is_cut(self) -> bool:
        """Whether an end at this point leaves out something. No data at all is complete."""
        return self._started and not self.done

    @property
    def waiting(self) -> bool:
        """Whether ``feed(b"")`` can give more without new input."""
        return bool(self._tail) and not self._fresh

    def feed(self, data: bytes) -> bytes:
        """Decode at most INFLATE_STEP bytes; the rest waits. Raises BadBody."""
        data = self._tail + data
        self._tail = b""
        if self.done and data[:1] == b"\x1f":  # another gzip member; anything else is padding
            self._stream, self.done = self._zlib.decompressobj(31), False
        if self.done or not data:
            return b""
        self._started = True
        if self._fresh and len(data) < 2:  # too little to tell the two deflates apart
            self._tail = data
            return b""
        try:
            out: bytes = self._stream.decompress(data, INFLATE_STEP)
        except self._zlib.error as exc:
            if self._gzip or not self._fresh:
                raise BadBody(f"damaged compressed data: {exc}") from exc
            # "deflate" means the zlib format, but some servers send it without its header.
            self._stream, self._fresh = self._zlib.decompressobj(-15), False
            return self.feed(data)
        self._fresh = False
        self.done = self._stream.eof
        self._tail = self._stream.unused_data if self.done else self._stream.unconsumed_tail
        return out


def inflater_of(head: Head) -> Inflater | None:
    """The decoder for the content coding, if there is one. Raises BadBody if unknown."""
    names = head.headers.get("content-encoding", "").lower().split(",")
    codings = [name.strip() for name in names if name.strip() not in ("", "identity")]
    if not codings:
        return None
    if codings[0] not in ("gzip", "x-gzip", "deflate") or len(codings) > 1:
        raise BadBody(f"unknown content encoding {', '.join(codings)[:40]!r}")
    return Inflater(codings[0])
