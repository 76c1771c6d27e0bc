"""``/policy``: what tools may do and who said so, and the word on single calls."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.base.host import Host
from pi.cli.conversation import Conversation
from pi.cli.kept_commands import keep
from pi.cli.parse import parse
from pi.cli.settings import build_settings
from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "in"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


def ran(*argv: str, **environ: str) -> CommandContext:
    """The commands of a run with these flags, over the real tool policy."""
    host = Host()
    host.environ = {"PATH": "/usr/bin:/bin", **environ}
    parsed = parse([*argv, "--no-session"], host.environ)
    return Conversation(parsed, build_settings(parsed), host).context()


def lines(context: CommandContext, line: str) -> tuple[str, ...]:
    return run_line(line, context).lines


def check(context: CommandContext, line: str) -> dict[str, Any]:
    found = json.loads(lines(context, f"/policy --json check {line}")[0])
    return {**found["data"], "ok": found["ok"]}


def test_each_value_is_shown_with_where_it_came_from(folder: Path) -> None:
    found = lines(
        ran("--tool-policy-preset", "strict", "--bash-timeout-ms", "5", "--os-sandbox-mode=off",
            PI_MAX_COMMAND_LENGTH="99"),
        "/policy",
    )  # fmt: skip
    assert found[0] == "policy: preset=strict [--tool-policy-preset]"
    assert "  bash_timeout_ms=5 [--bash-timeout-ms]" in found
    assert "  max_command_length=99 [PI_MAX_COMMAND_LENGTH]" in found
    assert "  max_file_read_bytes=750000 [preset strict]" in found
    assert f"  allowed_roots={folder} [working directory]" in found
    assert found[-1] == "here: bash_confined=false"


def test_the_json_form_has_the_older_keys_at_the_top(folder: Path) -> None:
    found = json.loads(lines(ran(), "/policy --json")[0])
    assert {
        *("schema_version", "preset", "allowed_roots", "max_file_read_bytes"),
        *("max_file_write_bytes", "max_command_output_bytes", "bash_timeout_ms"),
        *("max_command_length", "allow_command_newlines", "bash_profile", "allowed_commands"),
        *("os_sandbox_mode", "os_sandbox_command", "enforce_regular_files", "bash_dry_run"),
        "tool_policy_trace",
    } <= set(found)
    assert (found["schema_version"], found["ok"], found["command"]) == (2, True, "/policy")
    assert found["data"]["sources"]["preset"] == "default"


def test_another_word_gets_the_usage(folder: Path) -> None:
    usage = "usage: /policy [check <tool> <command or path> | forget <command>]"
    assert lines(ran(), "/policy now") == (usage,)
    for line in ("/policy check", "/policy check bash"):
        assert lines(ran(), line) == ("usage: /policy check <tool> <command or path>",)
    for line in ("/policy forget", "/policy forget make go"):
        assert lines(ran(), line) == ("usage: /policy forget <command>",)


def test_what_was_let_through_here_is_shown_judged_and_forgotten(folder: Path) -> None:
    context = ran(HOME=str(folder))
    assert check(context, "bash make")["decision"] == "deny"
    keep(["make"], str(folder), context.environ, 7, os.urandom)
    assert "  allowed_here=make [your answers]" in lines(context, "/policy")
    assert check(context, "bash make && make all")["decision"] == "allow"
    assert check(ran("--no-config", HOME=str(folder)), "bash make")["decision"] == "deny"
    for forgotten in ("true", "false"):
        said = f"policy forget: command=make forgotten={forgotten}"
        assert lines(context, "/policy forget make") == (said,)
    assert check(context, "bash make")["decision"] == "deny"


def test_a_held_run_says_that_its_hooks_are_not_written(folder: Path) -> None:
    (folder / ".git" / "hooks").mkdir(parents=True)
    for mode, decision in (("auto", "deny"), ("off", "allow")):
        context = ran("--os-sandbox-mode", mode)
        assert check(context, "write .git/hooks/x")["decision"] == decision


def test_a_command_is_judged_as_typed_flags_and_quotes_included(folder: Path) -> None:
    strict = ran("--tool-policy-preset", "strict", "--os-sandbox-mode", "off")
    assert check(strict, "bash ls -la --color=never 'a b' | wc -l")["decision"] == "allow"
    denied = check(strict, "bash rm -rf /")
    assert (denied["decision"], denied["rule"], denied["ok"]) == ("deny", "allowed_commands", False)
    assert denied["argument"] == "rm -rf /"
    assert check(strict, "bash -- ls 'x  y'")["argument"] == "ls 'x  y'"
    assert check(strict, "bash echo it's")["decision"] == "deny"


def test_a_refused_call_is_a_failure_with_the_code_of_policy(folder: Path) -> None:
    found = run_line("/policy check read ../x", ran())
    assert found.lines[0] == "policy check: tool=read decision=deny rule=allowed_roots"
    assert found.lines[-1].startswith("  deny: allowed_roots: path '")
    assert found.result.error is not None
    assert found.result.error.exit_code == 8


def test_paths_are_judged_by_the_rule_of_the_tools(folder: Path) -> None:
    (folder / "a.txt").write_text("a", encoding="utf-8")
    (folder / "link").symlink_to("a.txt")
    (folder / ".pi").mkdir()
    (folder / ".pi" / "credentials.json").write_text("{}", encoding="utf-8")
    context = ran("--tools", "read,write,grep", "--tool-audit-log", "audit.jsonl")
    assert check(context, "read a.txt")["decision"] == "allow"
    missing = check(context, "read b.txt")
    assert missing["decision"] == "allow"
    assert "does not exist" in missing["steps"][-1]["detail"]
    assert check(context, "write new/file.txt")["decision"] == "allow"
    assert not (folder / "new").exists()
    assert check(context, "grep .")["decision"] == "allow"
    assert check(context, "read link")["rule"] == "enforce_regular_files"
    assert check(context, "read .pi/credentials.json")["rule"] == "secrets"
    assert check(context, "write audit.jsonl")["rule"] == "secrets"
    assert check(context, "write x/")["decision"] == "deny"
    assert check(context, "read /proc/self/environ")["decision"] == "deny"


def test_a_tool_the_model_does_not_get_is_refused_and_an_unknown_one_an_error(
    folder: Path,
) -> None:
    assert check(ran("--tools", "read"), "bash ls")["rule"] == "tools"
    found = run_line("/policy check nope x", ran())
    assert found.lines == ("policy error: error=there is no tool 'nope'",)
    assert found.result.error is not None
    assert found.result.error.exit_code == 2


def test_a_command_is_refused_where_a_forced_sandbox_cannot_be_had(folder: Path) -> None:
    forced = ran("--os-sandbox-mode", "force", TMPDIR=str(folder))
    found = check(forced, "bash ls")
    held = json.loads(lines(forced, "/policy --json")[0])["bash_confined"]
    assert (found["decision"] == "allow") == held


def test_a_run_without_tools_says_so(folder: Path) -> None:
    bare = ran()._replace(services={})
    assert lines(bare, "/policy") == ("policy error: error=this run has no tool policy",)
