"""What the logs say, counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.audit.summary import MAX_ROWS, percentile, summarize, summarize_file
from pi.base.errors import PiError


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
    assert found.text("x.jsonl").split("\n") == [
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
    assert summarize([]).text("p") == (
        "audit summary: path=p records=0 tool_events=0 prompt_records=0\n"
        "tool_breakdown:\n  none\nprovider_breakdown:\n  none"
    )


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
    assert found.text("p").startswith(
        "audit summary: path=p records=1 tool_events=1 prompt_records=0 bad_lines=3\n"
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
    found = summarize(lines(tool("bash", 12), prompt("openai", 3))).as_json("p")
    assert found["tools"] == [
        {"name": "bash", "count": 1, "errors": 0, "p50_ms": 12, "p95_ms": 12, "max_ms": 12}
    ]
    assert found["providers"][0]["total_tokens"] == 6
    assert json.dumps(found)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(PiError, match=r"^failed to open audit file .*nothing$"):
        summarize_file(str(tmp_path / "nothing"))
    (tmp_path / "log").write_bytes(b"".join(lines(tool("a", 1))))
    assert summarize_file(str(tmp_path / "log")).records == 1
