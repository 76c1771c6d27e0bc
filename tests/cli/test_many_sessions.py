"""Many conversations in one folder: by name, the latest, a list, a fork."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.conftest import Pi

DEMO = ("--model", "demo/tour", "--quiet")


def sessions(pi: Pi) -> list[str]:
    folder = pi.folder / ".pi" / "sessions"
    return sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))


def ask(pi: Pi, *flags: str) -> None:
    done = pi(*DEMO, *flags, "-p", "Read notes.txt")
    assert done.returncode == 0, done.stderr


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def test_a_bare_name_is_a_session_of_the_folder(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("hi")
    ask(pi, "--session", "work")
    assert sessions(pi) == ["work.jsonl"]
    ask(pi, "--session", "here.jsonl")
    assert (pi.folder / "here.jsonl").exists()


def test_continue_goes_on_with_the_one_written_last(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("hi")
    done = pi(*DEMO, "-c", "-p", "x")
    assert done.returncode == 2
    assert "there is no session" in done.stderr
    ask(pi, "--session", "a")
    ask(pi, "--session", "b")
    folder = pi.folder / ".pi" / "sessions"
    os.utime(folder / "b.jsonl", (1, 1))
    before = lines(folder / "a.jsonl"), lines(folder / "b.jsonl")
    ask(pi, "-c")
    assert lines(folder / "a.jsonl") > before[0]
    assert lines(folder / "b.jsonl") == before[1]


def test_the_list_tells_what_each_was_about(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("hi")
    assert pi("-r").stdout == "no sessions\n"
    ask(pi, "--session", "work")
    done = pi("-r")
    assert done.returncode == 0
    assert done.stdout.startswith("1. work  ")
    assert "Read notes.txt" in done.stdout


def test_a_fork_leaves_the_old_conversation_as_it_was(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("hi")
    ask(pi, "--session", "old")
    old = (pi.folder / ".pi" / "sessions" / "old.jsonl").read_bytes()
    ask(pi, "--session", "old", "--fork", "new")
    folder = pi.folder / ".pi" / "sessions"
    assert (folder / "old.jsonl").read_bytes() == old
    assert lines(folder / "new.jsonl") > old.count(b"\n")
    assert pi("--session", "new", "--session-validate").returncode == 0
    done = pi(*DEMO, "--session", "old", "--fork", "new", "-p", "x")
    assert done.returncode == 2
    assert "already there" in done.stderr


def test_branching_from_an_entry_makes_siblings(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("hi")
    ask(pi, "--session", "s")
    ask(pi, "--session", "s", "--branch-from", "2")
    done = pi("--session", "s", "--branch-from", "99", *DEMO, "-p", "x")
    assert done.returncode == 2
    assert "does not contain entry id 99" in done.stderr
