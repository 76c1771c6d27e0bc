"""Command files that are none, and every command with arguments it did not ask for.

The first half runs the built file; the second runs each row of the table in this process,
in a real conversation without a key, so that a new row is tried without being named here.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pi.base.host import Host
from pi.cli.conversation import Conversation
from pi.cli.parse import parse
from pi.cli.settings import build_settings
from pi.commands.dispatch import run_line
from pi.commands.subcommands import SUBCOMMANDS
from pi.commands.table import COMMANDS, CommandSpec
from tests.cli.conftest import Pi

BAD_FILES = {
    "nul": (b"/help\n/session\0\n", "line 2 holds a NUL character"),
    "not_utf8": (b"/help\n\xff\xfe/session\n", "is not UTF-8 text"),
    "utf16": ("/help\n".encode("utf-16"), "is not UTF-8 text"),
    "lone_cr": (b"# old\r/help\r/session\r", "line 1 holds a carriage return"),
    "binary": (bytes(range(256)) * 50, "is not UTF-8 text"),
}


@pytest.mark.parametrize("name", sorted(BAD_FILES))
def test_a_file_that_is_no_script_is_refused_before_anything_runs(pi: Pi, name: str) -> None:
    data, said = BAD_FILES[name]
    (pi.folder / name).write_bytes(data)
    done = pi("--command-file", name, "--no-session")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"command file {name}" in done.stderr
    assert said in done.stderr


def test_a_folder_a_missing_file_and_a_pipe_without_a_writer_say_so_at_once(pi: Pi) -> None:
    os.mkfifo(pi.folder / "pipe")
    os.symlink("loop", pi.folder / "loop")
    reasons = {
        ".": "Is a directory",
        "none": "No such file or directory",
        "pipe": "it is a pipe, and nobody writes to it",
        "loop": "Too many levels of symbolic links",
        "no/such/folder": "No such file or directory",
        "x" * 5000: "File name too long",
    }
    for path, reason in reasons.items():
        done = pi("--command-file", path, "--no-session")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"failed to read command file {path}" in done.stderr
        assert reason in done.stderr


def test_a_pipe_that_a_shell_made_for_the_purpose_is_read(pi: Pi) -> None:
    line = 'exec "$0" "$1" --no-session --command-file <(printf \'/session\\n\')'
    done = subprocess.run(
        ["bash", "-c", line, *pi.command()],
        cwd=pi.folder,
        env=pi.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("session: disabled\n")


def test_what_editors_of_other_systems_leave_is_no_mistake(pi: Pi) -> None:
    (pi.folder / "c").write_bytes(b"\xef\xbb\xbf# made elsewhere\r\n\r\n /session \r\n/quit")
    done = pi("--command-file", "c", "--no-session")
    assert (done.returncode, done.stderr) == (0, "")
    assert "total=2 executed=2 succeeded=2 failed=0" in done.stdout


@pytest.mark.parametrize("data", [b"", b"\n\n# nothing\n#\n", b"\xef\xbb\xbf"])
def test_a_file_without_commands_does_nothing_well(pi: Pi, data: bytes) -> None:
    done = pi("--command-file", "-", "--no-session", stdin=data)
    assert (done.returncode, done.stderr) == (0, "")
    assert "total=0 executed=0 succeeded=0 failed=0 halted_early=false" in done.stdout


def test_ten_megabytes_are_read_and_only_what_is_a_command_runs(pi: Pi) -> None:
    data = b"# a line of a large file that says nothing at all\n" * 200_000 + b"/session\n"
    (pi.folder / "big").write_bytes(data)
    done = pi("--command-file", "big", "--no-session")
    assert (done.returncode, done.stderr) == (0, "")
    assert "total=1 executed=1 succeeded=1" in done.stdout


def test_a_line_of_five_megabytes_is_one_bad_command_and_a_short_message(pi: Pi) -> None:
    (pi.folder / "long").write_bytes(b"/" + b"x" * 5_000_000 + b" y\n/session\n")
    done = pi("--command-file", "long", "--no-session")
    assert done.returncode == 2
    assert "line=1" in done.stdout
    assert "total=2 executed=1 succeeded=0 failed=1 halted_early=true" in done.stdout
    assert len(done.stdout) + len(done.stderr) < 10_000


def test_no_command_of_a_hostile_file_runs_what_it_names(pi: Pi) -> None:
    lines = ["/session-export $(touch RUN)", "/session-export `touch RUN`", "/help ; touch RUN"]
    (pi.folder / "c").write_text("\n".join(f"-{line}" for line in lines))
    done = pi("--command-file", "c", "--no-session", "--command-file-error-mode=continue-on-error")
    assert done.returncode == 0
    assert not (pi.folder / "RUN").exists()


HOSTILE = [
    *("", "x", "1", "a b c d e f g h", "'open", '"open', "\\", "\0", "\ud800", "\u202e", "\x1b[2J"),
    *(
        "--",
        "-- --json",
        "--no-such",
        "--json=1",
        "--limit",
        "--limit=" + "9" * 30,
        "--yes --dry-run",
    ),
    *("../../no/such", "/", ".", "~", "-", "x" * 100_000, "9" * 5000, "-1", "$(touch RUN)", "٣"),
]


@pytest.fixture(params=["session", "no session"])
def conversation(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Conversation]:
    """A conversation as a command file has it, with no key, and a proxy that is not there."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    host = Host()
    host.environ = {"HOME": str(tmp_path / "home"), "PATH": os.defpath}
    host.stdin, host.stdout, host.stderr = None, io.StringIO(), io.StringIO()
    flags = ["--no-session"] if request.param == "no session" else ["--session", "s.jsonl"]
    flags += ["--proxy", "http://127.0.0.1:1", "--quiet"]
    parsed = parse(flags, host.environ)
    opened = Conversation(parsed, build_settings(parsed), host)
    yield opened
    opened.close()


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.name))
def test_every_command_answers_hostile_arguments_with_a_result(
    spec: CommandSpec, conversation: Conversation
) -> None:
    """No exception and no bug; a failure has an exit code and words; JSON is one line."""
    beginnings = ["", *(f"{each.name} " for each in SUBCOMMANDS.get(spec.name, ()))]
    for begin in beginnings:
        for raw in HOSTILE if not begin else HOSTILE[:12]:
            line = f"{spec.name} {begin}{raw}"
            outcome = run_line(line, conversation.context())
            error = outcome.result.error
            if error is not None:
                assert error.exit_code not in (0, 70), (line[:80], error.lines())
                assert error.message
                assert outcome.lines
            assert all("\n" not in text for text in outcome.lines if outcome.as_json)
            told = run_line(f"{spec.name} {begin}--json {raw}", conversation.context())
            assert told.as_json
            assert len(told.lines) == 1
            data = json.loads(told.lines[0])
            assert data["command"] == spec.name
            assert data["ok"] == (told.result.error is None)
            assert ("data" if data["ok"] else "error") in data
    assert not Path("RUN").exists()
