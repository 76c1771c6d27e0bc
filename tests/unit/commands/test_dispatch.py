"""From a line to a result: names, JSON, failures, and a bug in a handler."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.commands.dispatch import Outcome, find, is_command, run_line
from pi.commands.table import COMMANDS
from tests.fakes.session_files import context, entry


def outcome(tmp_path: Path, line: str, *, store: bool = True) -> Outcome:
    found = context(tmp_path, entry(1, None))
    return run_line(line, found if store else found._replace(store=None))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/help", True),
        ("  /help  ", True),
        ("/etc/hosts looks wrong", False),
        ("//help", False),
        ("help", False),
        ("", False),
        ("/session-export /tmp/x", True),
    ],
)
def test_a_command_begins_with_one_slash(line: str, command: bool) -> None:
    assert is_command(line) == command


def test_names_in_any_case_and_beginnings_where_a_person_types() -> None:
    assert find("/HELP") is find("/help")
    assert find("/exit") is find("/quit")
    assert find("/session-st") is None
    assert find("/session-st", prefixes=True) is find("/session-stats")
    assert find("/session-", prefixes=True) is None
    assert find("/q", prefixes=True) is None


def test_an_unknown_command_is_usage_and_suggests(tmp_path: Path) -> None:
    found = outcome(tmp_path, "/session-stat x")
    assert found.lines == (
        "unknown command: /session-stat",
        "did you mean /session-stats?",
        "run /help for command list",
    )
    assert found.result.error is not None
    assert found.result.error.exit_code == 2
    data = json.loads(outcome(tmp_path, "/nope --json").lines[0])
    assert (data["ok"], data["error"]["code"]) == (False, "unknown-command")


def test_a_mistyped_flag_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    found = outcome(tmp_path, "/session-export x.md --redcat")
    assert found.lines == (
        "session export error: error=unknown flag '--redcat'",
        "did you mean --redact?",
        "usage: /session-export <path>",
    )
    assert found.result.error is not None
    assert found.result.error.hint == "did you mean --redact? usage: /session-export <path>"


def test_too_many_words_get_the_usage_and_bad_ones_the_reason(tmp_path: Path) -> None:
    assert outcome(tmp_path, "/resume now").lines == ("usage: /resume",)
    found = outcome(tmp_path, "/session-search x --role king")
    assert found.lines[0].startswith("session search error: error=invalid --role 'king'")
    assert found.lines[1].startswith("usage: /session-search")


def test_a_failure_is_a_result(tmp_path: Path) -> None:
    found = outcome(tmp_path, "/branch 7")
    assert found.lines == ("branch error: error=unknown session id 7",)
    assert found.result.error is not None
    assert found.result.error.code == "unknown-session-id"


def test_a_person_is_told_what_to_do_and_a_script_finds_it_beside_the_error(
    tmp_path: Path,
) -> None:
    person = context(tmp_path, entry(1, None))._replace(interactive=True)
    hint = "/session-graph-export - shows all, /branches the ends"
    line = "branch error: error=unknown session id 7"
    assert run_line("/branch 7", person).lines == (line, f"hint: {hint}")
    assert run_line("/branch 7 --json", person).lines[0].count(hint) == 1
    told = run_line("/models-list --bogus", person).lines
    assert told[-1].startswith("usage: "), "the usage is the hint, and is told once"
    assert run_line("/branch 7", context(tmp_path)).lines == (line,)
    (told_json,) = run_line("/nosuch --json", context(tmp_path)).lines
    assert json.loads(told_json)["error"]["hint"] == "run /help for command list"


def test_a_bug_in_a_handler_is_a_result_too(tmp_path: Path) -> None:
    """A service that breaks its promise stands for it."""
    found = context(tmp_path, entry(1, None), stdin=lambda: 1 // 0)
    ended = run_line("/session-import -", found)
    assert ended.result.error is not None
    assert ended.result.error.exit_code == 70
    assert "ZeroDivisionError" in ended.lines[0]


ARGUMENTS = ("", "x", "1", "1 2", "1 2 3 4", "--nope", "'", "\0", "\ud800", "x" * 5000, "-1", "٣")
ARGUMENTS += ("1.5", "true", str(2**63), str(2**64), "9" * 5000, "~", "~0", "~²", "~9", "..", "/")
ARGUMENTS += ("set", "set x", "set x 1", "set 1x 1", "use", "use x", "list", "list x", "delete x")
ARGUMENTS += ("rename x", "rename x y", "set é 1", "--limit", "--limit=x y", "--attach 9 x", "-")


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_every_command_takes_hostile_arguments(spec: object, tmp_path: Path) -> None:
    """Always a result: never an exception, never a bug; with --json one line that says so."""
    for number, raw in enumerate(ARGUMENTS):
        folder = tmp_path / str(number)
        folder.mkdir()
        for store in (True, False):
            found = outcome(folder, f"{spec.name} {raw}", store=store)  # type: ignore[attr-defined]
            error = found.result.error
            assert error is None or error.exit_code != 70, (raw, error.lines())
            told = outcome(folder, f"{spec.name} --json {raw}", store=store)  # type: ignore[attr-defined]
            assert len(told.lines) == 1, raw
            data = json.loads(told.lines[0])
            assert data["command"] == spec.name  # type: ignore[attr-defined]
            assert ("data" if data["ok"] else "error") in data
            assert "\n" not in told.lines[0]
