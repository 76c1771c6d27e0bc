"""Help for all commands and for each."""

from __future__ import annotations

import pytest

from pi.commands.help import one, overview
from pi.commands.table import COMMANDS


def test_the_overview_has_every_usage_in_the_order_of_the_table() -> None:
    lines = overview().text
    assert lines[0] == "commands:"
    assert lines[-1] == "tip: run /help <command> for details"
    assert [line[2:].startswith(spec.usage) for line, spec in zip(lines[1:], COMMANDS)] == [
        True
    ] * len(COMMANDS)


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_each_command_has_a_page_with_and_without_the_slash(spec: object) -> None:
    name = spec.name  # type: ignore[attr-defined]
    found = one(name)
    assert found.ok
    assert found.text[:2] == (f"command: {name}", f"usage: {spec.usage}")  # type: ignore[attr-defined]
    assert one(name[1:]) == found


def test_exit_shows_quit_and_an_unknown_topic_suggests() -> None:
    assert one("exit").text[0] == "command: /quit"
    assert one("brnach").text == (
        "unknown help topic: /brnach",
        "did you mean /branch?",
        "run /help for command list",
    )
    assert not one("zzzzzzzz").ok
