"""Command files: reading, judging and running them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.base.errors import TimeLimit, UsageError
from pi.commands.context import CommandContext
from pi.commands.script import MAX_BYTES, ScriptLine, Summary, problems, read_script, run_script
from tests.fakes.session_files import context


def run(
    tmp_path: Path, text: str, mode: str = "fail-fast", *, as_json: bool = False
) -> tuple[Summary, list[str]]:
    said: list[str] = []
    ran = context(tmp_path)
    lines = read_script(text.encode(), "f")
    return run_script(lines, "f", mode, ran, said.append, as_json=as_json), said


def test_lines_are_trimmed_counted_and_skipped() -> None:
    data = b"\xef\xbb\xbf# c\r\n\r\n  /help  \r\n-/branch 1\n! /quit\nword"
    assert read_script(data, "f") == (
        ScriptLine(3, "/help"),
        ScriptLine(4, "/branch 1", "-"),
        ScriptLine(5, "/quit", "!"),
        ScriptLine(6, "word"),
    )


@pytest.mark.parametrize("data", [b"\xff", b"/help\0", b"x" * (MAX_BYTES + 1)])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError):
        read_script(data, "f")


def test_a_check_names_what_cannot_work() -> None:
    lines = read_script(b"/help\nword\n/nope\n/branch\n/quit x", "f")
    assert [(line.number, why) for line, why in problems(lines)] == [
        (2, "command must start with '/'"),
        (3, "unknown command: /nope"),
        (4, "something is missing"),
    ]


def test_the_first_failure_stops_or_not(tmp_path: Path) -> None:
    text = "/help\n/nope\n/help"
    summary, said = run(tmp_path, text)
    assert summary[:5] == (3, 2, 1, 1, True)
    assert said[-2:] == [
        "command file error: path=f line=2 command=/nope error=unknown command: /nope",
        "command file summary: path=f mode=fail-fast total=3 executed=2 succeeded=1 failed=1 "
        "halted_early=true",
    ]
    summary, _ = run(tmp_path, text, "continue-on-error")
    assert summary[:5] == (3, 3, 2, 1, False)
    assert summary.failure is not None
    assert summary.failure.exit_code == 2


def test_quit_ends_a_file(tmp_path: Path) -> None:
    for name in ("/quit", "/exit"):
        summary, said = run(tmp_path, f"{name}\n/help")
        assert summary[:5] == (2, 1, 1, 0, True)
        assert f"command file notice: path=f line=1 command={name} action=exit" in said


def test_wishes(tmp_path: Path) -> None:
    assert run(tmp_path, "-/nope\n!/nope\n-word")[0].failed == 0
    assert run(tmp_path, "!/help")[0].failed == 1


def test_json_is_one_object_a_line_with_the_summary_last(tmp_path: Path) -> None:
    _, said = run(tmp_path, "/session\n-word\n/nope", as_json=True)
    found = [json.loads(line) for line in said]
    assert [row.get("ok") for row in found] == [True, True, False, None]
    assert found[2]["error"]["code"] == "unknown-command"
    assert found[-1]["summary"]["failed"] == 1


def test_no_line_is_begun_when_the_time_is_up(tmp_path: Path) -> None:
    said: list[str] = []
    left = [None, TimeLimit("late")]
    lines = read_script(b"/help\n/help\n/help", "f")
    summary = run_script(
        lines, "f", "fail-fast", context(tmp_path), said.append, time_is_up=lambda: left.pop(0)
    )
    assert (summary.executed, summary.failed, summary.halted_early) == (1, 0, True)
    assert isinstance(summary.failure, TimeLimit)


def test_each_line_may_get_a_context_of_its_own(tmp_path: Path) -> None:
    made: list[None] = []

    def make() -> CommandContext:
        made.append(None)
        return context(tmp_path)

    lines = read_script(b"/help\n/session", "f")
    assert run_script(lines, "f", "fail-fast", make, lambda line: None).succeeded == 2
    assert len(made) == 2


def test_what_is_no_command_is_no_failure_that_was_asked_for(tmp_path: Path) -> None:
    assert run(tmp_path, "!ls")[0].failed == 1
