"""Heads of HTTP/1 messages."""

from __future__ import annotations

import pytest

from pi.base.http_head import (
    MAX_HEAD_BYTES,
    MAX_HEADERS,
    MAX_INTERIM,
    Head,
    HeadReader,
    NotHttp,
    request_head,
)


def read(data: bytes) -> tuple[Head | None, bytes]:
    reader = HeadReader()
    head = reader.feed(data)
    return head, reader.rest


def test_a_head_is_read_and_what_follows_is_left() -> None:
    head, rest = read(b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nX-A:  b \r\n\r\nabc")
    assert head == Head(404, "Not Found", {"content-length": "3", "x-a": "b"}, 1)
    assert rest == b"abc"


def test_the_words_after_the_status_may_be_missing() -> None:
    for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 "):
        head, _ = read(line + b"\r\n\r\n")
        assert head is not None
        assert (head.status, head.reason) == (200, "")


def test_lines_may_end_in_a_bare_line_feed() -> None:
    head, rest = read(b"HTTP/1.0 200 OK\nA: b\n\nrest")
    assert head == Head(200, "OK", {"a": "b"}, 0)
    assert rest == b"rest"


def test_repeated_headers_are_joined_and_folded_lines_are_one_value() -> None:
    head, _ = read(b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2\r\nB: x\r\n  y\r\n\r\n")
    assert head is not None
    assert head.headers == {"a": "1, 2", "b": "x y"}


def test_interim_answers_are_skipped() -> None:
    head, rest = read(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"
    )
    assert head == Head(200, "OK", {"a": "b"}, 1)
    assert rest == b"body"


def test_interim_answers_without_end_are_refused() -> None:
    with pytest.raises(NotHttp, match="interim"):
        read(b"HTTP/1.1 102 Processing\r\n\r\n" * (MAX_INTERIM + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"S",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"<html>",
    ],
)
def test_another_protocol_is_refused_at_its_first_bytes(data: bytes) -> None:
    with pytest.raises(NotHttp, match="the answer starts with"):
        read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n folded: first\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * MAX_HEAD_BYTES + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"x" * MAX_HEAD_BYTES,
    ],
)
def test_a_malformed_or_absurd_head_is_refused(data: bytes) -> None:
    with pytest.raises(NotHttp):
        read(data)


def test_a_head_that_is_not_complete_is_no_head() -> None:
    reader = HeadReader()
    assert not reader.heard
    assert reader.feed(b"HTTP/1.1 200 OK\r\nContent-Le") is None
    assert reader.heard


@pytest.mark.parametrize(
    ("first", "connection", "stays"),
    [
        ("HTTP/1.1", "", True),
        ("HTTP/1.1", "Close", False),
        ("HTTP/1.1", "keep-alive, close", False),
        ("HTTP/1.0", "", False),
        ("HTTP/1.0", "Keep-Alive", True),
    ],
)
def test_whether_the_connection_stays_open(first: str, connection: str, stays: bool) -> None:
    line = f"Connection: {connection}\r\n" if connection else ""
    head, _ = read(f"{first} 200 OK\r\n{line}\r\n".encode())
    assert head is not None
    assert head.stays_open is stays


def test_a_request_head_is_written_line_by_line() -> None:
    assert request_head("POST", "/v1?a=b", [("Host", "x"), ("A", "\xe9")]) == (
        b"POST /v1?a=b HTTP/1.1\r\nHost: x\r\nA: \xe9\r\n\r\n"
    )
