from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pi.base.jsonl import Damaged, Line, Record
from pi.sessions.errors import SessionError
from pi.sessions.logfile import LogFile


def log(path: Path, max_line_bytes: int = 10_000) -> LogFile:
    return LogFile(str(path), max_line_bytes=max_line_bytes)


@contextmanager
def opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(file: LogFile) -> tuple[bool, list[Line]]:
    with opened(file.open_to_read()) as descriptor:
        other = file.is_other(descriptor)
        if other:
            file.forget()
        return other, [line for lines in file.read_new(descriptor) for line in lines]


def add(file: LogFile, data: bytes) -> list[Line]:
    with opened(file.open_to_append()) as descriptor:
        if file.is_other(descriptor):
            file.forget()
        found = [line for lines in file.read_new(descriptor) for line in lines]
        added = file.append(descriptor, data, fsync=False)
        assert added is not None
        assert not list(file.read_new(descriptor))
        return found + added


A, B, C = b'{"a":1}\n', b'{"b":2}\n', b'{"c":3}\n'


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(A)
    file = log(path)
    assert read(file) == (False, [Record(1, 0, 7, {"a": 1})])
    assert read(file) == (False, [])
    with open(path, "ab") as other:
        other.write(B)
    assert read(file) == (False, [Record(2, 8, 7, {"b": 2})])


def is_as_left(file: LogFile) -> bool:
    with opened(file.open_to_append()) as descriptor:
        return file.is_as_left(descriptor)


def test_nothing_is_read_again_as_long_as_nobody_else_writes(tmp_path: Path) -> None:
    file = log(tmp_path / "f")
    assert not is_as_left(file)
    for _ in range(3):
        add(file, A)
        assert is_as_left(file)
        assert read(file) == (False, [])
        assert is_as_left(file)


@pytest.mark.parametrize("change", ["append", "append here", "shrink", "replace", "rewrite"])
def test_whatever_others_do_to_the_file_is_looked_at(tmp_path: Path, change: str) -> None:
    path, fresh = tmp_path / "f", tmp_path / "g"
    file = log(path)
    add(file, A)
    if change == "append":
        add(log(path), B)
    elif change == "append here":  # read since, but not written by this one
        add(log(path), B)
        assert read(file) == (False, [Record(2, 8, 7, {"b": 2})])
    elif change == "shrink":
        os.truncate(path, 3)
    elif change == "replace":
        fresh.write_bytes(A)
        os.replace(fresh, path)
    else:
        before = path.stat().st_mtime_ns
        path.write_bytes(B)
        os.utime(path, ns=(before + 1, before + 1))
    assert not is_as_left(file)


def test_what_comes_in_between_opening_and_appending_is_read_too(tmp_path: Path) -> None:
    """Possible only where there is no lock."""
    path = tmp_path / "f"
    file = log(path)
    add(file, A)
    with opened(file.open_to_append()) as descriptor:
        assert file.is_as_left(descriptor)
        add(log(path), B)
        assert file.append(descriptor, C, fsync=False) is None
        assert list(file.read_new(descriptor)) == [
            [Record(2, 8, 7, {"b": 2}), Record(3, 16, 7, {"c": 3})]
        ]


def test_what_is_appended_is_told_with_what_others_appended(tmp_path: Path) -> None:
    path = tmp_path / "f"
    first, second = log(path), log(path)
    assert add(first, A) == [Record(1, 0, 7, {"a": 1})]
    assert add(second, B) == [Record(1, 0, 7, {"a": 1}), Record(2, 8, 7, {"b": 2})]
    assert read(first) == (False, [Record(2, 8, 7, {"b": 2})])


@pytest.mark.parametrize("content", [b"", A, b'{"x":9}\n' * 100])
def test_a_replaced_file_is_another_one(tmp_path: Path, content: bytes) -> None:
    path, fresh = tmp_path / "f", tmp_path / "g"
    path.write_bytes(A + B)
    file = log(path)
    read(file)
    fresh.write_bytes(content)
    os.replace(fresh, path)
    other, lines = read(file)
    assert other
    assert len(lines) == content.count(b"\n")


@pytest.mark.parametrize("content", [b"", A, B + A, A + C, A + C + B])
def test_a_file_rewritten_in_place_is_another_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f"
    path.write_bytes(A + B)
    file = log(path)
    read(file)
    path.write_bytes(content)
    other, lines = read(file)
    assert other
    assert len(lines) == content.count(b"\n")


def test_a_torn_line_is_ended_before_anything_is_appended(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(A + b'{"b":')
    file = log(path)
    assert read(file)[1] == [Record(1, 0, 7, {"a": 1})]
    assert file.tail is not None
    assert file.tail.number == 2
    damaged, record = add(file, C)
    assert isinstance(damaged, Damaged)
    assert record == Record(3, 14, 7, {"c": 3})
    assert file.tail is None
    assert path.read_bytes() == A + b'{"b":\n' + C
    assert read(log(path))[1] == [Record(1, 0, 7, {"a": 1}), damaged, record]


def test_a_whole_last_line_without_newline_is_one_record(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(A + B[:-1])
    file = log(path)
    assert len(read(file)[1]) == 2
    assert file.tail is None
    assert read(file) == (False, [])
    assert add(file, C) == [Record(3, 16, 7, {"c": 3})]
    assert path.read_bytes() == A + B + C


def test_a_line_may_grow_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "f"
    file = log(path)
    found = []
    for at in range(len(A + B)):
        path.touch()
        with open(path, "ab") as other:
            other.write((A + B)[at : at + 1])
        other_file, lines = read(file)
        assert not other_file
        found += lines
    assert found == [Record(1, 0, 7, {"a": 1}), Record(2, 8, 7, {"b": 2})]


def test_folders_and_file_are_made_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "f"
    file = log(path)
    file.make_folder()
    add(file, A)
    modes = [item.stat().st_mode & 0o777 for item in (path.parent.parent, path.parent, path)]
    assert modes == [0o700, 0o700, 0o600]


def test_an_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(A)
    path.chmod(0o640)
    add(log(path), B)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_file_in_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    file = log(tmp_path / "a" / "b" / "f")
    with pytest.raises(SessionError, match="failed to create session directory"):
        file.make_folder()
    with pytest.raises(SessionError, match="failed to read session file"):
        file.open_to_read()


def test_sync_is_asked_once_per_change(tmp_path: Path) -> None:
    path = tmp_path / "f"
    file = log(path)
    file.sync()
    assert not path.exists()
    add(file, A)
    file.sync()
    path.unlink()
    file.sync()  # nothing left to do: it does not miss the file
    add(file, A)
    path.unlink()
    with pytest.raises(SessionError, match="failed to sync session file"):
        file.sync()
