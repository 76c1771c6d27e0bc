"""Instruction files: which, in which order, how much of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.homes import find_project
from pi.cli.context_files import MAX_BYTES, MAX_TOTAL, ContextFiles, read_context_files
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, "code/work/a/b")
    (made.home / "code" / "work" / ".git").mkdir()
    return made


def read(desk: Desk, *, trusted: bool = False) -> ContextFiles:
    project = find_project(desk.cwd(), desk.environ)
    return read_context_files(project, desk.cwd(), desk.environ, trusted=trusted)


def test_the_users_own_comes_first_then_the_project_from_its_root_down(desk: Desk) -> None:
    desk.write(".config/pi/AGENTS.md", "user")
    desk.write("AGENTS.md", "of everything: not read")
    desk.write("code/AGENTS.md", "above the root: not read")
    desk.write("code/work/CLAUDE.md", "root")
    desk.write("code/work/a/AGENTS.md", "\ufeff middle\n\n")
    desk.write("code/work/a/CLAUDE.md", "hidden by the other")
    desk.write("code/work/a/b/AGENTS.md", " \n")
    found = read(desk)
    assert [(file.shown, file.text) for file in found.files] == [
        ("~/.config/pi/AGENTS.md", "user"),
        ("CLAUDE.md", "root"),
        ("a/AGENTS.md", "middle"),
    ]
    assert found.notes == ()


def test_without_a_work_tree_all_below_the_home_folder_counts(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "code/work")
    desk.write("AGENTS.md", "home: not read")
    desk.write("code/AGENTS.md", "above")
    desk.write("code/work/AGENTS.md", "here")
    assert [(file.shown, file.text) for file in read(desk).files] == [
        ("../AGENTS.md", "above"),
        ("AGENTS.md", "here"),
    ]


def test_in_the_home_folder_its_own_file_counts(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ".")
    desk.write("AGENTS.md", "home")
    assert [file.text for file in read(desk).files] == ["home"]


def test_a_link_out_of_the_project_is_read_in_a_trusted_folder_only(desk: Desk) -> None:
    secret = desk.write("secret", "a key")
    top = desk.home / "code" / "work"
    (top / "AGENTS.md").symlink_to(secret)
    (top / "rules.md").write_text("rules")
    (top / "a" / "AGENTS.md").symlink_to("../rules.md")
    found = read(desk)
    assert [file.text for file in found.files] == ["rules"]
    assert found.notes == ("AGENTS.md is a link that leads out of the project: left out",)
    assert [file.text for file in read(desk, trusted=True).files] == ["a key", "rules"]


def test_what_cannot_be_read_is_left_out_with_a_note(desk: Desk) -> None:
    top = desk.home / "code" / "work"
    os.mkfifo(top / "AGENTS.md")
    (top / "a" / "AGENTS.md").mkdir()
    (desk.place / "AGENTS.md").write_bytes(b"\xff\xfe")
    found = read(desk)
    assert found.files == ()
    assert [note.partition(" (")[0] for note in found.notes] == [
        "AGENTS.md is not a regular file: left out",
        "a/AGENTS.md is a folder: left out",
        "a/b/AGENTS.md is not UTF-8 text",
    ]


def test_a_long_file_is_cut_between_characters_and_says_so(desk: Desk) -> None:
    desk.write("code/work/AGENTS.md", "x" + "é" * MAX_BYTES)
    found = read(desk)
    text = found.files[0].text
    assert text.endswith("é\n[cut here]")
    assert MAX_BYTES - 2 <= len(text[: -len("\n[cut here]")].encode()) <= MAX_BYTES
    assert found.notes == (f"AGENTS.md is cut to {MAX_BYTES} bytes",)


def test_all_together_they_fit_into_a_limit(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "/".join(["d"] * 8))
    for depth in range(1, 9):
        desk.write("/".join(["d"] * depth) + "/AGENTS.md", "y" * MAX_BYTES)
    found = read(desk)
    assert sum(len(file.text.encode()) for file in found.files) <= MAX_TOTAL + 100
    assert found.notes[-1].endswith("AGENTS.md does not fit any more: left out")
