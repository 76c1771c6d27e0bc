"""Files named by the user: also folders, and pipes with and without a writer."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from pi.base.errors import PiError, UsageError
from pi.base.given_file import not_taken, read_given


def test_a_file_is_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert read_given(str(tmp_path / "f"), 100) == b"0123456789"
    assert read_given(str(tmp_path / "f"), 4) == b"0123"


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory"):
        read_given(str(tmp_path), 9)
    with pytest.raises(FileNotFoundError):
        read_given(str(tmp_path / "none"), 9)
    os.symlink("loop", tmp_path / "loop")
    with pytest.raises(OSError, match="symbolic links"):
        read_given(str(tmp_path / "loop"), 9)


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOENT, 2), (errno.EISDIR, 2), (errno.EACCES, 2), (errno.ENOSPC, 1), (errno.EIO, 1)],
)
def test_another_name_would_have_done_or_not(number: int, code: int) -> None:
    error = not_taken("failed to read x", OSError(number, os.strerror(number)), hint="h", code="c")
    assert (error.exit_code, error.cause) == (code, os.strerror(number))
    assert (error.message, error.hint, error.code) == ("failed to read x", "h", "c")


def test_a_refusal_of_our_own_is_about_the_name() -> None:
    assert isinstance(not_taken("m", OSError(0, "it is a folder")), UsageError)
    assert isinstance(not_taken("m", ValueError("embedded null byte")), UsageError)
    assert type(not_taken("m", OSError(errno.ENOSPC, "full"))) is PiError


def test_a_pipe_that_nobody_writes_to_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="nobody writes to it"):
        read_given(str(tmp_path / "pipe"), 9)


def test_a_pipe_with_a_writer_is_read_to_its_end() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        with open(writer, "wb") as file:
            file.write(b"x" * 300_000)

    thread = threading.Thread(target=write)
    thread.start()
    assert len(read_given(f"/dev/fd/{reader}", 1 << 20)) == 300_000
    thread.join()
    os.close(reader)


def test_a_pipe_is_read_no_further_than_the_limit() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"0123456789")
    assert read_given(f"/dev/fd/{reader}", 4) == b"0123"
    os.close(writer)
    os.close(reader)
