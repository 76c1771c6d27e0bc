"""Reads the cassette format: bytes to exchanges, or one error that names the line. Pure."""

from __future__ import annotations

import hashlib
from binascii import a2b_base64

from pi.base.cassette import KINDS, VERSION, Cassette, Chunk, Exchange
from pi.base.errors import VerificationFailed
from pi.base.http import Request
from pi.base.jsonl import Damaged, JsonlReader
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.jsonl import Line

ENDS = ("complete", "closed", "error")


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
        if error["kind"] not in KINDS:
            raise ValueError(f"unknown kind of failure {error['kind']!r}")
        exchange.error = error
    exchange.end = end


def _request(record: Mapping[str, Any]) -> Request:
    body = _bytes("body", record)
    if hashlib.sha256(body).hexdigest() != record["sha256"]:
        raise ValueError("the request's body was edited: its digest differs")
    method, url = _text(record["method"]), _text(record["url"])
    return Request(method, url, _pairs(record["headers"]), body)


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
