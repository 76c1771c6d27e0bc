"""Every acceptance scenario of the command line is the subject of a test of the built file.

A test claims scenarios with the beginning of its docstring: ``C35``, ``C39, C40: ...``;
``README-7`` is a row of the list of places where what was promised and what the older program
did were two things.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

CLI = Path(__file__).resolve().parents[1] / "cli"
SCENARIOS = {f"C{number:02}" for number in range(1, 100)}
ROWS = {f"README-{number}" for number in range(1, 13)}
RUNS_THE_BUILT_FILE = {"pi", "work", "archive"}  # fixtures
LEFT_OUT = {"C03": "the bridge to GitHub issues is not part of pi yet"}
CLAIM = re.compile(r"(?:C\d{2}|README-\d{1,2})(?:, |\b)")


def claims(docstring: str) -> Iterator[str]:
    """The scenarios that a docstring begins with."""
    at = 0
    while found := CLAIM.match(docstring, at):
        yield found.group().rstrip(", ")
        at = found.end()


def claimed(source: str) -> Iterator[str]:
    """What the tests of a file claim, of those that run the built file."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef) or not node.name.startswith("test_"):
            continue
        if RUNS_THE_BUILT_FILE & {argument.arg for argument in node.args.args}:
            yield from claims(ast.get_docstring(node) or "")


def test_each_scenario_has_a_test_or_a_reason_why_not() -> None:
    found = {name for path in CLI.glob("test_*.py") for name in claimed(path.read_text("utf-8"))}
    assert sorted(SCENARIOS - found - set(LEFT_OUT)) == []
    assert sorted(ROWS - found) == []
    assert sorted(found - SCENARIOS - ROWS) == [], "there is no such scenario"
    assert set(LEFT_OUT) <= SCENARIOS


def test_only_the_beginning_of_a_docstring_of_a_test_of_the_built_file_counts() -> None:
    source = """
def test_one(pi): "C01, C02, README-7: as in C03."
def test_two(): "C04"
def helper(pi): "C05"
def test_four(pi): "More than C06."
def test_five(pi, x): "C07. Told once."
"""
    assert list(claimed(source)) == ["C01", "C02", "README-7", "C07"]
