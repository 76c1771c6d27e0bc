from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from pi.base import cassette
from pi.base.cassette import Exchange
from pi.base.cassette_pieces import Pieces
from pi.base.errors import Bug, ConfigError, Interrupted, PiError, TimeLimit, Unreachable
from pi.base.http import ConnectionBroken, Request

REQUEST = Request("POST", "https://a.example/v1", (("A", "1"), ("b", "2")), b'{"x":"\xc3\xa9"}')


def read(line: bytes) -> dict[str, Any]:
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    value: dict[str, Any] = json.loads(line)
    return value


def test_text_is_kept_readable_and_other_bytes_as_base64() -> None:
    request = read(cassette.request_line(1, 5, REQUEST))["request"]
    assert request["body"] == '{"x":"é"}'
    assert request["sha256"] == sha256(REQUEST.body).hexdigest()
    assert request["headers"] == [["A", "1"], ["b", "2"]]
    binary = read(cassette.request_line(1, 0, REQUEST._replace(body=b"\xff")))["request"]
    assert binary["body_base64"] == "/w=="
    text = 'é\u2028\n\x00"\\'
    assert read(cassette.chunk_line(1, 5, text.encode())) == {"n": 1, "t": 5, "data": text}
    assert read(cassette.chunk_line(1, 5, b"\xff\x00"))["data_base64"] == "/wA="


@pytest.mark.parametrize(
    "pieces",
    [
        ["a", "b"],
        ["a", " word", "b"],
        ['"', " é漢🙂", "\n"],
        ["a", '"', "b"],
        ["a", "\\", "b"],
        ["a", "\x07", "b"],
        ["a", "\u2028", "", "b"],
    ],
)
def test_pieces_are_a_list_whatever_is_in_them(pieces: list[str]) -> None:
    given = [piece.encode() for piece in pieces]
    line = read(cassette.chunk_line(1, 5, Pieces(b'"}\n', given)))
    assert line == {"n": 1, "t": 5, "between": '"}\n', "pieces": pieces}


def test_pieces_that_are_no_utf_8_each_are_kept_as_base64() -> None:
    line = read(cassette.chunk_line(1, 5, Pieces(b"-", [b"a", b"\xc3", b"\xa9", b"b"])))
    assert line == {"n": 1, "t": 5, "data_base64": b64encode(b"a-\xc3-\xa9-b").decode()}


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no route", cause="c", hint="h", code="unknown-host"),
        ConnectionBroken("stalled", code="idle-timeout"),
        ConfigError("bad"),
        Interrupted("interrupted"),
        TimeLimit("too long"),
        Bug("oh"),
    ],
)
def test_a_failure_comes_back_as_the_same_failure(error: PiError) -> None:
    exchange = Exchange(1, 2, REQUEST)
    exchange.error = cassette.failure_record(error)
    again = exchange.failure()
    assert type(again) is type(error)
    assert (again.lines(), again.code) == (error.lines(), error.code)


def test_a_failure_of_an_unlisted_kind_is_kept_as_the_nearest_listed_one() -> None:
    class Special(Unreachable):
        code = "special"

    record = cassette.failure_record(Special("x"))
    assert (record["kind"], record["code"]) == ("Unreachable", "special")
