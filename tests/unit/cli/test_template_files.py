"""Which prompt templates there are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.cli.template_files import MAX_BYTES, MAX_FILES, load_templates, template_check
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, "work/sub")
    (made.home / "work" / ".git").mkdir()
    return made


def test_a_projects_templates_count_where_it_is_trusted_and_win(desk: Desk) -> None:
    desk.write(".config/pi/prompts/review.md", "mine")
    desk.write(".config/pi/prompts/zap.md", "zap")
    folder = desk.write("work/.pi/prompts/review.md", "theirs").parent
    found = load_templates(desk.parsed(), desk, desk.cwd())
    assert {name: template.body for name, template in found.by_name.items()} == {
        "review": "mine",
        "zap": "zap",
    }
    assert found.notes == (f"{folder} is left out: the folder is not trusted (see /trust)",)
    found = load_templates(desk.parsed("--trust-project"), desk, desk.cwd())
    assert [(each.body, each.level) for each in found.by_name.values()] == [
        ("theirs", "project"),
        ("zap", "user"),
    ]


def test_a_folder_of_anything_is_survived(desk: Desk) -> None:
    folder = desk.write(".config/pi/prompts/good.md", "text").parent
    os.mkfifo(folder / "pipe.md")
    (folder / "dir.md").mkdir()
    (folder / "loop.md").symlink_to("loop.md")
    (folder / "linked.md").symlink_to("good.md")
    (folder / "big.md").write_bytes(b"x" * (MAX_BYTES + 1))
    (folder / "blank.md").write_text("---\ndescription: x\n---\n")
    (folder / "latin.md").write_bytes(b"\xe9")
    (folder / "two words.md").write_text("x")
    (folder / "help.md").write_text("x")
    (folder / "QUIT.md").write_text("x")
    (folder / "notes.txt").write_text("x")
    (folder / ".md").write_text("x")
    with open(os.fsencode(folder) + b"/\xff.md", "wb") as file:
        file.write(b"x")
    found = load_templates(desk.parsed(), desk, desk.cwd())
    assert list(found.by_name) == ["good", "linked"]
    assert len(found.notes) == 11
    assert f"{folder}/help.md is left out: /help is a command of pi" in found.notes
    assert f"{folder}/pipe.md is not a regular file: left out" in found.notes


def test_a_folder_that_is_none_is_a_note(desk: Desk) -> None:
    desk.write(".config/pi/prompts", "a file")
    found = load_templates(desk.parsed(), desk, desk.cwd())
    assert found.by_name == {}
    assert "cannot be read: Not a directory" in found.notes[0]


def test_too_many_files_are_not_read(desk: Desk) -> None:
    for number in range(MAX_FILES + 1):
        desk.write(f".config/pi/prompts/t{number:04}.md", "x")
    found = load_templates(desk.parsed(), desk, desk.cwd())
    assert len(found.by_name) == MAX_FILES
    assert len(found.notes) == 1


def test_a_check_of_names_reads_the_folders_when_asked(desk: Desk) -> None:
    is_template = template_check(desk.parsed(), desk)
    desk.write(".config/pi/prompts/review.md", "x")
    assert is_template("/review")
    assert is_template("/REVIEW")
    assert not is_template("/other")
