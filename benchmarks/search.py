"""What searching a tree costs against GNU grep and find, which know no ignore rules.

    python3 benchmarks/search.py            the table
    python3 benchmarks/search.py --check    the same; exit 1 if a target is missed
    python3 benchmarks/search.py --quick    few repetitions; only shows that it all runs

The tree: 50,000 files of 2 to 4 KB in 3,000 directories, with .gitignore files that match
nothing, so that all see the same files. The text looked for is in ten of them. All but
``rg`` and ``fd`` use one core at a time; the start of the interpreter is included.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Bench, Row, Run, at_most, run_benchmark  # noqa: E402

FILES = 50_000
DIRECTORIES = 3_000
NEEDLE = "rare_needle_42"
ENDINGS = ("py", "js", "txt", "md", "c", "html")
IGNORE = (
    "*.pyc\n__pycache__/\n/dist/\nnode_modules/\n*.egg-info/\n.venv*\n**/build/out\n!keep.log\n"
)
MAX_RATIO = 3.0

# What a run does with the tool: package, root, tool, ripgrep allowed,
# arguments, lines expected. Without the time guard: the first run may read a cold disk.
TOOL = """
import os, sys, time, json
sys.path.insert(0, sys.argv[1])
from pi.agent.tool import ToolContext
from pi.base.cancel import Cancel
from pi.tools import grep
from pi.tools.find import FindTool
from pi.tools.making import make_toolkit
root, name, with_rg = sys.argv[2:5]
world = {"environ": {"PATH": os.defpath}, "random_bytes": os.urandom, "monotonic": time.monotonic}
kit = make_toolkit(roots=[root], new_mode=0o644, **world)
grep.SECONDS = 600.0
tool = grep.GrepTool(kit, use_ripgrep=with_rg == "1") if name == "grep" else FindTool(kit)
result = tool.run(json.loads(sys.argv[5]), ToolContext(root, Cancel(), print))
if result.is_error or result.text.count("\\n") + 1 != int(sys.argv[6]):
    raise SystemExit(result.text[-1000:])
"""


def make_tree(root: str) -> None:
    """The same tree every time."""
    chance = random.Random(1)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(chance.choices(letters, k=chance.randint(2, 9))) for _ in range(3000)]
    lines = [" ".join(chance.choices(words, k=chance.randint(0, 12))) for _ in range(5000)]
    folders = [""]
    os.makedirs(root)
    while len(folders) < DIRECTORIES:
        above = chance.choice(folders[-600:])
        if above.count("/") < 9:
            folders.append(f"{above}{chance.choice(words)}{len(folders)}/")
            os.mkdir(f"{root}/{folders[-1]}")
    for number in range(FILES):
        name = f"{chance.choice(words)}{number}.{chance.choice(ENDINGS)}"
        text = "\n".join(chance.choices(lines, k=chance.randint(55, 110))) + "\n"
        if number % 5000 == 7:
            text += f"here is the {NEEDLE} again\n"
        Path(root, chance.choice(folders), name).write_text(text, encoding="utf-8")
    for folder in ("", *folders[100:3000:500]):
        Path(root, folder, ".gitignore").write_text(IGNORE, encoding="utf-8")


def ours(bench: Bench, tree: str, name: str, arguments: str, lines: int, rg: bool) -> list[str]:
    return bench.code(TOOL, str(ROOT), tree, name, str(int(rg)), arguments, str(lines))


def compared(what: str, mine: Run, other: Run) -> Iterator[Row]:
    for kind in ("CPU", "wall"):
        one, two = (run.cpu_ms if kind == "CPU" else run.wall_ms for run in (mine, other))
        shown = f" ({one:.0f} / {two:.0f} ms)"
        yield at_most(f"{what}, {kind}", one / two, MAX_RATIO, "x GNU", shown)


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, archive, repetitions)
        tree = os.path.join(folder, "tree")
        make_tree(tree)
        found = subprocess.run(["find", tree, "-name", "*.md"], stdout=subprocess.PIPE, check=True)
        markdown = found.stdout.count(b"\n")
        grep, find = shutil.which("grep") or "", shutil.which("find") or ""
        text, glob = f'{{"pattern": "{NEEDLE}"}}', '{"pattern": "*.md", "limit": 20000}'
        simple = '{"pattern": "[rx]are_needle_4[0-9]"}'
        risky = '{"pattern": "rare_\\\\w+_4[0-9]+"}'
        no_needle = '{"pattern": "rare_needle_42|zzzzzz"}'
        commands = {
            "gnu grep": [grep, "-rnF", NEEDLE, tree],
            "gnu grep -E": [grep, "-rnE", "rare_needle_42|zzzzzz", tree],
            "gnu find": [find, tree, "-name", "*.md"],
            "grep": ours(bench, tree, "grep", text, 10, rg=False),
            "grep []": ours(bench, tree, "grep", simple, 10, rg=False),
            "grep child": ours(bench, tree, "grep", risky, 10, rg=False),
            "grep |": ours(bench, tree, "grep", no_needle, 10, rg=False),
            "find": ours(bench, tree, "find", glob, lines_within(found.stdout, tree), rg=False),
        }
        if shutil.which("rg"):
            commands["grep rg"] = ours(bench, tree, "grep", text, 10, rg=True)
            commands["rg"] = [shutil.which("rg") or "", "-n", NEEDLE, tree]
        if shutil.which("fdfind"):
            commands["fd"] = [shutil.which("fdfind") or "", "-HI", "-g", "*.md", tree]
        done = bench.medians(commands)
        yield from compared("grep, a text", done["grep"], done["gnu grep"])
        yield from compared("grep, an expression", done["grep []"], done["gnu grep"])
        yield from compared("grep, in a child process", done["grep child"], done["gnu grep"])
        yield from compared(f"find, {markdown:,} names", done["find"], done["gnu find"])
        for name, other in (("grep |", "gnu grep -E"), ("grep rg", "gnu grep"), ("rg", "gnu grep")):
            if name in done:
                one, two = done[name], done[other]
                shown = f"{one.wall_ms / two.wall_ms:.1f} x GNU"
                shown += f" ({one.wall_ms:.0f} / {two.wall_ms:.0f} ms)"
                yield Row(f"{name}, wall", shown, "", True)
        if "fd" in done:
            yield Row("fd, wall", f"{done['fd'].wall_ms:.0f} ms", "", True)
        for name in ("grep", "find"):
            yield at_most(f"{name}, peak memory", done[name].rss_mb, 60, "MB")


def lines_within(names: bytes, tree: str) -> int:
    """How many lines the tool prints of these: what fits 50 KiB, a blank line, a notice."""
    size = shown = 0
    for name in sorted(names.decode().split("\n")[:-1]):
        size += len(name) - len(tree)
        if size > 50 * 1024:
            return shown + 2
        shown += 1
    return shown


if __name__ == "__main__":
    sys.exit(run_benchmark("Measure what searching a tree costs.", rows, repetitions=5))
