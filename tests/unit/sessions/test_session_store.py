from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from pi.ai.types import Message, Origin, Text, ToolCall, tool_message, user_message
from pi.sessions.errors import SessionError
from pi.sessions.lock import SessionLock
from pi.sessions.store import SessionStore
from pi.sessions.warnings import warnings

CALL = ToolCall("c1", "read", {"path": "a"})
ORIGIN = Origin("openai-chat", "openai", "m")
TURN = (
    user_message("hi"),
    Message("assistant", (Text("ok"), CALL), stop_reason="tool_use", origin=ORIGIN),
    tool_message(CALL, "content"),
    Message("assistant", (Text("done"),), stop_reason="stop", origin=ORIGIN),
)
V1 = (
    b'{"record_type":"meta","schema_version":1}\n'
    b'{"record_type":"entry","id":1,"parent_id":null,"message":{"role":"system",'
    b'"content":[{"type":"text","text":"old prompt"}],"is_error":false}}\n'
    b'{"record_type":"entry","id":2,"parent_id":1,"message":{"role":"user",'
    b'"content":[{"type":"text","text":"hi"}],"is_error":false}}\n'
)


def store(path: Path, **options: Any) -> SessionStore:
    settings = {"cwd": "/work", "app_version": "0.1", "lock_wait_ms": 100, **options}
    return SessionStore.open(
        str(path), now_ms=lambda: 1000, random_bytes=lambda count: b"\xab" * count, **settings
    )


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def line(entry_id: int, parent: int | None, role: str = "user") -> bytes:
    message = {"role": role, "content": [{"type": "text", "text": f"m{entry_id}"}]}
    return json.dumps({"id": entry_id, "parent_id": parent, "message": message}).encode() + b"\n"


def test_a_missing_file_is_an_empty_session_and_is_not_created(tmp_path: Path) -> None:
    session = store(tmp_path / "new" / "s.jsonl")
    session.refresh()
    session.sync()
    assert (len(session), session.head, session.lineage(), session.damage) == (0, None, (), ())
    assert session.append([]) == ()
    assert list(tmp_path.iterdir()) == []


def test_what_was_appended_is_what_the_next_start_reads(tmp_path: Path) -> None:
    path = tmp_path / ".pi" / "sessions" / "s.jsonl"
    session = store(path)
    entries = session.append(TURN, [{}, {"usage": {"input": 5}}])
    assert [entry.id for entry in entries] == [1, 2, 3, 4]
    assert [entry.parent_id for entry in entries] == [None, 1, 2, 3]
    assert entries[1].extra == {"ts": 1000, "usage": {"input": 5}}
    assert tuple(entry.message for entry in entries) == TURN
    again = store(path)
    assert again.lineage() == entries == session.lineage()
    assert again.messages() == TURN
    assert again.head == 4
    assert again.session_id == session.session_id
    assert warnings(again) == ()


def test_the_header_says_where_and_by_what_the_file_was_made(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    session.append(TURN)
    headers = [record for record in records(path) if record["record_type"] == "meta"]
    assert headers == [
        {
            "record_type": "meta",
            "schema_version": 2,
            "session_id": "ab" * 16,
            "created_ms": 1000,
            "cwd": "/work",
            "app_version": "0.1",
            "next_id": 1,
        }
    ]


def test_modes_are_private(tmp_path: Path) -> None:
    path = tmp_path / "d" / "s.jsonl"
    store(path).append(TURN)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for file in path.parent.iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir()) == ["s.jsonl", "s.jsonl.lock"]


def test_stores_that_started_at_the_same_entry_write_sibling_branches(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store(path).append([user_message("root")])
    left, right = store(path), store(path)
    left.append([user_message("left")])
    right.append([user_message("right")])
    left.append([user_message("left again")])
    assert [entry.id for entry in left.lineage()] == [1, 2, 4]
    assert [entry.id for entry in right.lineage()] == [1, 3]
    right.refresh()
    assert right.head == 3
    assert right.file_head == 4
    assert [entry.id for entry in right.lineage(4)] == [1, 2, 4]
    assert store(path).head == 4


def test_a_file_of_schema_1_is_continued_after_a_new_header(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(V1)
    session = store(path)
    assert session.messages() == (user_message("hi"),)
    (entry,) = session.append([Message("assistant", (Text("yes"),))])
    assert (entry.id, entry.parent_id) == (3, 2)
    assert path.read_bytes().startswith(V1)
    added = records(path)[3:]
    assert [record["record_type"] for record in added] == ["meta", "entry"]
    assert (added[0]["schema_version"], added[0]["next_id"]) == (2, 3)
    session.append([user_message("more")])
    again = store(path)
    assert [entry.id for entry in again.lineage()] == [1, 2, 3, 4]
    assert again.damage == ()


def test_bare_entries_without_a_header_are_a_session(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(line(1, None) + line(2, 1).rstrip(b"\n"))
    session = store(path)
    assert [message.text() for message in session.messages()] == ["m1", "m2"]
    session.append([user_message("m3")])
    assert [message.text() for message in store(path).messages()] == ["m1", "m2", "m3"]


def test_a_newer_schema_is_read_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    content = V1.replace(b'"schema_version":1', b'"schema_version":3')
    path.write_bytes(content)
    session = store(path)
    assert session.messages() == (user_message("hi"),)
    assert "schema version 3" in session.read_only
    assert "schema version 3" in warnings(session)[0]
    for attempt in (lambda: session.append(TURN), lambda: session.note({"record_type": "run"})):
        with pytest.raises(SessionError) as caught:
            attempt()
        assert caught.value.code == "session-newer-schema"
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_line_is_told_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store(path).append(TURN[:1])
    with open(path, "ab") as file:
        file.write(b'{"record_type":"entry","id":2,"par\xff\n')
    before = path.read_bytes()
    session = store(path)
    assert [damaged.number for damaged in session.damage] == [3]
    assert "line 3 (byte " in warnings(session)[0]
    (entry,) = session.append([user_message("on")])
    assert (entry.id, entry.parent_id) == (3, 1)  # 2 may have been on the damaged line
    assert path.read_bytes().startswith(before)
    assert len(store(path).damage) == 1


def test_many_damaged_lines_are_told_in_few(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(V1 + b"junk\n" * 1000)
    told = warnings(store(path))
    assert len(told) == 4
    assert told[-1].endswith("has 997 more damaged lines")


def test_a_torn_last_line_is_damage_and_the_next_append_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store(path).append(TURN)
    torn = path.read_bytes()[:-20]
    path.write_bytes(torn)
    session = store(path)
    assert [damaged.number for damaged in session.damage] == [5]
    assert session.messages() == TURN[:3]
    session.append([user_message("on")])
    assert [damaged.number for damaged in session.damage] == [5]
    assert path.read_bytes().startswith(torn + b"\n")
    assert store(path).messages() == (*TURN[:3], user_message("on"))


def test_a_torn_last_line_while_somebody_writes_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store(path).append(TURN)
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    lock = SessionLock(str(path) + ".lock", wait_ms=1, now_ms=lambda: 0)
    with lock:
        session = store(path)
        assert session.damage == ()
        assert len(session) == 3
        path.write_bytes(content)
    session.refresh()
    assert session.damage == ()
    assert len(session) == 4


def test_an_odd_lock_file_does_not_keep_a_torn_session_from_being_read(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(V1[:-20])
    (tmp_path / "s.jsonl.lock").mkdir()
    session = store(path)
    assert len(session) == 1
    with pytest.raises(SessionError, match="failed to acquire lock"):
        session.append(TURN)


def test_a_missing_parent_gives_the_reachable_part_and_a_word(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(line(1, None) + line(3, 2) + line(4, 3))
    session = store(path)
    assert [entry.id for entry in session.lineage()] == [3, 4]
    assert session.lineage_problem() == "missing parent id 2 for session entry 3"
    assert "missing parent id 2" in warnings(session)[0]
    assert session.lineage_problem(1) == ""


def test_a_cycle_gives_the_reachable_part_and_a_word(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(line(1, 2) + line(2, 1))
    session = store(path)
    assert [entry.id for entry in session.lineage()] == [1, 2]
    assert "detected a cycle" in session.lineage_problem()
    session.append([user_message("on")])
    assert len(session.lineage()) == 3


def test_an_unknown_id_has_no_lineage(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="does not contain entry id 9") as caught:
        store(tmp_path / "s.jsonl").lineage(9)
    assert caught.value.code == "unknown-session-id"


def test_notes_say_which_calls_were_started(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN[:2])
    session.note({"record_type": "tool_start", "tool_call_id": "c1", "ts": 5})
    assert session.started_calls() == {"c1"}
    session.append(TURN[2:])
    again = store(path)
    assert again.notes == ({"record_type": "tool_start", "ts": 5, "at": 2, "tool_call_id": "c1"},)
    assert again.started_calls() == again.started_calls(since=2) == {"c1"}
    assert again.started_calls(since=3) == again.started_calls(since=99) == frozenset()


def test_a_note_on_another_branch_starts_no_call_of_this_one(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store(path).append(TURN[:1])
    left, right = store(path), store(path)
    for session in (left, right):
        session.append(TURN[1:2])
    left.note({"record_type": "tool_start", "tool_call_id": "c1"})
    right.refresh()
    assert right.started_calls() == frozenset()
    assert left.started_calls() == {"c1"}


def test_a_replaced_file_without_the_head_gets_the_conversation_again(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    session.note({"record_type": "tool_start", "tool_call_id": "c1", "at": 2})
    path.write_bytes(V1)
    assert session.messages() == TURN
    (entry,) = session.append([user_message("on")])
    assert (entry.id, entry.parent_id) == (9, 8)
    assert path.read_bytes().startswith(V1)
    assert session.messages() == (*TURN, user_message("on"))
    assert store(path).messages() == session.messages()
    assert [entry.id for entry in store(path).lineage()] == [5, 6, 7, 8, 9]
    assert session.started_calls() == {"c1"}
    assert session.current(2) == 6
    (told,) = session.news()
    assert "4 entries of this conversation were stored again" in told
    assert session.news() == ()


def test_what_is_still_there_of_the_conversation_is_not_stored_again(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    kept = path.read_bytes().split(b"\n")[:3]
    path.write_bytes(b"\n".join([*kept, line(9, 1).rstrip(), b""]))
    session.note({"record_type": "run"})
    assert session.head == 11
    assert [entry.id for entry in session.lineage()] == [1, 2, 10, 11]
    assert session.notes[-1]["at"] == 11
    assert store(path).messages() == TURN


def test_a_removed_file_is_told_and_not_made_again(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    path.unlink()
    for _ in range(2):
        with pytest.raises(SessionError, match="was removed or emptied") as caught:
            session.append([user_message("on")])
        assert caught.value.code == "unknown-session-id"
    assert not path.exists()
    assert session.messages() == TURN
    assert [record["id"] for record in session.conversation()] == [1, 2, 3, 4]


def test_a_replaced_file_with_the_head_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(path.read_bytes() + line(9, 4))
    os.replace(fresh, path)
    (entry,) = session.append([user_message("on")])
    assert (entry.id, entry.parent_id) == (10, 4)


def test_a_deleted_file_is_an_empty_session_that_gives_no_id_twice(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    path.unlink()
    session.refresh()
    session.head = session.file_head
    assert [entry.id for entry in session.append([user_message("on")])] == [5]


def test_a_message_that_cannot_be_read_again_is_not_stored(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path, max_line_bytes=500)
    session.append(TURN)
    before = path.read_bytes()
    deep: dict[str, Any] = {}
    deep["self"] = deep
    for bad, why in (
        (user_message("x" * 500), "longer than 500 bytes"),
        (Message("nobody", ()), "role is not"),
        (Message("assistant", (ToolCall("c", "n", deep),)), "nested too deeply"),
    ):
        with pytest.raises(SessionError) as caught:
            session.append([user_message("fine"), bad])
        assert why in caught.value.cause
    assert path.read_bytes() == before
    assert session.head == 4


def test_lone_surrogates_are_stored_as_replacement_characters(tmp_path: Path) -> None:
    session = store(tmp_path / "s.jsonl")
    (entry,) = session.append([user_message("a\udc80b")])
    assert entry.message.text() == "a\ufffdb"


def test_no_ids_left_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(line(2**63 - 1, None))
    with pytest.raises(SessionError, match="no ids left"):
        store(path).append(TURN)


def test_a_held_lock_stops_the_append_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path)
    session.append(TURN)
    before = path.read_bytes()
    lock = SessionLock(str(path) + ".lock", wait_ms=1, now_ms=lambda: 0)
    with lock:
        with pytest.raises(SessionError, match="timed out acquiring lock") as caught:
            session.append(TURN)
        assert f"held by process {os.getpid()} on " in caught.value.cause
    assert path.read_bytes() == before
    assert session.append(TURN)[0].parent_id == 4


@pytest.mark.parametrize("policy", ["always", "turn", "never"])
def test_every_fsync_policy_stores_the_same(tmp_path: Path, policy: str) -> None:
    path = tmp_path / "s.jsonl"
    session = store(path, fsync=policy)
    session.append(TURN)
    session.sync()
    assert store(path).messages() == TURN


def test_an_unknown_fsync_policy_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fsync"):
        store(tmp_path / "s.jsonl", fsync="sometimes")


def test_a_linked_session_is_written_where_it_is(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "s.jsonl", tmp_path / "link.jsonl"
    target.parent.mkdir()
    link.symlink_to(target)
    store(link).append(TURN)
    assert link.is_symlink()
    assert store(target).messages() == TURN
    assert store(link).path == str(target)
    assert not (tmp_path / "link.jsonl.lock").exists()


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("folder", "it is a folder"), ("pipe", "it is a named pipe"), ("socket", "it is a socket")],
)
def test_what_is_no_file_is_one_clear_error(tmp_path: Path, kind: str, cause: str) -> None:
    path = tmp_path / "s"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.relpath(path))  # an absolute one may be too long
    with pytest.raises(SessionError) as caught:
        store(path)
    assert caught.value.cause == cause
    assert caught.value.code == "session-unreadable"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["/dev/null", "", "a\0b", "x" * 5000, "/dev/null/s.jsonl"])
def test_a_path_that_cannot_be_a_file_is_one_clear_error(path: str) -> None:
    with pytest.raises(SessionError) as caught:
        SessionStore.open(path, now_ms=lambda: 0, random_bytes=bytes)
    assert caught.value.cause


@pytest.mark.parametrize(
    "content",
    [
        b"export PATH=/bin\nalias x=y\n",
        b"notes without newline",
        b'{\n  "name": "package"\n}\n',
        b'{"name":"package"}\n',
        b'{"record_type":"tool_start"}\n',
        b"\x7fELF" + bytes(range(256)) * 100,
    ],
)
def test_a_file_of_something_else_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    with pytest.raises(SessionError) as caught:
        store(path)
    assert caught.value.code == "not-a-session"
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "content", [b"", b"\n\r\n", b'{"record_type":"me', b'{"record_type":"meta"']
)
def test_what_is_left_of_a_first_append_is_continued(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(content)
    session = store(path)
    session.append(TURN)
    assert store(path).messages() == TURN
    assert path.read_bytes().startswith(content)


UNREADABLE = """
import os, sys
from pi.ai.types import user_message
from pi.sessions.errors import SessionError
from pi.sessions.store import SessionStore
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
options = dict(now_ms=lambda: 0, random_bytes=bytes)
def show(action):
    try:
        action()
        print("done")
    except SessionError as exc:
        print(exc.code, exc.message.split(" '")[0], "|", exc.cause)
show(lambda: SessionStore.open(sys.argv[1], **options))
session = SessionStore.open(sys.argv[2], **options)
show(lambda: session.append([user_message("x")]))
print(len(session))
"""


def test_a_file_one_may_not_read_or_write_is_one_clear_error() -> None:
    # Not tmp_path: the child is somebody else, who may not pass the folders above it.
    with tempfile.TemporaryDirectory() as name:
        closed, fixed = Path(name, "closed.jsonl"), Path(name, "fixed.jsonl")
        for path, mode in ((closed, 0o000), (fixed, 0o444)):
            path.write_bytes(V1)
            path.chmod(mode)
        os.chmod(name, 0o555)
        done = subprocess.run(
            [sys.executable, "-c", UNREADABLE, str(closed), str(fixed)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        os.chmod(name, 0o755)
        assert done.stderr == ""
        assert done.stdout.split("\n")[:3] == [
            "session-unreadable failed to read session file | Permission denied",
            "session-failed failed to acquire lock | Permission denied",
            "2",
        ]
        assert fixed.read_bytes() == V1
        assert sorted(os.listdir(name)) == ["closed.jsonl", "fixed.jsonl"]
