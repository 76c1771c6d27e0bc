"""Tool calls as audit records: figures of everything, contents of nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pi.agent.events import AgentEvent, AgentStart, ToolEnd, ToolStart, TurnStart
from pi.agent.tool import ToolResult
from pi.ai.types import ToolCall
from pi.audit.log import AuditLog
from pi.audit.sink import AuditSink, Place
from pi.audit.steady import MAX_TEXT_BYTES
from pi.audit.verify import verify_file

CHAIN = ("seq", "prev", "hash")
SECRET = "hunter2-hunter2"
COMMAND = f"echo {SECRET} é"
CALL = ToolCall("c1", "bash", {"command": COMMAND})


class Pieces:
    """A sink with its log, and what it told."""

    def __init__(self, folder: Path, **place: Any) -> None:
        self.path = folder / "audit.jsonl"
        self.log = AuditLog(str(self.path), now_ms=lambda: 1000)
        self.told: list[str] = []
        self.sink = AuditSink(
            self.log,
            Place(**{"cwd": "/work", "session": "s.jsonl", "pid": 7, **place}),
            now_ms=lambda: 1700,
            warn=self.told.append,
            secrets=(SECRET,),
        )

    def records(self, *events: AgentEvent) -> list[dict[str, Any]]:
        """What the events came to, without the fields of the chain."""
        for event in events:
            self.sink(event)
        self.log.close()
        assert verify_file(str(self.path)).ok
        found = [json.loads(line) for line in self.path.read_bytes().splitlines()]
        return [{name: each[name] for name in each if name not in CHAIN} for each in found]


def ended(call: ToolCall, content: Any, text: str = "é", is_error: bool = False) -> ToolEnd:
    return ToolEnd(call, ToolResult(text, content, is_error), 12)


def test_a_call_is_two_records_of_sizes(tmp_path: Path) -> None:
    content = {"command": COMMAND, "status": 3, "stdout": SECRET, "sandboxed": True}
    start, end = Pieces(tmp_path).records(
        AgentStart("m"), TurnStart(1), ToolStart(CALL), ended(CALL, content)
    )
    common = {
        "schema_version": 1, "timestamp_unix_ms": 1700, "tool_call_id": "c1",
        "tool_name": "bash", "prompt_id": 1, "cwd": "/work", "session": "s.jsonl", "pid": 7,
        "command_sha256": sha256(COMMAND.encode()).hexdigest(),
    }  # fmt: skip
    size = len(json.dumps(CALL.arguments, separators=(",", ":"), ensure_ascii=False).encode())
    assert start == {**common, "event": "tool_execution_start", "arguments_bytes": size}
    assert end == {
        **common, "event": "tool_execution_end", "duration_ms": 12, "is_error": False,
        "result_bytes": 2, "policy_decision": "allow", "policy_rule": None, "status": 3,
        "timed_out": False, "cancelled": False, "sandboxed": True, "dry_run": False,
    }  # fmt: skip


def test_other_tools_have_no_fields_of_commands(tmp_path: Path) -> None:
    call = ToolCall("c1", "read", {"path": "x", "command": "y"})
    start, end = Pieces(tmp_path).records(ToolStart(call), ended(call, {"status": 1}))
    assert not {"command_sha256", "status", "timed_out"} & {*start, *end}


def test_a_refused_call_names_its_rule(tmp_path: Path) -> None:
    content = {"policy_rule": "allowed_commands", "error": f"command '{SECRET}' is not allowed"}
    _, end = Pieces(tmp_path).records(ToolStart(CALL), ended(CALL, content, is_error=True))
    assert (end["policy_decision"], end["policy_rule"]) == ("deny", "allowed_commands")
    assert (end["is_error"], end["status"]) == (True, None)


def test_no_content_and_no_secret_reaches_the_file(tmp_path: Path) -> None:
    call = ToolCall(SECRET, "t" * (MAX_TEXT_BYTES - 5) + SECRET, {"text": SECRET})
    pieces = Pieces(tmp_path, cwd=f"/home/{SECRET}", session=f"{SECRET}.jsonl")
    content = {"status": SECRET, "timed_out": SECRET, "dry_run": [SECRET], "text": SECRET}
    pieces.records(ToolStart(call), ended(call, content, SECRET))
    pieces.records(ToolStart(CALL), ended(CALL, {**content, "policy_rule": SECRET}, SECRET))
    assert SECRET[:5].encode() not in pieces.path.read_bytes()
    assert b"echo" not in pieces.path.read_bytes()


def test_calls_may_interleave_and_ids_repeat(tmp_path: Path) -> None:
    first, second = ToolCall("a", "read", {}), ToolCall("b", "read", {})
    found = Pieces(tmp_path).records(
        ToolStart(first), ToolStart(second), ToolStart(second), ended(second, {}),
        ended(first, {}), ended(second, {}), ended(second, {}),
    )  # fmt: skip
    assert [record["duration_ms"] for record in found[3:]] == [12, 12, 12, None]


def test_a_start_belongs_to_its_prompt(tmp_path: Path) -> None:
    found = Pieces(tmp_path).records(
        AgentStart("m"), ToolStart(CALL), AgentStart("m"), ended(CALL, {})
    )
    assert [record["prompt_id"] for record in found] == [1, 2]
    assert found[1]["duration_ms"] is None


def deep() -> Mapping[str, Any]:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return {"x": value}


@pytest.mark.parametrize(
    ("call", "size"),
    [
        (ToolCall("c", "read", {}), 2),
        (ToolCall("c", "read", {"a": [1, "é"]}), 14),
        (ToolCall("c", "read", {}, raw_arguments="{é"), 3),
        (ToolCall("c", "read", {"a": "\ud83d"}), 11),
        (ToolCall("c", "read", {"a": {1, 2}}), None),
        (ToolCall("c", "read", deep()), None),
        (ToolCall("\ud800", "\x00" * 10_000, {}), 2),
        (ToolCall("i" * 10_000, "é" * 10_000, {}), 2),
    ],
    ids=range(8),
)
def test_whatever_a_model_sends_is_measured(
    tmp_path: Path, call: ToolCall, size: int | None
) -> None:
    start, end = Pieces(tmp_path, cwd="\x01" * 9000, session=None).records(
        ToolStart(call), ended(call, None, "\ud800")
    )
    assert (start["arguments_bytes"], end["result_bytes"]) == (size, 3)
    assert len(start["tool_name"].encode()) <= MAX_TEXT_BYTES


def test_a_failing_log_is_told_once_and_what_was_lost_is_counted(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    os.rename(pieces.path, tmp_path / "away")
    pieces.path.mkdir()
    for _ in range(3):
        pieces.sink(ToolStart(CALL))
    assert pieces.told == ["tool audit logger error: it is a folder"]
    pieces.path.rmdir()
    (end,) = pieces.records(ended(CALL, {}))
    assert end["lost_records"] == 3
    assert len(pieces.told) == 1
