from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.skills.plain_files import NotPlain, read_plain


def test_a_plain_file_is_read_whole_also_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    data, state = read_plain(str(tmp_path / "b"), 5)
    assert (data, state.st_size) == (b"12345", 5)


def test_what_is_larger_than_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(NotPlain, match="larger than 4 bytes"):
        read_plain(str(tmp_path / "a"), 4)
    (tmp_path / "b").symlink_to("/dev/zero")
    with pytest.raises(NotPlain, match="not a regular file"):
        read_plain(str(tmp_path / "b"), 4)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(NotPlain, match="not a regular file"):
        read_plain(str(tmp_path / "p"), 4)


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_an_impossible_name_is_an_error_like_others(path: str) -> None:
    with pytest.raises(NotPlain, match="no file can be called that"):
        read_plain(path, 4)


def test_a_folder_and_a_missing_file_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(NotPlain, match="folder"):
        read_plain(str(tmp_path), 4)
    with pytest.raises(FileNotFoundError):
        read_plain(str(tmp_path / "x"), 4)
