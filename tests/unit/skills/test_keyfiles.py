from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, UsageError
from pi.skills.keyfiles import read_key_file, write_key_file


def seed(size: int) -> bytes:
    return bytes(range(size))


def test_a_key_file_holds_one_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    assert write_key_file(str(path), seed) == seed(32)
    assert path.read_bytes() == b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_key_file(str(path)) == (seed(32), "")
    assert "AAEC" not in repr(read_key_file(str(path)))


def test_a_key_is_never_overwritten_also_not_through_a_link(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(b"mine")
    (tmp_path / "link").symlink_to("missing")
    for name in ("a.key", "link"):
        with pytest.raises(UsageError, match="exists already"):
            write_key_file(str(tmp_path / name), seed)
    assert path.read_bytes() == b"mine"
    assert not (tmp_path / "missing").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    for path in (str(tmp_path / "no" / "a.key"), "a\0b"):
        with pytest.raises(ConfigError, match="failed to write key file"):
            write_key_file(path, seed)


@pytest.mark.parametrize("data", [b"", b"YQ==\n", b"\xff" * 44, b"-----BEGIN PRIVATE KEY-----"])
def test_what_is_no_key_is_refused_without_its_content(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match="is not a key file") as caught:
        read_key_file(str(path))
    assert "BEGIN" not in "".join(caught.value.lines())


def test_a_key_that_others_may_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    write_key_file(str(path), seed)
    path.chmod(0o640)
    assert "others may read the key file" in read_key_file(str(path)).warning


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_pipe_or_a_folder_is_no_key(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    for path in (tmp_path / "p", tmp_path, tmp_path / "missing"):
        with pytest.raises(ConfigError, match="failed to read key file"):
            read_key_file(str(path))


def test_a_disk_that_is_full_leaves_no_half_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="failed to write key file") as caught:
        write_key_file(str(tmp_path / "a.key"), seed)
    assert caught.value.cause == "No space left on device"
    assert list(tmp_path.iterdir()) == []
