"""The sessions of a folder: list, latest, names, picking."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.sessions.errors import SessionError
from pi.sessions.shelf import PEEK_BYTES, cards, latest, path_of, pick, text_lines
from tests.fakes.session_files import dump, entry, meta


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for at, name in enumerate(("old", "new"), start=1):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(dump(meta(), entry(1, None, f"{name} prompt"), entry(2, 1, "bye")))
        os.utime(path, (at, at))
    for name in ("old.jsonl.lock", ".hidden.jsonl", "old.jsonl.quarantine.jsonl", "x.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.jsonl").mkdir()
    os.mkfifo(tmp_path / "pipe.jsonl")
    return str(tmp_path)


def test_sessions_and_nothing_else_the_latest_first(folder: str) -> None:
    found = cards(folder)
    assert [(card.name, card.first, card.last) for card in found] == [
        ("new", "new prompt", "bye"),
        ("old", "old prompt", "bye"),
    ]
    assert latest(folder) == os.path.join(folder, "new.jsonl")
    assert text_lines(found, {})[0].startswith("1. new  ")


def test_both_ends_of_a_long_file_are_read(tmp_path: Path) -> None:
    many = [entry(at, at - 1, "x" * 500) for at in range(2, 400)]
    data = dump(meta(), entry(1, None, "first"), *many, entry(400, 399, "last"))
    assert len(data) > 2 * PEEK_BYTES
    (tmp_path / "a.jsonl").write_bytes(data)
    (card,) = cards(str(tmp_path))
    assert (card.first, card.last) == ("first", "last")


def test_a_file_of_anything_is_listed_without_words(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff\0[1]\n{}\n" + os.urandom(100))
    (card,) = cards(str(tmp_path))
    assert (card.first, card.last) == ("", "")
    assert text_lines((card,), {})[0].endswith("(no prompt)")


def test_nothing_there(tmp_path: Path) -> None:
    assert cards(str(tmp_path / "no")) == ()
    assert text_lines((), {}) == ("no sessions",)
    with pytest.raises(SessionError, match="there is no session"):
        latest(str(tmp_path))


def test_a_bare_name_is_one_of_the_folder() -> None:
    assert path_of("work") == os.path.join(".pi", "sessions", "work.jsonl")
    assert path_of("work.jsonl") == "work.jsonl"
    assert path_of("a/b") == "a/b"
    with pytest.raises(SessionError):
        path_of("  ")


def test_picking_by_number_name_and_beginning(folder: str) -> None:
    found = cards(folder)
    for answer, name in (("2", "old"), ("new", "new"), (" o ", "old")):
        assert pick(found, answer).name == name
    for answer in ("0", "3", "", "z", "²", "9" * 99):
        with pytest.raises(SessionError):
            pick(found, answer)
