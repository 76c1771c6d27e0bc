"""The cassette format: recorded HTTP exchanges as JSON lines. Pure; no files here.

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
from binascii import a2b_base64, b2a_base64
from typing import Any, NamedTuple

from pi.base import errors
from pi.base.cassette_pieces import Pieces
from pi.base.errors import PiError, VerificationFailed
from pi.base.http import ConnectionBroken, Request
from pi.base.jsonl import Damaged, JsonlReader, encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pi.base.jsonl import Line

VERSION = 1
ENDS = ("complete", "closed", "error")
_KINDS: dict[str, type[PiError]] = {
    kind.__name__: kind
    for kind in (*vars(errors).values(), ConnectionBroken)
    if isinstance(kind, type) and issubclass(kind, PiError)
}
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
        return _KINDS[error["kind"]](
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
    if isinstance(data, Pieces):
        return encode({"n": number, "t": at_ms, "between": data.between, "pieces": data.pieces})
    try:
        text = data.decode()
    except UnicodeDecodeError:
        shown = b2a_base64(data, newline=False)
        return b'{"n":%d,"t":%d,"data_base64":"%s"}\n' % (number, at_ms, shown)
    return b'{"n":%d,"t":%d,"data":%s}\n' % (number, at_ms, _quoted(text).encode())


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
    kind = next(each.__name__ for each in type(error).__mro__ if each.__name__ in _KINDS)
    return {
        "kind": kind,
        "code": error.code,
        "message": error.message,
        "cause": error.cause,
        "hint": error.hint,
    }


def parse_cassette(data: bytes, name: str) -> Cassette:
    """Read a whole cassette. Raises VerificationFailed naming the file and the line.

    A last line without its newline is what a crash leaves: if it is torn it is left out.
    """
    reader = JsonlReader()
    lines = reader.feed(data)
    last = reader.finish()
    if last is not None and (not isinstance(last, Damaged) or not lines):
        lines.append(last)
    if not lines:
        raise VerificationFailed(
            f"cassette {name} is empty: nothing was recorded", code="cassette-damaged"
        )
    pi = _header(lines[0], name)
    builder = _Builder()
    for line in lines[1:]:
        try:
            if isinstance(line, Damaged):
                raise ValueError(line.reason)
            builder.add(line.number, line.value, data[line.offset : line.offset + line.size])
        except (KeyError, TypeError, ValueError) as exc:
            why = f"{exc} is missing" if isinstance(exc, KeyError) else str(exc)
            raise VerificationFailed(
                f"cassette {name} is damaged in line {line.number}",
                cause=why,
                hint="take it from version control, or record it anew with --record",
                code="cassette-damaged",
            ) from exc
    return Cassette(name, pi, tuple(builder.exchanges), builder.ended)


def _header(line: Line, name: str) -> str:
    """Check the first line; return the version of pi that wrote it."""
    version = None if isinstance(line, Damaged) else line.value.get("cassette")
    if isinstance(line, Damaged) or type(version) is not int:
        reason = line.reason if isinstance(line, Damaged) else "it does not begin as one"
        raise VerificationFailed(
            f"{name} is not a cassette", cause=f"line 1: {reason}", code="cassette-damaged"
        )
    if version != VERSION:
        raise VerificationFailed(
            f"cassette {name} has format {version}; this pi reads format {VERSION}",
            cause=f"line 1: recorded with pi {line.value.get('pi')}",
            hint="record it anew with --record, or replay it with the pi that recorded it",
            code="cassette-version",
        )
    return str(line.value.get("pi", ""))


class _Builder:
    """Puts lines together to exchanges; KeyError, TypeError, ValueError for a wrong one."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.ended = False
        self._digests: list[Any] = []

    def add(self, number: int, record: Mapping[str, Any], raw: bytes) -> None:
        if self.ended:
            raise ValueError("it stands behind the end of the recording")
        if "exchanges" in record:
            if record["exchanges"] != len(self.exchanges):
                raise ValueError(f"{record['exchanges']} exchanges were recorded, some are gone")
            self.ended = True
            return
        at = _number(record["n"])
        if "request" in record:
            if at != len(self.exchanges) + 1:
                raise ValueError(f"request {at} where {len(self.exchanges) + 1} should follow")
            self.exchanges.append(Exchange(at, number, _request(record["request"])))
            self._digests.append(hashlib.sha256())
        if not 1 <= at <= len(self.exchanges):
            raise ValueError(f"it belongs to request {at}, which is not there")
        exchange, digest = self.exchanges[at - 1], self._digests[at - 1]
        if exchange.end:
            raise ValueError(f"request {at} had ended before")
        if "end" in record:
            if record["sha256"] != digest.hexdigest():
                raise ValueError(f"the lines of request {at} were edited: their digest differs")
            _end(exchange, record)
            return
        digest.update(raw.rstrip(b"\r") + b"\n")  # some tools write a CR before each newline
        if "response" in record:
            if exchange.status is not None:
                raise ValueError(f"a second answer to request {at}")
            exchange.status = _number(record["response"]["status"])
            exchange.headers = dict(_pairs(record["response"]["headers"]))
        elif "request" not in record:
            if exchange.status is None:
                raise ValueError(f"data of request {at} before the head of its answer")
            exchange.chunks.append(Chunk(_number(record["t"]), _chunk(record)))


def _end(exchange: Exchange, record: Mapping[str, Any]) -> None:
    end = record["end"]
    if end not in ENDS or (end != "error" and exchange.status is None):
        raise ValueError(f"a request cannot end with {end!r} here")
    if end == "error":
        fields = ("kind", "code", "message", "cause", "hint")
        error = {key: _text(record["error"][key]) for key in fields}
        if error["kind"] not in _KINDS:
            raise ValueError(f"unknown kind of failure {error['kind']!r}")
        exchange.error = error
    exchange.end = end


def _request(record: Mapping[str, Any]) -> Request:
    body = _bytes("body", record)
    if hashlib.sha256(body).hexdigest() != record["sha256"]:
        raise ValueError("the request's body was edited: its digest differs")
    method, url = _text(record["method"]), _text(record["url"])
    return Request(method, url, _pairs(record["headers"]), body)


def _stored(key: str, data: bytes) -> dict[str, str]:
    try:
        return {key: data.decode()}
    except UnicodeDecodeError:
        return {f"{key}_base64": b2a_base64(data, newline=False).decode()}


def _bytes(key: str, record: Mapping[str, Any]) -> bytes:
    if f"{key}_base64" in record:
        return a2b_base64(_text(record[f"{key}_base64"]))
    return _text(record[key]).encode()


def _chunk(record: Mapping[str, Any]) -> bytes:
    if "pieces" not in record:
        return _bytes("data", record)
    if type(record["pieces"]) is not list:
        raise TypeError("pieces are expected where there are none")
    return _text(record["between"]).join(map(_text, record["pieces"])).encode()


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("text is expected where there is none")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("a number is expected where there is none")
    return value


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    if type(value) is not list or not all(type(pair) is list and len(pair) == 2 for pair in value):
        raise TypeError("headers are expected where there are none")
    return tuple((_text(name), _text(text)) for name, text in value)
