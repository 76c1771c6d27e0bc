"""What is named on a command line and is not there, or is not what it was taken for: exit 2,
whatever the flag or command, with a message that says what, where and why.

The command lines run one after the other in one process, by the program's own entry: a
process for each would take seconds, and what is looked at is decided before any answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Runs each of the lines; tells its exit code and what it wrote on stdout and stderr.
RUNNER = """
import io, json, sys
from pi.cli.main import main
found = []
real = sys.stdout
for line in json.loads(sys.argv[1]):
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in "oe")
    code = main(line)
    pages = []
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        pages.append(stream.buffer.getvalue().decode())
    found.append([code, *pages])
real.write(json.dumps(found))
"""
ASK = ("--model", "demo/tour", "-p", "hi")
ALONE = (*ASK, "--no-session")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("notes\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\0")
    (tmp_path / "bad.md").write_bytes(b"\xff")
    (tmp_path / "bad.zip").write_bytes(b"PK no")
    return tmp_path


def run_all(folder: Path, *lines: tuple[str, ...]) -> list[tuple[int, str, str]]:
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, json.dumps(lines)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=folder,
        env=environ,
        timeout=60,
        check=True,
    )
    found: list[tuple[int, str, str]] = [tuple(each) for each in json.loads(done.stdout)]
    return found


def named_wrong() -> list[tuple[tuple[str, ...], str]]:
    """Command lines, and what the message of each names."""
    cases: list[tuple[tuple[str, ...], str]] = []
    for thing in ("none", "folder", "pipe", "text/below"):
        cases += [
            (("--prompt-file", thing, "--model", "demo/tour"), f"prompt file {thing}"),
            (("--system-prompt-file", thing, *ALONE), f"system prompt file {thing}"),
            (("--command-file", thing), f"command file {thing}"),
            (("--session-validate", "--session", f"./{thing}"), f"'./{thing}'"),
            (("--audit-verify", thing), f"'{thing}'"),
            (("--skills-cache-import", thing), f"skills cache {thing}"),
            (("--skill-validate", thing), thing),
            (("--install-skill", thing), thing),
            (("--skills-verify", "--skill-trust-root-file", thing), f"'{thing}'"),
            (("--skills-sync", "--skills-lock-file", thing), f"skills lockfile {thing}"),
        ]
    for thing in ("folder", "pipe", "text", "bytes", "text/below"):
        cases.append(((*ASK, "--session", f"./{thing}"), thing))
    cases += [
        ((*ASK, "--session", "none", "--fork", "new"), "none.jsonl"),
        ((*ASK, "--session", "text", "--fork", "new"), "text"),
        ((*ASK, "--session", "none", "--branch-from", "7"), "7"),
        ((*ASK, "--session", " "), "a name or a path"),
        ((*ASK, "--continue"), "there is no session"),
        ((*ALONE, "--skills-dir", "text"), "--skills-dir"),
        ((*ALONE, "--skills-path", "none"), "--skills-path"),
        ((*ALONE, "--client-key", "none"), "--client-key needs --client-cert"),
        (("--install-skill", "bad.md"), "bad.md is not UTF-8"),
        (("--install-skill", "bad.zip"), "bad.zip: it is no archive"),
        (("--skills-cache-export", "text"), "text is already there"),
        (("--skills-cache-export", "new.tar"), "nothing in the skills cache"),
    ]
    return cases


def test_what_is_named_and_not_there_or_no_such_thing_is_bad_usage(folder: Path) -> None:
    cases = named_wrong()
    lock = folder / ".pi" / "skills" / "skills.lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text('{"schema_version":2,"entries":[]}')  # so that verification gets that far
    before = sorted(os.listdir(folder))
    for (line, word), (code, _, err) in zip(cases, run_all(folder, *(line for line, _ in cases))):
        assert (code, err.startswith("error: ")) == (2, True), (line, code, err)
        assert word in err, line
    assert sorted(os.listdir(folder)) == before


def test_a_fork_below_a_file_is_told_and_nothing_made(folder: Path) -> None:
    _, (code, _, err) = run_all(
        folder, (*ASK, "--session", "work"), (*ASK, "--session", "work", "--fork", "text/new.jsonl")
    )
    assert (code, "--fork text/new.jsonl: text/new.jsonl cannot be written" in err) == (2, True)


def test_what_a_check_finds_is_no_bad_usage_and_json_comes_with_it(folder: Path) -> None:
    (folder / "cut.jsonl").write_text('{"record_type":"me')  # killed while it was begun
    checks = ("bytes", "text", "cut.jsonl")
    found = run_all(
        folder,
        *(("--session-validate", "--json", "--session", f"./{name}") for name in checks),
        ("--skill-validate", "bad.md", "--json"),
        ("--skill-validate", "text", "--json"),
        ("--json", *ALONE),
    )
    told: list[Any] = [json.loads(out) for _, out, _ in found[:5]]
    assert [code for code, _, _ in found] == [7, 7, 0, 2, 1, 2]
    assert [each["ok"] for each in told] == [False, False, True, False, False]
    assert told[0]["error"]["cause"] == "none of its lines is a record of a session"
    assert told[0]["data"]["bad_lines"][0]["line"] == 1
    assert (told[4]["command"], told[4]["data"]["valid"]) == ("skill-validate", False)
    assert told[4]["error"]["message"].endswith("breaks a rule")
    for flag in ("--list-models", "--doctor", "--print-config", "--help", "--session-validate"):
        assert flag in found[5][2]
