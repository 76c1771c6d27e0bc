from __future__ import annotations

from hashlib import sha256

import pytest

from pi.base import cassette
from pi.base.cassette_pieces import Pieces
from pi.base.cassette_reader import parse_cassette
from pi.base.errors import (
    Bug,
    VerificationFailed,
)
from pi.base.http import Request

REQUEST = Request("POST", "https://a.example/v1", (("A", "1"), ("b", "2")), b'{"x":"\xc3\xa9"}')


def recording(*, torn: bool = False) -> list[bytes]:
    """The lines of a sound cassette with one exchange."""
    lines = [
        cassette.request_line(1, 0, REQUEST),
        cassette.response_line(1, 200, [("content-type", "text/plain")]),
        cassette.chunk_line(1, 5, "é\u2028\n".encode()),
        cassette.chunk_line(1, 7, b"\xff\x00"),
    ]
    end = cassette.end_line(1, 9, "complete", sha256(b"".join(lines)).hexdigest())
    return [cassette.header_line("0.1", 12), *lines, end, cassette.footer_line(1)]


def refused(*lines: bytes) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        parse_cassette(b"".join(lines), "t.cassette")
    assert caught.value.exit_code == 7
    return caught.value


def test_what_was_written_comes_back_equal() -> None:
    tape = parse_cassette(b"".join(recording()), "t")
    assert (tape.name, tape.pi, tape.is_complete) == ("t", "0.1", True)
    (exchange,) = tape.exchanges
    assert exchange.request == REQUEST
    assert (exchange.number, exchange.line) == (1, 2)
    assert (exchange.status, exchange.headers) == (200, {"content-type": "text/plain"})
    assert exchange.chunks == [(5, "é\u2028\n".encode()), (7, b"\xff\x00")]
    assert exchange.end == "complete"


def test_a_carriage_return_before_each_newline_does_no_harm() -> None:
    data = b"".join(recording()).replace(b"\n", b"\r\n")
    assert len(parse_cassette(data, "t").exchanges) == 1


def test_without_its_last_line_a_cassette_is_incomplete() -> None:
    tape = parse_cassette(b"".join(recording()[:-1]), "t")
    assert not tape.is_complete
    assert tape.exchanges[0].end == "complete"


def test_a_torn_last_line_is_left_out_and_a_whole_one_without_newline_is_kept() -> None:
    lines = recording()
    torn = parse_cassette(b"".join(lines[:4]) + lines[4][:-3], "t")
    assert [chunk.data for chunk in torn.exchanges[0].chunks] == ["é\u2028\n".encode()]
    whole = parse_cassette(b"".join(lines)[:-1], "t")
    assert whole.is_complete


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert "is empty" in refused().message
    assert "is empty" in refused(b"\n \n").message


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n\0\0", b"hello\n", b"[1]\n", b'{"record_type":"meta"}\n', b'{"cassette":1'],
)
def test_another_file_is_no_cassette(data: bytes) -> None:
    error = refused(data)
    assert error.message == "t.cassette is not a cassette"
    assert error.cause.startswith("line 1: ")


@pytest.mark.parametrize("version", [0, 2, 99])
def test_another_version_is_named(version: int) -> None:
    error = refused(b'{"cassette":%d,"pi":"9.9"}\n{"whatever":1}\n' % version)
    assert error.code == "cassette-version"
    assert f"format {version}" in error.message
    assert "9.9" in error.cause


def edit(at: int, old: bytes, new: bytes) -> list[bytes]:
    lines = recording()
    assert old in lines[at]
    lines[at] = lines[at].replace(old, new, 1)
    return lines


def test_pieces_are_put_together() -> None:
    lines = recording()[:3]
    chunk = cassette.chunk_line(1, 5, Pieces(b"-", ["é".encode(), b"", b"b"]))
    (exchange,) = parse_cassette(b"".join([*lines, chunk]), "t").exchanges
    assert exchange.chunks == [(5, "é--b".encode())]
    for wrong in (b'"pieces":"ab"', b'"pieces":[1]'):
        damaged = b'{"n":1,"t":5,"between":"-",%s}\n' % wrong
        assert "expected" in refused(*lines, damaged).cause


@pytest.mark.parametrize(
    ("lines", "number", "cause"),
    [
        (edit(1, b'\\"x\\"', b'\\"y\\"'), 2, "body was edited"),
        (edit(1, b"a.example", b"b.example"), 6, "were edited"),
        (edit(2, b"200", b"201"), 6, "were edited"),
        (edit(3, b"data", b"dada"), 4, "'data' is missing"),
        (edit(4, b"/wA=", b"/wE="), 6, "were edited"),
        (edit(4, b"/wA=", b"/w"), 5, "padding"),
        (edit(2, b"200", b'"200"'), 3, "a number is expected"),
        (edit(1, b'"POST"', b"null"), 2, "text is expected"),
        (edit(1, b'["b","2"]', b'["b"]'), 2, "headers are expected"),
        (edit(5, b"complete", b"complite"), 6, "cannot end"),
        (edit(5, b'"sha256"', b'"sha"'), 6, "'sha256' is missing"),
        (edit(6, b"1", b"2"), 7, "some are gone"),
        (edit(2, b'{"n":1', b'{"n":2'), 3, "not there"),
        (edit(1, b'{"n":1', b'{"n":2'), 2, "should follow"),
        (edit(2, b'{"n"', b'"n"'), 3, "not JSON"),
        ([*recording()[:2], *recording()[3:]], 3, "before the head"),
        ([*recording()[:3], *recording()[2:]], 4, "a second answer"),
        ([*recording()[:6], *recording()[5:]], 7, "had ended"),
        ([*recording(), *recording()[1:2]], 8, "behind the end"),
        ([*recording()[:1], *recording()[2:]], 2, "not there"),
        ([*recording()[:1], b"\xff\n", *recording()[1:]], 2, "not UTF-8"),
    ],
)
def test_a_damaged_line_is_named_with_what_is_wrong(
    lines: list[bytes], number: int, cause: str
) -> None:
    error = refused(*lines)
    assert error.message == f"cassette t.cassette is damaged in line {number}"
    assert cause.lower() in error.cause.lower()
    assert error.code == "cassette-damaged"


def test_an_unknown_kind_of_failure_is_damage() -> None:
    request = cassette.request_line(1, 0, REQUEST)
    record = {**cassette.failure_record(Bug("x")), "kind": "SystemExit"}
    end = cassette.end_line(1, 0, "error", sha256(request).hexdigest(), record)
    assert "SystemExit" in refused(cassette.header_line("0", 0), request, end).cause


def test_a_request_without_an_answer_cannot_be_complete() -> None:
    request = cassette.request_line(1, 0, REQUEST)
    end = cassette.end_line(1, 0, "complete", sha256(request).hexdigest())
    assert "cannot end" in refused(cassette.header_line("0", 0), request, end).cause


def test_exchanges_may_overlap() -> None:
    one, two = (
        [cassette.request_line(n, 0, REQUEST), cassette.response_line(n, 200, [])] for n in (1, 2)
    )
    ends = [
        cassette.end_line(n, 1, "closed", sha256(b"".join(lines)).hexdigest())
        for n, lines in ((1, one), (2, two))
    ]
    data = [cassette.header_line("0", 0), one[0], two[0], two[1], one[1], *ends]
    tape = parse_cassette(b"".join([*data, cassette.footer_line(2)]), "t")
    assert [exchange.end for exchange in tape.exchanges] == ["closed", "closed"]
    assert tape.is_complete
