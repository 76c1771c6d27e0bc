"""The history file: what goes in, what never does, and that it harms nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from pi.cli.line_history import (
    MAX_ENTRIES,
    MAX_ENTRY,
    History,
    decode,
    encode,
    history_path,
    is_kept,
    is_secret,
)

SECRET = "sk-0123456789abcdef"


def history(path: Path) -> History:
    return History(str(path), (SECRET,))


@pytest.mark.parametrize(
    "line",
    ["/auth login x", "/AUTH x", "  /auth x", "/auth", "/au x", "/integration-auth set a b",
     "/integ set a b", "/authx secret"],
)  # fmt: skip
def test_a_line_of_a_command_that_takes_a_secret_is_one(line: str) -> None:
    assert is_secret(line)
    assert not is_kept(line, ())


@pytest.mark.parametrize("line", ["/audit-summary x", "auth", "//auth is a word", "/", "/help"])
def test_other_lines_are_not(line: str) -> None:
    assert not is_secret(line)


def test_misspelt_commands_and_known_secrets_are_not_written_down() -> None:
    assert not is_kept("/atuh login " + SECRET, ())
    assert not is_kept(f"use {SECRET}", (SECRET,))
    assert not is_kept(" begins with a blank", ())
    assert not is_kept("", ())
    assert not is_kept("x" * (MAX_ENTRY + 1), ())
    assert not is_kept("/sess", ())  # several commands begin so
    assert is_kept("/sessions", ())


@pytest.mark.parametrize("line", ["hello", "/help", "/br 12", "/etc/hosts is odd", "!ls", "a\nb"])
def test_what_is_typed_is_written_down(line: str, tmp_path: Path) -> None:
    path = tmp_path / "state" / "pi" / "history"
    kept = "/branch 12" if line == "/br 12" else line
    history(path).add(kept)
    assert history(path).load(os.urandom) == [kept]


def test_the_file_is_only_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "history"
    history(path).add("hello")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    history(path).add("again")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["a\\nb", "a\nb", "\\", "\\\n", "\\\\n", "\n\\", "a\rb", "é😀\u2028"]
)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    assert encode(text).count(b"\n") == 1
    assert decode(encode(text)) == [text]


def test_a_line_that_was_cut_off_and_bytes_that_are_no_text_do_no_harm() -> None:
    assert decode(b"one\n\xff\xfe\n\ntwo") == ["one", "\ufffd\ufffd"]


def test_a_file_that_grew_too_long_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "history"
    path.write_bytes(b"".join(encode(f"line {n}") for n in range(2 * MAX_ENTRIES + 1)))
    assert len(history(path).load(os.urandom)) == MAX_ENTRIES
    lines = path.read_text().splitlines()
    assert (len(lines), lines[-1]) == (MAX_ENTRIES, f"line {2 * MAX_ENTRIES}")


def test_what_cannot_be_a_history_is_left_alone(tmp_path: Path) -> None:
    fifo, folder = tmp_path / "fifo", tmp_path / "folder"
    os.mkfifo(fifo)
    folder.mkdir()
    (tmp_path / "file").write_text("x")
    for path in (fifo, folder, tmp_path / "file" / "below", tmp_path / "missing"):
        assert history(path).load(os.urandom) == []
    for path in (fifo, folder, tmp_path / "file" / "below"):
        history(path).add("hello")
    assert not (tmp_path / "missing").exists()


def test_the_file_is_in_the_users_folders(tmp_path: Path) -> None:
    home = str(tmp_path)
    assert history_path({"HOME": home}) == f"{home}/.local/state/pi/history"
    assert history_path({"HOME": home, "XDG_STATE_HOME": "/s"}) == "/s/pi/history"
    assert (
        history_path({"HOME": home, "XDG_STATE_HOME": "rel"}) == f"{home}/.local/state/pi/history"
    )
    (tmp_path / ".pi" / "agent").mkdir(parents=True)
    assert history_path({"HOME": home, "XDG_STATE_HOME": "/s"}) == f"{home}/.pi/agent/history"
    assert history_path({}) is None
    assert history_path({"HOME": "relative"}) is None
