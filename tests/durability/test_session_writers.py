"""Several processes and threads that write one session at the same time."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pi.ai.types import user_message
from pi.sessions.errors import SessionError
from tests.durability.conftest import Start, check, opened, texts


@pytest.mark.parametrize(("lock", "writers", "count"), [("flock", 8, 500), ("file", 4, 60)])
def test_writers_at_once_lose_and_double_nothing(
    tmp_path: Path, start: Start, lock: str, writers: int, count: int
) -> None:
    path = tmp_path / "s.jsonl"
    workers = [start(path, f"w{number}", count, lock=lock) for number in range(writers)]
    for worker in workers:
        worker.go()
    acknowledged: dict[int, str] = {}
    for worker in workers:
        found = worker.acknowledged()
        assert len(found) == count
        assert worker.process.wait() == 0
        assert not acknowledged.keys() & found.keys()
        acknowledged.update(found)
    assert sorted(acknowledged) == list(range(1, writers * count + 1))
    assert texts(path) == acknowledged
    check(path, acknowledged)
    assert opened(path).damage == ()
    assert not [name for name in os.listdir(tmp_path) if ".held" in name]


@pytest.mark.parametrize("mode", ["append", "rewrite"])
def test_a_reader_meanwhile_sees_no_damage_and_nothing_vanish(
    tmp_path: Path, start: Start, mode: str
) -> None:
    path = tmp_path / "s.jsonl"
    workers = [start(path, name, 24, sizes="10,100000", mode=mode) for name in "abc"]
    for worker in workers:
        worker.go()
    counts, long_lived = [], opened(path)
    while any(worker.process.poll() is None for worker in workers):
        fresh = opened(path)
        long_lived.refresh()
        for session in (fresh, long_lived):
            assert session.damage == ()
            assert session.lineage_problem() == ""
        counts.append(len(fresh))
    assert counts == sorted(counts)
    long_lived.refresh()
    assert len(opened(path)) == len(long_lived) == 72


@pytest.mark.parametrize("use_flock", [True, False])
def test_eight_threads_with_a_store_each_append_to_the_end_of_the_file(
    tmp_path: Path, use_flock: bool
) -> None:
    path = tmp_path / "s.jsonl"
    opened(path).append([user_message("root 0")])
    failures: list[SessionError] = []

    def work(name: int) -> None:
        try:
            for number in range(25):
                session = opened(path, lock_wait_ms=60_000, use_flock=use_flock)
                session.append([user_message(f"t{name} {number}")])
        except SessionError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = texts(path)
    assert sorted(found) == list(range(1, 202))
    wanted = {f"t{name} {number}" for name in range(8) for number in range(25)}
    assert set(found.values()) == {"root 0", *wanted}
    check(path, found)
