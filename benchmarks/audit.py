"""What a record of the tool audit log costs.

    python3 benchmarks/audit.py            the table
    python3 benchmarks/audit.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/audit.py --quick    few repetitions; only shows that it all runs

Each figure is the fastest of several rounds, and the rounds of what is compared alternate:
an append to a log of one record and to one of 100,000, an append after another process
wrote (the end must be read anew), and a plain ``json.dumps``, write and flush, which is
what a log without chain and lock does. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import MB, Row, at_most, run_benchmark  # noqa: E402

LINES = 100_000
APPENDS = 2000
RECORD = {
    "schema_version": 1,
    "event": "tool_execution_end",
    "timestamp_unix_ms": 1_780_000_000_000,
    "tool_call_id": "call_K3rT0bq9Xw2ZsVd8",
    "tool_name": "bash",
    "prompt_id": 1,
    "pid": 4242,
    "cwd": "/home/user/project",
    "session": "/home/user/.pi/sessions/project.jsonl",
    "duration_ms": 12,
    "is_error": False,
    "result_bytes": 4096,
    "policy_decision": "allow",
    "policy_rule": None,
    "command_sha256": "0" * 64,
}


def round_us(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    for _ in range(APPENDS):
        work()
    return (time.perf_counter() - begin) / APPENDS * 1e6


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    sys.path.insert(0, archive)
    from pi.audit.log import AuditLog
    from pi.audit.verify import verify_file

    def opened(name: str) -> AuditLog:
        return AuditLog(os.path.join(folder, name), now_ms=lambda: 0)

    with tempfile.TemporaryDirectory() as folder:
        short, long, shared, other = opened("short"), opened("long"), opened("both"), opened("both")
        short.append(RECORD)
        for _ in range(LINES):
            long.append(RECORD)
        begin = time.perf_counter()
        report = verify_file(long.path)
        verify_s = time.perf_counter() - begin
        size = os.path.getsize(long.path)
        with open(os.path.join(folder, "plain"), "a", encoding="utf-8") as plain:

            def write() -> None:
                plain.write(json.dumps(RECORD) + "\n")
                plain.flush()

            def take_turns() -> None:
                shared.append(RECORD)
                other.append(RECORD)

            works: dict[str, Callable[[], object]] = {
                "plain": write,
                "short": lambda: short.append(RECORD),
                "long": lambda: long.append(RECORD),
                "turns": take_turns,
            }
            rounds = [
                {name: round_us(work) for name, work in works.items()} for _ in range(repetitions)
            ]
        for log in (short, long, shared, other):
            log.close()
    best = {name: min(each[name] for each in rounds) for name in works}
    shown = f" ({best['short']:.0f} / {best['plain']:.0f} us)"
    yield at_most(
        "append / plain write and flush", best["short"] / best["plain"], 12, "times", shown
    )
    shown = f" ({best['long']:.0f} / {best['short']:.0f} us)"
    what = f"append to {LINES:,} lines / to few"
    yield at_most(what, best["long"] / best["short"], 1.3, "times", shown)
    turns = best["turns"] / 2
    shown = f" ({turns:.0f} / {best['short']:.0f} us)"
    yield at_most("append after another process / alone", turns / best["short"], 6, "times", shown)
    shown = f"{verify_s:.2f} s for {size / MB:.0f} MB, intact: {report.ok}"
    yield Row(f"verify {LINES:,} lines", shown, "", report.ok)


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what an audit record costs.", rows, repetitions=10))
