"""Writers killed with SIGKILL at random moments: nothing that was acknowledged is lost.

50 kills; with PI_SLOW=1 in the environment 500.
"""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path

import pytest

from pi.ai.types import user_message
from pi.sessions.rewrite import Rewriter
from tests.durability.conftest import Start, check, opened
from tests.durability.worker import all_and_a_note

TIMES = 10 if os.environ.get("PI_SLOW") else 1
# Lines of many pages: a kill can hit the middle of a write.
SIZES = "10,30000,10,400000,2000"


CASES = [
    *(("append", "flock", 24), ("append", "file", 12)),
    *(("rewrite", "flock", 10), ("rewrite", "file", 4)),
]


@pytest.mark.parametrize(("mode", "lock", "kills"), CASES)
def test_a_killed_writer_loses_nothing_it_acknowledged(
    tmp_path: Path, start: Start, mode: str, lock: str, kills: int
) -> None:
    draw = random.Random(f"{mode} {lock}")
    path = tmp_path / "s.jsonl"
    acknowledged: dict[int, str] = {}
    for turn in range(kills * TIMES):
        if turn % 6 == 0:  # each file is continued five times after a kill
            path, acknowledged = tmp_path / f"s{turn}.jsonl", {}
        worker = start(path, f"w{turn}", sizes=SIZES, mode=mode, lock=lock)
        worker.go()
        acknowledged.update(worker.acknowledged(draw.randrange(8)))
        until = time.perf_counter() + draw.random() * 0.004
        while time.perf_counter() < until:
            pass
        worker.process.kill()
        acknowledged.update(worker.acknowledged())
        worker.process.wait()
        check(path, acknowledged)
    assert acknowledged


def test_unfinished_files_of_killed_rewrites_are_removed_after_an_hour(
    tmp_path: Path, start: Start
) -> None:
    path = tmp_path / "s.jsonl"
    opened(path).append([user_message("a b")])
    orphan, other = tmp_path / "s.jsonl.0123456789ab.tmp", tmp_path / "s.jsonl.notes.tmp"
    orphan.write_bytes(b"half")
    other.write_bytes(b"somebody's")
    made_ms = int(orphan.stat().st_mtime * 1000)
    for later_ms, is_there in ((3_500_000, True), (3_700_000, False)):
        clock = itertools.repeat(made_ms + later_ms)
        Rewriter(
            str(path),
            now_ms=clock.__next__,
            random_bytes=os.urandom,
            lock_wait_ms=1000,
        ).apply(all_and_a_note)
        assert orphan.exists() is is_there
    assert other.read_bytes() == b"somebody's"


@pytest.mark.parametrize("lock", ["flock", "file"])
def test_after_a_kill_under_the_lock_the_next_writer_does_not_wait(
    tmp_path: Path, start: Start, lock: str
) -> None:
    path = tmp_path / "s.jsonl"
    for turn in range(3):
        worker = start(path, sizes="20000000", lock=lock)  # so long that it is under the lock
        worker.go()
        while not path.exists() or path.stat().st_size == 0:
            pass
        worker.process.kill()
        worker.process.wait()
        # Shorter than what a lock of an unknown holder is given.
        session = opened(path, lock_wait_ms=20_000, use_flock=lock == "flock")
        session.append([user_message(f"on {turn}")])
        check(path, {})
