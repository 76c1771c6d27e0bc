"""Laws of reading a part of a file."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.excerpt import take_lines
from tests.fakes.examples import few

lines = st.lists(st.binary(max_size=5).map(lambda b: b.replace(b"\n", b"")), max_size=12)


@settings(max_examples=few(300), deadline=None)
@given(lines=lines, end=st.booleans(), piece=st.integers(1, 9), limit=st.integers(1, 4))
def test_following_the_notices_reads_the_whole_file(
    lines: list[bytes], end: bool, piece: int, limit: int
) -> None:
    """Parts read one after the other join to the file, whatever the slices and limits."""
    data = b"\n".join(lines) + (b"\n" if end else b"")
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    total = take_lines([data], 1, 1, 1).total
    read = b""
    first = 1
    while first <= total:
        part = take_lines(pieces, first, limit, 100)
        assert part.total == total
        assert part.last >= part.first
        read += part.data
        first = part.last + 1
    assert read == data


@settings(max_examples=few(300), deadline=None)
@given(
    lines=lines,
    piece=st.integers(1, 9),
    first=st.integers(1, 15),
    count=st.integers(1, 5),
    size=st.integers(1, 12),
)
def test_slicing_the_stream_differently_changes_nothing(
    lines: list[bytes], piece: int, first: int, count: int, size: int
) -> None:
    """The excerpt depends on the bytes, not on how they arrive."""
    data = b"\n".join(lines)
    pieces = [data[at : at + piece] for at in range(0, len(data), piece)]
    part = take_lines(pieces, first, count, size)
    assert part == take_lines([data], first, count, size)
    assert len(part.data) <= size
