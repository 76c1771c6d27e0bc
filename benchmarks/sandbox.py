"""What holding a command costs, against the same command run plainly.

python3 benchmarks/sandbox.py            the table
python3 benchmarks/sandbox.py --check    the same; exit 1 if a target is missed
python3 benchmarks/sandbox.py --quick    few repetitions; only shows that it all runs
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bench, Row, at_most, run_benchmark  # noqa: E402
from pi.tools.policy import PRESETS  # noqa: E402
from pi.tools.sandbox.choose import choose_sandbox  # noqa: E402
from pi.tools.toolkit import Sandbox  # noqa: E402

SHELL = ("/bin/bash", "-c")
TARGETS = {"landlock": 40.0, "bubblewrap": 40.0}  # ms over the plain command


def held_by(launcher: str, root: str, temp: str) -> Sandbox:
    return choose_sandbox(
        PRESETS["hardened"],
        roots=[root],
        environ={"PATH": os.defpath},
        temp_dir=temp,
        prefer=launcher,
    )


def preparing(sandbox: Sandbox, root: str, repetitions: int) -> tuple[float, float]:
    """Milliseconds in pi's own process: of the first launch (with the probe), of a later one."""
    times = []
    for _ in range(repetitions + 1):
        begin = time.perf_counter()
        sandbox.launch(SHELL, "true", root)
        times.append((time.perf_counter() - begin) * 1000)
    return times[0], median(times[1:])


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, repetitions)
        root, temp = (os.path.join(folder, name) for name in ("root", "temp"))
        for path in (root, temp):
            os.mkdir(path)
        for launcher, target in TARGETS.items():
            sandbox = held_by(launcher, root, temp)
            facts = sandbox.describe()
            if facts["launcher"] != launcher:
                yield Row(launcher, f"not measured: {facts['reason']}", "", True)
                continue
            first, later = preparing(sandbox, root, repetitions)
            held = sandbox.launch(SHELL, "true", root)
            plain = [*SHELL, "true"]
            found = bench.medians({"plain": plain, "held": held.argv})
            over = found["held"].wall_ms - found["plain"].wall_ms
            ratio = found["held"].wall_ms / found["plain"].wall_ms
            shown = f" ({found['plain'].wall_ms:.1f} ms plain, {ratio:.0f} times)"
            yield at_most(f"{launcher}: bash -c true", over, target, "over, ms", shown)
            yield Row(f"{launcher}: CPU", f"{found['held'].cpu_ms:.1f} ms", "", True)
            yield at_most(f"{launcher}: made ready by pi", later, 10, "ms")
            yield Row(f"{launcher}: first time, after trying", f"{first:.1f} ms", "", True)


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what holding a command costs.", rows))
