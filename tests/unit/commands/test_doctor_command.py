"""``/doctor``: which checks are shown, how, and when the command fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from pi.commands.doctor import Check, report, selected
from tests.fakes.session_files import context, entry

CHECKS = [
    Check("model", "pass", "openai/x"),
    Check("trust_root", "warn", "missing", "t.json", "create it"),
    Check("python", "pass", "3.9.1", further=True),
    Check("disk_space", "warn", "free_mib:3", "/", "make room", further=True),
]
FAILED = Check("provider_key.openai", "fail", "missing", "", "set OPENAI_API_KEY")


def ran(tmp_path: Path, *checks: Check) -> CommandContext:
    asked: list[bool] = []

    def service(*, online: bool) -> list[Check]:
        asked.append(online)
        return [*checks, *([Check("clock", "pass", "skew_s:0", further=True)] if online else [])]

    return context(tmp_path, entry(1, None), doctor=service)


def test_the_older_checks_are_always_shown_and_others_where_something_is_wrong(
    tmp_path: Path,
) -> None:
    assert run_line("/doctor", ran(tmp_path, *CHECKS)).lines == (
        "doctor summary: checks=3 pass=1 warn=2 fail=0",
        "doctor check: key=model status=pass code=openai/x path=none action=none",
        "doctor check: key=trust_root status=warn code=missing path=t.json action=create it",
        "doctor check: key=disk_space status=warn code=free_mib:3 path=/ action=make room",
    )


def test_all_of_them_are_shown_when_asked_for(tmp_path: Path) -> None:
    assert "checks=4" in run_line("/doctor --all", ran(tmp_path, *CHECKS)).lines[0]
    online = run_line("/doctor --online", ran(tmp_path, *CHECKS)).lines
    assert "checks=5" in online[0]
    assert "key=clock" in online[-1]


def test_the_json_form_has_the_older_keys_at_the_top(tmp_path: Path) -> None:
    found: dict[str, Any] = json.loads(run_line("/doctor --json", ran(tmp_path, *CHECKS)).lines[0])
    assert found["summary"] == {"checks": 3, "fail": 0, "pass": 1, "warn": 2}
    assert found["checks"][0] == {
        "action": None, "code": "openai/x", "key": "model", "path": None, "status": "pass",
    }  # fmt: skip
    assert found["data"] == {"checks": found["checks"], "summary": found["summary"]}
    assert found["ok"] is True


def test_a_failed_check_fails_the_command_and_a_warning_only_a_strict_one(tmp_path: Path) -> None:
    found = run_line("/doctor", ran(tmp_path, *CHECKS, FAILED)).result
    assert found.error is not None
    assert (found.error.code, found.error.exit_code) == ("doctor-failed", 1)
    assert found.error.cause == "provider_key.openai (missing)"
    assert found.error.hint == "set OPENAI_API_KEY"
    assert report(CHECKS).error is None
    strict = report(CHECKS, strict=True).error
    assert strict is not None
    assert strict.message == "2 of 4 checks failed"


@pytest.mark.parametrize("line", ["/doctor --bad", "/doctor now"])
def test_anything_else_gets_the_usage(tmp_path: Path, line: str) -> None:
    assert run_line(line, ran(tmp_path)).lines[-1] == "usage: /doctor [--json]"


def test_foreign_words_cannot_forge_another_line(tmp_path: Path) -> None:
    evil = Check("k\nl", "fail", "a\nb\x1b[31m", "p\r\nq\ud800", "c\td")
    lines = report([evil]).text
    assert len(lines) == 2
    assert lines[1].startswith("doctor check: key=k_l status=fail code=a b path=")
    assert lines[1].isprintable()
    assert selected([evil._replace(further=True)])


def test_a_run_without_a_doctor_says_so(tmp_path: Path) -> None:
    found = run_line("/doctor", context(tmp_path, entry(1, None)))
    assert found.lines == ("doctor error: error=this run has no doctor",)
