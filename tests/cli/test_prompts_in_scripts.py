"""Model turns in command files."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, answers, delta, finish
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.patience import LONG_S, in_time


def ok(text: str) -> tuple[bytes, ...]:
    return (delta(text), finish())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def hanging(peer: Peer) -> None:
    """Answers a part and never the rest."""
    if peer.request() is not None:
        peer.send(STREAM)
        peer.chunk(delta("a part"))
        peer.request()


def test_the_answer_is_what_the_command_prints(pi: Pi) -> None:
    (pi.folder / "f").write_text(
        '/prompt it\'s "quoted" --json\n/prompt two\n/branch 2\n/prompt three\n', encoding="utf-8"
    )
    with FaultServer(answers(ok("one\n"), ok("two"), ok("three"))) as server:
        done = pi("--api-base", server.url + "/v1", "--command-file", "f", **KEY)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["one", "two", "switched to branch id 2"]
    assert lines[4] == "three"
    asked = [json.loads(request.body)["messages"] for request in server.requests]
    assert asked[0][-1]["content"] == 'it\'s "quoted" --json'
    assert [one["content"] for one in asked[2][1:]] == [
        "it's \"quoted\" --json", "one\n", "three",
    ]  # fmt: skip


def test_json_has_the_answer_its_end_and_its_usage(pi: Pi) -> None:
    with FaultServer(answers(ok("one"))) as server:
        flags = ("--api-base", server.url + "/v1", "--command-file", "-", "--command-file-json")
        done = pi(*flags, stdin="/prompt hello\n", **KEY)
    first, last = map(json.loads, done.stdout.splitlines())
    assert first["data"]["answer"] == "one"
    assert first["data"]["status"] == "completed"
    assert set(first["data"]["usage"]) == {"input_tokens", "output_tokens", "total_tokens"}
    assert last["summary"]["succeeded"] == 1


def test_a_failure_has_its_exit_code_and_earlier_answers_are_kept(pi: Pi) -> None:
    left = [200, 401]

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if left.pop(0) == 401:
                peer.send(b"HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno")
                continue
            peer.send(STREAM)
            for piece in ok("one"):
                peer.chunk(piece)
            peer.chunk(b"")

    with FaultServer(script) as server:
        flags = ("--api-base", server.url + "/v1", "--command-file", "-")
        done = pi(*flags, stdin="/prompt one\n/prompt two\n/session\n", **KEY)
    assert done.returncode == 3
    assert "line=2 command=/prompt two error=" in done.stdout
    assert "executed=2 succeeded=1 failed=1 halted_early=true" in done.stdout
    assert pi.roles()[:2] == ["user", "assistant"]


def test_a_script_without_a_key_fails_at_its_prompt_only(pi: Pi) -> None:
    done = pi("--command-file", "-", "--no-session", stdin="/session\n/prompt x\n")
    assert done.returncode == 3
    assert done.stdout.startswith("session: disabled\n")


def test_the_time_of_a_file_ends_its_prompt_and_what_comes_after(pi: Pi) -> None:
    def attempt(limit_ms: int) -> None:
        limit = str(limit_ms // 1000)
        with FaultServer(hanging) as server:
            flags = ("--api-base", server.url + "/v1", "--command-file", "-", "--no-session")
            mode = ("--command-file-error-mode", "continue-on-error")
            limited = (*mode, "--command-file-timeout", limit)
            done = pi(*flags, *limited, stdin="-/prompt hello\n/session\n", **KEY)
        assert done.returncode == 124
        assert f"time limit of {limit} s for the command file" in done.stderr
        assert "executed=1 succeeded=1 failed=0 halted_early=true" in done.stdout

    in_time(attempt, 1000)


def test_a_signal_ends_the_whole_script(pi: Pi) -> None:
    (pi.folder / "f").write_text("-/prompt hello\n/session\n", encoding="utf-8")
    with FaultServer(hanging) as server:
        mode = ("--command-file-error-mode", "continue-on-error")
        flags = ("--api-base", server.url + "/v1", "--command-file", "f", *mode)
        process = pi.start(*flags, environ=KEY)
        wait_until(lambda: bool(server.requests))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130, err
    assert b"executed=1 succeeded=0 failed=1 halted_early=true" in out
