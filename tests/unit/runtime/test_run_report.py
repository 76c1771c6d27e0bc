"""A run as one JSON object."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.events import AgentEnd, AutoCompactionEnd, MessageAdded, ToolEnd, TurnEnd
from pi.agent.tool import ToolResult
from pi.ai.types import Message, Origin, Reply, Text, ToolCall, Usage, user_message
from pi.base.errors import PiError, ProviderFailed
from pi.runtime.run_report import Place, RunReport, denial, shown_path


def answer(text: str, stop: str = "stop", error: PiError | None = None) -> MessageAdded:
    message = Message("assistant", (Text(text),), stop_reason=stop, origin=Origin("a", "xai", "m"))
    return MessageAdded(message, Reply(message, stop, Usage(input=3, output=2), error=error))


def call(name: str, content: Any, is_error: bool = False) -> ToolEnd:
    return ToolEnd(ToolCall("c1", name, {}), ToolResult("", content, is_error), 3)


def told(*events: Any, error: PiError | None = None, **totals: Any) -> dict[str, Any]:
    report = RunReport(Place("/w", "openai/m"))
    for event in events:
        report(event)
    return report.record(error, totals)


def test_a_run_that_never_began_has_every_field_too() -> None:
    empty = told(error=PiError("no"))
    assert empty["status"] == "failed"
    assert empty["answer"] is None
    assert empty["session"] is None
    assert empty["changed_files"] == []
    assert empty["cost_usd"] == 0.0
    assert set(empty) == set(told(answer("x"), AgentEnd("completed", 2, Usage())))


def test_the_answer_is_the_text_of_the_last_assistant_message() -> None:
    done = told(
        MessageAdded(user_message("q")),
        answer("first", "tool_use"),
        TurnEnd(1, 0, 5, Usage(), "tool_use"),
        answer("last"),
        TurnEnd(2, 0, 5, Usage(), "stop"),
        AgentEnd("completed", 3, Usage(6, 4, 2, 1, 3)),
        requests=2,
        cost_usd=None,
    )
    assert done["answer"] == "last"
    assert not done["answer_is_partial"]
    assert done["served_by"] == "xai/m"
    assert done["model"] == "openai/m"
    assert (done["turns"], done["requests"], done["cost_usd"]) == (2, 2, None)
    assert done["usage"] == {
        "input_tokens": 9,
        "cached_tokens": 2,
        "output_tokens": 4,
        "reasoning_tokens": 3,
        "total_tokens": 13,
    }


@pytest.mark.parametrize("stop", ["error", "aborted"])
def test_what_came_of_a_broken_answer_is_marked_and_nobody_served_it(stop: str) -> None:
    error = ProviderFailed("broke off")
    done = told(answer("hal", stop, error), AgentEnd("failed", 2, Usage(), error), error=error)
    assert (done["answer"], done["answer_is_partial"]) == ("hal", True)
    assert done["served_by"] is None
    assert done["exit_code"] == 5


def test_usage_counts_also_where_the_end_was_never_told() -> None:
    assert told(answer("x"))["usage"]["total_tokens"] == 5


def test_changed_files_are_those_that_write_and_edit_changed_once_each() -> None:
    done = told(
        call("write", {"path": "/w/b/x.py", "created": True}),
        call("edit", {"path": "/w/a.py"}),
        call("edit", {"path": "/w/b/x.py"}),
        call("write", {"path": "/w/same.py", "unchanged": True}),
        call("write", {"path": "/w/no.py", "error": "too large"}, is_error=True),
        call("read", {"path": "/w/r.py"}),
        call("write", {"path": "/elsewhere/y"}),
        call("edit", "no object"),
    )
    assert done["changed_files"] == ["b/x.py", "a.py", "/elsewhere/y"]
    assert (done["tool_calls"], done["tool_errors"]) == (8, 1)


def test_denials_name_tool_rule_and_reason_and_failures_are_none() -> None:
    done = told(
        call("bash", {"error": "no rm", "policy_rule": "allowed_commands"}, is_error=True),
        call("bash", {"error": "exit 1"}, is_error=True),
        call("bash", {"policy_decision": "allow"}),
    )
    assert done["denials"] == [
        {"tool": "bash", "tool_call_id": "c1", "rule": "allowed_commands", "reason": "no rm"}
    ]


def test_a_denial_without_a_rule_or_a_reason_is_one_too() -> None:
    found = denial(ToolCall("c", "x", {}), {"policy_decision": "deny", "policy_rule": 7})
    assert found == {"tool": "x", "tool_call_id": "c", "rule": None, "reason": ""}


def test_the_entries_written_in_this_run_are_named() -> None:
    heads = [4]
    report = RunReport(Place("/w", "m", "/s.jsonl", lambda: heads[-1]))
    assert report.record(None, {})["session"] == {
        "path": "/s.jsonl",
        "first_entry": None,
        "last_entry": None,
    }
    for head in (5, 5, 8):
        heads.append(head)
        report(MessageAdded(user_message("q")))
    heads.append(9)
    report(AutoCompactionEnd())
    heads.append(4)  # it was discarded
    report(AgentEnd("cancelled", 3, Usage()))
    session = report.record(None, {})["session"]
    assert (session["first_entry"], session["last_entry"]) == (5, 9)


@pytest.mark.parametrize(
    ("path", "cwd", "shown"),
    [
        ("/w/a", "/w", "a"),
        ("/w/a", "/w/", "a"),
        ("/ww/a", "/w", "/ww/a"),
        ("/w", "/w", "/w"),
        ("/etc/x", "/", "etc/x"),
    ],
)
def test_paths_inside_the_working_directory_are_relative(path: str, cwd: str, shown: str) -> None:
    assert shown_path(path, cwd) == shown
