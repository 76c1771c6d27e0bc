"""What the benchmarks share: running commands in turn, and the table of what was reached.

Each figure compares two commands whose runs alternate, so that whatever else the machine
does hits both alike; shown are medians. Children run the interpreter's own binary (not a
version manager's shim) in an empty environment and an empty site-packages folder, since a
``.pth`` file there would load modules that pi would then seem to get for nothing.
Standard library only.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
import venv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DELTAS = 20_000
MB = 1_000_000
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


class Run(NamedTuple):
    wall_ms: float
    cpu_ms: float
    rss_mb: float


class Row(NamedTuple):
    what: str
    reached: str
    target: str
    met: bool


class Bench:
    """Runs commands of one interpreter; every run must end well."""

    def __init__(self, folder: str, archive: str, repetitions: int) -> None:
        venv.create(os.path.join(folder, "bare"), with_pip=False, symlinks=True)
        self.python = os.path.join(folder, "bare", "bin", "python")
        self.folder = os.path.join(folder, "work")
        self.stderr = os.path.join(folder, "stderr")
        os.mkdir(self.folder)
        self.archive = archive
        self.repetitions = repetitions
        self.env = {"PATH": os.defpath, "HOME": self.folder, "OPENAI_API_KEY": "bench-key"}

    def once(self, argv: Sequence[str], null: int) -> Run:
        actions: list[tuple[object, ...]] = [(os.POSIX_SPAWN_DUP2, null, each) for each in (0, 1)]
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        actions.append((os.POSIX_SPAWN_OPEN, 2, self.stderr, flags, 0o600))
        begin = time.perf_counter()
        pid = os.posix_spawn(argv[0], list(argv), self.env, file_actions=actions)
        _, status, usage = os.wait4(pid, 0)
        wall = time.perf_counter() - begin
        if status:
            said = Path(self.stderr).read_text(encoding="utf-8", errors="replace")
            raise SystemExit(f"error: {' '.join(argv[1:])[:200]} ended badly:\n{said[-2000:]}")
        cpu = usage.ru_utime + usage.ru_stime
        return Run(wall * 1000, cpu * 1000, usage.ru_maxrss * RSS_UNIT / MB)

    def medians(self, commands: Mapping[str, Sequence[str]]) -> dict[str, Run]:
        """Run all commands in turn, again and again; the medians of each."""
        runs: dict[str, list[Run]] = {name: [] for name in commands}
        null = os.open(os.devnull, os.O_RDWR)
        home = os.getcwd()
        os.chdir(self.folder)  # posix_spawn has no working directory of its own
        try:
            for argv in commands.values():
                self.once(argv, null)  # warms the file cache
            for _ in range(self.repetitions):
                for name, argv in commands.items():
                    runs[name].append(self.once(argv, null))
        finally:
            os.chdir(home)
            os.close(null)
        return {
            name: Run(*(statistics.median(each) for each in zip(*done)))
            for name, done in runs.items()
        }

    def code(self, text: str, *argv: str) -> list[str]:
        return [self.python, "-c", text, *argv]

    def pi(self, *argv: str) -> list[str]:
        return [self.python, self.archive, *argv]

    def prompt(self, base: str) -> list[str]:
        flags = ("--model", "openai/bench", "--api-base", base, "--no-session", "-p", "hi")
        return self.pi(*flags)


def at_most(what: str, value: float, limit: float, unit: str, shown: str = "") -> Row:
    sign = "+" if unit.startswith("over") else ""
    reached = f"{sign}{value:,.1f} {unit}{shown}"
    return Row(what, reached, f"{sign}{limit:,.1f}", value <= limit)


def run_benchmark(
    description: str,
    rows: Callable[[str, int], Iterable[Row]],
    argv: Sequence[str] | None = None,
    repetitions: int = 40,
) -> int:
    """Print the table that ``rows(archive, repetitions)`` gives; the exit code."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--archive", default=str(ROOT / "dist" / "pi.pyz"), metavar="PATH")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--quick", action="store_true", help="few repetitions, a smoke test")
    options = parser.parse_args(argv)
    archive = os.path.abspath(options.archive)
    if not os.path.isfile(archive):
        print(f"error: no {archive}; run: python3 build_zipapp.py", file=sys.stderr)
        return 2
    repetitions = 3 if options.quick else repetitions
    print(f"CPython {sys.version.split()[0]}, medians of {repetitions} alternating runs")
    missed = 0
    for row in rows(archive, repetitions):
        verdict = "" if not row.target else "ok" if row.met else "MISSED"
        missed += not row.met
        print(f"{row.what:40} {row.reached:56} {row.target:>8}  {verdict}", flush=True)
    return 1 if options.check and missed else 0
