"""A lock for one short write: by the kernel, or by a file beside where it has none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.filelock import STALE_S, FileLock


class Clock:
    """Time that passes only while somebody sleeps; ``then`` runs at each sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self.then = lambda: None

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.then()


def without_kernel(descriptor: int, shared: bool) -> bool:
    raise NotImplementedError


def lock(file: Path, descriptor: int, clock: Clock, wait_s: float = 1.0) -> FileLock:
    return FileLock(
        descriptor, str(file), wait_ms=int(wait_s * 1000), kernel_lock=without_kernel,
        monotonic=lambda: clock.now, sleep=clock.sleep,
    )  # fmt: skip


def test_two_holders_exclude_each_other_and_a_third_waits(tmp_path: Path) -> None:
    path = tmp_path / "f"
    with open(path, "wb") as one, open(path, "rb") as other:
        with FileLock(one.fileno(), str(path), wait_ms=0):
            with pytest.raises(TimeoutError, match="another process"):
                FileLock(other.fileno(), str(path), wait_ms=5).__enter__()
            with pytest.raises(TimeoutError):
                FileLock(other.fileno(), str(path), wait_ms=0, shared=True).__enter__()
        with FileLock(other.fileno(), str(path), wait_ms=0):
            pass
    assert os.listdir(tmp_path) == ["f"]


def test_readers_do_not_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"")
    with open(path, "rb") as one, open(path, "rb") as other:
        first = FileLock(one.fileno(), str(path), wait_ms=0, shared=True)
        with first, FileLock(other.fileno(), str(path), wait_ms=0, shared=True):
            pass


def test_without_the_kernel_a_file_beside_excludes_others(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "f"
    with lock(file, -1, clock):
        assert (tmp_path / "f.lock").exists()
        with pytest.raises(TimeoutError):
            lock(file, -1, clock).__enter__()
    assert os.listdir(tmp_path) == []
    assert clock.now == pytest.approx(1.0)


def test_a_lock_file_that_never_changes_belongs_to_the_dead(tmp_path: Path) -> None:
    clock, file = Clock(), tmp_path / "f"
    (tmp_path / "f.lock").write_bytes(b"")
    with lock(file, -1, clock, wait_s=60):
        assert STALE_S <= clock.now < STALE_S + 0.1
    assert os.listdir(tmp_path) == []


def test_lock_files_that_change_belong_to_the_living(tmp_path: Path) -> None:
    clock, file, beside = Clock(), tmp_path / "f", tmp_path / "f.lock"
    beside.write_bytes(b"")

    def another_one() -> None:
        stamp = int(clock.now * 1e9)
        os.utime(beside, ns=(stamp, stamp))

    clock.then = another_one
    with pytest.raises(TimeoutError):
        lock(file, -1, clock, wait_s=3 * STALE_S).__enter__()
    assert beside.exists()


def test_a_reader_makes_no_lock_file_and_waits_for_the_writer(tmp_path: Path) -> None:
    clock, beside = Clock(), tmp_path / "f.lock"
    beside.write_bytes(b"")
    clock.then = lambda: beside.unlink() if clock.now > 0.1 and beside.exists() else None
    reader = FileLock(
        -1, str(tmp_path / "f"), wait_ms=1000, shared=True, kernel_lock=without_kernel,
        monotonic=lambda: clock.now, sleep=clock.sleep,
    )  # fmt: skip
    with reader:
        assert os.listdir(tmp_path) == []
    assert 0.1 < clock.now < 0.2
