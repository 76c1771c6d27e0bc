"""Sessions on a disk that is full or read-only."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi.ai.types import user_message
from pi.sessions.errors import SessionError
from pi.sessions.rewrite import Rewriter
from pi.sessions.unsaved import Unsaved
from tests.durability.conftest import opened
from tests.durability.worker import all_and_a_note

BEFORE = ["before", "again"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("this user may not mount")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    filling = disk / "filling"
    with open(filling, "wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass
    return filling


def test_a_full_disk_costs_only_what_did_not_fit(small_disk: Path) -> None:
    path = small_disk / "s.jsonl"
    session = opened(path)
    session.append([user_message(text) for text in BEFORE])
    content = path.read_bytes()
    filling = fill(small_disk)
    unsaved = Unsaved(session)
    unsaved.append(user_message("x" * 100_000), {})
    unsaved.append(user_message("after"), {})
    assert unsaved.obstacle is not None
    assert unsaved.obstacle.code == "session-full"
    assert unsaved.finish() == ""
    assert path.read_bytes() == content
    assert sorted(os.listdir(small_disk)) == ["filling", "s.jsonl", "s.jsonl.lock"]
    filling.unlink()
    unsaved.append(user_message("space again"), {})
    assert unsaved.obstacle is None
    found = [message.text()[:11] for message in opened(path).messages()]
    assert found == [*BEFORE, "x" * 11, "after", "space again"]
    assert opened(path).damage == ()


def test_a_rewrite_on_a_full_disk_leaves_the_file_and_no_other(small_disk: Path) -> None:
    path = small_disk / "s.jsonl"
    opened(path).append([user_message("x" * 600_000)])
    content = path.read_bytes()
    rewriter = Rewriter(
        str(path), now_ms=lambda: 9, random_bytes=os.urandom, lock_wait_ms=1000
    )  # fmt: skip
    with pytest.raises(SessionError) as caught:
        rewriter.apply(all_and_a_note)
    assert caught.value.cause == "No space left on device"
    assert path.read_bytes() == content
    assert sorted(os.listdir(small_disk)) == ["s.jsonl", "s.jsonl.lock"]


def test_a_full_disk_keeps_no_session_from_being_read_and_no_lock_file(small_disk: Path) -> None:
    path = small_disk / "s.jsonl"
    opened(path).append([user_message("a")])
    fill(small_disk)
    session = opened(path, use_flock=False)
    with pytest.raises(SessionError, match="failed to acquire lock") as caught:
        session.append([user_message("x" * 100_000)])
    assert caught.value.cause == "No space left on device"
    assert len(opened(path)) == 1
    assert not [name for name in os.listdir(small_disk) if "held" in name]


@pytest.mark.parametrize("is_there", [True, False])
def test_a_read_only_disk_lets_the_run_go_on(small_disk: Path, is_there: bool) -> None:
    path = small_disk / "folder" / "s.jsonl"
    if is_there:
        opened(path).append([user_message("a")])
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    session = opened(path)
    unsaved = Unsaved(session)
    unsaved.append(user_message("b"), {})
    unsaved.append(user_message("c"), {})
    assert unsaved.obstacle is not None
    assert unsaved.obstacle.cause == "Read-only file system"
    assert unsaved.finish() == ""
    assert len(session) == is_there


LIMITED = """
import os, resource, sys
sys.path.insert(0, sys.argv[2])
from pi.ai.types import user_message
from pi.sessions.store import SessionStore
from pi.sessions.unsaved import Unsaved

path = sys.argv[1]
session = SessionStore.open(path, now_ms=lambda: 0, random_bytes=os.urandom)
unsaved = Unsaved(session)
unsaved.append(user_message("before"), {})
size = os.path.getsize(path)
room = size + int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
unsaved.append(user_message("x" * 200_000), {})
print(unsaved.obstacle.code, os.path.getsize(path) == size, len(session))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
unsaved.append(user_message("after"), {})
print(unsaved.obstacle, len(session), session.head)
"""


def test_a_write_that_stops_at_any_place_is_taken_back(tmp_path: Path) -> None:
    root = str(Path(__file__).parents[2])
    for room in (0, 1, 4096, 150_000):
        path = tmp_path / f"s{room}.jsonl"
        argv = [sys.executable, "-S", "-c", LIMITED, str(path), root, str(room)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        assert done.stdout == "session-full True 1\nNone 3 3\n"
        assert opened(path).damage == ()
