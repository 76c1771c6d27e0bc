"""Laws of cassettes: what is recorded, what is kept out, what is found again."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.cancel import Cancel
from pi.base.cassette import Cassette
from pi.base.cassette_match import difference
from pi.base.cassette_pieces import Pieces, cut
from pi.base.cassette_player import ReplayTransport, read_cassette
from pi.base.cassette_reader import parse_cassette
from pi.base.cassette_recorder import Recording
from pi.base.cassette_secrets import Secrets
from pi.base.cassette_stream import StreamRedactor
from pi.base.errors import VerificationFailed
from pi.base.http import Request
from tests.fakes.examples import few
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

KEYS = ("sk-live-abcabcabd", "abcabcabe", 'pass"word\\1', "hemlig-ö-1")
names = st.sampled_from(["A", "b", "X-Long", "Authorization", "User-Agent", "x-pi-request-id"])
texts = st.text(max_size=20)
requests = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["http://a/", "https://b.example/v1?x=1"]),
    st.lists(st.tuples(names, st.text("abc ", max_size=5)), max_size=4).map(tuple),
    st.binary(max_size=40) | texts.map(lambda text: json.dumps({"t": [text]}).encode()),
)
bodies = st.lists(st.binary(min_size=1, max_size=20) | texts.map(str.encode), max_size=6)
answers = st.builds(
    lambda status, kind, chunks: ScriptedResponse(
        status, {"content-type": kind}, *[chunk for chunk in chunks if chunk]
    ),
    st.sampled_from([200, 404, 500]),
    st.sampled_from(["text/event-stream", "application/json"]),
    bodies,
)
exchanges = st.lists(st.tuples(requests, answers), max_size=4)
# Texts in which parts of the keys, and whole ones, are frequent.
secretive = st.lists(
    st.sampled_from([*KEYS, "sk-live-", "abc", "abcabc", "abd", 'pass"', "word", " ", "ö", "\n"])
    | st.text('abck-s\\"', max_size=3),
    max_size=12,
).map("".join)


def sliced(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in zip(places, places[1:])]


def event(text: str, name: str = "content") -> bytes:
    delta = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {name: text}}]}
    return b"data: " + json.dumps(delta).encode() + b"\n\n"


def through(reads: list[bytes], keys: Sequence[str], *, is_events: bool) -> bytes:
    stream = StreamRedactor(Secrets(keys), is_events=is_events)
    out = [plain(stream.feed(read)) for read in reads]
    return b"".join([*out, stream.finish()])


def plain(out: bytes | Pieces) -> bytes:
    return out.between.join(out.pieces) if isinstance(out, Pieces) else out


def run(transport: Any, sent: Sequence[Request]) -> list[tuple[int, bytes]]:
    """What a program sees that makes these requests."""
    seen = []
    for request in sent:
        response = transport.send(request, Cancel())
        parts = [response.read(7)]
        while parts[-1]:
            parts.append(response.read(7))
        response.close()
        seen.append((response.status, b"".join(parts)))
    return seen


def record(
    folder: str, tape: Sequence[tuple[Request, ScriptedResponse]], keys: Sequence[str] = ()
) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The bytes of a cassette, and what the recorded program saw."""
    path = os.path.join(folder, "c")
    recording = Recording(path, secrets=keys, pi="0", now_ms=lambda: 1, monotonic=lambda: 1.0)
    inner = ScriptedTransport(*(answer for _, answer in tape))
    seen = run(recording.over(lambda: inner), [request for request, _ in tape])
    assert recording.finish() is None
    if not os.path.exists(path):
        return b"", seen
    with open(path, "rb") as file:
        return file.read(), seen


def shape(cassette: Cassette) -> list[object]:
    return [
        (each.request, each.status, each.headers, each.chunks, each.end)
        for each in cassette.exchanges
    ]


@given(tape=exchanges)
@settings(max_examples=few(150), deadline=None)
def test_a_replayed_program_sees_what_the_recorded_one_saw(
    tape: list[tuple[Request, ScriptedResponse]],
) -> None:
    """run(replay(record(T))) == run(T), nothing is left over, whatever T answers."""
    with tempfile.TemporaryDirectory() as folder:
        data, seen = record(folder, tape)
        if not data:
            return
        player = ReplayTransport(read_cassette(os.path.join(folder, "c")))
    assert run(player, [request for request, _ in tape]) == seen
    assert player.finish() is None


@given(tape=exchanges.filter(bool), at=st.integers(0, 10**6), byte=st.integers(0, 255))
@settings(max_examples=few(300), deadline=None)
def test_a_changed_byte_is_refused_or_changes_nothing(
    tape: list[tuple[Request, ScriptedResponse]], at: int, byte: int
) -> None:
    """An edited cassette is not accepted, unless the change means nothing.

    Only the header line is not covered; and a spoilt end of the last line looks like what a
    crash leaves, so that line may be missing.
    """
    with tempfile.TemporaryDirectory() as folder:
        data, _ = record(folder, tape)
    sound = parse_cassette(data, "c")
    start = data.index(b"\n") + 1
    at = start + at % (len(data) - start)
    try:
        edited = parse_cassette(data[:at] + bytes([byte]) + data[at + 1 :], "c")
    except VerificationFailed:
        return
    assert (
        [part[:1] + part[3:] for part in map(list, shape(edited))]
        == [  # type: ignore[call-overload]
            part[:1] + part[3:]
            for part in map(list, shape(sound))  # type: ignore[call-overload]
        ]
    )
    assert edited.is_complete or at >= data.rstrip(b"\n").rindex(b"\n")


@given(tape=exchanges.filter(bool), at=st.integers(0, 10**6))
@settings(max_examples=few(200), deadline=None)
def test_a_cut_off_cassette_is_its_beginning(
    tape: list[tuple[Request, ScriptedResponse]], at: int
) -> None:
    """Any beginning that holds the header line parses, and its exchanges are a beginning."""
    with tempfile.TemporaryDirectory() as folder:
        data, _ = record(folder, tape)
    start = data.index(b"\n") + 1
    at = start + at % (len(data) - start)
    found = parse_cassette(data[:at], "c")
    sound = parse_cassette(data, "c")
    # Without the last newline alone, the last line is still whole.
    assert found.is_complete == (at == len(data) - 1)
    for here, there in zip(found.exchanges, sound.exchanges):
        assert here.request == there.request
        assert here.chunks == there.chunks[: len(here.chunks)]
        assert here.end in ("", there.end)


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(max_examples=few(300), deadline=None)
def test_any_bytes_are_a_cassette_or_one_documented_error(data: bytes) -> None:
    """parse_cassette raises nothing but VerificationFailed, with or without a good header."""
    for start in (b"", b'{"cassette":1,"pi":"0","created_ms":0}\n'):
        try:
            parse_cassette(start + data, "c")
        except VerificationFailed:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["n", "t", "request", "response", "status", "headers", "end", "error",
                         "data", "data_base64", "between", "pieces", "exchanges", "body",
                         "sha256", "method", "url"]),
        inner,
        max_size=5,
    ),
    max_leaves=8,
)  # fmt: skip


@given(lines=st.lists(json_values, max_size=4))
@settings(max_examples=few(300), deadline=None)
def test_lines_of_wrong_types_are_one_documented_error(lines: list[Any]) -> None:
    """Whatever JSON stands in the lines, the only failure is VerificationFailed."""
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    try:
        said = parse_cassette(b'{"cassette":1}\n' + data, "c").name
    except VerificationFailed as error:
        said = error.code
    assert said == "c" or said.startswith("cassette-")


@given(body=secretive.map(str.encode) | st.binary(max_size=60), cuts=st.lists(st.integers(0, 999)))
@settings(max_examples=few(300), deadline=None)
def test_however_a_body_is_sliced_no_secret_comes_out(body: bytes, cuts: list[int]) -> None:
    """No value is in the output, and the output is that of the whole body at once."""
    secrets = Secrets(KEYS)
    for is_events in (False, True):
        out = through(sliced(body, cuts), KEYS, is_events=is_events)
        assert not secrets.are_in(out)
    if not secrets.are_in(body):
        assert through(sliced(body, cuts), KEYS, is_events=False) == body


@given(
    pieces=st.lists(secretive, max_size=30),
    name=st.sampled_from(["content", "arguments", "thinking"]),
    cuts=st.lists(st.integers(0, 9999), max_size=20),
)
@settings(max_examples=few(300), deadline=None)
def test_no_secret_is_spelled_out_over_events(
    pieces: list[str], name: str, cuts: list[int]
) -> None:
    """Put together, the text of the events that come out holds no secret."""
    stream = b"".join(event(piece, name) for piece in pieces)
    out = through(sliced(stream, cuts), KEYS, is_events=True)
    found = re.findall(rb'"%s": "((?:[^"\\]|\\.)*)"' % name.encode(), out)
    assert len(found) == len(pieces)
    spelled = "".join(json.loads(b'"%s"' % piece) for piece in found)
    assert not any(key in spelled for key in KEYS)


@given(
    pieces=st.lists(st.text(max_size=6), max_size=60),
    cuts=st.lists(st.integers(0, 9999), max_size=20),
    has_keys=st.booleans(),
)
@settings(max_examples=few(200), deadline=None)
def test_a_stream_without_secrets_comes_out_as_it_went_in(
    pieces: list[str], cuts: list[int], has_keys: bool
) -> None:
    """Whatever is sliced, held back or cut into pieces: the same bytes come out."""
    stream = b"".join(map(event, pieces)) + event("", "usage") + b"data: [DONE]\n\n"
    keys = KEYS[:1] if has_keys else ()
    assert through(sliced(stream, cuts), keys, is_events=True) == stream


@given(
    texts_=st.lists(st.text('word"\\}n,:{ \n\r', max_size=8), min_size=8, max_size=40),
    begin=st.sampled_from(
        ['data: {"type":"content_block_delta","delta":{"text":"', 'data: {"', ""]
    ),
    gap=st.sampled_from(["\n\n", "\r\n\r\n"]),
    known=st.sampled_from(
        ["", "\n\n", '"}}\n\ndata: {"type":"content_block_delta","delta":{"text":"']
    ),
)
@settings(max_examples=few(300), deadline=None)
def test_pieces_put_together_are_the_text(
    texts_: list[str], begin: str, gap: str, known: str
) -> None:
    """between.join(pieces) == text, for texts that only look like events too."""
    text = "".join(begin + each + '"}}' + gap for each in texts_) * 4
    pieces = cut(text.encode(), known.encode())
    assert pieces is None or pieces.between.join(pieces.pieces) == text.encode()


@given(one=requests, other=requests, lenient=st.booleans())
@settings(max_examples=few(200), deadline=None)
def test_a_difference_is_found_exactly_where_there_is_one(
    one: Request, other: Request, lenient: bool
) -> None:
    """Equal requests match; a match is symmetric but for credentials; a report is printable."""
    clean = Secrets(())
    one, other = clean.request(one), clean.request(other)
    assert difference(one, one, lenient=lenient) is None
    found = difference(one, other, lenient=lenient)
    if found is None:
        assert (one.method, one.url, one.body) == (other.method, other.url, other.body)
    else:
        assert found.recorded.isprintable()
        assert found.sent.isprintable()
        assert found.recorded != found.sent or "header" in found.part
