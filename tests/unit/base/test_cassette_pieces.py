from __future__ import annotations

import json

import pytest

from pi.base.cassette_pieces import cut, frame


def events(*texts: str, gap: str = "\n\n", head: str = "", tail: str = "") -> bytes:
    end = {"choices": None, "model": tail} if tail else {}
    lines = [json.dumps({"id": "chatcmpl-1", "delta": {"content": text}, **end}) for text in texts]
    return "".join(f"{head}data: {line}{gap}" for line in lines).encode()


WORDS = [f"word{number}" for number in range(60)]
LETTERS = [word.encode() for word in WORDS]


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n"])
@pytest.mark.parametrize("head", ["", "event: content_block_delta\n"])
@pytest.mark.parametrize("tail", ["", "gpt-5"])
def test_events_of_one_kind_become_their_letters(gap: str, head: str, tail: str) -> None:
    text = events(*WORDS, gap=gap, head=head, tail=tail)
    pieces = cut(text)
    assert pieces is not None
    assert pieces.between.join(pieces.pieces) == text
    assert pieces.pieces[1:-1] == LETTERS[1:-1]


def test_letters_that_neighbours_share_are_not_taken_for_common() -> None:
    text = events("start", "word", "words", "wordy", *WORDS, "", "other")
    pieces = cut(text)
    assert pieces is not None
    assert pieces.pieces[1:5] == [b"word", b"words", b"wordy", b"word0"]


def test_other_events_stay_whole_between_them() -> None:
    usage = b'data: {"usage":{"total":7}}\n\n'
    text = events(*WORDS) + usage + events(*WORDS) + b"data: [DONE]\n\n"
    pieces = cut(text)
    assert pieces is not None
    assert pieces.between.join(pieces.pieces) == text
    assert sum(usage in piece for piece in pieces.pieces) == 1


def test_what_stood_between_before_is_used_again_if_it_fits() -> None:
    text = events(*WORDS)
    first = cut(text)
    assert first is not None
    assert cut(text, first.between) == first
    other = text.replace(b"chatcmpl-1", b"chatcmpl-2")
    again = cut(other, first.between)
    assert again is not None
    assert again.between != first.between


@pytest.mark.parametrize(
    "data", [b"", events("a", "b"), b"x" * 5000, events(*["same"] * 60), b"\n\n" * 3000]
)
def test_what_has_too_little_in_common_is_left_alone(data: bytes) -> None:
    assert cut(data) is None


def test_a_frame_stops_at_quotation_marks() -> None:
    assert frame(b'{"t":"word"}', b'{"t":"work"}') == (b'{"t":"', b'"}')
    assert frame(b"same", b"same") == (b"", b"")
    assert frame(b"ab", b"ac") == (b"", b"")
