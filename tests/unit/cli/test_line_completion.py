"""What Tab offers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from pi.cli.line_completion import MAX_OFFERED, offers, paths

SOURCES: dict[str, Callable[[str], Iterable[str]]] = {
    "places": lambda start: ["12 ", "13 ", "active ", "hotfix "],
    "aliases": lambda start: ["hotfix "],
    "bookmarks": lambda start: ["start "],
    "templates": lambda start: ["review"],
    "macros": lambda start: ["rewind ", "bad\x1b[2J "],
    "models": lambda start: ["openai/gpt-4o ", "anthropic/claude "],
    "commands": lambda start: ["help ", "branch "],
    "paths": lambda start: ["notes.txt ", "src/"],
}


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("/bran", ("/branches ", "/branch ", "/branch-alias ")),
        ("/BRANCHE", ("/branches ",)),
        ("/ex", ("/exit ", "/export ")),
        ("/export n", ("notes.txt ",)),
        ("/revi", ("/review ",)),
        ("/macro run ", ("rewind ",)),
        ("/branch 1", ("12 ", "13 ")),
        ("/branch h", ("hotfix ",)),
        ("/branch ", ("12 ", "13 ", "active ", "hotfix ")),
        ("/branch 12 ", ()),
        ("/branch-alias ", ("set ", "list ", "use ", "delete ", "rename ")),
        ("/branch-alias u", ("use ",)),
        ("/branch-alias use h", ("hotfix ",)),
        ("/branch-alias set name 1", ("12 ", "13 ")),
        ("/session-bookmark delete s", ("start ",)),
        ("/session-search x --ro", ("--role ",)),
        ("/session-search --role us", ("user ",)),
        ("/session-search --limit ", ()),
        ("/session-export n", ("notes.txt ",)),
        ("/session-exp n", ("notes.txt ",)),
        ("/model-show openai", ("openai/gpt-4o ",)),
        ("/model a", ("anthropic/claude ",)),
        ("/help br", ("branch ",)),
        ("/nosuch x", ()),
        ("look at src", ("src/",)),
        ("look at ", ()),
        ("", ()),
        ("!cat no", ("notes.txt ",)),
    ],
)
def test_the_line_decides_what_is_offered(before: str, expected: tuple[str, ...]) -> None:
    assert sorted(offers(before, SOURCES)) == sorted(expected)


def test_a_kind_that_nobody_knows_offers_nothing() -> None:
    assert offers("/branch 1", {}) == ()


def test_there_is_an_end_to_what_is_offered() -> None:
    many = {"places": lambda start: (f"{number} " for number in range(100_000))}
    assert len(offers("/branch ", many)) == MAX_OFFERED


def test_files_are_offered_by_folder(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("src/main.py", "src/.hidden", "setup.py", "a b"):
        (tmp_path / name).write_text("")
    os.symlink("gone", tmp_path / "stale")
    cwd = str(tmp_path)
    assert paths("s", cwd) == ["setup.py ", "src/", "stale "]
    assert paths("src/", cwd) == ["src/main.py "]
    assert paths("src/.h", cwd) == ["src/.hidden "]
    assert paths(f"{cwd}/se", cwd) == [f"{cwd}/setup.py "]
    assert paths("nowhere/x", cwd) == []
    assert paths("a", cwd) == []
    assert paths("\0", cwd) == []
