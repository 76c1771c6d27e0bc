"""What a start costs, against the project's targets and against a bare interpreter.

python3 benchmarks/startup.py            the table
python3 benchmarks/startup.py --check    the same; exit 1 if a target is missed
python3 benchmarks/startup.py --quick    few repetitions; only shows that it all runs
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import DELTAS, MB, Bench, Row, at_most, run_benchmark  # noqa: E402
from tests.fakes import aimock_process  # noqa: E402

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
    yield at_most("one prompt, CPU", over, 50, "over json + ssl + urllib, ms", shown)
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
    # 1 MB was the limit of the first version, which knew one wire format.
    yield at_most("size of the file", os.path.getsize(archive) / 1000, 6000, "kB")


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what a start of pi.pyz costs.", rows))
