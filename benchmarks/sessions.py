"""What a long session costs: opening it, adding to it, asking it, and many writers at once.

    python3 benchmarks/sessions.py            the table
    python3 benchmarks/sessions.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/sessions.py --quick    few repetitions; only shows that it all runs

The long session has 100,000 entries, 44 MB: prompts and answers of 200 to 300 characters.
Everything is CPU time or wall time of the same machine in the same run, as a ratio.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import MB, Bench, Row, at_most, run_benchmark  # noqa: E402

ENTRIES = 100_000
WRITERS, APPENDS = 8, 500

START = """
import sys
sys.path.insert(0, sys.argv[1])
import gc, json, os, statistics, time
from pi.ai.types import user_message
from pi.sessions.search import Query, search
from pi.sessions.stats import count
from pi.sessions.store import SessionStore
path = sys.argv[2]
def opened(where=path, **more):
    world = {"now_ms": lambda: time.time_ns() // 10**6, "random_bytes": os.urandom}
    return SessionStore.open(where, **world, **more)
"""
LOADS = """
with open(path, "rb") as file:
    for line in file:
        json.loads(line)
"""
OPEN = "session = opened()"
LEAVE = "\nos._exit(0)"  # taking down what was loaded is not opening
# Wall times in microseconds of appends to the long file, to a short one, and of the bare
# write of such a line; what is read per append, where the system counts it.
APPEND = """
def one(action):
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1e6
def medians(fsync, actions):
    times = [[one(action) for action in actions] for _ in range(int(sys.argv[3]))]
    return [statistics.median(each) for each in zip(*times)]
def bare(file, flush):
    file.write(line)
    file.flush()
    if flush:
        os.fsync(file.fileno())
def rchar():
    try:
        with open("/proc/self/io") as file:
            return int(file.readline().split()[1])
    except OSError:
        return 0
message = user_message("some words " * 20)
line = b"x" * 350 + b"\\n"
found = {}
with open(path + ".bare", "ab") as file:
    for fsync in ("always", "never"):
        long, short = opened(fsync=fsync), opened(path + ".short", fsync=fsync)
        actions = [
            lambda: long.add([message]),
            lambda: short.add([message]),
            lambda: bare(file, fsync == "always"),
        ]
        for action in actions:
            action()
        found[fsync] = medians(fsync, actions)
before = rchar()
rchar_itself = rchar() - before
before = rchar()
for _ in range(100):
    long.add([message])
found["read"] = (rchar() - before - rchar_itself) / 100
print(json.dumps(found))
"""
ASK = """
def fastest(action):
    times = []
    for _ in range(int(sys.argv[3])):
        begin = time.process_time()
        action()
        times.append(time.process_time() - begin)
    return min(times) * 1000
session = opened()
found = {"lineage": fastest(session.messages), "snapshot": fastest(session.snapshot)}
snapshot = session.snapshot()
found["search"] = fastest(lambda: search(snapshot, Query("not to be found")))
found["stats"] = fastest(lambda: count(snapshot))
print(json.dumps(found))
"""
WRITE = """
session = opened(lock_wait_ms=60_000)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    session.add([user_message("some words " * 20)])
"""


def make_session(path: str, entries: int) -> None:
    words = "some words of a message that says about as much as a line of a talk "
    lines = ['{"record_type":"meta","schema_version":2,"session_id":"s","next_id":1}']
    for number in range(1, entries + 1):
        text = f"{number}: {words * (3 + number % 2)}"
        message = {"role": "user", "content": [{"type": "text", "text": text}], "is_error": False}
        record: dict[str, Any] = {"record_type": "entry", "id": number}
        record["parent_id"] = number - 1 or None
        record["message"] = message
        if number % 2 == 0:
            message["role"] = "assistant"
            usage = {"input": number, "output": 9, "cache_read": 0, "cache_write": 0}
            record.update(api="openai-chat", provider="openai", model="m", stop_reason="stop")
            record.update(ts=1_700_000_000_000 + number, usage=usage)
        lines.append(json.dumps(record, separators=(",", ":")))
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def measured(bench: Bench, code: str, *argv: str) -> Any:
    """What a child prints as JSON."""
    command = bench.code(START + code, str(ROOT), *argv)
    done = subprocess.run(command, capture_output=True, check=False, env=bench.env)
    if done.returncode:
        raise SystemExit(done.stderr.decode()[-2000:])
    return json.loads(done.stdout)


def opening(bench: Bench, path: str) -> Row:
    root = str(ROOT)
    commands = {"nothing": "", "loads": LOADS, "open": OPEN}
    runs = bench.medians(
        {name: bench.code(START + code + LEAVE, root, path) for name, code in commands.items()}
    )
    base = runs["nothing"].cpu_ms
    loads, opens = runs["loads"].cpu_ms - base, runs["open"].cpu_ms - base
    shown = f" ({opens:,.0f} / {loads:,.0f} ms, {runs['open'].rss_mb:,.0f} MB)"
    return at_most(f"open {ENTRIES:,} entries, CPU", opens / loads, 2, "x json.loads", shown)


def appending(bench: Bench, path: str) -> Iterator[Row]:
    found = measured(bench, APPEND, path, str(bench.repetitions * 10))
    long, short, bare = found["always"]
    shown = f" ({long:,.0f} / {bare:,.0f} µs)"
    yield at_most("append to it and fsync", long / bare, 2, "x write+flush+fsync", shown)
    long, short, bare = found["never"]
    shown = f" ({long:,.0f} / {short:,.0f} µs)"
    yield at_most("append to it, no fsync", long / short, 1.5, "x to a short file", shown)
    yield Row("append, no fsync, bare write+flush", f"{bare:,.1f} µs", "", True)
    yield at_most("read per append", found["read"] / 1000, 4, "kB")


def asking(bench: Bench, folder: str, path: str) -> Iterator[Row]:
    quarter = os.path.join(folder, "quarter.jsonl")
    make_session(quarter, ENTRIES // 4)
    times = str(max(3, bench.repetitions // 5))
    less, more = measured(bench, ASK, quarter, times), measured(bench, ASK, path, times)
    for name in more:
        shown = f" ({more[name]:,.0f} / {less[name]:,.0f} ms)"
        yield at_most(f"{name}, 4 times the entries", more[name] / less[name], 6, "x", shown)


def writing(bench: Bench, folder: str, writers: int) -> float:
    """Appends in a second by ``writers`` processes; all must be there, once."""
    path = os.path.join(folder, f"by{writers}.jsonl")
    command = bench.code(START + WRITE, str(ROOT), path, str(APPENDS))
    pipe = subprocess.PIPE
    children = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, env=bench.env) for _ in range(writers)
    ]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    begin = time.perf_counter()
    for child in children:
        child.communicate(b"\n")
    seconds = time.perf_counter() - begin
    with open(path, "rb") as file:
        records = [json.loads(line) for line in file]
    ids = sorted(record["id"] for record in records if record["record_type"] == "entry")
    if ids != list(range(1, writers * APPENDS + 1)):
        raise SystemExit(f"error: of {writers} x {APPENDS} appends {len(ids)} are there")
    return writers * APPENDS / seconds


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, repetitions)
        path = os.path.join(folder, "long.jsonl")
        make_session(path, ENTRIES)
        yield Row("size", f"{os.path.getsize(path) / MB:.1f} MB", "", True)
        yield opening(bench, path)
        yield from asking(bench, folder, path)
        yield from appending(bench, path)
        one = writing(bench, folder, 1)
        yield Row("one writer", f"{one:,.0f} appends/s", "", True)
        many = writing(bench, folder, WRITERS)
        shown = f"{many:,.0f} appends/s, {many / one:.2f} x one; all {WRITERS * APPENDS:,} there"
        yield Row(f"{WRITERS} writers", shown, "", True)


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what long sessions cost.", rows, repetitions=11))
