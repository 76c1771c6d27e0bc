"""Places and surroundings that a program is not made for, and must not come to harm in."""

from __future__ import annotations

import json
import os
import subprocess

from tests.cli.conftest import Pi


def run_in_shell(pi: Pi, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``script`` gets the command line of pi as "$@"."""
    command = ["sh", "-c", script, "sh", *pi.command(*arguments)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, cwd=pi.folder,
        env=pi.environ, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_with_stderr_closed_notes_do_not_get_into_the_json_on_stdout(pi: Pi) -> None:
    flags = ("--list-models", "--json", "--model-catalog-url", "http://127.0.0.1:9/")
    done = run_in_shell(pi, '"$@" 2>&-', *flags)
    assert done.returncode == 0
    assert json.loads(done.stdout)["data"]["models"]


def test_a_working_directory_that_was_removed_is_named_for_command_files_too(pi: Pi) -> None:
    (pi.folder / "commands").write_text("/help\n", encoding="utf-8")
    os.mkdir(pi.folder / "gone")
    script = 'cd gone && rmdir ../gone && "$@"'
    done = run_in_shell(pi, script, "--command-file", str(pi.folder / "commands"))
    assert done.returncode == 2
    assert "error: the working directory does not exist any more" in done.stderr
