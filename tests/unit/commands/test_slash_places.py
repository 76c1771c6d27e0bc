"""Moving about in the tree, and names for places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from tests.fakes.session_files import answer, context, entry, meta

TREE = (
    meta(),
    entry(1, None, "first\n  prompt"),
    answer(2, 1),
    entry(3, 2, "from an extension", kind="custom_message"),
    entry(4, 3, "second"),
)


@pytest.fixture
def ran(tmp_path: Path) -> CommandContext:
    return context(tmp_path, *TREE)


def lines(ran: CommandContext, line: str) -> tuple[str, ...]:
    return run_line(line, ran).lines


def test_a_switch_says_what_it_switched_to(ran: CommandContext) -> None:
    assert lines(ran, "/branch 1") == (
        "switched to branch id 1",
        "entry: id=1 parent=none role=user preview=first prompt depth=1 was=4",
    )
    data = json.loads(lines(ran, "/branch 2 --json")[0])["data"]
    assert data == {
        "id": 2,
        "was": 1,
        "depth": 2,
        "parent_id": 1,
        "role": "assistant",
        "preview": "ok",
    }


def test_undo_counts_what_was_typed(ran: CommandContext) -> None:
    assert lines(ran, "/undo")[0].startswith("undo: head=3 was=4")
    assert lines(ran, "/undo")[0].startswith("undo: head=none was=3")
    for bad in ("0", "-1", "x", "²", "9" * 30):
        assert not run_line(f"/undo {bad}", ran).result.ok


def test_the_tips(ran: CommandContext, tmp_path: Path) -> None:
    assert lines(ran, "/branches") == ("id=4 parent=3 text=second",)
    assert lines(context(tmp_path, name="new.jsonl"), "/branches") == ("no branches",)


@pytest.mark.parametrize("command", ["/branch-alias", "/session-bookmark"])
def test_a_name_is_not_moved_by_accident(ran: CommandContext, command: str) -> None:
    words = command[1:].replace("-", " ")
    kind = words.split()[1]
    assert lines(ran, f"{command} set here") == (f"{words} set: path=s.jsonl name=here id=4",)
    assert lines(ran, f"{command} set here 4")[0].endswith("id=4")
    assert lines(ran, f"{command} set here 1") == (
        f"{words} error: path=s.jsonl name=here error={kind} stands on 4; --force moves it",
    )
    assert lines(ran, f"{command} set here 1 --force")[0].endswith("id=1")
    lines(ran, f"{command} set there 2")
    assert "is already there" in lines(ran, f"{command} rename there here")[0]
    assert lines(ran, f"{command} rename there there")[0].endswith("new=there id=2")
    assert lines(ran, f"{command} rename there here --force")[0].endswith("new=here id=2")
    assert lines(ran, f"{command} list") == (
        f"{words} list: path=s.jsonl count=1",
        f"{kind}: name=here id=2 status=ok",
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "usage: /branch-alias <set|list|use|delete|rename> [name] [id]"),
        ("spin x", "unknown subcommand 'spin'; usage: /branch-alias"),
        ("set", "usage: /branch-alias set <name> [id]"),
        ("list x", "usage: /branch-alias list"),
        ("use", "usage: /branch-alias use <name>"),
        ("delete a b", "usage: /branch-alias delete <name>"),
        ("rename a", "usage: /branch-alias rename <name> <new-name>"),
        ("set 1bad 1", "alias name '1bad' must start with an ASCII letter"),
        ("set a.b 1", "must contain only ASCII letters"),
        ("set '' 1", "alias name must not be empty"),
        ("set a 99", "unknown session id 99"),
        ("set a 1.5", "invalid branch id '1.5'; expected an integer"),
        ("use nobody", "unknown alias 'nobody'"),
    ],
)
def test_each_mistake_has_its_words(ran: CommandContext, given: str, why: str) -> None:
    found = run_line(f"/branch-alias {given}", ran)
    assert found.lines[0].startswith("branch alias error: path=s.jsonl ")
    assert why in found.lines[0]
    assert not found.result.ok
