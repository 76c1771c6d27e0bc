"""Commands about credentials: a clear no, and no secret repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.commands.credentials import repeatable
from pi.commands.dispatch import run_line
from pi.commands.script import read_script, run_script
from tests.fakes.session_files import context


@pytest.mark.parametrize(
    "line",
    [
        "/auth",
        "/auth login openai --mode api-key",
        "/integration-auth set bot s3cret",
        "/integration-auth set bot 's3cret",
        "/integration-auth set bot s3cret and more of it",
        "/integration-auth rotate bot s3cret --json",
    ],
)
def test_they_fail_with_one_clear_error(tmp_path: Path, line: str) -> None:
    outcome = run_line(line, context(tmp_path))
    error = outcome.result.error
    assert error is not None
    assert (error.code, error.exit_code) == ("not-available", 2)
    assert "keys come from the environment" in outcome.lines[0]
    assert "s3cret" not in "".join(outcome.lines)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("/integration-auth set bot s3cret", "/integration-auth set ..."),
        ("/Integration-Auth\tset bot", "/Integration-Auth set ..."),
        ("/auth status", "/auth status"),
        ("/help branch", "/help branch"),
        ("/nope " + "x" * 5000, "/nope " + "x" * 994 + "..."),
    ],
)
def test_what_may_be_a_secret_is_left_out_where_a_line_is_repeated(line: str, shown: str) -> None:
    assert repeatable(line) == shown


@pytest.mark.parametrize("as_json", [False, True])
def test_a_command_file_does_not_repeat_it_either(tmp_path: Path, as_json: bool) -> None:
    said: list[str] = []
    lines = read_script(b"/integration-auth set bot s3cret\n", "f")
    summary = run_script(lines, "f", "fail-fast", context(tmp_path), said.append, as_json=as_json)
    assert summary.failed == 1
    assert "s3cret" not in "\n".join(said)
    assert "/integration-auth set ..." in "\n".join(said)
