"""Child processes that do not outlive what started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.tools import process
from pi.tools.process import CANCELLED, TIMED_OUT, Ended, run_command
from tests.fakes.patience import LONG_S, in_time

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs process groups")

SHELL_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath)}


class Heard:
    """Runs a command and keeps what it said."""

    def __init__(self) -> None:
        self.cancel = Cancel()
        self.pieces: list[tuple[str, bytes]] = []
        self.spoke = threading.Event()

    def run(self, command: str, timeout_ms: int = 60_000, cwd: str = "/") -> Ended:
        return run_command(
            ("/bin/sh", "-c", command),
            cwd=cwd,
            environ=SHELL_ENVIRONMENT,
            timeout_ms=timeout_ms,
            cancel=self.cancel,
            monotonic=time.monotonic,
            on_output=self._take,
            on_pause=lambda: None,
        )

    def _take(self, stream: str, piece: bytes) -> None:
        self.pieces.append((stream, piece))
        self.spoke.set()

    def text(self, stream: str) -> bytes:
        return b"".join(piece for name, piece in self.pieces if name == stream)


def is_running(pid: int) -> bool:
    """Whether it still runs; one that is dead but not collected does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not os.path.isdir("/proc/self")


def ends_soon(pid: int) -> bool:
    deadline = time.monotonic() + LONG_S
    while is_running(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def heard() -> Heard:
    return Heard()


def test_output_and_status_are_told(heard: Heard) -> None:
    ended = heard.run("echo out; echo err >&2; exit 3")
    assert ended == Ended(3, "")
    assert (heard.text("stdout"), heard.text("stderr")) == (b"out\n", b"err\n")


def test_a_signal_is_a_negative_code(heard: Heard) -> None:
    assert heard.run("kill -9 $$") == Ended(-9, "")


def test_input_is_empty(heard: Heard) -> None:
    assert heard.run("cat; echo end").code == 0
    assert heard.text("stdout") == b"end\n"


def test_a_command_that_closes_its_output_is_still_waited_for(heard: Heard) -> None:
    assert heard.run("exec >&- 2>&-; sleep 0.3; exit 4").code == 4


def test_what_cannot_be_started_is_an_os_error(heard: Heard) -> None:
    with pytest.raises(FileNotFoundError):
        heard.run("true", cwd="/does/not/exist")


def test_at_the_time_limit_the_whole_group_ends() -> None:
    def attempt(limit_ms: int) -> None:
        heard = Heard()
        ended = heard.run("echo before; sleep 300 & echo $!; sleep 300", timeout_ms=limit_ms)
        assert ended.stopped == TIMED_OUT
        first, sleeper = heard.text("stdout").split()
        assert first == b"before"
        assert not is_running(int(sleeper))

    in_time(attempt, 300)


def test_who_ignores_the_first_signal_is_killed() -> None:
    def attempt(limit_ms: int) -> None:
        heard = Heard()
        command = "trap '' TERM; echo $$; while :; do sleep 60; done"
        ended = heard.run(command, timeout_ms=limit_ms)
        assert ended == Ended(-9, TIMED_OUT)
        assert ends_soon(int(heard.text("stdout")))

    in_time(attempt, 100)


def test_a_silent_child_of_a_stopped_command_is_killed_too(tmp_path: Path) -> None:
    """It ignores the first signal and holds no pipe of ours."""
    pid = tmp_path / "pid"

    def attempt(limit_ms: int) -> None:
        pid.write_bytes(b"")
        ended = Heard().run(
            "trap '' TERM; sh -c 'echo $$ > pid; exec >&- 2>&-; while :; do sleep 60; done' & "
            "trap - TERM; while ! [ -s pid ]; do :; done; echo ready; sleep 300",
            timeout_ms=limit_ms,
            cwd=str(tmp_path),
        )
        assert ended.stopped == TIMED_OUT
        assert ends_soon(int(pid.read_text(encoding="ascii")))

    in_time(attempt, 500)


def test_a_cancel_from_another_thread_ends_the_command(heard: Heard) -> None:
    def cancel() -> None:
        heard.spoke.wait(LONG_S)
        heard.cancel.set(Interrupted("interrupted"))

    canceller = threading.Thread(target=cancel)
    canceller.start()
    ended = heard.run("echo partial; sleep 300", timeout_ms=120_000)
    canceller.join()
    assert ended.stopped == CANCELLED
    assert heard.text("stdout") == b"partial\n"


def test_a_cancel_before_the_start_ends_it_at_once(heard: Heard) -> None:
    heard.cancel.set(Interrupted("interrupted"))
    assert heard.run("sleep 60").stopped == CANCELLED


def test_a_cancel_in_a_signal_handler_ends_the_command() -> None:
    script = (
        "import os, signal, sys, time\n"
        "from pi.base.cancel import Cancel\n"
        "from pi.base.errors import Interrupted\n"
        "from pi.tools.process import run_command\n"
        "cancel = Cancel()\n"
        "signal.signal(signal.SIGINT, lambda *_: cancel.set(Interrupted('interrupted')))\n"
        "ended = run_command(('/bin/sh', '-c', 'echo; sleep 60'), cwd='/', environ=os.environ,\n"
        "    timeout_ms=60000, cancel=cancel, monotonic=time.monotonic,\n"
        "    on_output=lambda *_: os.kill(os.getpid(), signal.SIGINT), on_pause=lambda: None)\n"
        "print(ended.stopped)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        capture_output=True,
        text=True,
        timeout=LONG_S,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("cancelled\n", "")


def test_a_background_child_is_not_waited_for(heard: Heard) -> None:
    # The child is a shell until it has become the other program.
    became = "while [ -e /proc/$! ] && ! grep -q sleep /proc/$!/comm; do :; done"
    ended = heard.run(f"sleep 300 & {became}; echo hi")
    assert ended.background
    try:
        assert (ended.code, ended.stopped, heard.text("stdout")) == (0, "", b"hi\n")
        if os.path.isdir("/proc/self"):
            assert [member.name for member in ended.members] == ["sleep"]
    finally:
        os.killpg(ended.background, signal.SIGKILL)


def test_a_chatty_background_child_is_heard_for_a_while_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long it is silent in between on this machine: that is another limit."""
    assert (process.LINGER_SECONDS, process.SILENCE_SECONDS) == (2.0, 0.25)
    monkeypatch.setattr(process, "SILENCE_SECONDS", 2 * LONG_S)

    def attempt(limit_ms: int) -> None:
        monkeypatch.setattr(process, "LINGER_SECONDS", limit_ms / 1000)
        heard = Heard()
        ended = heard.run("(while :; do echo x; sleep 0.05; done) & echo hi")
        assert ended.background
        os.killpg(ended.background, signal.SIGKILL)
        assert ended.stopped == ""
        assert heard.text("stdout").count(b"x\n") > 5

    in_time(attempt, 600)


def test_a_failing_listener_does_not_leave_the_command_running(heard: Heard) -> None:
    pids = []

    def fail(stream: str, piece: bytes) -> None:
        pids.append(int(piece))
        raise RuntimeError("listener")

    with pytest.raises(RuntimeError, match="listener"):
        run_command(
            ("/bin/sh", "-c", "echo $$; sleep 60"),
            cwd="/",
            environ=SHELL_ENVIRONMENT,
            timeout_ms=60_000,
            cancel=heard.cancel,
            monotonic=time.monotonic,
            on_output=fail,
            on_pause=lambda: None,
        )
    assert ends_soon(pids[0])


LEAVING = """
import os, signal, sys, time
from pi.base.cancel import Cancel
from pi.tools.process import kill_all, run_command

def leave(*_):
    kill_all()
    os._exit(143)

signal.signal(signal.SIGTERM, leave)
def said(stream, piece):
    print(piece.decode(), end="", flush=True)
run_command(("/bin/sh", "-c", sys.argv[1]), cwd="/", environ=os.environ, timeout_ms=60000,
            cancel=Cancel(), monotonic=time.monotonic, on_output=said, on_pause=lambda: None)
"""


def test_background_children_end_when_pi_leaves() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, "sleep 60 & echo $!"],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_S,
    )
    assert ends_soon(int(done.stdout))


def test_who_ignores_the_first_signal_is_killed_when_pi_leaves() -> None:
    script = "(trap '' TERM; echo ready; while :; do sleep 60; done) & echo $!"
    done = subprocess.run(
        [sys.executable, "-c", LEAVING, script],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_S,
    )
    numbers = [line for line in done.stdout.split() if line != "ready"]
    assert ends_soon(int(numbers[0]))


def test_a_running_command_ends_when_pi_is_terminated() -> None:
    argv = [sys.executable, "-c", LEAVING, "echo $$; sleep 60"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as pi:
        assert pi.stdout is not None
        shell = int(pi.stdout.readline())
        pi.terminate()
        assert pi.wait(LONG_S) == 143
    assert ends_soon(shell)


def test_no_descriptor_is_left_open(heard: Heard) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    heard.run("true")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        heard.run("echo hi")
    assert len(os.listdir("/proc/self/fd")) <= before
