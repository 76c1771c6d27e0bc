"""Small files that may be anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.smallfile import Unreadable, read_small, read_small_text


def why(path: Path | str, limit: int = 100, *, follow: bool = True) -> str:
    with pytest.raises(Unreadable) as caught:
        read_small_text(str(path), limit, follow=follow)
    return caught.value.why


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"\xef\xbb\xbfabc")
    assert read_small_text(str(path), 6) == "abc"
    assert why(path, 5) == "is larger than 5 bytes"
    assert read_small(str(path), 4) == (b"\xef\xbb\xbfa", True)


def test_what_is_no_regular_text_file_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    (tmp_path / "nul").write_bytes(b"a\0b")
    assert why(tmp_path) == "is a folder"
    assert why(tmp_path / "pipe") == "is not a regular file"
    assert why("/dev/zero") == "is not a regular file"
    assert why(tmp_path / "loop") == "is a link to itself"
    assert why(tmp_path / "latin").startswith("is not UTF-8 text (")
    assert why(tmp_path / "nul") == "holds a NUL character"
    assert why("a\0b") == "has a name that cannot be one"
    assert why("x" * 300).startswith("cannot be read: ")


def test_a_link_is_followed_only_where_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    assert read_small_text(str(tmp_path / "link"), 9) == "text"
    assert why(tmp_path / "link", follow=False) == "is a link"


def test_a_file_that_is_not_there_is_told_apart(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path / "none" / "below"):
        with pytest.raises(Unreadable) as caught:
            read_small_text(str(path), 9)
        assert caught.value.absent
