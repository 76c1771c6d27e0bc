"""What the tools cost on large input, against the least that could be done.

python3 benchmarks/tools.py            the table
python3 benchmarks/tools.py --check    the same; exit 1 if a target is missed
python3 benchmarks/tools.py --quick    few repetitions; only shows that it all runs
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import MB, Bench, Row, at_most, run_benchmark  # noqa: E402

OUTPUT = 100 * MB
LINE = "a line of ordinary text, neither short nor long, with a number: %08d\n"
ONE_LINE = f"head -c {OUTPUT} /dev/zero | tr '\\0' x"
MANY_LINES = f"yes 'a line of ordinary text, neither short nor long' | head -c {OUTPUT}"

# Takes the bytes and forgets them.
DISCARD = """
import os, subprocess, sys
child = subprocess.Popen(["/bin/sh", "-c", sys.argv[1]], stdout=subprocess.PIPE, bufsize=0)
while os.read(child.stdout.fileno(), 262144):
    pass
child.wait()
"""
TOOL = """
import json, os, sys, time
archive = sys.argv[1]
sys.path[:0] = ["%s/cp%d%d" % (archive, *sys.version_info[:2]), archive]
from pi.agent.tool import ToolContext
from pi.base.cancel import Cancel
from pi.tools import load_tools
folder = os.getcwd()
environ = {**os.environ, "TMPDIR": folder, "BENCH_TOKEN": "not-in-the-output-at-all"}
(tool,) = load_tools([sys.argv[2]], roots=[folder], environ=environ, keeps_output=False,
                     random_bytes=os.urandom, monotonic=time.monotonic)
for arguments in json.loads(sys.argv[3]):
    result = tool.run(arguments, ToolContext(folder, Cancel(), lambda text: None))
    assert not result.is_error, result.text
try:
    with open("/proc/self/status", encoding="ascii") as file:
        print(file.read().partition("VmHWM:")[2].split()[0])
except OSError:
    import resource
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def command_output(bench: Bench) -> Iterator[Row]:
    commands = {"one line": ONE_LINE, "many lines": MANY_LINES}
    runs = {}
    for name, command in commands.items():
        runs[name] = tool(bench, "bash", {"command": command})
        runs[f"{name}, discarded"] = bench.code(DISCARD, command)
    found = bench.medians(runs)
    for name in commands:
        ours, least = found[name], found[f"{name}, discarded"]
        what = f"100 MB of output, {name}"
        speed = f" ({OUTPUT / MB / (ours.wall_ms / 1000):,.0f} MB/s)"
        over = ours.wall_ms / least.wall_ms
        yield at_most(f"{what}, wall", over, 2.5, "times a reader that discards", speed)
        memory = peak_mb(bench, runs[name]) - peak_mb(bench, tool(bench, "bash"))
        yield at_most("the same, memory", memory, 8, "over no command, MB")


def files(bench: Bench) -> Iterator[Row]:
    lines = OUTPUT // len(LINE % 0)
    with open(os.path.join(bench.folder, "large"), "w", encoding="utf-8") as file:
        file.writelines(LINE % number for number in range(lines))
    with open(os.path.join(bench.folder, "small"), "w", encoding="utf-8") as file:
        file.writelines(LINE % number for number in range(10_000))
    edits = [
        {"path": "small", "find": f": {number:08}", "replace": f": {number:08}x"}
        for number in range(0, 10_000, 500)
    ]
    # And back, so that every run finds the same file.
    edits += [{**one, "find": one["replace"], "replace": one["find"]} for one in edits]
    runs = {
        "start": tool(bench, "read"),
        "end": tool(bench, "read", {"path": "large", "offset": lines - 10}),
        "edits": tool(bench, "edit", *edits),
    }
    found = bench.medians(runs)
    start, end, all_edits = found["start"], found["end"], found["edits"]
    yield at_most("the end of a file of 100 MB, CPU", end.cpu_ms - start.cpu_ms, 150, "ms")
    memory = peak_mb(bench, runs["end"]) - peak_mb(bench, runs["start"])
    yield at_most("the same, memory", memory, 8, "over no call, MB")
    yield at_most("40 edits of a file of 700 kB, CPU", all_edits.cpu_ms - start.cpu_ms, 400, "ms")


def tool(bench: Bench, name: str, *calls: Mapping[str, object]) -> list[str]:
    return bench.code(TOOL, bench.archive, name, json.dumps(calls))


def peak_mb(bench: Bench, argv: list[str]) -> float:
    """The most memory that the process itself held.

    What the system tells of a child that has ended includes what its parent held when it
    was started (on Linux), so the process is asked.
    """
    done = subprocess.run(argv, cwd=bench.folder, env=bench.env, stdout=subprocess.PIPE, check=True)
    return int(done.stdout) * 1024 / MB


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, max(3, repetitions // 4))
        yield from command_output(bench)
        yield from files(bench)


if __name__ == "__main__":
    sys.exit(run_benchmark(__doc__.split("\n", 1)[0], rows))
