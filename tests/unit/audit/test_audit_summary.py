"""What the logs say, counted."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.audit.summary import (
    MAX_ROWS,
    SLOWEST,
    Counter,
    Summary,
    Window,
    percentile,
    summarize_files,
)
from pi.audit.summary_text import json_data, text_lines
from pi.base.errors import PiError


def summarize(chunks: list[bytes], window: Window = Window()) -> Summary:  # noqa: B008
    counter = Counter(window)
    counter.log(chunks)
    return counter.summary()


def nothing_known(name: str) -> None:
    return None


def text(found: Summary, path: str = "p") -> list[str]:
    return list(text_lines(found, path, nothing_known))


def as_json(found: Summary) -> dict[str, Any]:
    return json_data(found, ["p"], nothing_known)


def lines(*records: Any) -> list[bytes]:
    return [json.dumps(record).encode() + b"\n" for record in records]


def tool(name: Any, took: Any, failed: bool = False) -> dict[str, Any]:
    return {
        "event": "tool_execution_end",
        "tool_name": name,
        "duration_ms": took,
        "is_error": failed,
    }


def prompt(provider: Any, took: Any, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6}
    record = {"record_type": "prompt_telemetry_v1", "provider": provider, "duration_ms": took}
    return {**record, "status": "completed", "success": True, "token_usage": usage, **fields}


def test_both_logs_mixed_are_counted_by_tool_and_by_provider() -> None:
    found = summarize(
        lines(
            {"event": "tool_execution_start", "tool_name": "bash"},
            tool("bash", 12), tool("bash", 32, failed=True), tool("read", None), {"other": 1},
            prompt("openai", 100), prompt("openai", 0, status="failed", success=False),
            prompt("anthropic", 7),
        )
    )  # fmt: skip
    assert text(found, "x.jsonl")[:7] == [
        "audit summary: path=x.jsonl records=8 tool_events=3 prompt_records=3",
        "tool_breakdown:",
        "  bash count=2 error_rate=50.00% p50_ms=12 p95_ms=32",
        "  read count=1 error_rate=0.00% p50_ms=0 p95_ms=0",
        "provider_breakdown:",
        "  anthropic count=1 error_rate=0.00% p50_ms=7 p95_ms=7"
        " input_tokens=4 output_tokens=2 total_tokens=6",
        "  openai count=2 error_rate=50.00% p50_ms=100 p95_ms=100"
        " input_tokens=8 output_tokens=4 total_tokens=12",
    ]


def test_an_empty_log_has_no_rows() -> None:
    assert text(summarize([])) == [
        "audit summary: path=p records=0 tool_events=0 prompt_records=0",
        "tool_breakdown:",
        "  none",
        "provider_breakdown:",
        "  none",
    ]


def test_a_percentile_is_the_value_at_its_rank() -> None:
    assert percentile((), 50) == 0
    assert percentile((12, 32), 50) == 12
    assert percentile((12, 32), 95) == 32
    assert percentile(range(1, 101), 95) == 95
    assert percentile(range(1, 102), 50) == 51
    assert percentile((5,), 1) == 5


def test_bad_lines_are_counted_and_skipped_and_blank_ones_ignored() -> None:
    data = b"".join([*lines(tool("a", 1)), b"\n", b"hello\n", b"[1]\n", b'{"event":"tool'])
    found = summarize([data[:30], data[30:]])
    assert (found.records, found.bad_lines) == (1, 3)
    assert text(found)[0] == (
        "audit summary: path=p records=1 tool_events=1 prompt_records=0 bad_lines=3"
    )


@pytest.mark.parametrize(
    ("fields", "errors"),
    [
        ({"success": True}, 0),
        ({"success": False, "status": "cancelled"}, 1),
        ({"success": False, "status": "completed_with_tool_errors"}, 0),
        ({"success": None, "status": "completed"}, 0),
        ({"success": None, "status": "interrupted"}, 1),
    ],
)
def test_a_failed_tool_is_no_failure_of_the_provider(fields: dict[str, Any], errors: int) -> None:
    (row,) = summarize(lines(prompt("openai", 1, **fields))).providers
    assert row.errors == errors


def test_fields_of_any_kind_do_no_harm() -> None:
    found = summarize(
        lines(
            tool(None, "x"), tool("a\n  forged count=9", -1), tool("\x1b[31m", 2**70),
            prompt(7, True, token_usage={"input_tokens": "9", "total_tokens": -1}),
            prompt("", 1.5, token_usage=[1]),
        )
    )  # fmt: skip
    assert [row.name for row in found.tools] == ["a_forged_count=9", "unknown_tool"]
    assert [(row.name, row.tokens) for row in found.providers] == [("unknown_provider", (0, 0, 0))]
    assert all(row.durations == () for row in (*found.tools, *found.providers))


def test_endless_names_are_put_together() -> None:
    found = summarize(lines(*(tool(f"t{number}", 1) for number in range(MAX_ROWS + 5))))
    assert len(found.tools) == MAX_ROWS + 1
    assert found.tools[0].name == "(others)"
    assert found.tools[0].times == 5


def test_the_report_for_scripts_holds_the_same_figures() -> None:
    found = as_json(summarize(lines(tool("bash", 12), prompt("openai", 3))))
    assert found["tools"] == [
        {
            "name": "bash", "count": 1, "errors": 0,
            "p50_ms": 12, "p95_ms": 12, "p99_ms": 12, "max_ms": 12,
        }
    ]  # fmt: skip
    assert found["providers"][0]["total_tokens"] == 6
    assert found["models"][0]["estimated_cost_usd"] is None
    assert json.dumps(found)


def test_behind_the_older_report_stand_models_errors_and_the_slowest() -> None:
    found = summarize(
        lines(
            {**tool("bash", 500, failed=True), "policy_rule": "allowed_commands"},
            {**tool("read", 3, failed=True), "session": "s 1", "timestamp_unix_ms": 86_400_000},
            prompt("openai", 100, served_by="groq/llama", success=False, error_code="time-limit"),
            prompt("openai", 7, model="gpt-4o", success=False, status="cancelled"),
        )
    )
    rates = {"openai/gpt-4o": (1_000_000.0, 0.5)}
    report = list(text_lines(found, "p", rates.get))
    assert report[6:] == [
        "model_breakdown:",
        "  groq/llama count=1 error_rate=100.00% p50_ms=100 p95_ms=100"
        " input_tokens=4 output_tokens=2 total_tokens=6 estimated_cost_usd=unknown",
        "  openai/gpt-4o count=1 error_rate=100.00% p50_ms=7 p95_ms=7"
        " input_tokens=4 output_tokens=2 total_tokens=6 estimated_cost_usd=4.000001",
        "error_breakdown:",
        "  prompt:cancelled count=1",
        "  prompt:time-limit count=1",
        "  tool:bash:allowed_commands count=1",
        "  tool:read:failed count=1",
        "tail_latency:",
        "  bash p99_ms=500 max_ms=500",
        "  read p99_ms=3 max_ms=3",
        "  openai p99_ms=100 max_ms=100",
        "slowest_calls:",
        "  bash duration_ms=500 at=unknown session=none",
        "  prompt duration_ms=100 at=unknown session=none",
        "  prompt duration_ms=7 at=unknown session=none",
        "  read duration_ms=3 at=1970-01-02T00:00:00Z session=s_1",
    ]


def test_only_the_slowest_few_are_kept() -> None:
    found = summarize(lines(*(tool("a", took) for took in (5, 1, 9, 3, 7, 2, 8, 6))))
    assert [call.duration_ms for call in found.slowest] == [9, 8, 7, 6, 5]
    assert len(found.slowest) == SLOWEST


def test_records_outside_the_time_asked_for_are_left_out() -> None:
    log = lines(*({**tool("a", 1), "timestamp_unix_ms": when} for when in (1, 5, 9)), tool("a", 1))
    assert summarize(log).records == 4
    found = summarize(log, Window(since=5, until=9))
    assert (found.records, found.left_out) == (1, 3)
    assert text(found)[0].endswith("tool_events=1 prompt_records=0 left_out=3")


def test_several_files_are_counted_together_each_with_its_own_torn_end(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"".join(lines(tool(name, 1))) + b'{"event":')
    found = summarize_files([str(tmp_path / "a"), str(tmp_path / "b")])
    assert ([row.name for row in found.tools], found.bad_lines) == (["a", "b"], 2)


def test_what_cannot_be_read_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("nothing", "pipe", "."):
        with pytest.raises(PiError, match=r"^failed to open audit file .*" + name) as caught:
            summarize_files([str(tmp_path / name)])
        assert caught.value.code == "audit-log-unreadable"
    with pytest.raises(PiError, match=r"^failed to open audit file"):
        summarize_files(["a\0b"])
