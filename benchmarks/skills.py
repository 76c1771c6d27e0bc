"""What checking skills costs.

python3 benchmarks/skills.py            the table
python3 benchmarks/skills.py --check    the same; exit 1 if a target is missed
python3 benchmarks/skills.py --quick    few repetitions; only shows that it all runs

Each figure is the fastest of many rounds, since whatever else the machine does can only
add to it. Signatures are those of the test vectors, so that no signer is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bench, Row, at_most, run_benchmark  # noqa: E402
from pi.skills import ed25519_pure  # noqa: E402
from pi.skills.ed25519 import pynacl_verify  # noqa: E402

LIMIT_VERIFY_MS = 5.0
LIMIT_FIRST_MS = 15.0
MANY = 500
LIMIT_LIST_MS = 100.0
LIMIT_LOCK_MS = 1000.0

# Import and first check, with the table of the base point made. What every run has
# imported by then is not counted.
FIRST = """
import sys, time
archive, nacl, *case = sys.argv[1:]
sys.path[:0] = ["%s/cp%d%d" % (archive, *sys.version_info[:2]), archive]
if nacl == "without":
    sys.modules["nacl"] = None
import pi.base.errors, typing
begin = time.process_time()
from pi.skills import ed25519
assert ed25519.verify(*map(bytes.fromhex, case))
print((time.process_time() - begin) * 1e3, ed25519.backend())
"""


def cases() -> list[tuple[bytes, bytes, bytes]]:
    path = ROOT / "tests" / "data" / "ed25519" / "rfc8032.json"
    found = json.loads(path.read_text(encoding="utf-8"))["cases"]
    fields = ("key", "message", "signature")
    return [tuple(bytes.fromhex(each[name]) for name in fields) for each in found]  # type: ignore[misc]


def fastest(call: Callable[[], object], rounds: int) -> float:
    """Milliseconds."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best * 1e3


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    vectors = cases()
    key, message, signature = vectors[2]
    spent = fastest(lambda: [ed25519_pure.verify(*each) for each in vectors], repetitions) / 5
    yield at_most("verify, pure Python", spent, LIMIT_VERIFY_MS, "ms")
    spent = fastest(lambda: ed25519_pure.decode_key(key), repetitions)
    yield at_most("accept a public key", spent, LIMIT_VERIFY_MS / 5, "ms")
    big = bytes(5 * 1024 * 1024)
    spent = fastest(lambda: ed25519_pure.verify(key, big, signature), min(repetitions, 20))
    yield Row("verify 5 MiB, pure Python", f"{spent:.1f} ms", "", True)
    try:
        check = pynacl_verify()
    except ImportError:
        check = None
    if check is not None:
        spent = fastest(lambda: [check(*each) for each in vectors], repetitions) / 5
        yield Row("verify, PyNaCl", f"{spent:.3f} ms", "", True)
    case = [part.hex() for part in (key, message, signature)]
    for nacl in ("without", "with") if check is not None else ("without",):
        argv = [sys.executable, "-c", FIRST, archive, nacl, *case]
        best, used = float("inf"), ""
        for _ in range(min(repetitions, 15)):
            done = subprocess.run(
                argv, capture_output=True, text=True, check=True, env={"PATH": os.defpath}
            )
            figure, used = done.stdout.split()
            best = min(best, float(figure))
        row = at_most(f"import and first check, {used}", best, LIMIT_FIRST_MS, "ms CPU")
        yield row if nacl == "without" else row._replace(target="", met=True)
    yield from many(archive, repetitions)


def many(archive: str, repetitions: int) -> Iterator[Row]:
    """Many skills in a folder: listing them, locking them."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, max(3, min(repetitions, 15)))
        for number in range(MANY):
            path = Path(bench.folder, ".pi", "skills", f"skill-{number}", "SKILL.md")
            path.parent.mkdir(parents=True)
            head = f"name: skill-{number}\ndescription: What number {number} is good for"
            path.write_text(f"---\n{head}\n---\n" + "Do this.\n" * 100, encoding="utf-8")
        done = bench.medians(
            {
                "start": bench.pi("--command-file", _script(bench.folder, "/help branch")),
                "list": bench.pi("--command-file", _script(bench.folder, "/skills-list")),
                "lock": bench.pi("--skills-lock-write", "--skills-sync"),
            }
        )
        spent = done["list"].wall_ms - done["start"].wall_ms
        yield at_most(f"list {MANY} skills, after the start", spent, LIMIT_LIST_MS, "ms")
        yield at_most(f"lock {MANY} skills and check", done["lock"].wall_ms, LIMIT_LOCK_MS, "ms")


def _script(folder: str, line: str) -> str:
    path = Path(folder, f"{line.split()[0][1:]}.commands")
    path.write_text(f"{line}\n", encoding="utf-8")
    return str(path)


if __name__ == "__main__":
    sys.exit(run_benchmark(__doc__ or "", rows, repetitions=200))
