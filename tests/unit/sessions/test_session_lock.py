from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pi.sessions.errors import SessionError
from pi.sessions.lock import SessionLock

HOLD = """
import sys
from pi.sessions.lock import SessionLock
with SessionLock(sys.argv[1], wait_ms=1, now_ms=lambda: 7000):
    print("held", flush=True)
    sys.stdin.read()
"""


def lock(path: Path, wait_ms: int = 50, shared: bool = False) -> SessionLock:
    return SessionLock(str(path), wait_ms=wait_ms, now_ms=lambda: 9000, shared=shared)


def holder(path: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_a_free_lock_is_taken_and_its_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    for _ in range(2):
        with lock(path):
            assert path.stat().st_mode & 0o777 == 0o600


def test_waiting_too_long_names_the_holder(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with holder(path) as child:
        with pytest.raises(SessionError, match="timed out acquiring lock") as caught, lock(path):
            pass
        child.kill()
    assert caught.value.code == "session-locked"
    assert f"held by process {child.pid} on " in caught.value.cause
    assert caught.value.cause.endswith(" for 2.0 s")
    assert "--session-lock-wait-ms" in caught.value.hint


def test_waiting_ends_at_the_deadline_of_the_clock(tmp_path: Path) -> None:
    path, now, slept = tmp_path / "s.lock", [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    with lock(path), pytest.raises(SessionError, match="after 5000 ms"):
        SessionLock(
            str(path), wait_ms=5000, now_ms=lambda: 0, monotonic=lambda: now[0], sleep=sleep
        ).__enter__()
    assert abs(now[0] - 105) < 1e-6
    assert max(slept) <= 0.05
    assert len(slept) > 100


def test_a_killed_holder_frees_the_lock_at_once(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with holder(path) as child:
        child.kill()
        child.wait()
        with lock(path, wait_ms=1):
            pass


def test_two_opens_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    counter = [0]

    def count() -> None:
        for _ in range(50):
            with lock(path, wait_ms=20_000):
                seen = counter[0]
                os.stat(path)  # lets the other thread in, were it not for the lock
                counter[0] = seen + 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter == [200]


def test_a_shared_lock_waits_for_the_writer_and_creates_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with lock(path, shared=True):
        assert not path.exists()
    with lock(path), pytest.raises(SessionError), lock(path, wait_ms=1, shared=True):
        pass
    with lock(path, shared=True), lock(path, shared=True):
        pass


def test_a_lock_whose_file_was_removed_meanwhile_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "s.lock"
    with lock(path):
        path.unlink()
        with lock(path, wait_ms=1):
            assert path.exists()


@pytest.mark.parametrize("content", [b"", b"not json", b"[]", b'{"pid":"x"}', b"[" * 4000])
def test_an_odd_owner_record_is_no_trouble(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.lock"
    with lock(path):
        path.write_bytes(content)
        with pytest.raises(SessionError) as caught, lock(path, wait_ms=1):
            pass
    assert caught.value.cause == "held by an unknown process"


def test_a_link_in_place_of_the_lock_is_refused_and_its_target_kept(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep", encoding="utf-8")
    path = tmp_path / "s.lock"
    path.symlink_to(target)
    with pytest.raises(SessionError, match="failed to acquire lock"), lock(path):
        pass
    assert target.read_text(encoding="utf-8") == "keep"


def test_a_folder_or_a_pipe_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    folder, pipe = tmp_path / "d.lock", tmp_path / "p.lock"
    folder.mkdir()
    os.mkfifo(pipe)
    for path in (folder, pipe, tmp_path / "missing" / "x.lock"):
        with pytest.raises(SessionError, match="failed to acquire lock"), lock(path):
            pass
