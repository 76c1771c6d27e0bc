"""A run as JSON lines."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from pi.agent.events import (
    AgentEnd,
    AgentEvent,
    AgentStart,
    MessageAdded,
    ToolEnd,
    ToolStart,
    ToolUpdate,
    TurnEnd,
    TurnStart,
)
from pi.agent.tool import ToolResult
from pi.ai.events import CallDelta, Fallback, TextDelta, ThinkingDelta
from pi.ai.types import Message, Text, ToolCall, Usage, user_message
from pi.base.cancel import Cancel
from pi.base.errors import CapReached
from pi.runtime.json_events import JsonEvents

CALL = ToolCall("c1", "read", {"path": "a\ud83d"})


def lines(*events: AgentEvent, full: bool = False) -> list[dict[str, Any]]:
    stdout = io.StringIO()
    sink = JsonEvents(stdout, Cancel(), full=full)
    for event in events:
        sink(event)
    text = stdout.getvalue()
    text.encode("utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    for record, line in zip(records, text.splitlines()):
        assert line == json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return records


@pytest.mark.parametrize("reason", ["error", "aborted"])
def test_an_answer_that_broke_off_is_partial(reason: str) -> None:
    message = Message("assistant", (Text("lo"),), stop_reason=reason)
    assert lines(MessageAdded(message))[0]["partial"] is True


def test_every_kind_of_event_has_its_record() -> None:
    answer = Message("assistant", (Text("look"), CALL))
    records = lines(
        MessageAdded(user_message("q")),
        AgentStart("m"),
        TurnStart(1),
        TextDelta("look"),
        MessageAdded(answer),
        ToolStart(CALL),
        ToolEnd(CALL, ToolResult("x", {"content": "x"}), 3),
        TurnEnd(1, 1, 25, Usage(input=10, output=5, cache_read=2), "tool_use"),
        AgentEnd("completed", 3, Usage()),
    )
    assert [record["type"] for record in records] == [
        "message_added", "agent_start", "turn_start", "message_delta", "message_added",
        "tool_execution_start", "tool_execution_end", "turn_end", "agent_end", "prompt_end",
    ]  # fmt: skip
    assert records[1]["schema_version"] == 1
    assert "partial" not in records[4]
    assert records[4]["tool_calls"] == 1
    assert records[4]["calls"] == [{"id": "c1", "name": "read"}]
    assert records[6]["content"] == {"content": "x"}
    assert records[7]["usage"] == {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
    assert records[8] == {"type": "agent_end", "new_messages": 3, "status": "completed"}
    assert records[9] == {
        "type": "prompt_end",
        "status": "completed",
        "error": None,
        "exit_code": 0,
        "exit_class": "done",
    }


def test_a_change_of_model_has_exactly_its_six_fields() -> None:
    (record,) = lines(Fallback("openai/a", "xai/b", "http_status", 503, 1))
    assert record == {
        "type": "provider_fallback",
        "from_model": "openai/a",
        "to_model": "xai/b",
        "error_kind": "http_status",
        "status": 503,
        "fallback_index": 1,
    }


def test_a_failed_run_ends_with_its_status_and_error() -> None:
    error = CapReached("too many", code="turn-cap")
    records = lines(AgentEnd("max_turns", 2, Usage(), error))
    assert records[-1]["status"] == "max_turns"
    assert records[-1]["exit_code"] == 6
    assert records[-1]["error"] == {
        "code": "turn-cap",
        "message": "too many",
        "cause": "",
        "hint": "",
        "exit_code": 6,
    }


def test_the_last_line_can_wait_for_what_comes_after_the_answer() -> None:
    stdout = io.StringIO()
    sink = JsonEvents(stdout, Cancel(), lambda: {"requests": 2}, is_open=True)
    sink(AgentEnd("completed", 2, Usage()))
    sink.end(CapReached("the session could not be written"))
    last = [json.loads(line) for line in stdout.getvalue().splitlines()][-1]
    assert (last["type"], last["status"], last["requests"]) == ("prompt_end", "max_turns", 2)


def test_what_json_has_no_form_for_is_shown_as_near_as_can_be() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    arguments = {"a": float("nan"), "b": float("-inf"), "c": deep, "d": {1: "x", "y": {2}}}
    (record,) = lines(ToolStart(ToolCall("c", "bash", arguments)))
    assert record["arguments"]["a"] == "nan"
    assert record["arguments"]["b"] == "-inf"
    assert "nested too deeply" in json.dumps(record["arguments"]["c"])
    assert record["arguments"]["d"] == {"1": "x", "y": "{2}"}


def test_a_closed_stdout_cancels_the_run() -> None:
    stdout, cancel = io.StringIO(), Cancel()
    stdout.close()
    sink = JsonEvents(stdout, cancel)
    sink(TurnStart(1))
    sink(TurnStart(2))
    assert cancel.why is not None
    assert cancel.why.code == "stdout-closed"


ANSWER = Message("assistant", (Text("look"), CALL), stop_reason="tool_use")
INSIDE = (
    ThinkingDelta("hm"),
    TextDelta("lo"),
    TextDelta("ok"),
    CallDelta(0, "c1", "read", '{"path"'),
    CallDelta(0, "", "", ':"a"}'),
    CallDelta(1, "c2", "read", "{}"),
    MessageAdded(ANSWER),
    ToolStart(CALL),
    ToolUpdate(CALL, "half"),
)


def test_what_happens_within_a_message_and_a_tool_comes_on_request() -> None:
    plain = [record["type"] for record in lines(*INSIDE)]
    assert plain == ["message_delta", "message_delta", "message_added", "tool_execution_start"]
    records = lines(*INSIDE, full=True)
    assert [record["type"] for record in records] == [
        "message_start", *["message_update"] * 6, "message_end", "message_added",
        "tool_execution_start", "tool_execution_update",
    ]  # fmt: skip
    assert [(one["index"], one["kind"], one["delta"]) for one in records[1:7]] == [
        (0, "thinking", "hm"),
        (1, "text", "lo"),
        (1, "text", "ok"),
        (2, "tool_call", '{"path"'),
        (2, "tool_call", ':"a"}'),
        (3, "tool_call", "{}"),
    ]
    assert records[7] == {"type": "message_end", "role": "assistant", "stop_reason": "tool_use"}
    assert records[10] == {
        "type": "tool_execution_update",
        "tool_call_id": "c1",
        "tool_name": "read",
        "text": "half",
    }


def test_a_message_that_came_whole_begins_and_ends_too_and_the_next_counts_anew() -> None:
    records = lines(MessageAdded(ANSWER), TextDelta("x"), full=True)
    assert [record["type"] for record in records] == [
        "message_start", "message_end", "message_added", "message_start", "message_update",
    ]  # fmt: skip
    assert records[4]["index"] == 0


def test_messages_of_users_and_tools_have_no_inside() -> None:
    records = lines(MessageAdded(user_message("q")), full=True)
    assert [record["type"] for record in records] == ["message_added"]
