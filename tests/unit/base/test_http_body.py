"""Bodies of HTTP/1 answers: framing and content coding."""

from __future__ import annotations

import gzip
import zlib

import pytest

from pi.base.http_body import (
    INFLATE_STEP,
    MAX_CHUNK_LINE,
    MAX_TRAILER_BYTES,
    BadBody,
    ChunkedBody,
    Inflater,
    LengthBody,
    OpenBody,
    framing_of,
    inflater_of,
)
from pi.base.http_head import Head


def head(status: int = 200, **headers: str) -> Head:
    return Head(status, "", {name.replace("_", "-"): text for name, text in headers.items()}, 1)


def test_all_chunks_of_one_receive_come_in_one_piece() -> None:
    body = ChunkedBody()
    assert body.feed(b"3\r\nabc\r\n2\r\nde\r\n1\r\n") == b"abcde"
    assert not body.done
    assert body.feed(b"f\r\n0\r\n\r\nrest") == b"f"
    assert body.done
    assert body.rest == b"rest"


def test_sizes_may_have_extensions_zeros_and_padding() -> None:
    body = ChunkedBody()
    assert body.feed(b'003;a="b"\r\nabc\r\nA \r\n0123456789\r\n0;last\r\n\r\n') == b"abc0123456789"
    assert body.done


def test_trailers_are_passed_over() -> None:
    body = ChunkedBody()
    assert body.feed(b"1\r\nx\r\n0\r\nExpires: now\r\nA: b\r\n\r\nrest") == b"x"
    assert body.done
    assert body.rest == b"rest"


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n",
        b"x\r\n",
        b"-1\r\n",
        b"+1\r\n",
        b"0x1\r\n",
        b"1_0\r\n",
        b";a\r\n",
        b"11111111111111111\r\n",
        b"1\r\nabc\r\n",
        b"1\r\nx\rz",
        b"1" * (MAX_CHUNK_LINE + 1),
        b"0\r\n" + b"x" * MAX_TRAILER_BYTES,
        b"0\r\n" + b"A: b\r\n" * MAX_TRAILER_BYTES,
    ],
)
def test_what_is_not_chunks_is_refused(data: bytes) -> None:
    with pytest.raises(BadBody):
        ChunkedBody().feed(data)


def test_a_chunked_body_without_its_closing_chunk_misses_something() -> None:
    for cut in (b"", b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\n"):
        body = ChunkedBody()
        body.feed(cut)
        assert body.missing() == "the closing chunk never came"


def test_a_length_is_counted_down() -> None:
    body = LengthBody(5)
    assert body.feed(b"ab") == b"ab"
    assert (body.done, body.missing()) == (False, "3 of 5 bytes are missing")
    assert body.feed(b"cdeXY") == b"cde"
    assert (body.done, body.missing(), body.rest) == (True, "", b"XY")


@pytest.mark.parametrize(
    ("method", "given", "kind"),
    [
        ("GET", head(), OpenBody),
        ("GET", head(content_length="3"), LengthBody),
        ("GET", head(content_length="3, 3"), LengthBody),
        ("GET", head(transfer_encoding="Chunked"), ChunkedBody),
        ("GET", head(transfer_encoding="chunked", content_length="3"), ChunkedBody),
        ("GET", head(transfer_encoding="identity"), OpenBody),
    ],
)
def test_the_headers_say_how_the_body_is_delimited(method: str, given: Head, kind: type) -> None:
    assert type(framing_of(given, method)) is kind


def test_some_answers_have_no_body_whatever_their_headers_say() -> None:
    for method, status in (("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 101)):
        assert framing_of(head(status, content_length="9"), method).done


@pytest.mark.parametrize(
    "given",
    [
        head(content_length="3, 4"),
        head(content_length="-1"),
        head(content_length="x"),
        head(content_length=""),
        head(content_length="\xb2"),
        head(content_length="9" * 19),
        head(transfer_encoding="gzip, chunked"),
    ],
)
def test_contradicting_headers_are_refused(given: Head) -> None:
    with pytest.raises(BadBody):
        framing_of(given, "GET")


def inflate(coding: str, data: bytes, step: int = 7) -> bytes:
    inflater = Inflater(coding)
    out = b""
    for at in range(0, len(data), step):
        out += inflater.feed(data[at : at + step])
        while inflater.waiting:
            out += inflater.feed(b"")
    assert not inflater.is_cut
    return out


TEXT = b"data: something to press, again and again and again\n\n" * 50


def test_gzip_zlib_and_bare_deflate_are_decoded_in_any_slices() -> None:
    bare = zlib.compressobj(wbits=-15)
    for coding, data in (
        ("gzip", gzip.compress(TEXT)),
        ("x-gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
        ("gzip", gzip.compress(TEXT) + b"\0" * 20),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", bare.compress(TEXT) + bare.flush()),
    ):
        for step in (1, 7, 100_000):
            assert inflate(coding, data, step) == TEXT


def test_a_bomb_is_decoded_in_small_steps() -> None:
    inflater = Inflater("gzip")
    assert len(inflater.feed(gzip.compress(bytes(10_000_000)))) <= INFLATE_STEP
    assert inflater.waiting


def test_cut_compressed_data_is_noticed_and_no_data_is_complete() -> None:
    inflater = Inflater("gzip")
    assert not inflater.is_cut
    inflater.feed(gzip.compress(TEXT)[:-3])
    assert inflater.is_cut


def test_damaged_compressed_data_is_refused() -> None:
    for coding in ("gzip", "deflate"):
        with pytest.raises(BadBody, match="damaged"):
            Inflater(coding).feed(b"\xff\xff not compressed at all")


def test_the_decoder_follows_the_content_encoding() -> None:
    assert inflater_of(head()) is None
    assert inflater_of(head(content_encoding="identity")) is None
    assert inflater_of(head(content_encoding="GZIP, identity")) is not None
    for unknown in ("br", "zstd", "gzip, gzip"):
        with pytest.raises(BadBody, match="unknown content encoding"):
            inflater_of(head(content_encoding=unknown))
