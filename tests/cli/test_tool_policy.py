"""The tool policy as an operator meets it: flags, the printed policy, refusals in a run."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from tests.cli.conftest import Pi
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer

TABLE: dict[str, tuple[int, int, int, int, int, bool, str, str, bool]] = {
    "permissive": (2000000, 2000000, 32000, 180000, 8192, True, "permissive", "off", False),
    "balanced": (1000000, 1000000, 16000, 120000, 4096, False, "balanced", "off", True),
    "strict": (750000, 750000, 8000, 90000, 2048, False, "strict", "auto", True),
    "hardened": (500000, 500000, 4000, 60000, 1024, False, "strict", "force", True),
}
KEYS = (
    "max_file_read_bytes",
    "max_file_write_bytes",
    "max_command_output_bytes",
    "bash_timeout_ms",
    "max_command_length",
    "allow_command_newlines",
    "bash_profile",
    "os_sandbox_mode",
    "enforce_regular_files",
)


def printed(pi: Pi, *flags: str, **environ: str) -> dict[str, Any]:
    done = pi("--print-tool-policy", *flags, **environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    policy: dict[str, Any] = json.loads(done.stdout)
    assert list(policy) == sorted(policy)
    return policy


@pytest.mark.parametrize("preset", TABLE)
def test_the_policy_of_each_preset_is_printed_without_a_prompt_or_a_key(
    pi: Pi, preset: str
) -> None:
    policy = printed(pi, "--tool-policy-preset", preset)
    assert tuple(policy[key] for key in KEYS) == TABLE[preset]
    assert policy["schema_version"] == 2
    assert policy["allowed_roots"] == [str(pi.folder)]
    assert (policy["bash_dry_run"], policy["tool_policy_trace"]) == (False, False)
    assert os.listdir(pi.folder) == []


@pytest.mark.parametrize(
    ("preset", "flags", "key", "value"),
    [
        ("hardened", ["--os-sandbox-mode", "off"], "os_sandbox_mode", "off"),
        ("strict", ["--bash-timeout-ms", "120000"], "bash_timeout_ms", 120000),
        ("permissive", ["--enforce-regular-files", "true"], "enforce_regular_files", True),
        ("balanced", ["--enforce-regular-files", "false"], "enforce_regular_files", False),
        ("strict", ["--bash-profile", "balanced"], "bash_profile", "balanced"),
        ("permissive", ["--allow-command-newlines", "false"], "allow_command_newlines", False),
        ("permissive", ["--allow-command", "ls, py*,,ls"], "allowed_commands", ["ls", "py*"]),
        ("balanced", ["--max-file-read-bytes", "1"], "max_file_read_bytes", 1024),
        ("balanced", ["--bash-dry-run", "true"], "bash_dry_run", True),
    ],
)
def test_a_flag_that_is_given_overrides_the_preset_whatever_its_value(
    pi: Pi, preset: str, flags: list[str], key: str, value: object
) -> None:
    """README-12"""
    assert printed(pi, "--tool-policy-preset", preset, *flags)[key] == value


def test_folders_that_are_allowed_are_printed_once_and_from_the_top(pi: Pi) -> None:
    (pi.folder / "sub").mkdir()
    roots = printed(pi, "--allow-path", "sub,.,sub/.")["allowed_roots"]
    assert roots == [str(pi.folder), str(pi.folder / "sub")]


def test_a_variable_overrides_the_preset_too(pi: Pi) -> None:
    policy = printed(pi, PI_TOOL_POLICY_PRESET="hardened", PI_OS_SANDBOX_MODE="off")
    assert (policy["preset"], policy["os_sandbox_mode"]) == ("hardened", "off")


def test_the_printed_policy_says_whether_commands_are_really_held(pi: Pi) -> None:
    assert printed(pi)["bash_confined"] is False
    policy = printed(pi, "--os-sandbox-mode", "auto")
    assert policy["bash_confined"] is bool(policy["sandbox"]["confined"])


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--tools", "read,fly"], "there is no tool 'fly'"),
        (["--tools", "read", "--no-tools"], "cannot be combined"),
        (["--tools", ""], "--tools names nothing"),
        (["--tool-audit-log", ""], "--tool-audit-log names nothing"),
        (["--telemetry-log="], "--telemetry-log names nothing"),
        (["--allow-path", "/no/such/folder"], "is not a folder"),
        (["--os-sandbox-command", "bwrap 'x"], "invalid --os-sandbox-command token"),
        (["--os-sandbox-command", "/no/such/launcher"], "/no/such/launcher"),
        (["--tool-policy-preset", "lax"], "is not one of permissive"),
    ],
)
def test_a_policy_that_cannot_be_is_2_before_anything_runs(
    pi: Pi, flags: list[str], words: str
) -> None:
    done = pi("--model", "demo/tour", "-p", "x", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert os.listdir(pi.folder) == []


def run_command(pi: Pi, command: str, *flags: str) -> tuple[dict[str, Any], str]:
    """Have a model ask for one command. Returns the result's content and what the model read."""
    turns = answers(
        (call("bash", {"command": command}), finish("tool_calls")), (delta("done"), finish())
    )
    with FaultServer(turns) as server:
        done = pi(
            *("--no-session", "--json-events", "--api-base", server.url, "-p", "go", *flags),
            OPENAI_API_KEY="k",
        )
        assert done.returncode == 0, done.stderr
        last = json.loads(server.requests[-1].body)["messages"][-1]
    ends = [json.loads(line) for line in done.stdout.splitlines()]
    (end,) = (event for event in ends if event["type"] == "tool_execution_end")
    return end["content"], last["content"]


def test_a_refused_command_is_a_result_that_names_the_rule(pi: Pi) -> None:
    content, read = run_command(pi, "ls; curl http://example.invalid")
    assert content["policy_rule"] == "allowed_commands"
    assert content["error"] == "command 'curl' is not allowed by 'balanced' bash profile"
    assert "ls" in content["allowed_commands"]
    assert "curl" in read


def test_a_trace_tells_each_check_in_order(pi: Pi) -> None:
    content, _ = run_command(pi, "ls && pwd", "--tool-policy-trace")
    assert content["policy_decision"] == "allow"
    checks = [row["check"] for row in content["policy_trace"]]
    assert checks[0] == "max_command_length"
    assert checks[-1] == "execution_mode"


def test_a_dry_run_runs_nothing(pi: Pi) -> None:
    content, _ = run_command(pi, "touch made", "--bash-dry-run")
    assert (content["dry_run"], content["would_execute"]) == (True, True)
    assert not (pi.folder / "made").exists()


def test_a_sandboxed_command_cannot_write_beside_the_folder(pi: Pi) -> None:
    policy = printed(pi, "--os-sandbox-mode", "force")
    if not policy["bash_confined"]:
        pytest.skip(f"no sandbox here: {policy['sandbox']}")
    outside = pi.folder.parent / f"{pi.folder.name}-outside"
    content, _ = run_command(
        pi,
        f"touch inside; touch {outside}",
        "--os-sandbox-mode",
        "force",
        "--bash-profile",
        "permissive",
    )
    assert content["sandboxed"] is True
    assert (pi.folder / "inside").exists()
    assert not outside.exists()


@pytest.mark.parametrize("folder", [".config/pi", ".pi/agent"])
def test_no_tool_writes_what_the_user_answered(pi: Pi, folder: str) -> None:
    """In the home folder it lies below the working directory."""
    verdicts = {}
    for name in ("commands.json", "trusted.json", "notes.md"):
        done = pi(
            "--no-session", "--command-file", "-", stdin=f"/policy check write {folder}/{name}"
        )
        verdicts[name] = "decision=deny rule=secrets" in done.stdout
    assert verdicts == {"commands.json": True, "trusted.json": True, "notes.md": False}


def test_a_command_gets_neither_stored_keys_nor_the_log_about_it(pi: Pi) -> None:
    policy = printed(pi, "--os-sandbox-mode", "force")
    if not policy["bash_confined"] or not policy["sandbox"]["namespaces"]:
        pytest.skip(f"no sandbox with a file tree of its own here: {policy['sandbox']}")
    (pi.folder / ".pi").mkdir()
    (pi.folder / ".pi" / "credentials.json").write_text('{"key": "kept-in-a-store"}')
    flags = ("--os-sandbox-mode", "force", "--bash-profile", "permissive")
    content, read = run_command(
        pi,
        "cat .pi/credentials.json; rm -f audit.jsonl; : > audit.jsonl; mv .pi pi; ls -A",
        *(*flags, "--tool-audit-log", "audit.jsonl"),
    )
    assert content["sandboxed"] is True
    assert "kept-in-a-store" not in read
    verified = pi("--audit-verify", "audit.jsonl")
    assert verified.returncode == 0, verified.stdout
    assert "records=2" in verified.stdout


def test_no_tool_changes_the_log_of_the_run(pi: Pi) -> None:
    turns = answers(
        (call("write", {"path": "audit.jsonl", "content": ""}), finish("tool_calls")),
        (delta("done"), finish()),
    )
    flags = ("--no-session", "--tool-audit-log", "audit.jsonl", "-p", "go")
    with FaultServer(turns) as server:
        done = pi("--api-base", server.url, *flags, OPENAI_API_KEY="k")
        assert done.returncode == 0, done.stderr
        assert "is denied" in json.loads(server.requests[-1].body)["messages"][-1]["content"]
    assert "records=2" in pi("--audit-verify", "audit.jsonl").stdout
