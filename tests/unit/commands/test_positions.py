"""Where in a session somebody means, names of old files, and writing new files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pi.base.errors import PiError, UsageError
from pi.commands.positions import names, resolve, write_new
from pi.sessions.labels import LabelError
from pi.sessions.store import SessionStore
from tests.fakes.session_files import context, entry, label, meta

TREE = (meta(), entry(1, None), entry(2, 1), entry(5, 2), entry(4, 2), label("spot", 2))


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    found = context(tmp_path, *TREE).store
    assert found is not None
    found.switch(5)
    return found


@pytest.mark.parametrize(
    ("text", "entry_id"),
    [("2", 2), ("active", 5), ("latest", 4), ("~0", 5), ("~2", 1), ("spot", 2), ("0005", 5)],
)
def test_a_place_can_be_said_in_many_ways(store: SessionStore, text: str, entry_id: int) -> None:
    assert resolve(text, store) == entry_id


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7", "unknown-session-id"),
        ("~9", "unknown-session-id"),
        (str(2**63 - 1), "unknown-session-id"),
        (str(2**64), "bad-usage"),
        ("-1", "bad-usage"),
        ("1.0", "bad-usage"),
        ("true", "bad-usage"),
        ("~²", "bad-usage"),
        ("~-1", "bad-usage"),
        ("٣", "bad-usage"),
        ("", "bad-usage"),
        ("nobody", "bad-usage"),
    ],
)
def test_what_is_no_place_says_so(store: SessionStore, text: str, code: str) -> None:
    with pytest.raises(PiError) as caught:
        resolve(text, store)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_no_place_yet(store: SessionStore) -> None:
    store.switch(None)
    with pytest.raises(PiError, match="active head is not set"):
        resolve("active", store)
    with pytest.raises(PiError, match="active head is not set"):
        resolve("~1", store)


def test_names_of_old_files_come_before_those_of_the_session(store: SessionStore) -> None:
    folder = Path(store.path).parent
    old = {"schema_version": 1, "bookmarks": {"spot": 1, "old": 5}}
    (folder / "s.bookmarks.json").write_text(json.dumps(old))
    (folder / "s.jsonl.bookmarks.json").write_text(json.dumps({**old, "bookmarks": {"old": 4}}))
    assert names(store, "bookmark") == {"old": 5, "spot": 2}
    assert names(store, "alias") == {}


CORRUPT = [b"{", b"[]", b"\xff", b'{"schema_version":1}', b'{"schema_version":true,"aliases":{}}']
CORRUPT += [b'{"schema_version":2,"aliases":{}}', b'{"schema_version":1,"aliases":{"a":"1"}}']
CORRUPT += [b'{"schema_version":1,"aliases":{"a":-1}}', b"[" * 100_000, b""]


@pytest.mark.parametrize("data", CORRUPT)
def test_a_corrupt_file_of_names_is_refused_and_places_still_work(
    store: SessionStore, data: bytes
) -> None:
    (Path(store.path).parent / "s.aliases.json").write_bytes(data)
    with pytest.raises(LabelError):
        names(store, "alias")
    assert resolve("spot", store) == 2


def test_a_pipe_for_a_file_of_names_is_not_waited_for(store: SessionStore) -> None:
    os.mkfifo(Path(store.path).parent / "s.aliases.json")
    with pytest.raises(LabelError, match="not a regular file"):
        names(store, "alias")


def test_a_new_file_is_written_once(tmp_path: Path) -> None:
    found = context(tmp_path)
    write_new("a/b/new.txt", b"one", found, force=False)
    with pytest.raises(PiError, match="already there"):
        write_new("a/b/new.txt", b"two", found, force=False)
    assert (tmp_path / "a/b/new.txt").read_bytes() == b"one"
    write_new("a/b/new.txt", b"two", found, force=True)
    assert (tmp_path / "a/b/new.txt").read_bytes() == b"two"
    (tmp_path / "dangling").symlink_to("nowhere")
    for path, words in (("", "empty"), (".", "directory"), ("dangling", "already there")):
        with pytest.raises(PiError, match=words):
            write_new(path, b"", found, force=False)
    with pytest.raises(UsageError, match="failed to write") as caught:
        write_new("a/b/new.txt/under", b"", found, force=False)
    assert caught.value.hint == "a part of this path is a file, not a folder"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("s.jsonl", "the session itself"),
        ("there", "the session itself"),
        ("s.jsonl.lock", "the lock of the session"),
        ("s.jsonl.bak-20260101T000000.000Z", "a backup of the session"),
        ("s.jsonl.bak-mine", "a backup of the session"),
        ("s.jsonl.quarantine.jsonl", "what a repair kept"),
        ("s.jsonl.rescue-7.jsonl", "what could not be saved"),
        ("s.aliases.json", "a file of names"),
        ("s.jsonl.bookmarks.json", "a file of names"),
        (".pi/sessions/other.jsonl", "a file of another session"),
        (".pi/sessions/other.jsonl.bak-1", "a file of another session"),
    ],
)
def test_no_export_takes_the_place_of_what_sessions_keep(
    tmp_path: Path, name: str, words: str
) -> None:
    found = context(tmp_path, *TREE)
    (tmp_path / "there").symlink_to("s.jsonl")
    target = tmp_path / name
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        target.write_bytes(b"kept")
    before = target.read_bytes()
    with pytest.raises(UsageError, match=words):
        write_new(name, b"page", found, force=True)
    with pytest.raises(UsageError, match="already there") as caught:
        write_new(name, b"page", found, force=False)
    assert "--force" not in caught.value.hint
    assert target.read_bytes() == before


def test_what_only_looks_like_a_file_of_a_session_can_be_written(tmp_path: Path) -> None:
    found = context(tmp_path, *TREE)
    (tmp_path / ".pi/sessions").mkdir(parents=True)
    for name in ("s.jsonl.html", "s.bak-1", "t.jsonl.bak-1", ".pi/sessions/new.jsonl"):
        write_new(name, b"page", found, force=False)
    write_new("s.jsonl.html", b"again", found, force=True)
    with pytest.raises(UsageError, match="a backup of the session, which /session-undo reads"):
        write_new("s.jsonl.bak-1", b"page", found, force=False)


def test_what_is_there_is_seen_also_behind_a_folder_that_is_not(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("kept")
    with pytest.raises(PiError, match="already there"):
        write_new("no/../here", b"new", context(tmp_path), force=False)
    assert (tmp_path / "here").read_text() == "kept"
