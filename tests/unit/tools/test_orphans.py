"""What leaves the process group of its command is found and ended all the same."""

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
from pi.tools.process import CANCELLED, TIMED_OUT, Ended, run_command
from tests.fakes.patience import LONG_S, in_time

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux gives orphans to an ancestor"
)

# Runs commands in a process of its own and then waits to be told to leave, or leaves.
PI = """
import os, signal, sys, time
from pi.base.cancel import Cancel
from pi.tools.process import kill_all, run_command

def leave(*_):
    kill_all()
    os._exit(143)

signal.signal(signal.SIGTERM, leave)
for command in sys.argv[2:]:
    ended = run_command(("/bin/sh", "-c", command), cwd=sys.argv[1], environ=os.environ,
        timeout_ms=60000, cancel=Cancel(), monotonic=time.monotonic,
        on_output=lambda stream, piece: os.write(1, piece), on_pause=lambda: None)
print("ended", ended.code, flush=True)
sys.stdin.read()
"""

# Forks twice, with a session of its own in between, as servers do.
DAEMON = """
import os, signal, sys, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
null = os.open(os.devnull, os.O_RDWR)
for number in range(3): os.dup2(null, number)
with open(sys.argv[1] + ".new", "w") as file: file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(300)
"""

DETACH = "setsid sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 300' > /dev/null 2>&1 & "
AWAIT = "while ! [ -e {0} ]; do sleep 0.01; done; "


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_gone_soon(pid: int, seconds: float = LONG_S) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return False
        time.sleep(0.01)
    return True


def number_in(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def remove(folder: Path, *names: str) -> None:
    """What an earlier attempt has left."""
    for name in names:
        (folder / name).unlink(missing_ok=True)


def daemon(path: str, *words: str) -> str:
    return f"{sys.executable} -S -E -c '{DAEMON}' {path} {' '.join(words)}; "


def start(folder: Path, *commands: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PI, str(folder), *commands],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, command: str, *, cancel: Cancel, timeout_ms: int = 60_000) -> Ended:
    return run_command(
        ("/bin/sh", "-c", command),
        cwd=str(folder),
        environ={"PATH": os.environ.get("PATH", os.defpath)},
        timeout_ms=timeout_ms,
        cancel=cancel,
        monotonic=time.monotonic,
        on_output=lambda stream, piece: None,
        on_pause=lambda: None,
    )


def run_and_cancel(folder: Path, command: str, *awaited: str) -> Ended:
    """Cancel it when the files are there."""
    cancel = Cancel()

    def wait_and_cancel() -> None:
        deadline = time.monotonic() + LONG_S
        while time.monotonic() < deadline and not all((folder / name).exists() for name in awaited):
            time.sleep(0.01)
        cancel.set(Interrupted("interrupted"))

    canceller = threading.Thread(target=wait_and_cancel)
    canceller.start()
    ended = run(folder, command, cancel=cancel, timeout_ms=150_000)
    canceller.join()
    return ended


@pytest.mark.parametrize("way", ["setsid", "daemon"])
def test_a_detached_server_lives_on_until_pi_leaves(tmp_path: Path, way: str) -> None:
    command = DETACH.format("pid") if way == "setsid" else daemon("pid")
    with start(tmp_path, command + AWAIT.format("pid"), "true") as pi:
        assert pi.stdout is not None
        assert pi.stdout.readline() == "ended 0\n"
        pid = number_in(tmp_path / "pid")
        assert is_running(pid)
        pi.communicate()
    assert is_gone_soon(pid)
    assert pi.returncode == 0


def test_who_ignores_the_first_signal_does_not_outlive_pi_either(tmp_path: Path) -> None:
    with start(tmp_path, daemon("pid", "stubborn") + AWAIT.format("pid")) as pi:
        assert pi.stdout is not None
        assert pi.stdout.readline() == "ended 0\n"
        pid = number_in(tmp_path / "pid")
        pi.communicate()
    assert is_gone_soon(pid)


def test_what_a_running_command_has_detached_ends_when_pi_is_terminated(tmp_path: Path) -> None:
    command = DETACH.format("a") + daemon("b") + AWAIT.format("a") + AWAIT.format("b")
    with start(tmp_path, command + "echo ready; sleep 300") as pi:
        assert pi.stdout is not None
        assert pi.stdout.readline() == "ready\n"
        pi.terminate()
        assert pi.wait(LONG_S) == 143
    for name in "ab":
        assert is_gone_soon(number_in(tmp_path / name))


@pytest.mark.parametrize("stubborn", ["", "stubborn"])
def test_a_cancel_ends_what_the_command_has_detached(tmp_path: Path, stubborn: str) -> None:
    command = DETACH.format("a") + daemon("b", stubborn) + "sleep 300"
    ended = run_and_cancel(tmp_path, command, "a", "b")
    assert ended.stopped == CANCELLED
    for name in "ab":
        assert is_gone_soon(number_in(tmp_path / name))


def test_the_time_limit_ends_what_the_command_has_detached(tmp_path: Path) -> None:
    command = DETACH.format("a") + daemon("b") + AWAIT.format("a") + AWAIT.format("b")

    def attempt(limit_ms: int) -> None:
        remove(tmp_path, "a", "b")
        ended = run(tmp_path, command + "sleep 300", cancel=Cancel(), timeout_ms=limit_ms)
        assert ended.stopped == TIMED_OUT
        for name in "ab":
            assert is_gone_soon(number_in(tmp_path / name))

    in_time(attempt, 1500)


def test_the_end_of_one_command_spares_what_an_earlier_one_has_left(tmp_path: Path) -> None:
    run(tmp_path, daemon("server") + AWAIT.format("server"), cancel=Cancel())
    server = number_in(tmp_path / "server")
    try:
        run_and_cancel(tmp_path, daemon("pid") + "sleep 300", "pid")
        assert is_running(server)
        assert is_gone_soon(number_in(tmp_path / "pid"))
    finally:
        if is_running(server):
            os.kill(server, signal.SIGKILL)
    run(tmp_path, "true", cancel=Cancel())


def test_the_time_limit_of_one_command_spares_those_of_another_that_runs(tmp_path: Path) -> None:
    cancel = Cancel()
    other = threading.Thread(
        target=lambda: run(
            tmp_path, daemon("server") + "sleep 300", cancel=cancel, timeout_ms=250_000
        )
    )
    other.start()

    def attempt(limit_ms: int) -> None:
        remove(tmp_path, "pid")
        command = AWAIT.format("server") + DETACH.format("pid") + "sleep 300"
        ended = run(tmp_path, command, cancel=Cancel(), timeout_ms=limit_ms)
        assert ended.stopped == TIMED_OUT
        assert is_running(number_in(tmp_path / "server"))
        assert is_gone_soon(number_in(tmp_path / "pid"))

    try:
        in_time(attempt, 2000)
    finally:
        cancel.set(Interrupted("interrupted"))
        other.join()
    assert is_gone_soon(number_in(tmp_path / "server"))


def test_children_that_fork_while_they_are_ended_leave_nobody(tmp_path: Path) -> None:
    """Twenty, each of which detaches another ten one after the other, and ignores the signal."""
    forker = (
        'trap "" TERM; for n in 1 2 3 4 5 6 7 8 9 10; do '
        'setsid sh -c "trap : TERM; echo \\$\\$ >> pids; exec sleep 300" & sleep 0.05; done; '
        "touch done; sleep 300"
    )
    command = (
        f"for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do setsid sh -c '{forker}' "
        "> /dev/null 2>&1 & done; sleep 300"
    )
    ended = run_and_cancel(tmp_path, command, "pids")
    assert ended.stopped == CANCELLED
    pids = [int(line) for line in (tmp_path / "pids").read_text(encoding="ascii").split()]
    assert pids
    assert [pid for pid in pids if not is_gone_soon(pid)] == []


def test_the_adopted_that_have_ended_are_collected(tmp_path: Path) -> None:
    command = "setsid sh -c 'echo $$ > new; mv new pid; sleep 0.1' > /dev/null 2>&1 &"
    run(tmp_path, command, cancel=Cancel())
    deadline = time.monotonic() + LONG_S
    while not (tmp_path / "pid").exists() or is_running(number_in(tmp_path / "pid")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run(tmp_path, "true", cancel=Cancel())
    assert not os.path.exists(f"/proc/{number_in(tmp_path / 'pid')}")


def test_a_child_that_no_command_started_is_neither_ended_nor_collected(tmp_path: Path) -> None:
    code = "import sys; sys.stdin.read(); sys.exit(7)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as child:
        run_and_cancel(tmp_path, daemon("pid") + "sleep 300", "pid")
        assert child.poll() is None
        assert child.stdin is not None
        child.stdin.close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        run(tmp_path, "true", cancel=Cancel())
        assert child.wait() == 7
