from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pi.base import cassette
from pi.base.cancel import Cancel
from pi.base.cassette import Cassette
from pi.base.cassette_player import MAX_CASSETTE_BYTES, ReplayTransport, read_cassette
from pi.base.cassette_reader import parse_cassette
from pi.base.errors import ConfigError, Interrupted, PiError, Unreachable, VerificationFailed
from pi.base.http import ConnectionBroken, Request

KEY = "sk-0123456789abcdef"
HEADERS = (("Accept", "x"), ("Authorization", "[REDACTED]"))


def ask(number: int = 1, **more: Any) -> Request:
    return Request("POST", "http://a/v1", HEADERS, b'{"q":%d}' % number)._replace(**more)


def exchange(
    number: int,
    *chunks: bytes,
    end: str = "complete",
    error: PiError | None = None,
    request: Request | None = None,
    status: int = 200,
) -> list[bytes]:
    lines = [cassette.request_line(number, 0, request or ask(number))]
    if status:
        lines.append(cassette.response_line(number, status, [("content-type", "text/plain")]))
    lines += [cassette.chunk_line(number, 10 * at, chunk) for at, chunk in enumerate(chunks, 1)]
    record = None if error is None else cassette.failure_record(error)
    digest = sha256(b"".join(lines)).hexdigest()
    return [*lines, cassette.end_line(number, 99, end, digest, record)]


def tape(*exchanges: list[bytes], cut: int = 0) -> Cassette:
    """A cassette of the exchanges; ``cut`` last lines are missing."""
    lines = [cassette.header_line("0", 0)] + [line for each in exchanges for line in each]
    lines.append(cassette.footer_line(len(exchanges)))
    return parse_cassette(b"".join(lines[: len(lines) - cut]), "t.cassette")


def read(response: Any, size: int = 65536) -> list[bytes]:
    return list(iter(lambda: response.read(size), b""))


def mismatch(player: ReplayTransport, request: Request) -> VerificationFailed:
    with pytest.raises(VerificationFailed) as caught:
        player.send(request, Cancel())
    assert caught.value.exit_code == 7
    return caught.value


def test_exchanges_are_played_in_order_read_by_read() -> None:
    player = ReplayTransport(tape(exchange(1, b"ab", b"c"), exchange(2, b"d", status=500)))
    one = player.send(ask(1), Cancel())
    assert (one.status, one.headers) == (200, {"content-type": "text/plain"})
    assert read(one) == [b"ab", b"c"]
    one.close()
    two = player.send(ask(2), Cancel())
    assert (two.status, read(two, 1)) == (500, [b"d"])
    player.close()
    assert player.finish() is None


def test_it_stands_in_for_every_transport_of_a_run_without_making_one() -> None:
    player = ReplayTransport(tape(exchange(1, b"x")))
    assert player.over(lambda: pytest.fail("a transport was made")) is player
    assert player.needs_no_key


def test_a_read_gives_at_most_what_was_asked_for_and_at_least_one_byte() -> None:
    response = ReplayTransport(tape(exchange(1, b"abc"))).send(ask(), Cancel())
    assert [response.read(2), response.read(0), response.read(), response.read()] == [
        b"ab", b"c", b"", b"",
    ]  # fmt: skip


def test_failures_are_raised_where_they_came() -> None:
    refused = Unreachable("no way", hint="h", code="connection-refused")
    stalled = ConnectionBroken("stalled", code="idle-timeout")
    player = ReplayTransport(
        tape(
            exchange(1, end="error", error=refused, status=0),
            exchange(2, b"x", end="error", error=stalled),
        )
    )
    with pytest.raises(Unreachable) as caught:
        player.send(ask(1), Cancel())
    assert (caught.value.lines(), caught.value.code) == (refused.lines(), refused.code)
    response = player.send(ask(2), Cancel())
    assert response.read() == b"x"
    for _ in range(2):
        with pytest.raises(ConnectionBroken, match="stalled"):
            response.read()
    assert player.finish() is None


def test_the_first_request_that_differs_ends_the_replay_for_good() -> None:
    player = ReplayTransport(tape(exchange(1, b"x"), exchange(2, b"y")))
    player.send(ask(1), Cancel())
    error = mismatch(player, ask(7))
    assert error.code == "replay-mismatch"
    assert error.message == "request 2 is not the recorded one: body at q differs"
    assert error.cause.split("\n") == [
        "line 6 of t.cassette",
        "         recorded: 2",
        "         sent:     7",
    ]
    assert mismatch(player, ask(2)) is error
    assert player.finish() is error


def test_another_order_of_headers_is_forgiven_to_the_lenient_only() -> None:
    turned = ask(headers=HEADERS[::-1])
    assert "order of headers" in mismatch(ReplayTransport(tape(exchange(1))), turned).message
    ReplayTransport(tape(exchange(1)), lenient=True).send(turned, Cancel())


def test_the_secrets_of_this_run_count_as_redacted() -> None:
    recorded = ask(body=b"<[REDACTED]>")
    sent = ask(headers=(HEADERS[0], ("Authorization", f"Bearer {KEY}")), body=f"<{KEY}>".encode())
    ReplayTransport(tape(exchange(1, request=recorded)), secrets=[KEY]).send(sent, Cancel())
    error = mismatch(ReplayTransport(tape(exchange(1)), secrets=[KEY]), sent)
    assert KEY not in "".join(error.lines())


def test_a_word_that_is_a_secret_only_here_matches_too() -> None:
    recorded = ask(body=b"in production")
    player = ReplayTransport(tape(exchange(1, request=recorded)), secrets=["production"])
    player.send(recorded, Cancel())
    assert player.finish() is None


def test_a_request_more_than_recorded_is_refused() -> None:
    player = ReplayTransport(tape(exchange(1, b"x")))
    player.send(ask(1), Cancel())
    error = mismatch(player, ask(2))
    assert error.message == "cassette t.cassette has no more exchanges after 1 request"
    assert error.code == "replay-mismatch"
    assert "http://a/v1" in error.cause
    assert player.finish() is error


def test_recorded_requests_that_were_not_made_are_reported_at_the_end() -> None:
    player = ReplayTransport(tape(exchange(1, b"x"), exchange(2), exchange(3)))
    player.send(ask(1), Cancel())
    error = player.finish()
    assert error is not None
    assert (error.code, error.exit_code) == ("replay-mismatch", 7)
    assert error.message == "2 of 3 recorded requests were not made"
    assert error.cause == "the first of them: request 2, line 6 of t.cassette"


@pytest.mark.parametrize("cut", [2, 3, 4])
def test_an_incomplete_cassette_is_played_up_to_its_end(cut: int) -> None:
    player = ReplayTransport(tape(exchange(1, b"x"), exchange(2, b"y", b"z"), cut=cut))
    assert read(player.send(ask(1), Cancel())) == [b"x"]
    response = player.send(ask(2), Cancel())
    assert [response.read() for _ in range(4 - cut)] == [b"y", b"z"][: 4 - cut]
    with pytest.raises(VerificationFailed) as caught:
        response.read()
    assert caught.value.code == "cassette-incomplete"
    assert "middle of the answer to request 2" in caught.value.cause
    assert player.finish() is caught.value
    assert mismatch(player, ask(3)) is caught.value


def test_an_incomplete_cassette_says_so_instead_of_answering() -> None:
    player = ReplayTransport(tape(exchange(1, b"x"), exchange(2), cut=3))
    player.send(ask(1), Cancel())
    assert mismatch(player, ask(2)).code == "cassette-incomplete"
    player = ReplayTransport(tape(exchange(1, b"x"), cut=1))
    player.send(ask(1), Cancel())
    finished = player.finish()
    assert finished is not None
    assert finished.code == "cassette-incomplete"
    assert mismatch(player, ask(2)).code == "cassette-incomplete"


def test_reading_on_where_the_recorded_run_stopped_is_a_mismatch() -> None:
    player = ReplayTransport(tape(exchange(1, b"x", end="closed")))
    response = player.send(ask(1), Cancel())
    assert response.read() == b"x"
    with pytest.raises(VerificationFailed, match="was not read further") as caught:
        response.read()
    assert caught.value.code == "replay-mismatch"
    assert player.finish() is caught.value


def test_a_set_cancel_ends_sending_and_reading() -> None:
    player = ReplayTransport(tape(exchange(1, b"x")))
    cancel = Cancel()
    response = player.send(ask(1), cancel)
    why = Interrupted("interrupted")
    cancel.set(why)
    with pytest.raises(Interrupted):
        response.read()
    with pytest.raises(Interrupted):
        player.send(ask(2), cancel)


def test_a_closed_answer_is_not_taken_for_a_whole_one() -> None:
    response = ReplayTransport(tape(exchange(1, b"x"))).send(ask(1), Cancel())
    response.close()
    with pytest.raises(ConnectionBroken):
        response.read()


def test_a_cassette_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.cassette"
    path.write_bytes(cassette.header_line("0", 0) + b"".join(exchange(1)) + cassette.footer_line(1))
    found = read_cassette(str(path))
    assert (found.name, len(found.exchanges)) == (str(path), 1)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "name", "huge"])
def test_what_cannot_be_read_is_a_configuration_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "folder":
        path.mkdir()
    if kind == "huge":
        path.touch()
        os.truncate(path, MAX_CASSETTE_BYTES + 1)  # a hole: it takes no space
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(ConfigError) as caught:
        read_cassette(f"{path}\0" if kind == "name" else str(path))
    assert (caught.value.exit_code, caught.value.code) == (2, "cassette-not-read")


def test_a_file_that_is_no_cassette_is_a_failed_verification(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    with pytest.raises(VerificationFailed, match="is empty"):
        read_cassette(str(path))
