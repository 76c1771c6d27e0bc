"""Acceptance of the slash commands as a whole: reading, help, leaving, failing, JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.commands.table import BY_NAME, COMMANDS
from tests.cli.conftest import KEY, Pi
from tests.fakes.session_files import entry

META = {"record_type": "meta", "schema_version": 1}
TREE = (entry(1, None, "root"), entry(2, 1, "left"), entry(3, 1, "right"))
S = ("--session", "./s.jsonl")
NS = ("--no-session",)
NAMES = [spec.name for spec in COMMANDS]


def write(pi: Pi, *records: dict[str, Any], name: str = "s.jsonl") -> Path:
    path = pi.folder / name
    text = "".join(json.dumps(record) + "\n" for record in (META, *records))
    path.write_text(text, encoding="utf-8")
    return path


def piped(pi: Pi, *lines: str, flags: tuple[str, ...] = NS) -> str:
    """What the line mode prints for these lines; none may end it with a failure."""
    done = pi(*flags, stdin="".join(line + "\n" for line in lines), **KEY)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_blanks_around_a_command_and_between_its_words_mean_nothing(pi: Pi) -> None:
    """What has no slash is a prompt in the line mode and a mistake in a file."""
    write(pi, *TREE)
    lines = ("  /help   quit  ", "\t/branch\t2\t", " /session-diff   2    3", "/BRANCH 3")
    told = piped(pi, *lines, flags=S)
    for words in ("command: /quit", "branch id 2", "source=explicit left=2 right=3", "branch id 3"):
        assert words in told
    done = pi(*NS, "--command-file", "-", stdin="session\n")
    assert done.returncode == 2
    assert "line=1 command=session error=command must start with '/'" in done.stdout


def test_help_lists_every_usage_and_knows_every_topic_without_its_slash(pi: Pi) -> None:
    every = piped(pi, "/help")
    assert every.startswith("commands:\n")
    assert every.endswith("tip: run /help <command> for details\n")
    told = piped(pi, *(f"/help {name[1:]}" for name in NAMES), "/help exit")
    parts = told.split("command: ")[1:]
    for spec, part in zip((*COMMANDS, BY_NAME["/exit"]), parts):
        assert f"  {spec.usage} " in every
        assert part.startswith(f"{spec.name}\nusage: {spec.usage}\n{spec.summary}\n")
        if spec.example:
            assert f"example: {spec.example}" in part
    assert len(parts) == len(NAMES) + 1


def test_a_slip_of_the_finger_gets_the_name_that_was_meant(pi: Pi) -> None:
    meant = {
        "/polciy": "/policy", "/e": "/exit", "/": "/help", "/skills": "/skills-search",
        "/session-sttas": "/session-stats", "/zzzzzzzz": None,
    }  # fmt: skip
    told = piped(pi, *meant).split("unknown command: ")[1:]
    for (typed, name), part in zip(meant.items(), told):
        lines = part.splitlines()
        assert lines[0] == typed
        assert lines[-1] == "run /help for command list"
        assert (f"did you mean {name}?" in lines) == (name is not None)
        assert ("did you mean" in part) == (name is not None)


@pytest.mark.parametrize("name", ["/quit", "/exit"])
def test_both_names_leave_and_arguments_do_not_matter(pi: Pi, name: str) -> None:
    assert piped(pi, f"{name} right now", "/session") == ""
    text = f"# leave\n\n/session\n {name} \n/nosuch\n"
    done = pi(*NS, "--command-file", "-", stdin=text)
    assert done.returncode == 0
    assert f"command file notice: path=- line=4 command={name} action=exit" in done.stdout
    assert "total=3 executed=2 succeeded=2 failed=0 halted_early=true" in done.stdout


SEARCHES = {
    "one": "matches=2 shown=2",
    "one --limit 1": "matches=2 shown=1 limit=1",
    "--limit=1 one": "matches=2 shown=1 limit=1",
    "one --role user": "role=user entries=4 matches=1",
    "--role=assistant one": "role=assistant entries=4 matches=1",
    "two words": 'query="two words"',
    "'two words' --case": 'query="two words"',
    "one --branch active": "matches=1",
    "one --limit 0": "--limit",
    "one --limit 201": "--limit",
    "one --limit x": "--limit",
    "one --limit": "--limit",
    "one --role wizard": "--role",
    "one --role": "--role",
    "one --nosuch": "unknown flag '--nosuch'",
    "": "usage: /session-search",
    "--role user": "usage: /session-search",
}


def test_each_way_to_ask_for_a_search(pi: Pi) -> None:
    """What is wrong is told, and the next search is answered."""
    write(
        pi,
        *(entry(1, None, "one"), entry(2, 1, "One more", "assistant")),
        *(entry(3, 2, "two words"), entry(4, 1, "else")),
    )
    lines = [line for raw in SEARCHES for line in (f"/session-search {raw}", "/help quit")]
    parts = piped(pi, *lines, flags=S).split("command: /quit\n")
    for (raw, words), part in zip(SEARCHES.items(), parts):
        assert words in part, raw


BAD = [
    *("/session x", "/branches x", "/resume x", "/session-repair x", "/session-compact x"),
    *("/session-stats x", "/session-search", "/session-diff 1", "/session-diff 77 1"),
    *("/branch", "/branch x", "/branch 77", "/undo x", "/undo 99", "/session-validate x"),
    *("/session-export", "/session-export s.jsonl", "/session-export no/such/folder/../../x/"),
    *("/session-import", "/session-import gone", "/session-import bad.jsonl"),
    *("/session-graph-export", "/session-graph-export ."),
    *("/branch-alias", "/branch-alias fly", "/branch-alias set", "/branch-alias set 1x 2"),
    *("/branch-alias set x 77", "/branch-alias use nobody", "/branch-alias delete nobody"),
    *("/session-bookmark set x y", "/session-bookmark use nobody", "/doctor --bad"),
    *("/policy nonsense", "/audit-summary gone", "/models-list --limit x", "/models-list 'a"),
    *("/models-list --tools maybe", "/model-show", "/model-show nosuch/x", "/model nosuch/x"),
    *("/macro", "/macro fly", "/macro run gone", "/profile", "/profile load gone", "/nosuch"),
    *("/auth status", "/auth login openai", "/auth", "/integration-auth set a b"),
    *("/skills-show gone", "/skills-search", "/skills-sync", "/skills-verify"),
    *("/skills-trust-add x=y", "/help nosuch", "/cost x", "/compact --nosuch"),
]


def test_no_failing_command_ends_the_line_mode_and_each_fails_in_a_file(pi: Pi) -> None:
    """Soft errors and hard ones; the sums of a file count every one."""
    write(pi, *TREE)
    write(pi, entry(2, 99), name="bad.jsonl")
    lines = [line for bad in BAD for line in (bad, "/help quit")]
    parts = piped(pi, *lines, flags=S).split("command: /quit\n")
    assert len(parts) == len(BAD) + 1
    assert not [bad for bad, part in zip(BAD, parts) if not part.strip()]
    mode = ("--command-file-error-mode", "continue-on-error")
    done = pi(*S, *mode, "--command-file", "-", stdin="\n".join(BAD), **KEY)
    assert done.returncode not in (0, 70)
    count = len(BAD)
    assert f"total={count} executed={count} succeeded=0 failed={count}" in done.stdout
    assert f"failed={count} mode=continue-on-error" in done.stderr
    rows = [json.dumps(row) for row in pi.session("s.jsonl") if row["record_type"] == "entry"]
    assert len(rows) == len(TREE)


def test_a_tree_that_is_damaged_or_empty_is_told_and_survived(pi: Pi) -> None:
    """Lineages that lead nowhere, a file with nothing in it, one that cannot be read."""
    write(pi, entry(1, None), entry(2, 99), entry(3, 4), entry(4, 3))
    asked = (
        *("/branch 3", "/branch 2", "/resume", "/session-export out.jsonl", "/session-diff 1 3"),
        *("/session-stats", "/session-graph-export g.mmd", "/branches", "/session-validate"),
    )
    told = piped(pi, *asked, "/session", flags=S)
    assert "entries=4" in told.splitlines()[-1]
    (pi.folder / "s.jsonl").write_bytes(b"")
    told = piped(pi, *asked, "/session-compact --yes", "/session", flags=S)
    assert "entries=0 active_head=none" in told.splitlines()[-1]


def test_what_is_printed_as_json_is_one_line_that_can_be_read(pi: Pi) -> None:
    """Also where the command fails; a model is asked by /prompt alone."""
    write(pi, *TREE)
    asked = [name for name in NAMES if name not in ("/prompt", "/quit")]
    told = piped(pi, *(f"{name} --json" for name in asked), flags=(*S, "--model", "demo/tour"))
    rows = [json.loads(line) for line in told.splitlines()]
    assert [row["command"] for row in rows] == asked
    for row in rows:
        assert isinstance(row["ok"], bool)
        assert ("data" if row["ok"] else "error") in row


def test_credentials_are_kept_nowhere_and_that_is_said(pi: Pi) -> None:
    asked = ("/auth status", "/auth login openai --mode oauth-token", "/auth logout openai --json")
    more = ("/integration-auth set desk hush-hush", "/integration-auth status --json")
    told = piped(pi, *asked, *more)
    assert told.count("keys come from the environment") == 5
    assert told.count('"code":"not-available"') == 2
    assert "hush-hush" not in told
    assert not (pi.folder / ".pi").exists()
