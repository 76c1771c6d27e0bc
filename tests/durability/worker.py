"""A process that writes a session until it is killed: run as a script by the tests here.

    worker.py PATH NAME COUNT SIZES MODE LOCK

MODE "append" appends; "rewrite" also rewrites the file, all kept, after every third append.
LOCK is "flock" or "file". It says "ready", waits for a line, and then for each append says
"<id> <text>" in one write, after the append has returned.
"""

from __future__ import annotations

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from pi.ai.types import user_message
from pi.sessions.load_rows import Loaded
from pi.sessions.plan import Plan
from pi.sessions.rewrite import Rewriter
from pi.sessions.store import SessionStore


def now_ms() -> int:
    return time.time_ns() // 10**6


def all_and_a_note(loaded: Loaded) -> Plan:
    note = {"record_type": "rewritten", "at": None}
    return Plan((*(row.number for row in loaded.rows), note), loaded.contents.place, {})


def main(path: str, name: str, count: str, sizes: str, mode: str, lock: str) -> None:
    world = {
        "now_ms": now_ms,
        "random_bytes": os.urandom,
        "lock_wait_ms": 60_000,
        "use_flock": lock == "flock",
    }
    session = SessionStore.open(path, **world)
    rewriter = Rewriter(path, **world)
    print("ready", flush=True)
    sys.stdin.readline()
    lengths = [int(size) for size in sizes.split(",")]
    for number in range(int(count)):
        text = f"{name} {number}"
        filling = "x" * lengths[number % len(lengths)]
        (entry,) = session.append([user_message(f"{text} {filling}")])
        os.write(1, f"{entry.id} {text}\n".encode())
        if mode == "rewrite" and number % 3 == 2:
            rewriter.apply(all_and_a_note)


if __name__ == "__main__":
    main(*sys.argv[1:])
