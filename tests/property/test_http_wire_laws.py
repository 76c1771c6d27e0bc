"""Laws of the HTTP/1 decoders."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.http_body import BadBody, ChunkedBody
from pi.base.http_head import HeadReader, NotHttp
from tests.fakes.examples import few

chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=8)
sizes = st.lists(st.integers(1, 12), min_size=1, max_size=40)
extensions = st.sampled_from([b"", b";a", b';a="b"', b" "])


def sliced(data: bytes, lengths: list[int]) -> list[bytes]:
    pieces, at, turn = [], 0, 0
    while at < len(data):
        step = lengths[turn % len(lengths)]
        pieces.append(data[at : at + step])
        at, turn = at + step, turn + 1
    return pieces


def decode(pieces: list[bytes]) -> tuple[bytes, bytes, bool]:
    """Body, what follows it, and whether it ended. What comes after the end is rest."""
    body = ChunkedBody()
    out, rest = b"", b""
    for piece in pieces:
        if body.done:
            rest += piece
        else:
            out += body.feed(piece)
            rest = body.rest
    return out, rest, body.done


@settings(max_examples=few(300), deadline=None)
@given(chunks=chunks, lengths=sizes, extension=extensions, rest=st.binary(max_size=20))
def test_any_slicing_of_a_chunked_body_gives_the_same_bytes(
    chunks: list[bytes], lengths: list[int], extension: bytes, rest: bytes
) -> None:
    """decode(slices of encode(chunks) + rest) == (joined chunks, rest), however sliced."""
    wire = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    wire += b"0\r\nTrailer: x\r\n\r\n"
    assert decode(sliced(wire + rest, lengths)) == (b"".join(chunks), rest, True)
    assert decode([wire + rest]) == (b"".join(chunks), rest, True)


@settings(max_examples=few(300), deadline=None)
@given(chunks=chunks, lengths=sizes, data=st.data())
def test_a_cut_chunked_body_is_never_done(
    chunks: list[bytes], lengths: list[int], data: st.DataObject
) -> None:
    """A strict prefix of a chunked body gives a prefix of its bytes and no end."""
    wire = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    cut = data.draw(st.integers(0, len(wire) - 1))
    out, _, done = decode(sliced(wire[:cut], lengths))
    assert b"".join(chunks).startswith(out)
    assert not done


@settings(max_examples=few(300), deadline=None)
@given(wire=st.binary(max_size=200), lengths=sizes)
def test_anything_is_decoded_or_refused_alike_in_any_slices(
    wire: bytes, lengths: list[int]
) -> None:
    """Random bytes are chunks or BadBody; what is done whole is the same in slices."""
    try:
        whole = decode([wire])
    except BadBody:
        return
    if whole[2]:
        assert decode(sliced(wire, lengths)) == whole


@settings(max_examples=few(300), deadline=None)
@given(
    lines=st.lists(
        st.sampled_from([b"A: b", b"Content-Length: 3", b"X:", b"a: c", b"Set-Cookie: q=1; w"])
    ),
    interim=st.integers(0, 3),
    rest=st.binary(max_size=20),
    lengths=sizes,
)
def test_any_slicing_of_a_head_gives_the_same_head(
    lines: list[bytes], interim: int, rest: bytes, lengths: list[int]
) -> None:
    """Head and rest do not depend on how the bytes arrived."""
    wire = b"HTTP/1.1 100 Continue\r\n\r\n" * interim
    wire += b"\r\n".join([b"HTTP/1.1 200 OK", *lines]) + b"\r\n\r\n" + rest
    whole = HeadReader()
    expected = whole.feed(wire)
    reader = HeadReader()
    pieces = sliced(wire, lengths)
    head = None
    while head is None:
        head = reader.feed(pieces.pop(0))
    assert head == expected
    assert reader.rest + b"".join(pieces) == rest == whole.rest


@settings(max_examples=few(300), deadline=None)
@given(wire=st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail))
def test_any_head_is_read_or_refused(wire: bytes) -> None:
    """Nothing but NotHttp leaves the head reader."""
    try:
        HeadReader().feed(wire)
    except NotHttp:
        pass
