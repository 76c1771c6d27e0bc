"""Files to import: whose they are, and whether they arrived whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.errors import VerificationFailed
from pi.sessions.errors import SessionError
from pi.sessions.export import to_sealed_jsonl
from pi.sessions.rewrite import Rewriter
from pi.sessions.sources import adopt, load_import, load_source
from pi.sessions.store import SessionStore
from tests.fakes.session_files import clock, dump, entry, meta, rows

DATA = Path(__file__).resolve().parents[2] / "data" / "sessions"


def exported() -> bytes:
    found = rows(entry(1, None, "one"), entry(2, 1, "two"))
    lines = iter(dump(entry(1, None, "one"), entry(2, 1, "two")).splitlines())
    return b"".join(to_sealed_jsonl(meta(), found, lambda row: next(lines)))


def test_a_whole_export_is_taken() -> None:
    assert len(load_import("-", exported()).contents.order) == 2


def test_an_export_that_was_continued_is_taken() -> None:
    assert len(load_import("-", exported() + dump(entry(3, 2))).contents.order) == 3


@pytest.mark.parametrize("at", range(0, len(exported()) - 1, 7))
def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path, at: int) -> None:
    data = bytearray(exported())
    data[at] ^= 1
    with pytest.raises(VerificationFailed, match="not as it was exported") as caught:
        load_import("-", bytes(data))
    assert caught.value.exit_code == 7
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)
    with pytest.raises(VerificationFailed):
        load_import(str(path))


@pytest.mark.parametrize("size", range(150, len(exported()) - 1, 11))
def test_a_file_cut_short_is_noticed(size: int) -> None:
    with pytest.raises(VerificationFailed, match="not as it was exported"):
        load_import("-", exported()[:size])


def test_a_missing_line_is_noticed() -> None:
    lines = exported().split(b"\n")
    with pytest.raises(VerificationFailed):
        load_import("-", b"\n".join(lines[:1] + lines[2:]))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not-a-session"),
        (b"some notes\nof mine\n", "not-a-session"),
        (b'{"json":"but no session"}\n', "not-a-session"),
        (b'{"record_type":"meta","schema_version":99}\n', "session-newer-schema"),
    ],
)
def test_what_is_no_session_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(SessionError) as caught:
        load_import("x", data)
    assert caught.value.code == code


def test_a_folder_a_pipe_and_nothing_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path, "folder"), (tmp_path / "pipe", "pipe")):
        with pytest.raises(SessionError) as caught:
            load_import(str(path))
        assert words in caught.value.cause
    with pytest.raises(SessionError, match="there is no session file"):
        load_import(str(tmp_path / "none"))


@pytest.mark.parametrize(("name", "entries"), [("pimono_v1.jsonl", 9), ("pimono_v3.jsonl", 20)])
def test_a_session_of_the_ancestor_is_read_and_can_be_adopted(
    tmp_path: Path, name: str, entries: int
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes((DATA / name).read_bytes() + b'{"torn":')
    before = path.read_bytes()
    assert sum(row.is_entry for row in load_source(str(path)).rows) == entries
    rewriter = Rewriter(str(path), now_ms=clock(), random_bytes=os.urandom, lock_wait_ms=100)
    done = adopt(str(path), rewriter)
    assert done is not None
    assert done.plan.report["entries"] == entries
    assert Path(done.backup).read_bytes() == before
    assert b'{\\"torn\\":' in (tmp_path / "s.jsonl.quarantine.jsonl").read_bytes()
    store = SessionStore.open(str(path), now_ms=clock(), random_bytes=os.urandom)
    assert len(store) == entries
    assert store.damage == ()
    assert adopt(str(path), rewriter) is None
