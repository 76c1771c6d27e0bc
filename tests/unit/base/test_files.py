"""Replacing files, and the package's own data."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi.base.files import replace_file, resource


def test_a_file_is_replaced_with_the_mode_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "x"
    target.write_bytes(b"old")
    replace_file(str(target), b"new", random_bytes=os.urandom, mode=0o640, sync=True)
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["x"]


def test_a_failure_leaves_the_old_content_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "kept").touch()
    with pytest.raises(OSError, match="folder"):
        replace_file(str(target), b"new", random_bytes=os.urandom)
    assert os.listdir(tmp_path) == ["folder"]


def test_pieces_are_written_as_they_are_made(tmp_path: Path) -> None:
    made = [b"a" * 200_000, b"", b"b" * 200_000, b"c"]
    replace_file(str(tmp_path / "x"), iter(made), random_bytes=os.urandom)
    assert (tmp_path / "x").read_bytes() == b"".join(made)
    replace_file(str(tmp_path / "x"), iter(()), random_bytes=os.urandom)
    assert (tmp_path / "x").read_bytes() == b""


def test_a_piece_that_cannot_be_made_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"a" * 300_000
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        replace_file(str(tmp_path / "x"), pieces(), random_bytes=os.urandom)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_name_relative_to_an_open_folder_is_replaced_there(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        replace_file("x", b"1", random_bytes=os.urandom, dir_fd=folder)
    finally:
        os.close(folder)
    assert (tmp_path / "x").read_bytes() == b"1"


def test_the_packages_own_files_are_found_and_missing_ones_are_none() -> None:
    found = resource("base/files.py")
    assert found is not None
    assert b"def resource" in found
    assert resource("data/no-such-file") is None


def test_a_long_name_of_wide_characters_is_replaced_too(tmp_path: Path) -> None:
    name = "漢" * 85  # 255 bytes, the longest there is
    replace_file(str(tmp_path / name), b"1", random_bytes=os.urandom)
    assert (tmp_path / name).read_bytes() == b"1"
