"""Laws of the command rule."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.commands.rule import CommandRule
from pi.tools.decision import ALLOW, DENY
from pi.tools.policy import PROFILES, make_policy
from tests.fakes.examples import few

CORPORA = Path(__file__).resolve().parents[1] / "data" / "commands"
ORDER = ("hardened", "strict", "balanced", "permissive")
ENVIRON = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}


def corpus() -> tuple[str, ...]:
    lines = [
        line
        for name in ("bypass.txt", "developer.txt")
        for line in (CORPORA / name).read_text(encoding="utf-8").split("\n")
        if line and not line.startswith(("#", "@ "))
    ]
    return tuple(line.rpartition("\t")[2] for line in lines)


CORPUS = corpus()
RULES = {name: CommandRule(make_policy(name, {}), ["/nonexistent/root"], ENVIRON) for name in ORDER}
# The same list everywhere, the long one.
SAME_LIST = {
    name: CommandRule(
        make_policy(name, {})._replace(
            allowed_commands=PROFILES["balanced"] if name != "permissive" else ()
        ),
        ["/nonexistent/root"],
        ENVIRON,
    )
    for name in ORDER
}
JOINS = (" ", "; ", " && ", " | ", " & ", "\n", "", " || ", ' "', "' ", " $(", ")", "`", "{", "}")
PIECES = st.sampled_from(CORPUS)


@st.composite
def lines(draw: st.DrawFn) -> str:
    """Lines of the corpora, cut and put together in other ways."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        piece = draw(PIECES)
        start = draw(st.integers(0, 4)) if draw(st.booleans()) else 0
        end = draw(st.integers(0, len(piece))) if draw(st.booleans()) else len(piece)
        parts.append(piece[start:end])
        parts.append(draw(st.sampled_from(JOINS)))
    if draw(st.booleans()):
        parts.pop()
    return "".join(parts)


TEXTS = st.one_of(
    lines(), st.text(max_size=80), st.text("lscat $(){}[]'\"`;&|<>\\\n=!#*~", max_size=40)
)


@settings(max_examples=few(500), deadline=None)
@given(command=TEXTS)
def test_nothing_is_refused_by_a_looser_preset_and_allowed_by_a_stricter_one(command: str) -> None:
    """hardened <= strict <= balanced <= permissive, with their own lists and with one list"""
    for rules in (RULES, SAME_LIST):
        allowed = [rules[name].check(command, "/nonexistent/root").allowed for name in ORDER]
        assert allowed == sorted(allowed)


@settings(max_examples=few(500), deadline=None)
@given(command=TEXTS, more=st.sampled_from([(), ("git", "xargs", "tar"), ("*",), ("e*", "sudo")]))
def test_any_text_gets_one_word_with_a_trace_that_fits(command: str, more: Sequence[str]) -> None:
    """no exception; every row allows but the last, which denies exactly when refused"""
    for name in ORDER:
        rule = CommandRule(make_policy(name, {}, more), ["/nonexistent/root"], ENVIRON)
        decision = rule.check(command, "/nonexistent/root")
        outcomes = [step.outcome for step in decision.steps]
        last = outcomes.pop()
        assert set(outcomes) <= {ALLOW}
        assert last == (ALLOW if decision.allowed else DENY)
        assert bool(decision.rule) == bool(decision.error) == (not decision.allowed)
        assert "\n" not in decision.error
        assert decision == rule.check(command, "/nonexistent/root")


@settings(max_examples=few(200), deadline=None)
@given(command=lines(), added=st.sampled_from(["curl", "zz*", "sh", "git", "nice"]))
def test_one_more_allowed_command_takes_nothing_away(command: str, added: str) -> None:
    """allowed by a list => allowed by that list with one more entry"""
    for name in ORDER[:3]:
        longer = CommandRule(make_policy(name, {}, [added]), ["/nonexistent/root"], ENVIRON)
        if RULES[name].check(command, "/nonexistent/root").allowed:
            assert longer.check(command, "/nonexistent/root").allowed


TRICKS = tuple(
    line.replace("⏎", "\n")
    for line in (CORPORA / "tricks.txt").read_text(encoding="utf-8").split("\n")[1:]
    if line
)
RUNNER = re.compile("awk|sed|find|sort|rg")
NAMES = (
    "evil",
    "ev''il",
    "e\\vil",
    "'evil'",
    '"evil"',
    "$'evil'",
    "./evil",
    "ev$@il",
    "{evil,x}",
    "evi?",
)


@st.composite
def attempts(draw: st.DrawFn, tricks: Sequence[str]) -> str:
    text = draw(st.sampled_from(NAMES))
    for _ in range(draw(st.integers(1, 3))):
        text = draw(st.sampled_from(tricks)).replace("%", text)
    return text


@pytest.mark.skipif(not os.access("/bin/bash", os.X_OK), reason="needs bash")
@settings(max_examples=few(300), deadline=None)
@given(command=attempts(TRICKS))
def test_what_the_strict_list_allows_never_runs_another_program(command: str) -> None:
    """bash, given any allowed attempt at running a program off the list, does not run it"""
    assert not runs_evil("strict", command)


@pytest.mark.skipif(not os.access("/bin/bash", os.X_OK), reason="needs bash")
@settings(max_examples=few(200), deadline=None)
@given(command=attempts(tuple(trick for trick in TRICKS if not RUNNER.search(trick))))
def test_nor_does_the_balanced_list_but_by_programs_that_run_others(command: str) -> None:
    """The same for balanced, without the programs it lets run others by their arguments, and
    without arithmetic on values that a file or the command itself holds: it allows both."""
    assert not runs_evil("balanced", command)


def runs_evil(preset: str, command: str) -> bool:
    """Whether the command is allowed, and bash runs ``evil`` for it."""
    policy = make_policy(preset, {"allow_command_newlines": True})
    with tempfile.TemporaryDirectory() as base:
        root, programs = os.path.join(base, "root"), os.path.join(base, "bin")
        ran = os.path.join(base, "ran")
        for folder in (root, programs):
            os.mkdir(folder)
            path = os.path.join(folder, "evil")
            Path(path).write_text(f"#!/bin/sh\n: > {ran}\n", encoding="utf-8")
            os.chmod(path, 0o755)
        Path(root, "f").write_text("x\n", encoding="utf-8")
        environ = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": root}
        if not CommandRule(policy, [root], environ).check(command, root).allowed:
            return False
        quiet = subprocess.DEVNULL
        bash = ["/bin/bash", "-c", command]
        subprocess.run(
            bash, cwd=root, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, timeout=60
        )
        return os.path.exists(ran)
