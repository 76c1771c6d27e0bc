"""Laws of keeping the end of a command's output."""

from __future__ import annotations

import os
import re
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.output import Output, Tail
from pi.tools.redacting import Redactor
from tests.fakes.examples import few


@settings(max_examples=few(200), deadline=None)
@given(pieces=st.lists(st.binary(min_size=1, max_size=9), max_size=30), keep=st.integers(1, 40))
def test_a_tail_is_the_end_of_everything(pieces: list[bytes], keep: int) -> None:
    """What is held ends the stream, is at least ``keep`` bytes of it, and little more."""
    tail = Tail(keep)
    for piece in pieces:
        tail.add(piece)
    whole = b"".join(pieces)
    held = tail.data()
    assert whole.endswith(held)
    assert min(keep, len(whole)) <= len(held) < keep + 10
    assert tail.dropped == (len(held) < len(whole))


@settings(max_examples=few(200), deadline=None)
@given(text=st.text("aé😀\n", max_size=60), piece=st.integers(1, 7), limit=st.integers(1, 80))
def test_slicing_changes_nothing(text: str, piece: int, limit: int) -> None:
    """However the bytes arrive, the same end is shown, valid and within the limit."""
    data = text.encode()
    with tempfile.TemporaryDirectory() as temp:
        shown = []
        for step in (piece, max(1, len(data))):
            out = Output(limit, (), temp_dir=temp, random_bytes=os.urandom)
            for at in range(0, len(data), step):
                out.add("stdout", data[at : at + step])
            out.finish()
            shown.append(out.shown(out.merged))
            if out.full_path:
                with open(out.full_path, "rb") as file:
                    assert file.read() == data
        assert shown[0] == shown[1]
        assert text.endswith(shown[0].text)
        assert len(shown[0].text.encode()) <= limit
        assert shown[0].cut == (shown[0].text != text)


@settings(max_examples=few(300), deadline=None)
@given(
    secrets=st.lists(st.text("ab", min_size=2, max_size=6), max_size=4),
    pieces=st.lists(st.text("abc", max_size=7).map(str.encode), max_size=12),
)
def test_redacting_in_pieces_is_redacting_it_whole(secrets: list[str], pieces: list[bytes]) -> None:
    """Leftmost match first, the longest there, however the stream is sliced."""
    redactor = Redactor(secrets)
    out = b"".join(map(redactor.feed, pieces)) + redactor.finish()
    longest_first = sorted(secrets, key=len, reverse=True)
    pattern = "|".join(longest_first).encode()
    whole = b"".join(pieces)
    assert out == (re.sub(pattern, b"[REDACTED]", whole) if secrets else whole)
