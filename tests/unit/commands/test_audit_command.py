"""``/audit-summary`` and ``/cost`` as commands: what they print and what they refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from pi.commands.result import Result
from tests.fakes.session_files import answer, context, entry

TOOL = {"event": "tool_execution_end", "tool_name": "bash", "duration_ms": 12, "is_error": False}
PROMPT = {
    "record_type": "prompt_telemetry_v1", "provider": "openai", "model": "m", "success": True,
    "status": "completed", "duration_ms": 32, "token_usage": {"total_tokens": 6},
}  # fmt: skip


def write(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture
def ran(tmp_path: Path) -> CommandContext:
    write(tmp_path / "audit.jsonl", TOOL, PROMPT)
    return context(tmp_path, entry(1, None))


def result(ran: CommandContext, line: str) -> Result:
    return run_line(line, ran).result


def test_a_log_is_counted_by_tool_and_provider(ran: CommandContext) -> None:
    lines = result(ran, "/audit-summary audit.jsonl").text
    assert lines[0] == "audit summary: path=audit.jsonl records=2 tool_events=1 prompt_records=1"
    assert any(line.startswith("  bash count=1 ") for line in lines)
    assert any(line.startswith("  openai count=1 ") for line in lines)


def test_a_log_that_is_not_there_is_named_as_it_was_typed(ran: CommandContext) -> None:
    found = result(ran, "/audit-summary no such log")
    assert found.text == (
        "audit summary error: failed to open audit file no (No such file or directory)",
    )
    assert found.error is not None
    assert found.error.code == "audit-log-unreadable"


def test_a_name_with_blanks_needs_no_quotes_where_it_is_there(ran: CommandContext) -> None:
    write(Path(ran.cwd) / "my log.jsonl", TOOL)
    assert "path=my log.jsonl records=1" in result(ran, "/audit-summary my log.jsonl").text[0]
    both = result(ran, '/audit-summary "my log.jsonl" audit.jsonl').text[0]
    assert "path=my log.jsonl,audit.jsonl records=3" in both


def test_without_a_path_the_logs_of_the_run_are_meant(ran: CommandContext) -> None:
    assert result(ran, "/audit-summary").text == ("usage: /audit-summary <path>",)
    none = ran._replace(services={"logs": lambda: ()})
    assert result(none, "/audit-summary").text == ("usage: /audit-summary <path>",)
    own = ran._replace(services={"logs": lambda: ("audit.jsonl", "audit.jsonl")})
    assert "path=audit.jsonl records=2" in result(own, "/audit-summary").text[0]


def test_a_bad_moment_is_refused(ran: CommandContext) -> None:
    found = result(ran, "/audit-summary audit.jsonl --since never")
    assert found.text[0].startswith("audit summary error: error=--since: 'never' is no moment")
    assert found.error is not None
    assert found.error.exit_code == 2
    assert "left_out=2" in result(ran, "/audit-summary audit.jsonl --until 1d").text[0]


def test_the_json_form_lists_the_files(ran: CommandContext) -> None:
    data = json.loads(run_line("/audit-summary audit.jsonl --json", ran).lines[0])["data"]
    assert data["paths"] == ["audit.jsonl"]
    assert data["tools"][0]["name"] == "bash"
    assert data["models"][0]["name"] == "openai/m"


def test_cost_is_nothing_before_a_model_was_asked(ran: CommandContext) -> None:
    assert result(ran, "/cost").text == ("cost: requests=0 total_tokens=0 cost_usd=0.000000",)
    asked = ran._replace(services={"cost": dict})
    assert result(asked, "/cost").text[0].endswith("cost_usd=0.000000")


def test_cost_tells_requests_tokens_dollars_and_models(tmp_path: Path) -> None:
    usage = {"input": 3, "output": 4, "cache_read": 1, "cache_write": 1}
    totals = {
        "requests": 2, "total_tokens": 9, "cost_usd": None,
        "models": [{"model": "a/b", "requests": 2, "total_tokens": 9, "cost_usd": 0.5}],
    }  # fmt: skip
    kept = {**answer(2, 1), "usage": usage}
    ran = context(tmp_path, entry(1, None), kept, cost=lambda: totals)
    assert result(ran, "/cost").text == (
        "cost: requests=2 total_tokens=9 cost_usd=unknown",
        "run model: a/b requests=2 total_tokens=9 cost_usd=0.500000",
        "session model: unknown input_tokens=5 output_tokens=4",
    )
    data = json.loads(run_line("/cost --json", ran).lines[0])["data"]
    assert (data["requests"], data["cost_usd"]) == (2, None)
    assert result(ran._replace(store=None), "/cost").text[2:] == ()
