"""The log under real processes: several writers, killed ones, a judge meanwhile, a full disk."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from pi.audit.log import AuditLog
from pi.audit.verify import verify_file

WRITER = """
import functools, sys, time
from pi.audit.appender import Appender
from pi.audit.log import AuditLog
from pi.base.filelock import FileLock

def no_flock(descriptor, shared):
    raise NotImplementedError

make_lock = FileLock
if sys.argv[4] == "lock file":
    make_lock = functools.partial(FileLock, kernel_lock=no_flock)
file = Appender(sys.argv[1], "tool audit log", wait_ms=60_000, make_lock=make_lock)
log = AuditLog(sys.argv[1], now_ms=lambda: time.time_ns() // 10**6, appender=file)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    log.append({"event": "x", "who": sys.argv[2], "number": number, "pad": "p" * (number % 300)})
    print(number, flush=True)
"""

# Events as a run has them, in a process that may write only so many bytes to a file.
FULL_DISK = """
import resource, sys
from pi.agent.events import AgentEnd, AgentStart, ToolEnd, ToolStart
from pi.agent.tool import ToolResult
from pi.ai.types import ToolCall, Usage
from pi.audit.log import AuditLog, PlainLog
from pi.audit.sink import AuditSink, Place
from pi.audit.telemetry import TelemetrySink

log, plain = AuditLog(sys.argv[1], now_ms=lambda: 1), PlainLog(sys.argv[2], "telemetry log")
warn = lambda line: print(line, file=sys.stderr)
place = Place("/work", None, 1)
sinks = [
    AuditSink(log, place, now_ms=lambda: 1, warn=warn),
    TelemetrySink(
        plain, place, provider="openai", now_ms=lambda: 1, monotonic=lambda: 0.0, warn=warn
    ),
]
call = ToolCall("c", "bash", {"command": "true"})

def prompt():
    for event in (
        AgentStart("m"), ToolStart(call), ToolEnd(call, ToolResult("", {}), 1),
        AgentEnd("completed", 2, Usage()),
    ):
        for sink in sinks:
            sink(event)

limit = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limit[1]))
for _ in range(20):
    prompt()
resource.setrlimit(resource.RLIMIT_FSIZE, limit)
prompt()
print("went on")
"""


def writer(path: Path, name: str, count: int, lock: str = "flock") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name, str(count), lock],
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


def written(path: Path) -> list[tuple[str, int]]:
    """Who wrote which numbers, in the file's order, after a look at every line."""
    report = verify_file(str(path))
    assert report.ok, report.text()
    records, torn = [], 0
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            records.append(json.loads(line))
        except ValueError:  # what a kill in the middle of a write has left
            torn += 1
    assert torn == report.verdict.torn_lines
    return [(each["who"], each["number"]) for each in records if each["event"] == "x"]


@pytest.mark.parametrize(
    ("processes", "appends", "lock"), [(2, 400, "flock"), (8, 150, "flock"), (3, 60, "lock file")]
)
def test_processes_appending_at_once_make_one_chain_and_lose_nothing(
    tmp_path: Path, processes: int, appends: int, lock: str
) -> None:
    path = tmp_path / "log"
    names = "abcdefgh"[:processes]
    children = [writer(path, name, appends, lock) for name in names]
    start(children)
    while any(child.poll() is None for child in children) and lock == "flock":
        report = verify_file(str(path))  # a judge meanwhile never sees half a record
        assert report.ok, report.text()
    for child in children:
        child.communicate()
        assert child.returncode == 0
    found = written(path)
    assert sorted(found) == [(name, number) for name in names for number in range(appends)]
    for name in names:
        mine = [number for who, number in found if who == name]
        assert mine == sorted(mine)


def test_a_writer_killed_at_any_moment_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "log"
    acknowledged: set[tuple[str, int]] = set()
    for number in range(30):
        children = [writer(path, f"{number}{name}", 10**6) for name in "ab"]
        start(children)
        for child in children:
            assert child.stdout is not None
            for _ in range(random.randint(1, 15)):
                child.stdout.readline()
        for child in children:
            child.kill()
        for child, name in zip(children, "ab"):
            rest, _ = child.communicate()
            # What was read ahead by readline may end within a number: the rest begins there.
            last_line = rest.rpartition(b"\n")[0].rpartition(b"\n")[2]
            if last_line.isdigit():
                last = int(last_line)
                acknowledged |= {(f"{number}{name}", each) for each in range(last + 1)}
        log = AuditLog(str(path), now_ms=lambda: 0)
        log.append({"event": "x", "who": "next", "number": number})
        log.close()
        acknowledged.add(("next", number))
    found = written(path)
    assert acknowledged <= set(found)
    assert len(set(found)) == len(found)


def test_a_full_disk_is_told_in_one_line_per_log_and_the_run_goes_on(tmp_path: Path) -> None:
    audit, telemetry = tmp_path / "audit", tmp_path / "telemetry"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(audit), str(telemetry)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "went on\n"
    assert sorted(done.stderr.splitlines()) == [
        "telemetry logger error: File too large",
        "tool audit logger error: File too large",
    ]
    report = verify_file(str(audit))
    assert report.ok, report.text()
    assert report.verdict.torn_lines == 0
    for path, events in ((audit, 42), (telemetry, 21)):
        records = [json.loads(line) for line in path.read_bytes().splitlines()]
        lost = sum(record.get("lost_records", 0) for record in records)
        assert lost > events // 2
        assert lost + len(records) == events


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_child_that_was_forked_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "log"
    code = """
import os, sys
from pi.audit.log import AuditLog
log = AuditLog(sys.argv[1], now_ms=lambda: 1)
log.append({"event": "x", "who": "parent", "number": 0})
if os.fork() == 0:
    log.append({"event": "x", "who": "child", "number": 0})
    os._exit(0)
os.wait()
log.append({"event": "x", "who": "parent", "number": 1})
"""
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert written(path) == [("parent", 0), ("child", 0), ("parent", 1)]
