"""The cassette format: recorded HTTP exchanges as JSON lines, and how they are written. Pure.

One line per event, in the order in which they happened (docs/cassettes.md has an example):

    {"cassette":1,"pi":"...","created_ms":...}                             first line
    {"n":1,"t":0,"request":{"method","url","headers","body","sha256"}}     about to be sent
    {"n":1,"response":{"status","headers"}}                                head of the answer
    {"n":1,"t":212,"data":"..."}                                           bytes of one read
    {"n":1,"t":212,"between":"...","pieces":["...","...","..."]}           the same, joined
    {"n":1,"t":950,"end":"complete","sha256":"..."}        also "closed", "error" with "error"
    {"exchanges":1}                                        last line: the recording was ended

``n`` counts requests from 1; ``t`` is milliseconds, of a request since the first one, else
since its request. Bytes that are not UTF-8 stand in "body_base64" or "data_base64".

Invariants (each has a property test):
  * what was written comes back equal, whatever the bytes;
  * any beginning of a cassette that holds its first line is a cassette, marked incomplete;
  * a changed byte is found: ``sha256`` of an end covers the lines of its exchange.
"""

from __future__ import annotations

import hashlib
import json
from binascii import b2a_base64

from pi.base import errors
from pi.base.cassette_pieces import Pieces
from pi.base.errors import PiError
from pi.base.http import ConnectionBroken, Request
from pi.base.jsonl import encode
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VERSION = 1
KINDS: dict[str, type[PiError]] = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), ConnectionBroken)
    if isinstance(kind, type) and issubclass(kind, PiError)
}
# What JSON writes in another way than as itself.
_ESCAPED = bytes([*range(0x20), *b'"\\'])
_quoted = json.encoder.encode_basestring  # keeps non-ASCII; no encoder object per chunk


class Chunk(NamedTuple):
    at_ms: int  # since the request was sent
    data: bytes


class Exchange:
    """One recorded request and all that came of it. ``end`` is "" if the recording broke off."""

    __slots__ = ("chunks", "end", "error", "headers", "line", "number", "request", "status")

    def __init__(self, number: int, line: int, request: Request) -> None:
        self.number = number
        self.line = line  # of the request in the file, for messages
        self.request = request
        self.status: int | None = None  # None: no answer came
        self.headers: dict[str, str] = {}
        self.chunks: list[Chunk] = []
        self.end = ""
        self.error: Mapping[str, str] = {}

    def failure(self) -> PiError:
        """The failure the exchange ended with, as a new exception."""
        error = self.error
        return KINDS[error["kind"]](
            error["message"], cause=error["cause"], hint=error["hint"], code=error["code"]
        )


class Cassette(NamedTuple):
    name: str  # of the file, for messages
    pi: str  # the version that recorded it
    exchanges: tuple[Exchange, ...]
    is_complete: bool  # False: the recording was cut off, by a crash or a full disk


def header_line(pi: str, created_ms: int) -> bytes:
    return encode({"cassette": VERSION, "pi": pi, "created_ms": created_ms})


def request_line(number: int, at_ms: int, request: Request) -> bytes:
    return encode(
        {
            "n": number,
            "t": at_ms,
            "request": {
                "method": request.method,
                "url": request.url,
                "headers": request.headers,
                **_stored("body", request.body),
                "sha256": hashlib.sha256(request.body).hexdigest(),
            },
        }
    )


def response_line(number: int, status: int, headers: Iterable[tuple[str, str]]) -> bytes:
    return encode({"n": number, "response": {"status": status, "headers": list(headers)}})


def chunk_line(number: int, at_ms: int, data: bytes | Pieces) -> bytes:
    """Put together by hand: this is the one line of which a stream makes thousands."""
    try:
        if isinstance(data, Pieces):
            between = _quoted(data.between.decode()).encode()
            shown = b'"between":%s,"pieces":[%s]' % (between, _listed(data.pieces))
        else:
            shown = b'"data":%s' % _quoted(data.decode()).encode()
    except UnicodeDecodeError:
        whole = data.between.join(data.pieces) if isinstance(data, Pieces) else data
        shown = b'"data_base64":"%s"' % b2a_base64(whole, newline=False)
    return b'{"n":%d,"t":%d,%s}\n' % (number, at_ms, shown)


def _listed(pieces: list[bytes]) -> bytes:
    """As JSON texts. Most pieces of an answer are words that need no escapes: one join does.

    Raises UnicodeDecodeError if one of them is not UTF-8.
    """
    inner = b'","'.join(pieces[1:-1])
    marks = 2 * (len(pieces) - 3)  # between the inner pieces; another must be escaped
    if len(pieces) > 2 and len(inner) - len(inner.translate(None, _ESCAPED)) == marks:
        inner.decode()
        first, last = (_quoted(pieces[at].decode()).encode() for at in (0, -1))
        return b'%s,"%s",%s' % (first, inner, last)
    return ",".join([_quoted(piece.decode()) for piece in pieces]).encode()


def end_line(
    number: int, at_ms: int, end: str, digest: str, error: Mapping[str, str] | None = None
) -> bytes:
    """``digest`` is the SHA-256 over all earlier lines of the exchange, newlines included."""
    record: dict[str, Any] = {"n": number, "t": at_ms, "end": end}
    if error is not None:
        record["error"] = error
    return encode({**record, "sha256": digest})


def footer_line(exchanges: int) -> bytes:
    return encode({"exchanges": exchanges})


def failure_record(error: PiError) -> dict[str, str]:
    """What an end line keeps of a failure, so that ``Exchange.failure`` can raise it again."""
    kind = next(each.__name__ for each in type(error).__mro__ if each.__name__ in KINDS)
    return {
        "kind": kind,
        "code": error.code,
        "message": error.message,
        "cause": error.cause,
        "hint": error.hint,
    }


def _stored(key: str, data: bytes) -> dict[str, str]:
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {f"{key}_base64": b2a_base64(data, newline=False).decode()}
