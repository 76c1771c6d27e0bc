"""What waits in memory while a session cannot be written, and the rescue file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.ai.types import Message, Text, ToolCall, user_message
from pi.sessions.importing import plan_import
from pi.sessions.load_rows import load_rows
from pi.sessions.lock import SessionLock
from pi.sessions.rewrite import Rewriter
from pi.sessions.store import SessionStore
from pi.sessions.unsaved import Unsaved

ANSWER = Message("assistant", (Text("yes"),), stop_reason="stop")


def store(path: Path, **options: Any) -> SessionStore:
    settings = {"lock_wait_ms": 30, "fsync": "never", **options}
    return SessionStore.open(str(path), now_ms=lambda: 5, random_bytes=os.urandom, **settings)


def held(path: Path) -> SessionLock:
    return SessionLock(str(path) + ".lock", wait_ms=1, now_ms=lambda: 0)


def said(session: SessionStore) -> list[str]:
    return [message.text() for message in session.messages()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.jsonl"


def rescues(path: Path) -> list[Path]:
    return sorted(path.parent.glob("s.jsonl.rescue-*"))


def test_what_could_not_be_written_comes_in_order_with_the_next_thing(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    unsaved.append(user_message("a"), {})
    with held(path):
        unsaved.append(ANSWER, {"usage": {"input": 1}})
        unsaved.note({"record_type": "tool_start", "tool_call_id": "c"})
        unsaved.append(user_message("b"), {})
        assert unsaved.obstacle is not None
        assert unsaved.obstacle.code == "session-locked"
    assert said(session) == ["a"]
    unsaved.append(user_message("c"), {})
    assert unsaved.obstacle is None
    assert said(store(path)) == ["a", "yes", "b", "c"]
    assert session.notes[0]["at"] == 2
    assert session.lineage()[1].extra["usage"] == {"input": 1}
    assert unsaved.finish() == ""
    assert rescues(path) == []
    assert session.lock_wait_ms == 30


def test_at_the_end_of_a_run_the_whole_conversation_goes_into_a_rescue_file(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    unsaved.append(user_message("a"), {})
    with held(path):
        unsaved.append(ANSWER, {})
        unsaved.append_waypoint({"kind": "compaction", "summary": "s", "first_kept_id": 1})
        unsaved.note({"record_type": "tool_start", "tool_call_id": "c"})
        rescue = Path(unsaved.finish())
    assert [rescue] == rescues(path)
    assert rescue.name == f"s.jsonl.rescue-{os.getpid()}.jsonl"
    assert rescue.stat().st_mode & 0o777 == 0o600
    saved = store(rescue)
    assert [entry.message.text() for entry in saved.lineage()] == ["a", "yes"]
    assert saved.head == 3
    assert saved.notes[-1]["at"] == 3
    assert saved.damage == ()


def test_importing_the_rescue_file_adds_only_what_is_missing(path: Path) -> None:
    unsaved = Unsaved(store(path))
    unsaved.append(user_message("a"), {})
    with held(path):
        unsaved.append(ANSWER, {})
        rescue = unsaved.finish()
    store(path).append([user_message("somebody else")])
    source = load_rows(rescue)
    done = Rewriter(
        str(path), now_ms=lambda: 9, random_bytes=os.urandom, lock_wait_ms=1000
    ).apply(lambda found: plan_import(
        found.rows, source.rows, mode="merge", next_id=found.contents.next_id
    ))  # fmt: skip
    assert done.plan.report["imported_entries"] == 1
    session = store(path)
    session.switch(done.plan.head)
    assert said(session) == ["a", "yes"]


def test_a_later_success_makes_the_rescue_file_needless(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    with held(path):
        unsaved.append(user_message("a"), {})
        first = unsaved.finish()
        unsaved.append(user_message("b"), {})
        second = unsaved.finish()
        assert [Path(second)] == rescues(path)
        assert first != second
    unsaved.append(user_message("c"), {})
    assert unsaved.finish() == ""
    assert rescues(path) == []
    assert said(store(path)) == ["a", "b", "c"]


def test_a_file_of_that_name_is_not_overwritten(path: Path) -> None:
    unsaved = Unsaved(store(path))
    other = path.with_name(f"s.jsonl.rescue-{os.getpid()}.jsonl")
    other.write_bytes(b"of a process that had this number before")
    with held(path):
        unsaved.append(user_message("a"), {})
        assert unsaved.finish().endswith("-2.jsonl")
    assert other.read_bytes() == b"of a process that had this number before"


@pytest.mark.parametrize("content", [None, b"", b"overwritten by a tool\n"])
def test_a_session_removed_or_overwritten_meanwhile_is_rescued_whole(
    path: Path, content: bytes | None
) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    unsaved.append(user_message("a"), {})
    unsaved.append(ANSWER, {})
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    unsaved.append(user_message("b"), {})
    rescue = unsaved.finish()
    assert unsaved.obstacle is not None
    assert unsaved.obstacle.code in ("unknown-session-id", "not-a-session")
    assert said(store(Path(rescue))) == ["a", "yes", "b"]
    assert (path.read_bytes() if path.exists() else None) == content


def test_what_can_never_be_stored_does_not_keep_back_the_rest(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    deep: dict[str, Any] = {}
    deep["self"] = deep
    unsaved.append(Message("assistant", (ToolCall("c", "n", deep),)), {})
    unsaved.append(user_message("b"), {})
    assert unsaved.obstacle is None
    assert unsaved.loss is not None
    assert unsaved.loss.code == "session-unstorable"
    assert said(session) == ["b"]


def test_a_run_is_taken_back_to_where_it_began_also_after_it_waited(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    with held(path):
        unsaved.append(user_message("kept"), {})
        mark = unsaved.mark()
        unsaved.append(user_message("dropped"), {})
        unsaved.go_back(mark)
        rescue = unsaved.finish()
        assert said(store(Path(rescue))) == ["kept"]
    unsaved.append(user_message("next"), {})
    assert said(session) == said(store(path)) == ["kept", "next"]


def test_a_place_to_go_back_to_is_found_after_the_file_was_rewritten(path: Path) -> None:
    session = store(path)
    unsaved = Unsaved(session)
    unsaved.append(user_message("kept"), {})
    mark = unsaved.mark()
    other = {"id": 1, "parent_id": None, "message": {"role": "user", "content": []}}
    path.write_bytes(b'{"record_type":"meta","schema_version":2}\n' + json.dumps(other).encode())
    unsaved.append(user_message("dropped"), {})
    unsaved.go_back(mark)
    assert said(session) == ["kept"]
    assert session.head == 2
    assert len(session.news()) == 1


def test_where_no_rescue_file_can_be_written_either_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "s.jsonl"
    unsaved = Unsaved(store(path))
    (tmp_path / "folder").write_bytes(b"in the way")
    unsaved.append(user_message("a"), {})
    assert unsaved.finish() == ""
    assert unsaved.obstacle is not None
