"""The store in a process of its own: a full disk, and what importing it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pi.sessions.store import SessionStore


def opened(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 0, random_bytes=os.urandom)


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
