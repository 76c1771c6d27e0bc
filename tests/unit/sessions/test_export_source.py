"""A session's file, read for an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.sessions.errors import SessionError
from pi.sessions.export_source import Source
from pi.sessions.load_rows import load_rows
from tests.fakes.session_files import dump, entry, label, meta

ODD = (
    b"\xef\xbb\xbf" + dump(meta()).rstrip(b"\n") + b"\r\n",
    b'{"id":1,"parent_id":null,"message":{"role":"user","content":[]}}\n',
    b"not json\n\n",
    dump({**entry(2, 1, "\ud800"), "at": "x"}, label("l", 2), {"record_type": "new", "id": {}}),
    dump({"record_type": "label", "kind": "k", "id": None, "name": "n"}),
    dump(entry(3, 2, "last")).rstrip(b"\n"),
)


def test_every_record_is_what_a_whole_reading_gives(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"".join(ODD))
    rows = load_rows(str(path)).rows
    source = Source(str(path))
    try:
        assert [row[:3] for row in source.rows] == [row[:3] for row in rows]
        assert [row.is_entry for row in source.rows] == [row.is_entry for row in rows]
        assert [row.reason for row in source.rows] == [row.reason for row in rows]
        for place, row in zip(source.rows, rows):
            if row.record is not None:
                assert source.record(place) == row.record
        assert source.raw(source.rows[-1]) == ODD[-1]
    finally:
        source.close()


def test_what_is_said_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(dump(entry(1, None, "word"), {"record_type": "tool_start", "x": "word"}))
    source = Source(str(path))
    source.close()
    assert "word" not in str(source.rows)


def test_a_file_that_is_replaced_is_read_as_it_was_and_one_cut_off_is_an_error(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(dump(entry(1, None, "old"), entry(2, 1, "older" * 100_000)))
    source = Source(str(path))
    try:
        (tmp_path / "new").write_bytes(dump(entry(1, None, "new")))
        kept = tmp_path / "kept"
        path.rename(kept)
        (tmp_path / "new").rename(path)
        assert "old" in str(source.record(source.rows[0]))
        kept.write_bytes(dump(entry(9, None, "oid")))
        with pytest.raises(SessionError, match="failed to read session file"):
            source.record(source.rows[1])
    finally:
        source.close()


def test_no_file_has_no_rows(tmp_path: Path) -> None:
    source = Source(str(tmp_path / "none"))
    source.close()
    assert (source.path, source.rows) == ("", ())
