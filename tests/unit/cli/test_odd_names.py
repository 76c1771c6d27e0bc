"""Names of folders and files that would forge a line, or stand there as something else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pi.base.homes import find_project
from pi.cli.config_files import configured
from pi.cli.config_report import print_config
from pi.cli.conversation import Conversation
from pi.cli.folder_trust import ask_once, left_out, write_answer
from pi.cli.session_choice import show_sessions
from pi.cli.settings import build_settings
from pi.commands.dispatch import run_line
from pi.commands.doctor import Check, report
from pi.skills.prompting import invocation, listing
from pi.skills.skill import FLAT, Skill
from tests.fakes.desk import Desk

ODD = "a\n  trusted b\u202egpj"
SHOWN = "a\\n  trusted b\\u202egpj"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk whose working directory, a project, has the odd name."""
    made = Desk(tmp_path, ODD)
    (made.place / ".git").mkdir()
    made.write(f"{ODD}/.pi/settings.json", "{}")
    made.write(".config/pi/settings.json", '{"model": "demo/tour"}')
    return made


def started(desk: Desk) -> Conversation:
    parsed = configured(desk.parsed("--no-session"), desk)
    return Conversation(parsed, build_settings(parsed), desk)


def test_folders_are_listed_one_a_line(desk: Desk) -> None:
    write_answer(desk.environ, desk.cwd(), False, 0, os.urandom)
    outcome = run_line("/trust --list", started(desk).context())
    assert outcome.lines[1:] == (f"  refused {desk.home}/{SHOWN}",)
    assert outcome.result.data == {"folders": {desk.cwd(): False}}  # data has the true name


def test_questions_and_sentences_about_a_folder_are_one_line(desk: Desk) -> None:
    project = find_project(desk.cwd(), desk.environ)
    assert project is not None
    assert SHOWN in left_out(project)
    asked: list[str] = []

    def confirm(question: str) -> bool:
        asked.append(question)
        return False

    ask_once(project, desk.parsed(), desk.environ, confirm, 0, os.urandom)
    configured(desk.parsed(), desk)
    assert SHOWN in asked[0]
    assert SHOWN in desk.stderr.getvalue()
    assert "\u202e" not in desk.stderr.getvalue()


def test_print_config_names_files_on_one_line(desk: Desk) -> None:
    parsed = configured(desk.parsed("--trust-project"), desk)
    desk.stdout.truncate(0)
    print_config(parsed, desk)
    assert desk.stdout.getvalue().startswith(f"# project settings: {desk.home}/{SHOWN}/.pi")


def test_sessions_are_listed_one_a_line(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(f"{ODD}/.pi/sessions/{ODD}.jsonl", "")
    monkeypatch.chdir(desk.place)
    show_sessions(desk)
    (line,) = desk.stdout.getvalue().splitlines()
    assert line.startswith(f"1. {SHOWN}  ")
    (line,) = run_line("/sessions", started(desk).context()).lines
    assert line.startswith(f"1. {SHOWN}  ")


def test_templates_are_listed_one_a_line(desk: Desk) -> None:
    desk.write(".config/pi/prompts/x.md", "---\ndescription: good\u202egpj\n---\nDo.\n")
    lines = run_line("/templates", started(desk).context()).lines
    assert lines == ("templates: count=1", "  /x (user): good\\u202egpj")


def test_macros_and_profiles_name_their_file_on_one_line(desk: Desk) -> None:
    context = started(desk).context()
    for line in ("/macro list", "/profile list", "/macro show x", "/profile show x"):
        (first, *_) = run_line(line, context).lines
        assert f"path={desk.home}/{SHOWN}/.pi" in first


def test_instructions_are_told_under_a_name_on_one_line(desk: Desk) -> None:
    desk.write(f"{ODD}/{ODD}/AGENTS.md", "Be terse.")
    desk.place /= ODD
    run = started(desk)
    assert f"# Instructions from {SHOWN}/AGENTS.md\n\nBe terse." in run.system
    assert run.system.endswith(f"Working directory: {desk.home}/{SHOWN}/{SHOWN}")
    run.printer.note(f"instructions: {ODD}")
    assert desk.stderr.getvalue().endswith("[instructions: a trusted b\\u202egpj]\n")


def test_skills_are_told_under_a_place_on_one_line() -> None:
    skill = Skill("x", FLAT, f"/s/{ODD}/x.md", "user", "Do.", description="Does.")
    assert f"<location>/s/{SHOWN}/x.md</location>" in listing([skill])
    assert f'location="/s/{SHOWN}/x.md">' in invocation(skill)


def test_a_check_of_the_doctor_is_one_line() -> None:
    found: Any = report([Check("k", "warn", "missing", f"/{ODD}", "do\x1b[2K it")])
    assert found.text[1] == (
        "doctor check: key=k status=warn code=missing path=/a   trusted b\\u202egpj action=do it"
    )


def test_what_a_command_shows_of_a_file_stays_as_it_is(desk: Desk) -> None:
    desk.write(f"{ODD}/.pi/skills/x.md", "a\tb\n\u202ec\n")
    run = started(desk)
    lines = run_line("/skills-show x", run.context()).lines
    assert lines[-2:] == ("a\tb", "\u202ec")
