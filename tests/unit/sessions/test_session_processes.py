"""The store under real processes: several writers, killed ones, a reader, a full disk."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from pi.sessions.store import SessionStore

WRITER = """
import os, sys, time
from pi.ai.types import user_message
from pi.sessions.store import SessionStore

path, name, count, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
session = SessionStore.open(
    path, now_ms=lambda: time.time_ns() // 10**6, random_bytes=os.urandom, lock_wait_ms=60_000
)
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    (entry,) = session.append([user_message(f"{name} {number} " + "x" * size)])
    # One write: an acknowledgement is there as a whole or not at all.
    os.write(1, f"{entry.id} {name} {number}\\n".encode())
"""


def opened(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 0, random_bytes=os.urandom)


def writer(path: Path, name: str, count: int, size: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count), str(size)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def start(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write(b"\n")
        child.stdin.flush()


def texts(path: Path) -> dict[int, str]:
    """What the file holds, read here by hand, by id."""
    session = opened(path)
    found = {}
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record["record_type"] == "entry":
            assert record["id"] not in found
            text = record["message"]["content"][0]["text"]
            found[record["id"]] = " ".join(text.split()[:2])
    assert len(session) == len(found)
    return found


def test_four_processes_appending_at_once_lose_and_double_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    children = [writer(path, name, 50, 2000) for name in "abcd"]
    start(children)
    sizes = []
    while any(child.poll() is None for child in children):
        session = opened(path)  # a reader meanwhile: no error, no damage, nothing vanishes
        assert session.damage == ()
        assert session.lineage_problem() == ""
        sizes.append(len(session))
    assert sizes == sorted(sizes)
    acknowledged = {}
    for child in children:
        output, _ = child.communicate()
        assert child.returncode == 0
        for line in output.decode().splitlines():
            entry_id, text = line.split(" ", 1)
            acknowledged[int(entry_id)] = text
    assert sorted(acknowledged) == list(range(1, 201))
    assert texts(path) == acknowledged
    assert opened(path).damage == ()


def test_a_killed_writer_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    draw = random.Random(20)
    acknowledged: dict[int, str] = {}
    for turn in range(30):
        path = tmp_path / f"s{turn // 3}.jsonl"  # each is continued twice after a kill
        if turn % 3 == 0:
            acknowledged.clear()
        # Lines of many pages: a kill can hit the middle of a write.
        child = writer(path, f"w{turn}", 10_000, draw.choice([10, 30_000, 400_000]))
        start([child])
        assert child.stdout is not None
        first = [child.stdout.readline() for _ in range(draw.randrange(6))]
        child.kill()
        output, _ = child.communicate()
        for line in [*first, *output.splitlines()]:
            entry_id, text = line.decode().strip().split(" ", 1)
            acknowledged[int(entry_id)] = text
        found = texts(path)
        assert {entry_id: found.get(entry_id) for entry_id in acknowledged} == acknowledged
        assert opened(path).lineage_problem() == ""


FULL = """
import os, resource, sys
from pi.ai.types import user_message
from pi.sessions.errors import SessionError
from pi.sessions.store import SessionStore

path = sys.argv[1]
session = SessionStore.open(path, now_ms=lambda: 0, random_bytes=os.urandom)
session.append([user_message("before")])
size = os.path.getsize(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, size + 100_000))
for attempt in range(2):
    try:
        session.append([user_message("fits"), user_message("x" * 200_000)])
    except SessionError as exc:
        print(exc.code, exc.cause, os.path.getsize(path) == size, len(session), session.head)
print([entry.id for entry in session.append([user_message("small")])])
"""


def test_a_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    failed = "session-full File too large True 1 1"
    assert done.stdout.split("\n")[:3] == [failed, failed, "[2]"]
    session = opened(path)
    assert session.damage == ()
    assert [message.text() for message in session.messages()] == ["before", "small"]


IMPORTS = """
import sys
import pi.sessions.store, pi.sessions.warnings
heavy = {"dataclasses", "uuid", "secrets", "pathlib", "logging", "socket", "subprocess", "tempfile"}
print(sorted(heavy & set(sys.modules)))
"""


def test_importing_the_store_loads_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
