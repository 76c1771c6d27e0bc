"""The lock for file systems without flock, on real files with real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pi.sessions import lockfile
from pi.sessions.errors import SessionError
from pi.sessions.lock import SessionLock
from pi.sessions.lockfile import LockFile

HOLD = """
import sys, time
from pi.sessions.lock import SessionLock
with SessionLock(sys.argv[1], wait_ms=1, now_ms=lambda: 7000, use_flock=False):
    print("held", flush=True)
    sys.stdin.read()
"""


def now_ms() -> int:
    return time.time_ns() // 10**6


def lock(path: Path, wait_ms: int = 50, **options: Any) -> SessionLock:
    settings = {"wait_ms": wait_ms, "now_ms": now_ms, "use_flock": False, **options}
    return SessionLock(str(path), **settings)


def held_by(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def file_of(path: Path) -> Path:
    return path.with_name(path.name + ".held")


def leave_behind(path: Path, seconds_ago: float = 0, **changes: Any) -> bytes:
    """A lock file as a process of another machine leaves it."""
    owner = {"pid": 1, "host": "far", "since_ms": now_ms(), "token": "t", "machine": "other"}
    data = json.dumps({**owner, **changes}).encode()
    file_of(path).write_bytes(data)
    then = time.time() - seconds_ago
    os.utime(file_of(path), (then, then))
    return data


def test_it_is_taken_excludes_others_and_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    for _ in range(2):
        with lock(path) as mine:
            assert file_of(path).stat().st_mode & 0o777 == 0o600
            mine.confirm()
            with pytest.raises(SessionError, match="timed out"), lock(path):
                pass
            with pytest.raises(SessionError, match="timed out"), lock(path, shared=True):
                pass
        assert list(tmp_path.iterdir()) == []
        with lock(path, shared=True):
            assert list(tmp_path.iterdir()) == []


def test_waiting_too_long_names_the_holder_and_both_flags(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with held_by(path) as child:
        with pytest.raises(SessionError) as caught, lock(path, now_ms=lambda: 9000):
            pass
        child.kill()
    assert caught.value.code == "session-locked"
    assert f"held by process {child.pid} on " in caught.value.cause
    assert caught.value.cause.endswith(" for 2.0 s")
    assert "--session-lock-wait-ms" in caught.value.hint
    assert "--session-lock-stale-ms" in caught.value.hint


@pytest.mark.parametrize("is_reaped", [True, False])
def test_a_killed_holder_of_this_machine_frees_it_at_once(tmp_path: Path, is_reaped: bool) -> None:
    path = tmp_path / "s.lock"
    with held_by(path) as child:
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | (0 if is_reaped else os.WNOWAIT))
        if is_reaped:
            child.returncode = -9
        with lock(path, wait_ms=1000, shared=True):
            assert file_of(path).exists()
        with lock(path, wait_ms=1000):
            assert os.listdir(tmp_path) == ["s.lock.held"]


def test_a_stopped_holder_keeps_it_however_long(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with held_by(path) as child:
        child.send_signal(signal.SIGSTOP)
        os.utime(file_of(path), (0, 0))
        with pytest.raises(SessionError), lock(path, stale_ms=1):
            pass
        child.send_signal(signal.SIGCONT)
        child.kill()


def test_a_number_given_to_another_process_is_no_holder(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    leave_behind(path, pid=os.getpid(), machine=lockfile.machine(), start="1")
    with lock(path):
        pass


@pytest.mark.parametrize(
    ("seconds_ago", "stale_ms", "is_free"),
    [(60, 30_000, True), (20, 30_000, False), (60, 0, False), (-3600, 30_000, False)],
)
def test_one_of_another_machine_is_left_behind_when_its_time_stood_still(
    tmp_path: Path, seconds_ago: float, stale_ms: int, is_free: bool
) -> None:
    path = tmp_path / "s.lock"
    data = leave_behind(path, seconds_ago)
    if is_free:
        with lock(path, stale_ms=stale_ms):
            pass
        assert list(tmp_path.iterdir()) == []
        return
    with pytest.raises(SessionError, match="timed out"), lock(path, stale_ms=stale_ms):
        pass
    assert file_of(path).read_bytes() == data
    assert os.listdir(tmp_path) == ["s.lock.held"]


@pytest.mark.parametrize("data", [b"", b"junk", b"[]", b'{"pid":[]}', b"[" * 4000])
def test_an_odd_record_is_judged_by_its_age(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "s.lock"
    file_of(path).write_bytes(data)
    with pytest.raises(SessionError) as caught, lock(path, wait_ms=5):
        pass
    assert caught.value.cause == "held by an unknown process"
    os.utime(file_of(path), (0, 0))
    with lock(path):
        pass


def test_its_time_is_renewed_while_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with lock(path, stale_ms=40):
        os.utime(file_of(path), (0, 0))
        deadline = time.monotonic() + 20
        while file_of(path).stat().st_mtime == 0:
            assert time.monotonic() < deadline
            time.sleep(0.001)


def test_who_was_taken_for_dead_finds_out_and_leaves_the_other_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with lock(path) as mine:
        other = leave_behind(path)
        with pytest.raises(SessionError, match="lost lock") as caught:
            mine.confirm()
        assert "--session-lock-stale-ms" in caught.value.hint
    assert file_of(path).read_bytes() == other


class Racing(LockFile):
    """Another process takes the stale file away and holds a new one, just between looking
    and renaming."""

    between: Callable[[], None]

    def _is_left_behind(self, seen: Any) -> bool:
        return True

    def _look(self, path: str) -> Any:
        seen = super()._look(path)
        if not path.endswith(".aside"):
            self.looks = getattr(self, "looks", 0) + 1
            if self.looks == 2:
                self.between()
        return seen


def test_a_lock_renamed_by_mistake_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "s.lock.held"
    path.write_bytes(b"stale")
    late = Racing(str(path), stale_ms=1, now_ms=now_ms, is_alive=lambda pid: True)

    def between() -> None:
        path.unlink()
        path.write_bytes(b"alive")

    late.between = between
    assert late.take() is False
    assert path.read_bytes() == b"alive"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="failed to acquire lock"), lock(tmp_path / "no" / "s"):
        pass
    with lock(tmp_path / "no" / "s", shared=True):
        pass


def test_liveness_of_processes_without_a_start_time_is_asked_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "s.lock.held"
    owner = {"pid": 77, "host": "here", "since_ms": 0, "machine": lockfile.machine(), "start": ""}
    for lives in (True, False):
        path.write_bytes(json.dumps(owner).encode())
        asked = []

        def is_alive(pid: int, lives: bool = lives, asked: list[int] = asked) -> bool:
            asked.append(pid)
            return lives

        one = LockFile(str(path), stale_ms=30_000, now_ms=now_ms, is_alive=is_alive)
        assert one.is_free() is not lives
        assert asked == [77]


def test_without_flock_the_kernel_is_not_asked(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with SessionLock(str(path), wait_ms=1, now_ms=now_ms), lock(path):
        pass
