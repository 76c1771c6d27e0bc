from __future__ import annotations

import pytest

from pi.ai.sse import ServerEvent, SseDecoder, StreamTooLarge


def decoded(*chunks: bytes) -> list[tuple[str, str]]:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return [tuple(event) for event in events + decoder.finish()]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"", []),
        (b"data: a\n\n", [("message", "a")]),
        (b"data:a\n\n", [("message", "a")]),
        (b"data:  a\n\n", [("message", " a")]),
        (b"data: a\n\ndata: b\n\n", [("message", "a"), ("message", "b")]),
        (b"data: a\ndata: b\n\n", [("message", "a\nb")]),
        (b"data\n\n", [("message", "")]),
        (b"data:\ndata:\n\n", [("message", "\n")]),
        (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), ("message", "b")]),
        (b"event: x\nevent: y\ndata: a\n\n", [("y", "a")]),
        (b"event: x\n\ndata: a\n\n", [("message", "a")]),
        (b"event:\ndata: a\n\n", [("message", "a")]),
        (b": hello\n\ndata: a\n: inside\n\n", [("message", "a")]),
        (b"id: 1\nretry: 5\nodd: x\nodd\ndata: a\n\n", [("message", "a")]),
        (b" data: a\n\nDATA: a\n\n", []),
        (b"data: a:b\n\n", [("message", "a:b")]),
        (b"\n\n\ndata: a\n\n\n\n", [("message", "a")]),
        (b"\xef\xbb\xbfdata: a\n\n", [("message", "a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
        (b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [("message", "a")]),
        (b"data: a\xff\xe4b\n\n", [("message", "a\ufffd\ufffdb")]),
        (b"data: \xe4\xb8\n\n", [("message", "\ufffd")]),
        ("data: a\u2028b\x0bc\x85d\n\n".encode(), [("message", "a\u2028b\x0bc\x85d")]),
        (b"data: \x00\n\n", [("message", "\x00")]),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_a_stream_means_what_the_standard_says_however_it_is_cut(
    stream: bytes, events: list[tuple[str, str]], line_end: bytes, size: int
) -> None:
    stream = stream.replace(b"\n", line_end)
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert decoded(*chunks) == events


def test_line_ends_may_be_mixed_within_one_event() -> None:
    assert decoded(b"event: x\rdata: a\r\ndata: b\n\r\ndata: c\r\r") == [
        ("x", "a\nb"),
        ("message", "c"),
    ]


def test_a_cr_at_the_end_of_a_read_ends_the_line_at_once() -> None:
    assert SseDecoder().feed(b"data: a\r\r") == [ServerEvent("message", "a")]


def test_an_lf_after_such_a_cr_belongs_to_it_even_after_an_empty_read() -> None:
    assert decoded(b"data: a\r", b"", b"\ndata: b\r", b"\n\r\n") == [("message", "a\nb")]
    assert decoded(b"data: a\r", b"data: b", b"\n", b"\n") == [("message", "a\nb")]


def test_events_are_returned_by_the_feed_that_completes_them() -> None:
    decoder = SseDecoder()
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\nda") == [ServerEvent("message", "a")]
    assert decoder.feed(b"ta: b\n\n") == [ServerEvent("message", "b")]


@pytest.mark.parametrize(
    ("tail", "events"),
    [
        (b'data: {"a":1}', [("message", '{"a":1}')]),
        (b'data: {"a":1}\n', [("message", '{"a":1}')]),
        (b'event: x\ndata: {"a":\ndata: 1}', [("x", '{"a":\n1}')]),
        (b'\xef\xbb\xbfdata: {"a":1}', [("message", '{"a":1}')]),
        (b"data: [DONE]", [("message", "[DONE]")]),
        (b'data: {"a":1', []),
        (b"data: 12", []),
        (b"data: " + b"[" * 100_000, []),
        (b": comment", []),
        (b"data", []),
    ],
)
def test_an_unterminated_last_event_counts_only_if_it_is_whole(
    tail: bytes, events: list[tuple[str, str]]
) -> None:
    assert decoded(tail) == events


@pytest.mark.parametrize("event", [b"data: " + b"x" * 200, b"data: " + b"x\ndata: " * 60])
def test_an_event_over_the_limit_is_refused_and_earlier_events_are_kept(event: bytes) -> None:
    decoder = SseDecoder(max_event_bytes=100)
    assert decoder.feed(b"data: ok\n\n" + event) == [ServerEvent("message", "ok")]
    with pytest.raises(StreamTooLarge, match="larger than 100 bytes") as caught:
        decoder.feed(b"x")
    assert caught.value.code == "stream-too-large"


def test_many_small_events_are_under_the_limit() -> None:
    decoder = SseDecoder(max_event_bytes=100)
    assert sum(len(decoder.feed(b"data: x\nda" + b"ta: y\n\n")) for _ in range(50)) == 50
