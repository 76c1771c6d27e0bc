"""What the policy's word on one shell command costs.

python3 benchmarks/policy.py            the table
python3 benchmarks/policy.py --check    the same; exit 1 if a target is missed
python3 benchmarks/policy.py --quick    few repetitions; only shows that it all runs

Each figure (whatever the heading says) is the fastest of many rounds, since whatever else
the machine does can only add to it; the rule and the floor take turns. The floor is
``shlex.split`` of the same text, which knows words and quotes, but nothing of commands.

The first decision of a run also imports what judges: that is CPU time in processes of
their own, out of the archive, beside what the bare interpreter took to start. Its figures
are the fastest too. Standard library only.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.harness import Row, at_most, run_benchmark  # noqa: E402
from pi.tools.commands.rule import CommandRule  # noqa: E402
from pi.tools.policy import make_policy  # noqa: E402

LIMIT_US = 100.0
LIMIT_FIRST_MS = 15.0
CHARACTERS = 500
PLAIN = "git add src/module_one.py src/module_two.py tests/unit/test_module_one.py "
TYPICAL = (
    "cd src && git ls-files '*.py' | grep -v test | sort -u | head -n 20; "
    'for f in *.py; do grep -n "import $NAME" "$f" | wc -l; done; '
    "if [ -f setup.cfg ]; then cat setup.cfg | sed -n '1,20p'; fi; "
    'x=$(git rev-parse HEAD); echo "at ${x:-none}" >> build.log 2>&1; '
    "find . -name '*.rs' -newer build.log | xargs grep -l unsafe | sort > unsafe.txt; "
    "git log --oneline --since='2 weeks ago' -- src tests | head -n 5 && git status --short "
)
COMMON = (
    "cd crates/pi-coding-agent && cargo test --package pi-coding-agent --lib -- "
    "tools::tests::unit_edit_replaces_only_the_matched_span --exact --nocapture 2>&1 | "
    "grep -E '^(test |error|warning: unused|thread .* panicked)' | head -n 40; "
    "git add crates/pi-coding-agent/src/tools.rs crates/pi-coding-agent/src/main.rs && "
    'git commit -m "Change only the matched span when an edit is fuzzy, and say where it was"'
)
DENSE = "a=1 ls|cat&&echo `pwd` $(ls -l) > out;"


# What a run has imported when its first command comes is not counted.
FIRST = """
import sys, time
started = time.process_time()
archive, preset, command = sys.argv[1:]
sys.path[:0] = ["%s/cp%d%d" % (archive, *sys.version_info[:2]), archive]
import os, pi.cli.toolbox, pi.tools.bash
from pi.tools.commands import command_check
from pi.tools.policy import make_policy
policy = make_policy(preset, {}, ["git"])
begin = time.process_time()
decision = command_check(policy, [os.getcwd()], os.environ)(command, os.getcwd())
spent = time.process_time() - begin
assert decision.allowed, decision.error
print(started * 1e3, spent * 1e3)
"""
FIRST_COMMANDS = (
    ("plain", "ls -la && git status"),
    ("quotes", "git log --oneline -n 5 | head -n 3; sed -n '1,20p' a.txt 2>&1"),
    ("a loop", 'for f in *.py; do grep -n "import $NAME" "$f" | wc -l; done'),
)


def of_size(text: str) -> str:
    """The text repeated as often as it fits, then made up to the size with words."""
    whole = text * max(1, CHARACTERS // len(text))
    end = "echo " if text is DENSE else ""
    return f"{whole}{end}{'x' * (CHARACTERS - len(whole) - len(end))}"


def fastest(calls: list[Callable[[], object]], rounds: int) -> list[float]:
    """Microseconds of each, run in turn."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for index, call in enumerate(calls):
            begin = time.perf_counter()
            for _ in range(20):
                call()
            best[index] = min(best[index], (time.perf_counter() - begin) / 20)
    return [each * 1e6 for each in best]


def first_decisions(archive: str, repetitions: int) -> Iterator[Row]:
    """Import and first decision, in fresh processes that take turns."""
    cases = [(preset, *each) for preset in ("balanced", "strict") for each in FIRST_COMMANDS]
    best = {case: (float("inf"), float("inf")) for case in cases}
    for _ in range(min(repetitions, 15)):
        for case in cases:
            argv = [sys.executable, "-I", "-S", "-c", FIRST, archive, case[0], case[2]]
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
            bare, spent = map(float, done.stdout.split())
            best[case] = min(best[case][0], bare), min(best[case][1], spent)
    for case, (bare, spent) in best.items():
        row = at_most(f"{case[0]}: first decision, {case[1]}", spent, LIMIT_FIRST_MS, "ms CPU")
        shown = f"{row.reached}, {spent / bare:.2f} x a bare start ({bare:.1f} ms)"
        yield row._replace(reached=shown)


def rows(archive: str, repetitions: int) -> Iterator[Row]:
    yield from first_decisions(archive, repetitions)
    for preset in ("balanced", "strict"):
        rule = CommandRule(make_policy(preset, {}, ["git", "xargs"]), [str(ROOT)], os.environ)
        for what, text, limit in (
            ("1 command", PLAIN, LIMIT_US),
            ("6 commands", COMMON, LIMIT_US),
            ("19 commands", TYPICAL, 0.0),
            ("hardly anything but operators", DENSE, 0.0),
        ):
            command = of_size(text)
            if preset == "balanced":
                assert rule.check(command, str(ROOT)).allowed, rule.check(command, str(ROOT)).error
            calls: list[Callable[[], object]] = [
                lambda rule=rule, command=command: rule.check(command, str(ROOT)),  # type: ignore[misc]
                lambda command=command: shlex.split(command),  # type: ignore[misc]
            ]
            spent, floor = fastest(calls, repetitions)
            row = at_most(f"{preset}: {what}, {len(command)} chars", spent, limit or spent, "us")
            shown = f"{row.reached}, {spent / floor:.2f} x shlex.split ({floor:.0f} us)"
            yield row._replace(reached=shown, target=row.target if limit else "")


if __name__ == "__main__":
    sys.exit(run_benchmark(__doc__ or "", rows, repetitions=200))
