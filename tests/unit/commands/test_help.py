"""Help for all commands, for each, for subcommands and for a word."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pi.commands.dispatch import run_line
from pi.commands.help import one, overview
from pi.commands.subcommands import SUBCOMMANDS, usages
from pi.commands.table import BY_NAME, COMMANDS, CommandSpec
from tests.fakes.session_files import context


def test_the_overview_has_every_row_as_scripts_know_it() -> None:
    lines = overview().text
    assert lines[0] == "commands:"
    assert lines[-1] == "tip: run /help <command> for details"
    rows = [line for line in lines if line.startswith("  ")]
    assert sorted(rows) == sorted(f"  {spec.usage.ljust(22)} {spec.summary}" for spec in COMMANDS)


def test_the_overview_is_grouped_and_keeps_the_tables_order_in_each_group() -> None:
    topic, seen = "", []
    for line in overview().text[1:-1]:
        if line.endswith(":") and not line.startswith(" "):
            topic = line[:-1]
        elif line:
            seen.append((topic, line.split()[0]))
    assert seen == sorted(
        ((spec.topic, spec.name) for spec in COMMANDS),
        key=lambda pair: [spec.topic for spec in COMMANDS].index(pair[0]),
    )


@pytest.mark.parametrize("width", [20, 33, 60, 80, 200])
def test_on_a_terminal_no_line_is_wider_than_it(width: int) -> None:
    pages = [
        overview(width),
        *(one(spec.name, width) for spec in COMMANDS),
        one("branch-alias set", width),
    ]
    for page in pages:
        for line in page.text:
            longest_word = max(map(len, line.split()), default=0)
            assert len(line) <= max(width, longest_word + 6)
    shown = " ".join(" ".join(overview(width).text).split())
    for spec in COMMANDS:
        assert spec.summary in shown
        assert spec.usage in shown


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: str(spec.name))
def test_each_command_has_a_page_with_and_without_the_slash(spec: CommandSpec) -> None:
    found = one(spec.name)
    assert found.ok
    assert found.text[:3] == (f"command: {spec.name}", f"usage: {spec.usage}", spec.summary)
    details = [spec.details] if spec.details else []
    example = [f"example: {spec.example}"] if spec.example else []
    expected = [*details, *(f"  {each}" for each in usages(spec.name)), *example]
    assert list(found.text[3:]) == expected
    assert one(spec.name[1:]) == found


def test_the_page_of_branch_is_the_one_scripts_know() -> None:
    lines = one("branch").text
    assert lines[:2] == ("command: /branch", "usage: /branch <id>")
    assert lines[-1] == "example: /branch 12"


def test_exit_shows_quit_and_an_unknown_topic_suggests() -> None:
    assert one("exit").text[0] == "command: /quit"
    assert one("brnach").text == (
        "unknown help topic: /brnach",
        "did you mean /branch?",
        "run /help for command list",
    )
    failed = one("zzzzzzzz")
    assert failed.text == ("unknown help topic: /zzzzzzzz", "run /help for command list")
    assert failed.error is not None
    assert (failed.error.code, failed.error.exit_code) == ("unknown-command", 2)


def test_a_subcommand_has_a_page() -> None:
    assert one("branch-alias rename").text == (
        "command: /branch-alias rename",
        "usage: /branch-alias rename <name> <new-name> [--force]",
        "Give a branch another name",
    )
    assert one("/branch-alias rename") == one("branch-alias rename")
    assert one("branch-alias renam").text[:2] == (
        "unknown help topic: /branch-alias renam",
        "did you mean /branch-alias rename?",
    )
    assert not one("branch 12").ok


def test_a_word_finds_the_commands_that_speak_of_it() -> None:
    found = one("mermaid")
    assert found.ok
    assert found.text[0] == "commands about 'mermaid':"
    assert found.text[1].startswith("  /session-graph-export <path> ")
    assert found.data is not None
    assert [each["name"] for each in found.data["commands"]] == ["/session-graph-export"]
    assert not one("/mermaid").ok  # the name of a command, and there is none


def test_help_as_json_is_one_line_with_every_row(tmp_path: Path) -> None:
    outcome = run_line("/help --json", context(tmp_path))
    assert len(outcome.lines) == 1
    data = json.loads(outcome.lines[0])
    assert (data["command"], data["ok"]) == ("/help", True)
    assert [each["name"] for each in data["data"]["commands"]] == [spec.name for spec in COMMANDS]
    page = json.loads(run_line("/help branch --json", context(tmp_path)).lines[0])
    assert page["data"]["usage"] == "/branch <id>"


def test_the_width_comes_from_the_terminal_where_there_is_one(tmp_path: Path) -> None:
    narrow = run_line("/help", context(tmp_path, columns=lambda: 40))
    assert max(map(len, narrow.lines)) <= 60
    assert run_line("/help", context(tmp_path)).lines == overview().text


def test_commands_with_commands_of_their_own_have_a_row_for_each() -> None:
    for spec in COMMANDS:
        listed = re.match(re.escape(spec.name) + r" <([a-z|-]+)> \.\.\.$", spec.usage)
        names = [each.name for each in SUBCOMMANDS.get(spec.name, ())]
        told = listed[1].split("|") if listed else []
        assert names[: len(told)] == told, spec.name  # more may have come since
    assert set(SUBCOMMANDS) <= set(BY_NAME)
