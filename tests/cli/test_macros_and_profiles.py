"""Macros and profiles in the built file: what scripts read, and what a clone may not do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Pi

META = {"record_type": "meta", "schema_version": 1}


def script(pi: Pi, *lines: str, flags: tuple[str, ...] = ("--no-session",), **environ: str) -> Any:
    (pi.folder / "c.commands").write_text("\n".join(lines))
    return pi("--command-file", "c.commands", *flags, **environ)


def session(pi: Pi) -> None:
    def entry(entry_id: int, parent: int | None) -> dict[str, Any]:
        content = [{"type": "text", "text": "hi"}]
        message = {"role": "user", "content": content, "is_error": False}
        return {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}

    records = (META, entry(1, None), entry(2, 1))
    (pi.folder / "s.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))


def clone(pi: Pi, name: str, kind: str, **things: object) -> Path:
    """A folder with a ``.pi`` that somebody else wrote."""
    folder = pi.folder / name
    (folder / ".pi").mkdir(parents=True)
    content = {"schema_version": 1, kind: things}
    (folder / ".pi" / f"{kind}.json").write_text(json.dumps(content))
    return folder


def test_the_life_of_a_macro(pi: Pi) -> None:
    """C61, without a question: what one saved oneself needs none."""
    session(pi)
    (pi.folder / "F").write_text("/branch 1\n/session\n")
    done = script(
        pi,
        *("/macro save rewind F", "/macro list", "/macro show rewind"),
        *("/macro run rewind --dry-run", "/macro run rewind", "/macro delete rewind"),
        "/macro list",
        flags=("--session", "s.jsonl"),
    )
    path = pi.folder / ".pi" / "macros.json"
    assert done.stdout.splitlines() == [
        f"macro save: path={path} name=rewind source=F commands=2",
        f"macro list: path={path} count=1",
        "macro: name=rewind commands=2",
        f"macro show: path={path} name=rewind commands=2",
        "command: index=0 value=/branch 1",
        "command: index=1 value=/session",
        f"macro run: path={path} name=rewind mode=dry-run commands=2",
        "plan: command=/branch 1",
        "plan: command=/session",
        "switched to branch id 1",
        "entry: id=1 parent=none role=user preview=hi depth=1 was=2",
        "session: path=s.jsonl entries=2 active_head=1",
        f"macro run: path={path} name=rewind mode=apply commands=2 executed=2",
        f"macro delete: path={path} name=rewind status=deleted remaining=0",
        f"macro list: path={path} count=0",
        "macros: none",
        "command file summary: path=c.commands mode=fail-fast total=7 executed=7 succeeded=7 "
        "failed=0 halted_early=false",
    ]
    assert done.returncode == 0
    assert json.loads(path.read_text()) == {"schema_version": 1, "macros": {}}


def test_what_is_wrong_is_told_and_the_script_goes_on(pi: Pi) -> None:
    """C62, C63, C64, C66, C67, C68."""
    (pi.folder / "F").write_text("/session\n")
    done = script(
        pi,
        *("-/macro save 1bad F", "-/macro save m missing", "-/macro show", "-/macro delete"),
        *("-/macro show missing", "-/profile save 1bad", "-/profile load", "-/profile show x"),
    )
    for words in (
        "error=macro name '1bad' must start with an ASCII letter",
        "error=failed to read commands file missing",
        "error=usage: /macro show <name>",
        "error=usage: /macro delete <name>",
        "error=unknown macro 'missing'",
        "error=profile name '1bad' must start with an ASCII letter",
        "error=usage: /profile load <name>",
        "error=unknown profile 'x'",
    ):
        assert words in done.stdout
    assert done.returncode == 0
    (pi.folder / ".pi").mkdir()
    (pi.folder / ".pi" / "macros.json").write_text("{")
    (pi.folder / ".pi" / "profiles.json").write_text('{"schema_version": 99}')
    done = script(pi, "-/macro list", "-/profile list", "/session")
    store = pi.folder / ".pi"
    assert f"error=failed to parse macro file {store}/macros.json" in done.stdout
    assert (
        f"error=unsupported profile schema_version 99 in {store}/profiles.json (expected 1)"
    ) in done.stdout
    assert "session: disabled" in done.stdout


def test_a_failure_in_a_macro_is_a_failure_of_the_script(pi: Pi) -> None:
    (pi.folder / "F").write_text("/help session\n/sessoin\n")
    done = script(pi, "/macro save m F")
    assert done.returncode == 2
    assert "(line 2 of F: /sessoin)" in done.stdout
    (pi.folder / "F").write_text("/session\n/branch 7\n")
    done = script(pi, "/macro save m F", "/macro run m")
    assert done.returncode != 0
    assert "commands=2 executed=2 failed=1" in done.stdout
    assert "command #1 /branch 7: session is disabled" in done.stderr


def test_macros_of_a_clone_do_nothing_until_they_are_approved(pi: Pi) -> None:
    folder = clone(pi, "theirs", "macros", evil=["/session", "/help session"])
    pi.environ["HOME"] = str(pi.folder / "home")
    pi.folder = folder
    done = script(pi, "/macro run evil")
    assert done.returncode == 8
    assert "macro 'evil' came with this folder, and nobody has approved it" in done.stdout
    assert "session: disabled" not in done.stdout
    assert "--trust-project" in done.stderr
    assert script(pi, "/macro run evil --trust-project").returncode == 0
    assert script(pi, "/macro run evil", flags=("--no-session", "--trust-project")).returncode == 0
    assert script(pi, "/macro run evil").returncode == 8


def test_a_step_may_ask_the_model(pi: Pi) -> None:
    (pi.folder / "notes.txt").write_text("one\ntwo\n")
    (pi.folder / "F").write_text("/prompt read $1\n/session\n")
    done = script(
        pi,
        "/macro save ask F",
        "/macro run ask --json -- notes.txt",
        flags=("--no-session", "--model", "demo/tour"),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[1])
    steps = told["data"]["steps"]
    assert [step["command"] for step in steps] == ["/prompt read notes.txt", "/session"]
    assert steps[0]["data"]["answer"]


def test_the_life_of_a_profile(pi: Pi) -> None:
    """C65."""
    names = ("save baseline", "list", "show baseline", "load baseline", "delete baseline", "list")
    done = script(pi, *(f"/profile {name}" for name in names))
    path = pi.folder / ".pi" / "profiles.json"
    for words in (
        f"profile save: path={path} name=baseline status=saved",
        f"profile list: path={path} profiles=1\nprofile: name=baseline\n",
        f"profile show: path={path} name=baseline status=found\nvalue: model=openai/gpt-4o-mini",
        f"profile load: path={path} name=baseline status=in_sync diffs=0",
        f"profile delete: path={path} name=baseline status=deleted remaining=0",
        f"profile list: path={path} profiles=0 names=none",
    ):
        assert words in done.stdout
    assert done.returncode == 0
    assert json.loads(path.read_text()) == {"schema_version": 1, "profiles": {}}


def test_a_run_starts_with_a_profile_and_loads_another(pi: Pi) -> None:
    flags = ("--no-session", "--model", "anthropic/claude-x", "--tool-policy-preset", "strict")
    environ = {"ANTHROPIC_API_KEY": "sk-ant-0123456789", "OPENAI_API_KEY": "sk-0123456789"}
    done = script(pi, "/profile save safe", flags=(*flags, "--header", "X-K=hush"), **environ)
    assert "--header is not kept" in done.stdout
    stored = (pi.folder / ".pi" / "profiles.json").read_text()
    assert "hush" not in stored
    assert "sk-" not in stored
    done = script(pi, "/profile diff safe", "/model", PI_PROFILE="safe")
    assert "status=in_sync diffs=0" in done.stdout
    assert "model: anthropic/claude-x" in done.stdout
    done = script(pi, "/profile load safe", "/model", "/profile diff safe")
    assert "applied: field=model value=anthropic/claude-x" in done.stdout
    assert "applied: field=policy.tool_policy_preset value=strict" in done.stdout
    assert "model: anthropic/claude-x" in done.stdout
    done = script(pi, "/profile save loose")
    assert done.returncode == 0
    done = script(pi, "/profile load loose", flags=flags)
    assert done.returncode == 8
    assert "refused: field=policy.tool_policy_preset value=balanced" in done.stdout
    assert script(pi, "/profile load loose --yes", flags=flags).returncode == 0
    done = pi("--profile", "nope", "-p", "hi")
    assert done.returncode == 2
    assert "unknown profile 'nope'" in done.stderr


@pytest.mark.parametrize("flag", ["--api-base", "--proxy"])
def test_a_profile_of_a_clone_cannot_send_requests_elsewhere(pi: Pi, flag: str) -> None:
    folder = clone(pi, "theirs", "profiles", p={"flags": {flag: "http://127.0.0.1:9"}})
    pi.environ["HOME"] = str(pi.folder / "home")
    pi.folder = folder
    done = pi("--profile", "p", "-p", "hi", OPENAI_API_KEY="sk-0123456789")
    assert done.returncode == 8
    assert f"it changes {flag}" in done.stderr
