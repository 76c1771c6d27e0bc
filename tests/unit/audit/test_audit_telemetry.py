"""One record per prompt, whatever became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.agent.events import (
    AgentEnd,
    AgentEvent,
    AgentStart,
    MessageAdded,
    ToolEnd,
    TurnEnd,
    TurnStart,
)
from pi.agent.tool import ToolResult
from pi.ai.types import Message, Origin, Reply, Text, ToolCall, Usage, user_message
from pi.audit.log import PlainLog
from pi.audit.sink import Place
from pi.audit.telemetry import TelemetrySink, provider_kind
from pi.base.errors import CapReached, Interrupted, PiError, ProviderFailed, TimeLimit

CALL = ToolCall("c1", "bash", {"command": "secret words"})
TURN = TurnEnd(1, 0, 25, Usage(input=2, output=3, cache_read=1), "stop")


class Pieces:
    """A sink with its log and a clock that moves by a second each time it is asked."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "t.jsonl"
        self.log = PlainLog(str(self.path), "telemetry log")
        self.now = 0.0
        self.told: list[str] = []
        self.sink = TelemetrySink(
            self.log, Place("/work", None, 7), provider="openai",
            now_ms=lambda: 1700, monotonic=self.tick, warn=self.told.append,
        )  # fmt: skip

    def tick(self) -> float:
        self.now += 1
        return self.now

    def records(self, *events: AgentEvent) -> list[dict[str, Any]]:
        for event in events:
            self.sink(event)
        self.sink.close()
        self.log.close()
        return [json.loads(line) for line in self.path.read_bytes().splitlines()]


def answer(model: str, error: PiError | None = None) -> MessageAdded:
    origin = Origin("openai-chat", "groq", model)
    message = Message("assistant", (Text("secret words"),), origin=origin)
    return MessageAdded(message, Reply(message, "stop", error=error))


def tool(is_error: bool) -> ToolEnd:
    return ToolEnd(CALL, ToolResult("secret words", {}, is_error), 5)


def test_a_completed_prompt_has_all_its_figures(tmp_path: Path) -> None:
    found = Pieces(tmp_path).records(
        MessageAdded(user_message("secret words")), AgentStart("gpt-4o-mini"), answer("m"),
        tool(False), TURN, TURN, AgentEnd("completed", 3, Usage(input=4, output=6, cache_read=3)),
    )  # fmt: skip
    assert found == [
        {
            "record_type": "prompt_telemetry_v1", "schema_version": 1,
            "timestamp_unix_ms": 1700, "prompt_id": 1, "provider": "openai",
            "model": "gpt-4o-mini", "served_by": "groq/m", "status": "completed",
            "success": True, "error_code": None, "started_unix_ms": 1700, "duration_ms": 1000,
            "turn_count": 2, "request_duration_ms_total": 50, "finish_reason": "stop",
            "token_usage": {"input_tokens": 7, "output_tokens": 6, "total_tokens": 13},
            "tool_calls": 1, "tool_errors": 0, "cwd": "/work", "session": None, "pid": 7,
            "redaction_policy": {
                "prompt_content": "omitted", "tool_arguments": "omitted",
                "tool_results": "bytes_only",
            },
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("told", "error", "failed_call", "status", "code"),
    [
        ("completed", None, False, "completed", None),
        ("completed", None, True, "completed_with_tool_errors", None),
        ("cancelled", Interrupted("x"), True, "cancelled", "interrupted"),
        ("timed_out", TimeLimit("x"), False, "timed_out", "time-limit"),
        ("failed", ProviderFailed("x", code="empty-answer"), False, "failed", "empty-answer"),
        ("max_turns", CapReached("x"), False, "max_turns", "cap-reached"),
    ],
)
def test_every_end_has_its_status_and_only_one_is_success(
    tmp_path: Path,
    told: str,
    error: PiError | None,
    failed_call: bool,
    status: str,
    code: str | None,
) -> None:
    (record,) = Pieces(tmp_path).records(
        AgentStart("m"), tool(failed_call), AgentEnd(told, 2, Usage(), error)
    )
    assert (record["status"], record["error_code"]) == (status, code)
    assert record["success"] is (status == "completed")
    assert record["tool_errors"] == failed_call
    assert (record["turn_count"], record["finish_reason"]) == (0, None)


def test_the_time_of_a_request_that_failed_counts(tmp_path: Path) -> None:
    end = AgentEnd("failed", 2, Usage(), ProviderFailed("x"))
    (record,) = Pieces(tmp_path).records(
        AgentStart("m"), TurnStart(1), TURN, TurnStart(2), answer("m", ProviderFailed("x")), end
    )
    assert (record["request_duration_ms_total"], record["turn_count"]) == (1025, 1)


def test_a_start_without_an_end_is_interrupted_before_the_next(tmp_path: Path) -> None:
    first, second = Pieces(tmp_path).records(
        AgentStart("m"), TURN, AgentStart("m"), AgentEnd("completed", 2, Usage())
    )
    assert (first["status"], first["success"], first["prompt_id"]) == ("interrupted", False, 1)
    assert first["token_usage"]["total_tokens"] == 6
    assert (second["status"], second["success"], second["prompt_id"]) == ("completed", True, 2)


def test_closing_records_the_prompt_that_runs_once(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    pieces.sink(AgentStart("m"))
    pieces.sink.close()
    (record,) = pieces.records()
    assert record["status"] == "interrupted"


def test_who_answered_is_who_gave_the_last_whole_answer(tmp_path: Path) -> None:
    broken = ProviderFailed("it broke off")
    end = AgentEnd("failed", 2, Usage(), broken)
    first, second = Pieces(tmp_path).records(
        AgentStart("m"), answer("a", broken), answer("b"), answer("c", broken), end,
        AgentStart("m"), answer("a", broken), end,
    )  # fmt: skip
    assert (first["served_by"], second["served_by"]) == ("groq/b", None)


def test_no_words_of_anybody_reach_the_file(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    error = ProviderFailed("secret words")
    pieces.records(AgentStart("m"), answer("m"), tool(True), AgentEnd("failed", 2, Usage(), error))
    assert b"secret" not in pieces.path.read_bytes()


def test_a_failing_log_is_told_once(tmp_path: Path) -> None:
    pieces = Pieces(tmp_path)
    pieces.path.unlink()
    pieces.path.mkdir()
    for _ in range(3):
        pieces.sink(AgentStart("m"))
    pieces.sink.close()
    pieces.log.close()
    assert pieces.told == ["telemetry logger error: it is a folder"]


@pytest.mark.parametrize(
    ("provider", "kind"),
    [
        ("openai", "openai"), ("groq", "openai"), ("azure-openai", "openai"),
        ("gemini", "google"), ("anthropic", "anthropic"), ("demo", "demo"), ("own", "own"),
    ],
)  # fmt: skip
def test_a_provider_is_told_by_the_format_it_speaks(provider: str, kind: str) -> None:
    assert provider_kind(provider) == kind
