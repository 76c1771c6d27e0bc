"""The recorder against a real session file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pi.agent.events import AgentEnd, MessageAdded, ToolStart
from pi.ai.types import Message, Reply, Text, ToolCall, Usage, user_message
from pi.base.errors import Interrupted, PiError
from pi.runtime.recorder import Recorder
from pi.sessions.store import SessionStore

CALL = ToolCall("c1", "bash", {"command": "ls"})
ANSWER = Message("assistant", (Text("hi"), CALL), stop_reason="tool_use")


def open_store(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 7, random_bytes=os.urandom)


def test_messages_and_the_start_of_tools_are_on_disk_when_the_event_returns(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    record = Recorder(open_store(path), lambda error: None)
    seen = []
    for event in (
        MessageAdded(user_message("q")),
        MessageAdded(ANSWER, Reply(ANSWER, "tool_use", Usage(3, 4))),
        ToolStart(CALL),
        AgentEnd("completed", 2, Usage()),
    ):
        record(event)
        seen.append(path.read_text().count("\n"))
    assert seen == [2, 3, 4, 4]
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[2]["usage"]["output"] == 4
    assert lines[3]["record_type"] == "tool_start"
    assert lines[3]["tool_call_id"] == "c1"
    assert record.failure is None


def test_the_first_failure_is_told_once_and_the_run_goes_on(tmp_path: Path) -> None:
    told: list[PiError] = []
    record = Recorder(open_store(tmp_path / "folder" / "s.jsonl"), told.append)
    (tmp_path / "folder").write_text("in the way")
    record(MessageAdded(user_message("q")))
    record(MessageAdded(user_message("r")))
    assert len(told) == 1
    assert record.failure is told[0]


def test_a_discarded_run_stays_as_a_branch_and_the_conversation_goes_on_before_it(
    tmp_path: Path,
) -> None:
    store = open_store(tmp_path / "s.jsonl")
    record = Recorder(store, lambda error: None)
    for event in (MessageAdded(user_message("kept")), AgentEnd("completed", 1, Usage())):
        record(event)
    kept = store.head
    for event in (
        MessageAdded(user_message("dropped")),
        AgentEnd("cancelled", 1, Usage(), Interrupted("stop"), discarded=True),
    ):
        record(event)
    assert store.head == kept
    assert [message.text() for message in store.messages()] == ["kept"]
    assert store.notes[-1]["record_type"] == "head"
    assert store.notes[-1]["id"] == kept
    record(MessageAdded(user_message("next")))
    assert [message.text() for message in store.messages()] == ["kept", "next"]
    assert len(store) == 3


def test_a_first_run_that_is_discarded_leaves_no_conversation(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.jsonl")
    record = Recorder(store, lambda error: None)
    record(MessageAdded(user_message("dropped")))
    record(AgentEnd("cancelled", 1, Usage(), Interrupted("stop"), discarded=True))
    assert store.head is None
    assert store.messages() == ()


def test_what_joins_between_two_runs_is_stored_at_once_with_its_kind(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s.jsonl")
    record = Recorder(store, lambda error: None)
    record.add(user_message("Ran `ls`"), "shell")
    entry = json.loads((tmp_path / "s.jsonl").read_text().splitlines()[-1])
    assert (entry["kind"], entry["id"]) == ("shell", store.head)
    assert [message.text() for message in store.messages()] == ["Ran `ls`"]
