"""Configuration while a run goes on: read anew, asked about, trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import ConfigError
from pi.cli.config_files import configured
from pi.cli.config_services import ask_for_trust
from pi.cli.conversation import Conversation
from pi.cli.settings import build_settings
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write(".config/pi/settings.json", '{"model": "demo/tour", "no-session": true}')
    return made


def started(desk: Desk, *argv: str) -> Conversation:
    parsed = configured(desk.parsed(*argv), desk)
    return Conversation(parsed, build_settings(parsed), desk)


def test_what_a_run_can_take_up_counts_at_once_and_the_rest_is_told(desk: Desk) -> None:
    run = started(desk)
    desk.write(
        ".config/pi/settings.json",
        '{"model": "openai/x", "no-session": true, "max-turns": 3, "tools": ["read"]}',
    )
    desk.write(".config/pi/prompts/a.md", "x")
    assert run.services["reload"]() == [
        "tools changed",
        "max turns changed",
        "model changed: that counts from the next start on",
        "templates: 1",
    ]
    assert (run.settings.max_turns, run.settings.tools.names) == (3, ("read",))
    assert str(run.settings.model.ref) == "demo/tour"
    assert run.services["reload"]() == ["templates: 1"]


def test_what_a_command_changed_meanwhile_holds(desk: Desk) -> None:
    run = started(desk)
    run.settings = run.settings._replace(max_turns=9)
    desk.write(".config/pi/settings.json", '{"model": "demo/tour", "quiet": true}')
    run.services["reload"]()
    assert (run.settings.max_turns, run.settings.output.quiet) == (9, True)


def test_a_broken_file_changes_nothing(desk: Desk) -> None:
    run = started(desk)
    before = (run.parsed, run.settings)
    desk.write(".config/pi/settings.json", '{"model": ')
    with pytest.raises(ConfigError, match=r"settings\.json:1:"):
        run.services["reload"]()
    assert (run.parsed, run.settings) == before


def test_instructions_are_read_anew(desk: Desk) -> None:
    run = started(desk)
    assert "Be terse" not in run.system
    desk.write("work/AGENTS.md", "Be terse.")
    assert "Be terse" not in run.system
    run.services["reload"]()
    assert "Be terse" in run.system


def test_the_conversation_so_far_is_kept(desk: Desk) -> None:
    from pi.ai.types import user_message

    run = started(desk)
    run.add(user_message("hello"), "shell")
    assert [message.role for message in run.agent.messages] == ["user"]
    desk.write("work/AGENTS.md", "Be terse.")
    run.services["reload"]()
    assert [message.role for message in run.agent.messages] == ["user"]
    assert "Be terse" in run.system
    run.close()


def test_a_yes_on_a_terminal_counts_at_once_and_a_no_is_not_asked_again(desk: Desk) -> None:
    desk.write("work/.pi/settings.json", '{"max-turns": 4}')
    asked: list[str] = []

    def answer(reply: bool) -> Any:
        return lambda question: asked.append(question) or reply

    run = started(desk)
    assert not run.services["trusted"]()
    assert ask_for_trust(run, answer(False)) == []
    assert ask_for_trust(run, answer(True)) == []
    assert (len(asked), run.settings.max_turns) == (1, 100)
    assert run.services["trust"](None)
    assert ask_for_trust(run, answer(True)) == ["max turns changed", "templates: 0"]
    assert (len(asked), run.settings.max_turns) == (2, 4)
    assert run.services["trusted"]()
    state = run.services["trust_state"]()
    assert (state["root"], state["trusted"]) == (desk.cwd(), True)
    assert state["folders"] == {desk.cwd(): True}


def test_broken_files_of_a_folder_do_not_keep_the_loop_from_starting(desk: Desk) -> None:
    desk.write("work/.pi/settings.json", '{"max-turns": "four"}')
    run = started(desk)
    (told,) = ask_for_trust(run, lambda question: True)
    assert "needs a whole number" in told
    assert run.services["trust_state"]()["folders"] == {}  # or every next start would fail
    desk.write(".config/pi/trusted.json", "{")
    (told,) = ask_for_trust(run, lambda question: True)
    assert "damaged" in told
