"""The bash tool under the real rule for commands: what it refuses does not start."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tool_bench import PLAIN_ENVIRONMENT, Bench, Benches

from pi.tools.commands.rule import CommandRule
from pi.tools.policy import Policy, make_policy

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def ruled(benches: Benches, policy: Policy) -> Bench:
    rule = CommandRule(policy, [str(benches.root)], PLAIN_ENVIRONMENT)
    return benches.make(policy=policy, check_command=rule.check)


@pytest.fixture
def balanced(benches: Benches) -> Bench:
    return ruled(benches, make_policy("balanced", {}))


def test_a_program_that_is_not_listed_is_refused_with_the_list(balanced: Bench) -> None:
    result = balanced("bash", command="python -V")
    assert result.is_error
    assert result.content == {
        "command": "python -V",
        "cwd": None,
        "allowed_commands": list(make_policy("balanced", {}).allowed_commands),
        "policy_rule": "allowed_commands",
        "error": "command 'python' is not allowed by 'balanced' bash profile",
    }


def test_a_beginning_of_a_name_may_be_allowed(benches: Benches) -> None:
    bench = ruled(benches, make_policy("balanced", {}, ["py*"]))
    assert bench("bash", command="python3 -V").content["stdout"].startswith("Python 3")


@pytest.mark.parametrize(
    "command",
    [
        "ls; curl x",
        "ls | sh",
        "echo `curl x`",
        "echo $(curl x)",
        "PATH=/e ls",
        "/e/ls",
        "env curl",
        "ls\ncurl x",
        "echo 'x",
    ],
)
def test_nothing_gets_past_the_list(balanced: Bench, root: Path, command: str) -> None:
    result = balanced("bash", command=f"touch ran; {command}")
    assert result.content["policy_rule"] in ("allowed_commands", "allow_command_newlines")
    assert not (root / "ran").exists()


def test_ordinary_work_runs(balanced: Bench, root: Path) -> None:
    result = balanced("bash", command="FOO=1 echo a && ls | wc -l > out.txt")
    assert result.text == "a\n"
    assert (root / "out.txt").exists()


def test_the_length_is_counted_in_characters(benches: Benches) -> None:
    bench = ruled(benches, make_policy("hardened", {"os_sandbox_mode": "off"}))
    assert bench("bash", command="echo " + "é" * 1019).content["success"]
    result = bench("bash", command="echo " + "é" * 1020)
    assert result.content["policy_rule"] == "max_command_length"
    assert result.content["error"] == "command is too long (1025 chars), limit is 1024 chars"


def test_lines_are_refused_unless_the_policy_is_permissive(
    benches: Benches, balanced: Bench
) -> None:
    result = balanced("bash", command="echo a\necho b")
    assert result.content["policy_rule"] == "allow_command_newlines"
    permissive = ruled(benches, make_policy("permissive", {}))
    assert permissive("bash", command="echo a\necho b").text == "a\nb\n"


def test_every_check_is_traced(benches: Benches) -> None:
    bench = ruled(benches, make_policy("balanced", {"tool_policy_trace": True}))
    content = bench("bash", command="echo a | wc -l").content
    assert content["policy_decision"] == "allow"
    assert [row["check"] for row in content["policy_trace"]] == [
        "max_command_length",
        "allow_command_newlines",
        "executable_parse",
        "allowed_commands",
        "allowed_commands",
        "cwd_validation",
        "os_sandbox_mode",
        "execution_mode",
    ]
    denied = bench("bash", command="echo a | curl").content
    assert denied["policy_decision"] == "deny"
    assert [row["outcome"] for row in denied["policy_trace"]][-1] == "deny"
    assert denied["policy_trace"][-1]["check"] == "allowed_commands"
