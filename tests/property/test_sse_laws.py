from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.surrogates import Joiner, repair
from tests.fakes.examples import few

# Bytes that make the framing interesting, and any others.
STREAMS = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\n", b"\r", b"\r\n", b"\n\n", b"data: ", b"data:", b"event: e", b":",
             b"\xef\xbb\xbf", b"data: {}\n\n", b"[DONE]", b" ", "é😀\u2028".encode()]
        ),
        st.binary(max_size=6),
    ),
    max_size=30,
).map(b"".join)  # fmt: skip
NAMES = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=5)
DATA = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=30)


def decoded(raw: bytes, sizes: list[int]) -> list[ServerEvent]:
    decoder = SseDecoder()
    events = []
    for size in sizes:
        events += decoder.feed(raw[:size])
        raw = raw[size:]
    return events + decoder.feed(raw) + decoder.finish()


def by_the_book(raw: bytes) -> list[ServerEvent]:
    """The standard's algorithm, line by line, on the whole of a terminated stream."""
    text = raw.decode("utf-8", "replace")
    text = text[1:] if text.startswith("\ufeff") else text
    events, name, data = [], "", ""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        field, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if line == "":
            if data:
                events.append(ServerEvent(name or "message", data[:-1]))
            name, data = "", ""
        elif field == "data":
            data += value + "\n"
        elif field == "event":
            name = value
    return events


@settings(max_examples=few(300), deadline=None)
@given(raw=STREAMS, sizes=st.lists(st.integers(0, 8), max_size=40))
def test_slicing_the_stream_differently_changes_nothing(raw: bytes, sizes: list[int]) -> None:
    """decode(any slicing of b) == decode(b)"""
    assert decoded(raw, sizes) == decoded(raw, [])


@settings(max_examples=few(300), deadline=None)
@given(raw=STREAMS)
def test_a_terminated_stream_decodes_as_the_standard_says(raw: bytes) -> None:
    """decode(b) is what the standard's own algorithm gives"""
    assert decoded(raw + b"\n\n", []) == by_the_book(raw + b"\n\n")


@settings(max_examples=few(300), deadline=None)
@given(
    events=st.lists(st.tuples(NAMES, DATA), max_size=5),
    line_end=st.sampled_from(["\n", "\r", "\r\n"]),
    sizes=st.lists(st.integers(0, 20), max_size=20),
)
def test_what_was_written_as_events_is_read_as_those_events(
    events: list[tuple[str, str]], line_end: str, sizes: list[int]
) -> None:
    """decode(encode(events)) == events"""
    lines = [
        line
        for name, data in events
        for line in (f"event: {name}", *(f"data: {row}" for row in data.split("\n")), "")
    ]
    raw = "".join(line + line_end for line in lines).encode()
    assert decoded(raw, sizes) == [ServerEvent(name or "message", data) for name, data in events]


HALVES = st.text(
    st.one_of(st.sampled_from("\ud83d\ude00\udbff\udc00"), st.characters()), max_size=12
)


@settings(max_examples=few(300), deadline=None)
@given(pieces=st.lists(HALVES, max_size=6))
def test_joining_pieces_is_repairing_their_sum(pieces: list[str]) -> None:
    """join(pieces) == repair(sum(pieces)), which UTF-8 can hold; repairing twice is once"""
    joiner = Joiner()
    joined = "".join([*map(joiner.feed, pieces), joiner.finish()])
    assert joined == repair("".join(pieces)) == repair(joined)
    joined.encode("utf-8")
