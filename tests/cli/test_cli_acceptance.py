"""Acceptance of the command line: flags, prompts and their files, logs, sessions."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asking import bodies
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer, Peer

SAID = "the answer of the stub"
OK = (delta(SAID), finish())


def prompted(
    pi: Pi, *flags: str, prompt: tuple[str, ...] = ("--prompt", "hello"), **more: Any
) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    """A prompt as the scenarios give it: the run, and the messages of its one request."""
    with FaultServer(answers(OK)) as server:
        base = ("--model", "openai/gpt-4o-mini", "--openai-api-key", "test-openai-key")
        done = pi(*base, "--api-base", server.url + "/v1", "--no-session", *prompt, *flags, **more)
        (body,) = bodies(server)
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    return done, body["messages"]


def test_help_names_key_variables_and_shows_no_key(pi: Pi) -> None:
    """C01"""
    secrets = {"OPENAI_API_KEY": "openai-hush", "ANTHROPIC_API_KEY": "anthropic-hush"}
    done = pi("--help", **secrets)
    assert (done.returncode, done.stderr) == (0, "")
    for name, secret in secrets.items():
        assert name in done.stdout
        assert secret not in done.stdout


def test_a_branch_without_a_session_is_refused(pi: Pi) -> None:
    """C02"""
    done = pi("--no-session", "--branch-from", "1", "--prompt", "hello", **KEY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--branch-from cannot be used together with --no-session" in done.stderr


def session(path: Path, *parents: int | None) -> None:
    """A session file whose entries, from 1 on, have these parents."""
    rows: list[dict[str, Any]] = [{"record_type": "meta", "schema_version": 1}]
    for number, parent in enumerate(parents, 1):
        message = {"role": "user", "content": [{"type": "text", "text": "x"}], "is_error": False}
        rows.append({"record_type": "entry", "id": number, "parent_id": parent, "message": message})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_a_session_is_checked_without_a_key(pi: Pi) -> None:
    """C04, C05: what was found is on stdout, the verdict of a bad one on stderr."""
    session(pi.folder / "good.jsonl", None, 1)
    session(pi.folder / "bad.jsonl", 2, 1)
    good = pi("--session", "./good.jsonl", "--session-validate")
    assert good.returncode == 0, good.stderr
    assert "entries=2 duplicates=0 invalid_parent=0 cycles=0" in good.stdout
    assert "session validation passed" in good.stdout
    bad = pi("--session", "./bad.jsonl", "--session-validate")
    assert bad.returncode == 7
    assert "cycles=2" in bad.stdout
    assert "session validation failed" in bad.stderr
    assert "cycles=2" in bad.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ["--stream-output", "false", "--stream-delay-ms", "0"],
        ["--bash-profile", "strict", "--allow-command", "python,cargo-nextest*"],
        ["--session-lock-wait-ms", "250", "--session-lock-stale-ms", "0"],
    ],
)
def test_flags_that_change_nothing_one_sees_are_taken(pi: Pi, flags: list[str]) -> None:
    """C06, C07, C08: one request, the text of its answer."""
    prompted(pi, *flags)


def test_the_policy_in_force_is_told_beside_the_answer(pi: Pi) -> None:
    """C09, C10: with a prompt on stderr, since stdout is the answer's alone."""
    done, _ = prompted(pi, "--print-tool-policy")
    for word in ("schema_version", "preset", "max_file_write_bytes", "os_sandbox_mode"):
        assert f'"{word}"' in done.stderr
    hardened = ("--tool-policy-preset", "hardened", "--bash-dry-run", "--tool-policy-trace")
    done, _ = prompted(pi, *hardened, "--print-tool-policy")
    for words in ('"preset":"hardened"', '"bash_dry_run":true', '"tool_policy_trace":true'):
        assert words in done.stderr


def test_a_prompt_is_what_a_file_or_standard_input_says(pi: Pi) -> None:
    """C11, C12"""
    (pi.folder / "F").write_text("prompt from file", encoding="utf-8")
    _, messages = prompted(pi, prompt=("--prompt-file", "F"))
    assert messages[-1]["content"] == "prompt from file"
    _, messages = prompted(pi, prompt=("--prompt-file", "-"), stdin="prompt from stdin")
    assert messages[-1]["content"] == "prompt from stdin"


def test_blank_prompts_are_refused_before_anything_is_asked(pi: Pi) -> None:
    """C13, C14, C16"""
    (pi.folder / "blank").write_text(" \n\t\n", encoding="utf-8")
    with FaultServer(lambda peer: None) as server:
        base = ("--api-base", server.url, "--no-session")
        for flags, words in (
            (("--prompt-file", "-"), "stdin prompt is empty"),
            (("--prompt-file", "blank"), "prompt file blank is empty"),
            (
                ("--prompt", "x", "--system-prompt-file", "blank"),
                "system prompt file blank is empty",
            ),
        ):
            done = pi(*base, *flags, stdin=" \n ", **KEY)
            assert (done.returncode, done.stdout) == (2, ""), flags
            assert words in done.stderr
        assert server.connections == 0


def test_a_system_prompt_file_takes_the_place_of_the_default(pi: Pi) -> None:
    """C15"""
    default = prompted(pi)[1][0]["content"].split("\n")[0]
    (pi.folder / "S").write_text("You are a poet.\n", encoding="utf-8")
    _, messages = prompted(pi, "--system-prompt-file", "S")
    assert messages[0]["role"] == "system"
    assert messages[0]["content"].startswith("You are a poet.")
    assert default not in messages[0]["content"]


def test_both_logs_of_a_prompt_without_tools(pi: Pi) -> None:
    """C17, C18: the audit log is there, and telemetry has one line."""
    usage = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    choice = {"index": 0, "message": {"content": SAID}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(head % len(body) + body)

    with FaultServer(script) as server:
        done = pi.ask(
            server.url, "--no-session", "--tool-audit-log", "audit", "--telemetry-log", "telemetry"
        )
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr
    assert (pi.folder / "audit").read_bytes() == b""
    (line,) = (pi.folder / "telemetry").read_text(encoding="utf-8").splitlines()
    record = json.loads(line)
    assert record["record_type"] == "prompt_telemetry_v1"
    assert (record["provider"], record["model"]) == ("openai", "gpt-4o-mini")
    assert (record["status"], record["success"]) == ("completed", True)
    assert record["token_usage"]["total_tokens"] == 6
    assert record["redaction_policy"]["prompt_content"] == "omitted"


def test_a_time_limit_ends_a_prompt_that_waits_for_its_server(pi: Pi) -> None:
    """C19: 124 where the older program said 0, and the words on stderr."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.wait()

    with FaultServer(script) as server:
        done = pi.ask(server.url, "--no-session", "--turn-timeout-ms", "20")
    assert (done.returncode, done.stdout) == (124, "")
    assert "request timed out" in done.stderr


def test_a_second_prompt_branches_off_an_older_entry(pi: Pi) -> None:
    """C20: the system prompt is made anew for each run and is no entry of its own, so
    the numbers are one lower than the older program's."""
    with FaultServer(answers(OK, OK)) as server:
        base = ("--api-base", server.url + "/v1", "--session", "./F.jsonl")
        assert pi(*base, "--prompt", "first prompt", **KEY).returncode == 0
        assert pi.roles("F.jsonl") == ["user", "assistant"]
        assert pi(*base, "--prompt", "second prompt", "--branch-from", "1", **KEY).returncode == 0
        asked = [
            [m["content"] for m in body["messages"] if m["role"] != "system"]
            for body in bodies(server)
        ]
    entries = [row for row in pi.session("F.jsonl") if row["record_type"] == "entry"]
    assert [(row["id"], row["parent_id"]) for row in entries] == [
        (1, None), (2, 1), (3, 1), (4, 3),
    ]  # fmt: skip
    assert asked == [["first prompt"], ["first prompt", "second prompt"]]
