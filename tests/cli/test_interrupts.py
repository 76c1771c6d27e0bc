"""Ctrl+C, time limits, kill -9, closed pipes: on the built file, with real signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, answers, call, delta, finish
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.patience import LONG_S, in_time


def wait_for(path: object) -> None:
    """Until a file is there: made behind all that is to be read, as ``SLEEPER`` does."""
    deadline = time.monotonic() + LONG_S
    while not os.path.exists(str(path)):
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process is gone (or a zombie of somebody else), now or soon."""
    deadline = time.monotonic() + LONG_S
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.01)
    return False


def everything(leader: int) -> bytes:
    """What a terminal has shown once its last program is gone, however many pieces it comes in."""
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:  # EIO: nobody has the other side open any more, and all was read
            return shown
        if not piece:
            return shown
        shown += piece


SLEEPER = "echo $$ > pid; sleep 300 & echo $! > child; touch ready; sleep 300"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_a_tool_is_130_and_leaves_no_process(pi: Pi, number: int) -> None:
    turns = answers((call("bash", {"command": SLEEPER}), finish("tool_calls")))
    with FaultServer(turns) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        wait_for(pi.folder / "ready")
        process.send_signal(number)
        _out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert b"request cancelled" in err
    for name in ("pid", "child"):
        assert gone(int((pi.folder / name).read_text()))
    assert pi.roles() == ["user", "assistant", "tool"]


def test_a_signal_in_mid_stream_keeps_the_part_as_aborted(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(delta("par"))
        peer.wait()

    with FaultServer(script) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        assert process.stdout is not None
        assert process.stdout.read(3) == b"par"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
        assert server.gone.wait(LONG_S)
    assert process.returncode == 130
    assert pi.session()[-1]["stop_reason"] == "aborted"
    with FaultServer(answers((delta("again"), finish()))) as server:
        assert pi.ask(server.url).stdout == "again\n"
    sent = json.loads(server.requests[0].body)["messages"]
    assert "par" not in [message["content"] for message in sent]


def test_control_c_in_a_terminal_ends_a_silent_request(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        (pi.folder / "asked").touch()
        peer.wait()

    with FaultServer(script) as server:
        command = pi.command("--api-base", server.url + "/v1", "--no-session", "-p", "hi")
        leader, follower = pty.openpty()
        process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=pi.folder,
            env={**pi.environ, **KEY},
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
        )
        os.close(follower)
        wait_for(pi.folder / "asked")
        os.write(leader, b"\x03")
        assert process.wait(LONG_S) == 130
        shown = everything(leader)
        os.close(leader)
    assert b"request cancelled" in shown
    assert b"Traceback" not in shown


def test_the_time_limit_of_a_prompt_is_124(pi: Pi) -> None:
    def attempt(limit_ms: int) -> None:
        (pi.folder / "pid").unlink(missing_ok=True)
        turns = answers((call("bash", {"command": SLEEPER}), finish("tool_calls")))
        with FaultServer(turns) as server:
            done = pi.ask(server.url, "--no-session", "--turn-timeout-ms", str(limit_ms))
        assert done.returncode == 124
        assert "request timed out" in done.stderr
        assert gone(int((pi.folder / "pid").read_text()))

    in_time(attempt, 1500)


def test_after_kill_9_in_mid_tool_the_next_run_continues_and_tells_what_is_in_doubt(
    pi: Pi,
) -> None:
    turns = answers(
        (call("bash", {"command": "echo first > done"}, "a"), finish("tool_calls")),
        (
            call("bash", {"command": SLEEPER}, "b", 0),
            call("bash", {"command": "echo never"}, "c", 1),
            finish("tool_calls"),
        ),
    )
    with FaultServer(turns) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        wait_for(pi.folder / "ready")
        process.kill()
        process.communicate()
        os.killpg(int((pi.folder / "pid").read_text()), signal.SIGKILL)
    assert pi.roles() == ["user", "assistant", "tool", "assistant"]
    with FaultServer(answers((delta("went on"), finish()))) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "went on\n")
    sent = json.loads(server.requests[0].body)["messages"]
    results = {m["tool_call_id"]: m["content"] for m in sent if m["role"] == "tool"}
    assert "In doubt" in results["b"]
    assert "Not run" in results["c"]
    assert [message["role"] for message in sent][-3:] == ["tool", "tool", "user"]


def test_a_reader_that_goes_away_ends_the_run_without_words(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        for _ in range(100_000):
            peer.chunk(delta("word " * 100))

    with FaultServer(script) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        assert process.stdout is not None
        assert process.stderr is not None
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        err = process.stderr.read()
        process.stderr.close()
        assert process.wait(LONG_S) == 130
    assert err == b""


def test_help_and_version_survive_a_closed_stdout(pi: Pi) -> None:
    for flag in ("--help", "--version"):
        shell = f'exec "{sys.executable}" "{pi.archive}" {flag} >&-'
        done = subprocess.run(["sh", "-c", shell], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b"")
