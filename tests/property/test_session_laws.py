from __future__ import annotations

import os
import tempfile

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.types import Message, Text, ToolCall, user_message
from pi.sessions.store import SessionStore
from tests.fakes.examples import few

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
messages = st.lists(
    texts.map(user_message)
    | texts.map(lambda text: Message("assistant", (Text(text), ToolCall("c", text, {text: 1})))),
    min_size=4,
    max_size=8,
)


def store(path: str) -> SessionStore:
    return SessionStore.open(path, now_ms=lambda: 5, random_bytes=bytes, fsync="never")


def written(path: str, conversation: list[Message]) -> bytes:
    for message in conversation:
        session = store(path)
        session.append([message])
    with open(path, "rb") as file:
        return file.read()


@given(conversation=messages)
@settings(max_examples=5, deadline=None)
def test_a_cut_at_any_byte_keeps_every_whole_line(conversation: list[Message]) -> None:
    """Cut anywhere in the last three records: all whole lines load, and the session goes on."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        data = written(path, conversation)
        ends = [at + 1 for at, byte in enumerate(data) if byte == 10]
        for cut in range(ends[-4], len(data)):
            with open(path, "wb") as file:
                file.write(data[:cut])
            # A line that lacks nothing but its newline is whole.
            whole = sum(end - 1 <= cut for end in ends) - 1
            session = store(path)
            assert list(session.messages()) == conversation[:whole]
            assert len(session.damage) == (cut not in ends and cut + 1 not in ends)
            session.append([user_message("on")])
            assert list(store(path).messages()) == [*conversation[:whole], user_message("on")]


@given(
    conversation=messages,
    flips=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 7)), min_size=1, max_size=3),
)
@settings(max_examples=few(200), deadline=None)
def test_flipped_bits_cost_at_most_the_lines_they_touch(
    conversation: list[Message], flips: list[tuple[float, int]]
) -> None:
    """Whatever bits flip after the header: the session opens and goes on."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "s")
        data = bytearray(written(path, conversation))
        start = data.index(b"\n") + 1
        for place, bit in flips:
            data[start + int(place * (len(data) - start - 1))] ^= 1 << bit
        with open(path, "wb") as file:
            file.write(data)
        session = store(path)
        assert len(session) + len(session.notes) >= len(conversation) - 2 * len(flips)
        session.messages()
        if session.read_only:
            return
        (entry,) = session.append([user_message("on")])
        assert store(path).lineage()[-1] == entry
