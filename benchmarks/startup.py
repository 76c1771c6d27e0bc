"""What a start costs, against the project's targets and against a bare interpreter.

    python3 benchmarks/startup.py            the table
    python3 benchmarks/startup.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/startup.py --quick    few repetitions; only shows that it all runs

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
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.fakes import aimock_process  # noqa: E402

DELTAS = 20_000
MB = 1_000_000
RSS_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
# The least a program can do that reads such a stream: no checks, no objects, no output.
MINIMAL_READER = """
import http.client, json, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
c.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
r = c.getresponse()
rest, deltas, size = b"", 0, 0
while True:
    data = r.read1(65536)
    if not data:
        break
    size += len(data)
    lines = (rest + data).split(b"\\n")
    rest = lines.pop()
    for line in lines:
        if line.startswith(b"data: {"):
            deltas += bool(json.loads(line[6:])["choices"][0]["delta"].get("content"))
print(deltas, size)
"""


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


def cold_starts(bench: Bench) -> Iterator[Row]:
    empty = os.path.join(bench.folder, "empty.pyz")
    make = "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr('__main__.py', '')"
    subprocess.run(bench.code(make, empty), check=True)
    found = bench.medians(
        {
            "bare": bench.code("pass"),
            "empty": [bench.python, empty],
            "version": bench.pi("--version"),
            "help": bench.pi("--help"),
        }
    )
    bare = found["bare"].wall_ms
    shown = f" ({bare:.1f} ms)"
    yield Row("an archive that does nothing", f"+{found['empty'].wall_ms - bare:,.1f} ms", "", True)
    for name, limit in (("version", 12.0), ("help", 35.0)):
        wall = found[name].wall_ms
        yield at_most(f"--{name}, wall", wall - bare, limit, "over python -c pass, ms", shown)


def prompts(bench: Bench, port: int) -> Iterator[Row]:
    found = bench.medians(
        {
            "imports": bench.code("import json, ssl, urllib.request"),
            "answer": bench.prompt(f"http://127.0.0.1:{port}/answer/v1"),
            "tools": bench.prompt(f"http://127.0.0.1:{port}/tools/v1"),
        }
    )
    least, answer, tools = found["imports"], found["answer"], found["tools"]
    over = answer.cpu_ms - least.cpu_ms
    shown = f" ({least.cpu_ms:.1f} ms)"
    yield at_most("one prompt, CPU", over, 60, "over json + ssl + urllib, ms", shown)
    yield at_most("one prompt, wall", answer.wall_ms, 100, "ms")
    yield at_most("one prompt, peak memory", answer.rss_mb, 40, "MB")
    yield at_most("three tool rounds and an answer, wall", tools.wall_ms, 200, "ms")


def stream(bench: Bench) -> Iterator[Row]:
    fixture = {"match": {}, "response": {"content": "word " * DELTAS}}
    with aimock_process.running([fixture], "-c", "5") as server:
        port = server.url.rpartition(":")[2]
        reader = bench.code(MINIMAL_READER, port)
        told = subprocess.run(reader, check=True, stdout=subprocess.PIPE).stdout.split()
        if int(told[0]) != DELTAS:
            raise SystemExit(f"error: the server sent {told[0]!r} deltas, not {DELTAS}")
        base = f"http://127.0.0.1:{port}/v1"
        whole = subprocess.run(bench.prompt(base), check=True, capture_output=True, env=bench.env)
        if whole.stdout.count(b"word") != DELTAS:
            raise SystemExit("error: pi did not print the whole answer")
        found = bench.medians({"reader": reader, "pi": bench.prompt(base)})
    ratio = found["pi"].cpu_ms / found["reader"].cpu_ms
    shown = f" ({found['pi'].cpu_ms:.0f} / {found['reader'].cpu_ms:.0f} ms)"
    what = f"{DELTAS:,} deltas, {int(told[1]) / MB:.1f} MB"
    yield at_most(f"{what}, CPU", ratio, 2.5, "x a minimal reader", shown)
    yield at_most(f"{what}, peak memory", found["pi"].rss_mb, 45, "MB")


@contextmanager
def loopback() -> Iterator[int]:
    """The answering server of loopback.py; its port."""
    command = [sys.executable, str(ROOT / "benchmarks" / "loopback.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, repetitions)
        yield from cold_starts(bench)
        with loopback() as port:
            yield from prompts(bench, port)
        missing = aimock_process.missing()
        if missing:
            yield Row(f"{DELTAS:,} deltas", f"not measured: {missing}", "", True)
        else:
            bench.repetitions = max(3, repetitions // 4)
            yield from stream(bench)
    yield at_most("size of the file", os.path.getsize(archive) / 1000, 1000, "kB")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure what a start of pi.pyz costs.")
    parser.add_argument("--archive", default=str(ROOT / "dist" / "pi.pyz"), metavar="PATH")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--quick", action="store_true", help="few repetitions, a smoke test")
    options = parser.parse_args(argv)
    archive = os.path.abspath(options.archive)
    if not os.path.isfile(archive):
        print(f"error: no {archive}; run: python3 build_zipapp.py", file=sys.stderr)
        return 2
    repetitions = 3 if options.quick else 40
    print(f"CPython {sys.version.split()[0]}, medians of {repetitions} alternating runs")
    missed = 0
    for row in rows(archive, repetitions):
        verdict = "" if not row.target else "ok" if row.met else "MISSED"
        missed += not row.met
        print(f"{row.what:40} {row.reached:56} {row.target:>8}  {verdict}", flush=True)
    return 1 if options.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
