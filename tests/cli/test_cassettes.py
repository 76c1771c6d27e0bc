"""Runs of the built file that are recorded, and replayed where there is no network."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pi.base import cassette
from pi.base.cassette_player import read_cassette
from tests.cli.conftest import KEY, Pi
from tests.fakes import aimock as aimock_module
from tests.fakes.chat import STREAM, answers, call, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, answer

SECRET = KEY["OPENAI_API_KEY"]
TURNS = (
    (call("write", {"path": "made.txt", "content": "A\n"}, "x"), finish("tool_calls")),
    (
        call("read", {"path": "made.txt"}, "y", 0),
        call("bash", {"command": "wc -c made.txt; exit 3"}, "z", 1),
        finish("tool_calls"),
    ),
    (delta("It holds "), delta("one A — 漢字 🙂"), delta("\u2028."), finish()),
)
needs_aimock = pytest.mark.skipif(bool(aimock_module.missing()), reason=aimock_module.missing())


def offline(pi: Pi, alone: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the built file with no network and no key."""
    return subprocess.run(
        [*alone, *pi.command(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=pi.folder,
        env=pi.environ,
        timeout=60,
        check=False,
    )


def record(pi: Pi, script: Callable[[Peer], None], *more: str) -> tuple[str, ...]:
    """Record a run against ``script``; the arguments with which to repeat it."""
    with FaultServer(script) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session", *more)
        done = pi(*arguments, "--record", "run.cassette", **KEY)
    assert "cassette" not in done.stderr
    return arguments


def only_error(done: subprocess.CompletedProcess[str]) -> str:
    """The message of a run that had just one thing to say."""
    errors = re.findall(r"^error: (.*)$", done.stderr, re.MULTILINE)
    assert len(errors) == 1, done.stderr
    return str(errors[0])


def test_a_recorded_tool_run_repeats_byte_for_byte_without_a_network(
    pi: Pi, alone: tuple[str, ...]
) -> None:
    with FaultServer(answers(*TURNS)) as server:
        arguments = ("--api-base", server.url + "/v1", "--no-session", "-p", "make it")
        live = pi(*arguments, "--record", "run.cassette", **KEY)
        asked = [request.body for request in server.requests]
    assert (live.returncode, len(asked)) == (0, 3)
    exchanges = read_cassette(str(pi.folder / "run.cassette")).exchanges
    assert [exchange.request.body for exchange in exchanges] == asked
    for _ in range(2):
        (pi.folder / "made.txt").unlink()
        done = offline(pi, alone, *arguments, "--replay", "run.cassette")
        assert done.stdout.decode() == live.stdout
        assert (done.returncode, done.stderr.decode()) == (0, live.stderr)
        assert (pi.folder / "made.txt").read_text() == "A\n"


@needs_aimock
def test_a_run_against_a_third_party_server_repeats_without_a_network(
    pi: Pi, alone: tuple[str, ...]
) -> None:
    (pi.folder / "hello.txt").write_text("greetings\n", encoding="utf-8")
    fixtures = [
        {"match": {"hasToolResult": True}, "response": {"content": "It says greetings. 🙂 漢字"}},
        {
            "match": {"userMessage": "hello"},
            "response": {"toolCalls": [{"name": "read", "arguments": {"path": "hello.txt"}}]},
        },
    ]
    with aimock_module.running(fixtures, "-c", "3") as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "What does hello.txt say?")
        live = pi(*arguments, "--session", "a.jsonl", "--record", "run.cassette", **KEY)
    assert (live.returncode, live.stdout) == (0, "It says greetings. 🙂 漢字\n")
    done = offline(pi, alone, *arguments, "--session", "b.jsonl", "--replay", "run.cassette")
    assert (done.returncode, done.stdout.decode()) == (0, live.stdout)
    assert pi.roles("a.jsonl") == pi.roles("b.jsonl")


def test_the_demo_model_can_be_recorded_and_replayed(pi: Pi) -> None:
    (pi.folder / "notes.md").write_text("# Notes\n", encoding="utf-8")
    ask = ("--model", "demo/tour", "--no-session", "please run `cat notes.md`")
    live = pi(*ask, "--record", "run.cassette")
    again = pi(*ask, "--replay", "run.cassette")
    assert (again.returncode, again.stdout) == (0, live.stdout)


def test_no_secret_is_in_a_cassette_and_only_its_owner_can_read_it(pi: Pi) -> None:
    turns = (
        (call("bash", {"command": "echo $MY_TOKEN; echo test-key-$((100000))"}), finish("stop")),
        (*(delta(letter) for letter in "token-of-mine " + SECRET), finish()),
    )
    with FaultServer(answers(*turns)) as server:
        headers = ("--header", "X-Tenant=t0k3n", "--header", "X-Title=my-title")
        arguments = (
            *("--api-base", server.url + "/v1", "--no-session", "-p", f"hi {SECRET}"),
            *headers,
        )
        done = pi(*arguments, "--record", "c", **KEY, MY_TOKEN="token-of-mine")
    assert done.stdout == f"token-of-mine {SECRET}\n"
    text = (pi.folder / "c").read_text(encoding="utf-8")
    assert "t0k3n" not in text  # whatever a header is called that the user gave
    assert "my-title" in text
    again = pi(*arguments, "--replay", "c", **KEY, MY_TOKEN="token-of-mine")
    assert again.returncode == 0, again.stderr
    assert SECRET not in text
    assert "token-of-mine" not in text
    spelled = "".join(re.findall(r'\\"content\\": \\"(.*?)\\"', text))
    assert spelled.endswith("[REDACTED] [REDACTED]")
    assert stat.S_IMODE((pi.folder / "c").stat().st_mode) == 0o600


def test_a_changed_file_shows_as_the_first_difference(pi: Pi) -> None:
    (pi.folder / "f").write_text("one\n")
    turns = answers((call("read", {"path": "f"}), finish("tool_calls")), (delta("ok"), finish()))
    arguments = record(pi, turns)
    (pi.folder / "f").write_text("two\n")
    done = pi(*arguments, "--replay", "run.cassette")
    assert (done.returncode, done.stdout) == (7, "")
    error = "request 2 is not the recorded one: body at messages[3].content differs"
    assert only_error(done) == error
    assert "recorded: 'one" in done.stderr
    assert "sent:     'two" in done.stderr


def test_another_prompt_is_refused_at_the_first_request(pi: Pi) -> None:
    arguments = record(pi, answers((delta("ok"), finish())))
    done = pi(*arguments[:2], "-p", "ho", "--no-session", "--replay", "run.cassette")
    assert done.returncode == 7
    assert "request 1" in only_error(done)
    assert "messages[1].content" in only_error(done)


def test_an_existing_cassette_is_refused_before_anything_is_sent(pi: Pi) -> None:
    (pi.folder / "c").write_text("precious")
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi.ask(server.url, "--record", "c")
        assert server.connections == 0
    assert done.returncode == 2
    assert only_error(done) == "cassette c holds something already"
    assert (pi.folder / "c").read_text() == "precious"


def test_recording_and_replaying_at_once_is_a_usage_error(pi: Pi) -> None:
    done = pi("-p", "hi", "--record", "a", "--replay", "b", **KEY)
    assert done.returncode == 2
    assert not (pi.folder / "a").exists()


def test_a_start_that_fails_leaves_no_cassette_behind(pi: Pi) -> None:
    assert pi("-p", "hi", "--record", "c").returncode == 3
    assert not (pi.folder / "c").exists()


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [("401 Unauthorized", (), 3), ("400 Bad Request", (), 5), ("429 Slow", ("Retry-After: 1",), 5)],
)
def test_a_refusal_is_replayed_with_its_exit_code(
    pi: Pi, status: str, headers: tuple[str, ...], expected: int
) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(answer(b'{"error":{"message":"no"}}', *headers, status=status))

    with FaultServer(script) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session")
        live = pi(*arguments, "--provider-max-retries", "1", "--record", "c", **KEY)
    again = pi(*arguments, "--provider-max-retries", "1", "--replay", "c")
    assert (live.returncode, again.returncode) == (expected, expected)
    assert f"HTTP {status[:3]}" in only_error(live)
    assert f"HTTP {status[:3]}" in only_error(again)


def test_an_unreachable_server_is_replayed_as_one(pi: Pi) -> None:
    with FaultServer(answers()) as server:
        url = server.url
    arguments = ("--api-base", url + "/v1", "-p", "hi", "--no-session")
    live = pi(*arguments, "--record", "c", **KEY)
    again = pi(*arguments, "--replay", "c")
    assert (live.returncode, again.returncode) == (4, 4)
    assert only_error(live) == only_error(again)


def test_a_stream_that_broke_off_is_replayed_with_what_had_arrived(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(delta("half of"))
        peer.reset()

    with FaultServer(script) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session")
        live = pi(*arguments, "--provider-max-retries", "0", "--record", "c", **KEY)
    again = pi(*arguments, "--provider-max-retries", "0", "--replay", "c")
    assert (live.returncode, again.returncode) == (5, 5)
    assert again.stdout == live.stdout
    assert only_error(live) == only_error(again)


def unended(pi: Pi, how: int) -> tuple[tuple[str, ...], int]:
    """Record a run that gets signal ``how`` in the middle of its second answer."""
    shown = pi.folder / "shown"

    def script(peer: Peer) -> None:
        peer.request()
        stream(peer, call("bash", {"command": "true"}), finish("tool_calls"))
        peer.request()
        peer.send(STREAM)
        peer.chunk(delta("half of"))
        peer.wait()

    with FaultServer(script) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session")
        process = pi.start(*arguments, "--record", "c", environ=KEY)
        assert process.stdout is not None
        assert process.stderr is not None
        shown.write_bytes(process.stdout.read(4))  # it has come through, so it is recorded
        process.send_signal(how)
        process.communicate(timeout=60)
    return arguments, process.returncode


def test_a_recording_that_was_killed_replays_up_to_there(pi: Pi) -> None:
    arguments, _ = unended(pi, signal.SIGKILL)
    tape = read_cassette(str(pi.folder / "c"))
    assert not tape.is_complete
    assert b"half of" in tape.exchanges[1].chunks[0].data
    done = pi(*arguments, "--replay", "c")
    assert done.returncode == 7
    assert only_error(done) == "cassette c is incomplete: its recording broke off"
    assert "half of" in done.stdout


def test_an_interrupted_run_is_recorded_and_replayed_as_interrupted(pi: Pi) -> None:
    arguments, code = unended(pi, signal.SIGINT)
    assert code == 130
    assert read_cassette(str(pi.folder / "c")).is_complete
    assert pi(*arguments, "--replay", "c").returncode == 130


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 2, "cassette c cannot be read"),
        (b"", 7, "cassette c is empty: nothing was recorded"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, 7, "c is not a cassette"),
        (b'{"cassette":2,"pi":"9"}\n', 7, "cassette c has format 2; this pi reads format 1"),
        (b'{"cassette":1,"pi":"0"}\nx\n', 7, "cassette c is damaged in line 2"),
        (b'{"cassette":1}\n{"n":1}\n{"n":2}\n', 7, "cassette c is damaged in line 2"),
        (b"[" * 1_000_000, 7, "c is not a cassette"),
    ],
)
def test_what_is_no_sound_cassette_is_one_clear_error(
    pi: Pi, content: bytes | None, code: int, message: str
) -> None:
    if content is not None:
        (pi.folder / "c").write_bytes(content)
    done = pi("-p", "hi", "--no-session", "--replay", "c")
    assert (done.returncode, done.stdout) == (code, "")
    assert only_error(done) == message


def test_an_edited_cassette_is_refused_naming_the_line(pi: Pi) -> None:
    arguments = record(pi, answers((delta("ok"), finish())))
    path = pi.folder / "run.cassette"
    lines = path.read_bytes().split(b"\n")
    at = next(number for number, line in enumerate(lines) if b'"end"' in line)
    path.write_bytes(b"\n".join(lines).replace(b"ok", b"no"))
    done = pi(*arguments, "--replay", "run.cassette")
    assert (done.returncode, done.stdout) == (7, "")
    assert only_error(done) == f"cassette run.cassette is damaged in line {at + 1}"
    assert "edited" in done.stderr


def test_another_order_of_headers_needs_replay_lenient(pi: Pi) -> None:
    arguments = record(pi, answers((delta("ok"), finish())))
    turn_headers(pi.folder / "run.cassette", pi.folder / "turned")
    done = pi(*arguments, "--replay", "turned")
    assert done.returncode == 7
    assert "the order of headers" in only_error(done)
    done = pi(*arguments, "--replay", "turned", "--replay-lenient")
    assert (done.returncode, done.stdout) == (0, "ok\n")


def turn_headers(source: Path, target: Path) -> None:
    """Write the recorded exchange again as an older pi might have: headers turned round."""
    from hashlib import sha256

    (exchange,) = read_cassette(str(source)).exchanges
    assert exchange.status is not None
    request = exchange.request._replace(headers=exchange.request.headers[::-1])
    lines = [
        cassette.request_line(1, 0, request),
        cassette.response_line(1, exchange.status, exchange.headers.items()),
        *(cassette.chunk_line(1, *chunk) for chunk in exchange.chunks),
    ]
    lines.append(cassette.end_line(1, 9, exchange.end, sha256(b"".join(lines)).hexdigest()))
    target.write_bytes(b"".join([cassette.header_line("0", 0), *lines, cassette.footer_line(1)]))
    os.chmod(target, 0o600)
