"""A session that another process rewrites while a conversation in it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pi.ai.types import user_message
from pi.sessions.load_rows import load_rows
from pi.sessions.unsaved import Unsaved
from pi.sessions.validate import validate
from tests.durability.conftest import opened

OTHER = """
import os, sys
sys.path.insert(0, sys.argv[3])
from pi.sessions.importing import plan_import
from pi.sessions.load_rows import load_rows
from pi.sessions.prune import plan_prune
from pi.sessions.rewrite import Rewriter

path, how = sys.argv[1:3]
def plan(found):
    next_id = found.contents.next_id
    if how == "prune":
        return plan_prune(found.rows, head=3, next_id=next_id)
    return plan_import(found.rows, load_rows(how).rows, mode="replace", next_id=next_id)
done = Rewriter(path, now_ms=lambda: 9, random_bytes=os.urandom, lock_wait_ms=1000).apply(plan)
assert done.backup
"""


def rewrite(path: Path, how: str) -> None:
    root = str(Path(__file__).parents[2])
    subprocess.run([sys.executable, "-S", "-c", OTHER, str(path), how, root], check=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Two branches: 1-2-4 and 1-3."""
    path = tmp_path / "s.jsonl"
    session = opened(path)
    session.append([user_message("a"), user_message("b")])
    session.head = 1
    session.append([user_message("other branch")])
    session.head = 2
    session.append([user_message("c")])
    return path


def test_a_branch_that_another_process_pruned_is_stored_again(path: Path) -> None:
    session = opened(path)
    assert session.head == 4
    rewrite(path, "prune")
    unsaved = Unsaved(session)
    unsaved.append(user_message("d"), {})
    assert unsaved.obstacle is None
    assert [entry.id for entry in session.lineage()] == [1, 5, 6, 7]
    assert [message.text() for message in opened(path).messages()] == ["a", "b", "c", "d"]
    (told,) = session.news()
    assert "rewritten by another process: 2 entries" in told
    assert validate(str(path), load_rows(str(path)).rows).valid


def test_a_session_that_another_process_replaced_holds_both_conversations(
    path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.jsonl"
    opened(other).append([user_message("x"), user_message("y")])
    session = opened(path)
    rewrite(path, str(other))
    session.append([user_message("d")])
    assert [message.text() for message in opened(path).messages()] == ["a", "b", "c", "d"]
    assert [entry.message.text() for entry in opened(path).lineage(2)] == ["x", "y"]
    assert validate(str(path), load_rows(str(path)).rows).valid
    assert len([name for name in os.listdir(tmp_path) if ".bak-" in name]) == 1


def test_two_conversations_survive_that_each_rewrites_the_file(path: Path) -> None:
    here, there = opened(path), opened(path)
    for turn in range(3):
        there.append([user_message(f"there {turn}")])
        rewrite(path, "prune")  # takes both branches away
        here.append([user_message(f"here {turn}")])
    for session, name in ((here, "here"), (there, "there")):
        texts = [message.text() for message in session.messages()]
        assert texts == ["a", "b", "c", *(f"{name} {turn}" for turn in range(3))]
    assert validate(str(path), load_rows(str(path)).rows).valid
