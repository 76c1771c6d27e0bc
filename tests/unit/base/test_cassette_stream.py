from __future__ import annotations

import json

import pytest

from pi.base.cassette_pieces import Pieces
from pi.base.cassette_secrets import Secrets
from pi.base.cassette_stream import MAX_HELD_BYTES, StreamRedactor

KEY = "sk-abcdef/0123+x"


def through(reads: list[bytes], *, is_events: bool, keys: tuple[str, ...] = (KEY,)) -> bytes:
    """All that comes out, put together."""
    stream = StreamRedactor(Secrets(keys), is_events=is_events)
    return b"".join([*(plain(stream.feed(read)) for read in reads), stream.finish()])


def plain(out: bytes | Pieces) -> bytes:
    return out.between.join(out.pieces) if isinstance(out, Pieces) else out


def event(text: str, name: str = "content") -> bytes:
    return b"data: " + json.dumps({"choices": [{"delta": {name: text}}]}).encode() + b"\n\n"


def texts(stream: bytes, name: str = "content") -> list[str]:
    lines = [line[6:] for line in stream.split(b"\n") if line.startswith(b"data: {")]
    return [json.loads(line)["choices"][0]["delta"].get(name, "") for line in lines]


@pytest.mark.parametrize("is_events", [False, True])
def test_a_secret_split_over_reads_is_found(is_events: bool) -> None:
    whole = f"data: <{KEY}>\n\n".encode()
    for cut in range(len(whole)):
        parts = [whole[:cut], whole[cut:]]
        assert through(parts, is_events=is_events) == b"data: <[REDACTED]>\n\n"
    assert through([bytes([b]) for b in whole], is_events=is_events) == b"data: <[REDACTED]>\n\n"


def test_what_only_begins_like_a_secret_is_kept() -> None:
    parts = [b"a sk-abc", b"", b"def", b"!", b" sk-"]
    assert through(parts, is_events=False) == b"a sk-abcdef! sk-"


def test_only_what_may_begin_a_secret_waits() -> None:
    stream = StreamRedactor(Secrets([KEY]), is_events=False)
    assert stream.feed(b"text s") == b"text "
    assert stream.feed(b"o what") == b"so what"
    assert stream.finish() == b""


def test_half_a_character_waits_for_its_rest() -> None:
    stream = StreamRedactor(Secrets(()), is_events=False)
    assert stream.feed("aé".encode()[:2]) == b"a"
    assert stream.feed("é".encode()[1:]) == "é".encode()


@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_a_secret_spelled_out_over_events_is_found(size: int) -> None:
    pieces = [KEY[at : at + size] for at in range(0, len(KEY), size)]
    stream = [event("it is <"), *map(event, pieces), event("> ok"), b"data: [DONE]\n\n"]
    for reads in (stream, [b"".join(stream)], [bytes([b]) for b in b"".join(stream)]):
        out = through(reads, is_events=True)
        assert "".join(texts(out)) == "it is <[REDACTED]> ok"
        assert len(texts(out)) == len(pieces) + 2
        assert out.endswith(b"data: [DONE]\n\n")


def test_pieces_of_different_members_are_put_together_apart() -> None:
    both = zip([KEY[:5], KEY[5:]], ["some ", "thought"])
    stream = b"".join(event(text) + event(other, "reasoning") for text, other in both)
    out = through([stream], is_events=True)
    assert "".join(texts(out)) == "[REDACTED]"
    assert "".join(texts(out, "reasoning")) == "some thought"


def test_two_secrets_spelled_out_one_after_the_other_are_found() -> None:
    keys = ("secret-one", "secret-two")
    stream = [event(letter) for letter in "secret-onesecret-two secret-o"]
    out = through(stream, is_events=True, keys=keys)
    assert "".join(texts(out)) == "[REDACTED][REDACTED] secret-o"


def test_events_leave_as_whole_lines_and_at_once_when_nothing_is_begun() -> None:
    stream = StreamRedactor(Secrets([KEY]), is_events=True)
    assert stream.feed(event("a") + b"data: {") == event("a")[:-1] + b"\n"
    assert stream.feed(b"}\n") == b"data: {}\n"
    assert stream.feed(event("it is s")) == b""
    assert stream.feed(event("o")) == event("it is s") + event("o")


def test_a_line_without_end_is_not_held_for_ever() -> None:
    stream = StreamRedactor(Secrets([KEY]), is_events=True)
    assert stream.feed(b"x" * MAX_HELD_BYTES) == b""
    assert stream.feed(b"y") == b"x" * MAX_HELD_BYTES + b"y"


WORDS = [f"word{number}" for number in range(60)]


def test_many_events_of_one_read_come_out_in_pieces() -> None:
    stream = StreamRedactor(Secrets([KEY]), is_events=True)
    for _ in range(2):
        out = stream.feed(b"".join(map(event, WORDS)) + b"data: {")
        assert isinstance(out, Pieces)
        assert out.pieces[1:-1] == [word.encode() for word in WORDS[1:-1]]
        assert stream.feed(b"}\n\n") == b"data: {}\n\n"
    assert stream.finish() == b""


@pytest.mark.parametrize(
    "words",
    [
        [*WORDS, *KEY, *WORDS],  # spelled out
        [*WORDS, f"a {KEY} b", *WORDS],
        [*WORDS, *KEY],
        [*KEY, *WORDS],
        [*WORDS, '"quoted"', *KEY, *WORDS],
        [*WORDS, "back\\slash", *KEY, *WORDS],
    ],
)
@pytest.mark.parametrize("size", [100, 5000, 1_000_000])
def test_no_secret_is_overlooked_among_many_events(words: list[str], size: int) -> None:
    stream = b"".join(map(event, words))
    reads = [stream[at : at + size] for at in range(0, len(stream), size)]
    out = through(reads, is_events=True)
    assert KEY.encode() not in out
    assert "".join(texts(out)) == "".join(words).replace(KEY, "[REDACTED]")


def test_a_secret_that_every_event_carries_is_found_between_the_pieces() -> None:
    whole = b"".join(event(word).replace(b"choices", KEY.encode()) for word in WORDS)
    assert through([whole], is_events=True) == whole.replace(KEY.encode(), b"[REDACTED]")


def test_a_secret_with_a_quotation_mark_is_found_across_the_ends_of_pieces() -> None:
    whole = b"".join(map(event, WORDS))
    key = 'word7"}}]}'
    out = through([whole], is_events=True, keys=(key,))
    assert out == whole.replace(key.encode(), b"[REDACTED]")


def test_events_that_are_no_utf_8_come_out_as_they_are() -> None:
    whole = b"".join(map(event, WORDS)).replace(b"word7", b"\xff")
    stream = StreamRedactor(Secrets([KEY]), is_events=True)
    assert plain(stream.feed(whole)) == whole


def test_an_event_that_begins_a_secret_waits_among_others_that_do_not() -> None:
    stream = StreamRedactor(Secrets([KEY]), is_events=True)
    for word in ("one", "two", "three", "four"):
        assert stream.feed(event(word)) == event(word)
    assert stream.feed(event("sk-abc")) == b""
    assert plain(stream.feed(event(KEY[6:]))) == event("[REDACTED]") + event("")
    assert stream.feed(event("five")) == event("five")
