"""Real processes that write sessions, and what a file holds, read without our own reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from pi.sessions.load_rows import load_rows
from pi.sessions.store import SessionStore
from pi.sessions.validate import validate

WORKER = Path(__file__).with_name("worker.py")


class Worker(NamedTuple):
    process: subprocess.Popen[bytes]

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def acknowledged(self, count: int = -1) -> dict[int, str]:
        """The next ``count`` acknowledgements; all that come if negative."""
        assert self.process.stdout is not None
        found = {}
        while count != 0:
            line = self.process.stdout.readline()
            if not line:
                break
            entry_id, text = line.decode().rstrip("\n").split(" ", 1)
            found[int(entry_id)] = text
            count -= 1
        return found


Start = Callable[..., Worker]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts workers, ready to go; none is left at the end."""
    workers = []

    def one(
        path: Path,
        name: str = "w",
        count: int = 100_000,
        sizes: str = "10",
        mode: str = "append",
        lock: str = "flock",
    ) -> Worker:
        # -S: nothing of site-packages is needed, and it starts in half the time.
        argv = [sys.executable, "-S", str(WORKER), str(path), name, str(count), sizes, mode, lock]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        workers.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return Worker(process)

    yield one
    for process in workers:
        process.kill()
        process.communicate()


def opened(path: Path, **options: object) -> SessionStore:
    world = {"now_ms": lambda: 0, "random_bytes": os.urandom, **options}
    return SessionStore.open(str(path), **world)


def texts(path: Path) -> dict[int, str]:
    """The first two words of each entry by id, read by hand; no id may come twice."""
    found: dict[int, str] = {}
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["record_type"] == "entry":
            assert record["id"] not in found
            text = record["message"]["content"][0]["text"]
            found[record["id"]] = " ".join(text.split(" ", 2)[:2])
    return found


def check(path: Path, acknowledged: dict[int, str]) -> None:
    """The tree is sound, and everything that was acknowledged is in it."""
    found = texts(path)
    assert {entry_id: found.get(entry_id) for entry_id in acknowledged} == acknowledged
    if path.exists():
        assert validate(str(path), load_rows(str(path)).rows).findings.sound
    session = opened(path)
    assert len(session) == len(found)
    assert session.lineage_problem() == ""
