"""The audit log, its verifier, and the telemetry log, on the built file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, Pi
from tests.cli.playing import play, turn
from tests.fakes.chat import answers, delta, event, finish
from tests.fakes.fault_server import FaultServer

AUDITED = ("--no-session", "--tool-audit-log", "logs/audit.jsonl")


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def log(pi: Pi) -> Path:
    return pi.folder / "logs" / "audit.jsonl"


def head_of(pi: Pi) -> str:
    """What an operator keeps elsewhere to notice that the end is missing."""
    head = json.loads(pi("--audit-verify", str(log(pi)), "--json").stdout)["head"]
    return f"{head['seq']}:{head['sha256']}"


def test_the_audit_log_is_there_even_if_no_tool_ran(pi: Pi) -> None:
    played = play(pi, flags=AUDITED)
    assert played.done.returncode == 0, played.done.stderr
    assert log(pi).read_bytes() == b""
    assert stat.S_IMODE(log(pi).stat().st_mode) == 0o600
    assert pi("--audit-verify", str(log(pi))).returncode == 0
    log(pi).unlink()
    assert pi(*AUDITED, "--command-file", "-", stdin="/help\n").returncode == 0
    assert log(pi).read_bytes() == b""


def test_each_call_is_two_lines_of_sizes_with_the_policys_word(pi: Pi) -> None:
    (pi.folder / "note").write_text("private words\n")
    calls = [("read", {"path": "note"}), ("bash", {"command": "curl x"})]
    played = play(pi, calls, [("bash", {"command": "exit 3"})], flags=AUDITED)
    assert played.done.returncode == 0, played.done.stderr
    lines = records(log(pi))
    assert sorted(line["event"] for line in lines) == (
        ["tool_execution_end"] * 3 + ["tool_execution_start"] * 3
    )
    ends = {line["tool_call_id"]: line for line in lines if line["event"].endswith("end")}
    first, refused, failed = ends["call_1"], ends["call_2"], ends["call_11"]
    assert (first["is_error"], first["result_bytes"]) == (False, len("private words\n"))
    assert isinstance(first["duration_ms"], int)
    assert (refused["is_error"], refused["policy_decision"]) == (True, "deny")
    assert refused["policy_rule"] == "allowed_commands"
    facts = ("status", "timed_out", "sandboxed", "is_error", "policy_decision")
    assert [failed[key] for key in facts] == [3, False, False, False, "allow"]
    start = next(line for line in lines if line["tool_call_id"] == "call_1")
    assert start["arguments_bytes"] == len('{"path":"note"}')
    text = log(pi).read_text()
    assert "private" not in text
    assert "curl" not in text


@pytest.mark.parametrize(
    ("name", "arguments", "rule"),
    [
        ("read", {"path": "/etc/hostname"}, "allowed_roots"),
        ("write", {"path": "../out", "content": ""}, "allowed_roots"),
        ("edit", {"path": "link", "find": "a", "replace": "b"}, "enforce_regular_files"),
        ("grep", {"pattern": "x", "path": ".."}, "allowed_roots"),
        ("find", {"pattern": "*", "path": ".."}, "allowed_roots"),
        ("ls", {"path": ".."}, "allowed_roots"),
        ("bash", {"command": "ls", "cwd": ".."}, "allowed_roots"),
        ("read", {"path": "missing"}, None),
        ("ls", {"path": "missing"}, None),
    ],
)
def test_a_refused_path_is_told_apart_from_a_missing_one(
    pi: Pi, name: str, arguments: dict[str, Any], rule: str | None
) -> None:
    (pi.folder / "file").touch()
    (pi.folder / "link").symlink_to("file")
    played = play(pi, [(name, arguments)], flags=(*AUDITED, "--tools", name))
    assert played.contents[0].get("policy_rule") == rule
    end = records(log(pi))[-1]
    assert (end["policy_rule"], end["is_error"]) == (rule, True)
    assert end["policy_decision"] == ("deny" if rule else "allow")


def test_two_runs_share_one_audit_log(pi: Pi) -> None:
    """Both write all the time, each a hundred calls; the chain names any line that is broken."""
    turns = [turn([("ls", {})] * 10, 1 + 10 * number) for number in range(10)]
    with (
        FaultServer(answers(*turns, (delta("a"), finish()))) as one,
        FaultServer(answers(*turns, (delta("b"), finish()))) as other,
    ):
        both = [
            pi.start(
                *("--api-base", server.url, "-p", "go", "--tools", "ls", *AUDITED), environ=KEY
            )
            for server in (one, other)
        ]
        for process in both:
            _out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
    lines = records(log(pi))
    assert len(lines) == 400
    assert {line["pid"] for line in lines} == {process.pid for process in both}
    assert [line["seq"] for line in lines] == list(range(1, 401))
    done = pi("--audit-verify", str(log(pi)), "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert (report["ok"], report["records"], report["head"]["seq"]) == (True, 400, 400)


@pytest.mark.parametrize("damage", ["edit", "remove", "exchange", "cut"])
def test_a_changed_log_is_7_and_the_line_is_named(pi: Pi, damage: str) -> None:
    play(pi, [("ls", {}), ("ls", {})], flags=(*AUDITED, "--tools", "ls"))
    lines = log(pi).read_bytes().splitlines(keepends=True)
    head = head_of(pi)
    assert pi("--audit-verify", str(log(pi)), "--audit-head", head).returncode == 0
    if damage == "edit":
        lines[1] = lines[1].replace(b'"tool_name":"ls"', b'"tool_name":"cp"')
    elif damage == "remove":
        del lines[1]
    elif damage == "exchange":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        del lines[-1]
    log(pi).write_bytes(b"".join(lines))
    done = pi("--audit-verify", str(log(pi)), "--audit-head", head)
    assert done.returncode == 7
    if damage != "cut":
        assert "line 2" in done.stdout + done.stderr
    report = json.loads(pi("--audit-verify", str(log(pi)), "--audit-head", head, "--json").stdout)
    assert report["ok"] is False
    if damage == "cut":  # nobody can tell who does not know where it ended
        assert pi("--audit-verify", str(log(pi))).returncode == 0


def test_logs_that_cannot_be_written_are_2_before_anything_is_asked(pi: Pi) -> None:
    (pi.folder / "file").touch()
    with FaultServer(answers()) as server:
        for flags in (
            ["--tool-audit-log", "file/audit"],
            ["--telemetry-log", "file/telemetry"],
            ["--telemetry-log", "same", "--tool-audit-log", "same"],
        ):
            done = pi("--no-session", "--api-base", server.url, "-p", "go", *flags, **KEY)
            assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert server.requests == []
    for form in (["--command-file", "-"], []):
        done = pi("--no-session", "--tool-audit-log", "file/audit", *form, stdin="/help\n")
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert pi("--audit-verify", "missing").returncode == 2
    assert pi("--audit-verify", "file", "file").returncode == 2
    assert pi("--audit-verify", "file").returncode == 0
    assert os.listdir(pi.folder) == ["file"]


def test_telemetry_is_one_line_of_figures_for_a_prompt(pi: Pi) -> None:
    usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    answer = (delta("private words"), event({"choices": [], "usage": usage}), finish())
    with FaultServer(answers(answer)) as server:
        done = pi.ask(server.url, "--no-session", "--telemetry-log", "logs/t")
        assert done.returncode == 0, done.stderr
    (line,) = records(pi.folder / "logs" / "t")
    times = ("timestamp_unix_ms", "started_unix_ms", "duration_ms", "request_duration_ms_total")
    for key in times:
        assert isinstance(line.pop(key), int), key
    more = {key: line.pop(key) for key in list(line) if key not in SPECIFIED}
    assert line == {
        "record_type": "prompt_telemetry_v1",
        "schema_version": 1,
        "prompt_id": 1,
        "provider": "openai",
        "model": "gpt-4o-mini",
        "status": "completed",
        "success": True,
        "turn_count": 1,
        "finish_reason": "stop",
        "token_usage": {"input_tokens": 4, "output_tokens": 2, "total_tokens": 6},
        "tool_calls": 0,
        "tool_errors": 0,
        "redaction_policy": {
            "prompt_content": "omitted",
            "tool_arguments": "omitted",
            "tool_results": "bytes_only",
        },
    }
    assert more["served_by"] == "openai/gpt-4o-mini"
    assert stat.S_IMODE((pi.folder / "logs" / "t").stat().st_mode) == 0o600


SPECIFIED = {
    *("record_type", "schema_version", "prompt_id", "provider", "model", "status", "success"),
    *("turn_count", "finish_reason", "token_usage", "tool_calls", "tool_errors"),
    "redaction_policy",
}


def test_a_prompt_that_ends_badly_is_in_the_telemetry_too(pi: Pi) -> None:
    sleep = turn([("bash", {"command": "sleep 60"})])
    with FaultServer(answers(sleep)) as server:
        done = pi.ask(server.url, "--telemetry-log", "t", "--turn-timeout-ms", "1000")
        assert done.returncode == 124
    missing = [("read", {"path": "missing"})]
    assert play(pi, missing, flags=("--telemetry-log", "t", "--no-session")).done.returncode == 0
    timed_out, completed = records(pi.folder / "t")
    assert (timed_out["status"], timed_out["success"]) == ("timed_out", False)
    assert (completed["status"], completed["success"]) == ("completed_with_tool_errors", False)
    assert (completed["tool_calls"], completed["tool_errors"]) == (1, 1)


def test_prompts_are_counted_on_with_another_session_and_another_model(pi: Pi) -> None:
    script = "/prompt a\n/new other\n/prompt b\n/model demo/tour\n/prompt c\n"
    logs = ("--telemetry-log", "t.jsonl", "--tool-audit-log", "a.jsonl")
    done = pi("--model", "demo/tour", *logs, "--command-file", "-", stdin=script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [each["prompt_id"] for each in records(pi.folder / "t.jsonl")] == [1, 2, 3]
    calls = records(pi.folder / "a.jsonl")
    assert {each["prompt_id"] for each in calls if "tool_name" in each} == {1, 2, 3}
