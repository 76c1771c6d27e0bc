"""What slash commands cost on a long session, once pi has started.

    python3 benchmarks/commands.py            the table
    python3 benchmarks/commands.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/commands.py --quick    few repetitions; only shows that it all runs

The session has 10,000 entries. A script of 200 commands is compared with one that has each
kind once, so that the start and the reading of the file are not counted. What looks through
all messages (search, statistics) has no target there, but as a run of its own: compared with
an interpreter that starts and reads the same lines with json.loads.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bench, Row, at_most, run_benchmark  # noqa: E402
from benchmarks.sessions import make_session  # noqa: E402

ENTRIES, COMMANDS = 10_000, 200
LIMIT_MS = 5.0
# What is asked of a conversation in a script, one kind after the other.
READING = ("/session", "/branches", "/help branch", "/session-diff 20 30", "/branch-alias list")
WRITING = (
    "/branch-alias set here {id} --force",
    "/branch {id}",
    "/session-bookmark set b {id} --force",
)
SEARCHING = ("/session-search entry --limit 5", "/session-stats")
LIMIT_TIMES = 2.0
LOADS = """
import json, os, sys
with open(sys.argv[1], "rb") as file:
    kept = [json.loads(line) for line in file]
os._exit(0)
"""


def script(folder: str, name: str, commands: Sequence[str], count: int) -> str:
    path = os.path.join(folder, f"{name}-{count}.commands")
    lines = [commands[number % len(commands)].format(id=number + 2) for number in range(count)]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, max(3, repetitions // 4))
        for name, commands, extra, limit in (
            ("reading", READING, COMMANDS, LIMIT_MS),
            ("writing", WRITING, COMMANDS, LIMIT_MS),
            ("all messages", SEARCHING, COMMANDS // 20, 0.0),
        ):
            session = os.path.join(bench.folder, f"{name}.jsonl")
            make_session(session, ENTRIES)
            each = {
                str(count): bench.pi(
                    *("--session", session, "--session-sync", "never", "--quiet"),
                    *("--command-file", script(bench.folder, name, commands, count)),
                )
                for count in (len(commands), len(commands) + extra)
            }
            few, many = bench.medians(each).values()
            cost = (many.cpu_ms - few.cpu_ms) / extra
            what = f"{extra} commands on {name}" if not limit else f"{extra} commands, {name}"
            shown = f" (CPU; {few.cpu_ms:.0f} -> {many.cpu_ms:.0f} ms)"
            row = at_most(what, cost, limit, "ms each", shown)
            yield row if limit else row._replace(target="", met=True)
        yield from alone(bench)


def alone(bench: Bench) -> Iterator[Row]:
    """One command that looks through all messages, as a run of its own."""
    session = os.path.join(bench.folder, "alone.jsonl")
    make_session(session, ENTRIES)
    flags = ("--session", session, "--quiet", "--command-file")
    runs = {
        line.split()[0]: bench.pi(*flags, script(bench.folder, line.split()[0][1:], (line,), 1))
        for line in SEARCHING
    }
    done = bench.medians({"floor": bench.code(LOADS, session), **runs})
    floor = done.pop("floor").cpu_ms
    for name, run in done.items():
        shown = f" (CPU; {run.cpu_ms:.0f} / {floor:.0f} ms)"
        what = f"{name}, {ENTRIES:,} entries"
        yield at_most(what, run.cpu_ms / floor, LIMIT_TIMES, "x start + json.loads", shown)


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what slash commands cost.", rows))
