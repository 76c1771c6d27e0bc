"""What the system prompt is made of, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.base.errors import UsageError
from pi.cli.settings import DEFAULT_SYSTEM_PROMPT, build_settings
from pi.cli.system_prompt import Composed, Part, compose, system_prompt
from tests.fakes.desk import Desk

FOCUS = Part("skill focus", "# Skill: focus\nAlways use checklist")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def composed(desk: Desk, *argv: str, skills: tuple[Part, ...] = ()) -> Composed:
    parsed = desk.parsed(*argv)
    return system_prompt(build_settings(parsed).prompt, parsed, desk, desk.cwd(), skills)


def test_pis_own_prompt_ends_with_the_working_directory(desk: Desk) -> None:
    found = composed(desk, skills=(FOCUS,))
    assert found.text == (
        f"{DEFAULT_SYSTEM_PROMPT}\n\n{FOCUS.text}\n\nWorking directory: {desk.cwd()}"
    )
    assert [part.name for part in found.parts] == ["base", "skill focus", "place"]
    assert found.notes == ()


def test_a_prompt_of_ones_own_gets_only_what_was_asked_for(desk: Desk) -> None:
    desk.write("work/AGENTS.md", "Be terse.")
    found = composed(desk, "--system-prompt", "base", skills=(FOCUS,))
    assert found.text == "base\n\n# Skill: focus\nAlways use checklist"
    path = desk.write("own.md", "from a file\n\n")
    assert composed(desk, "--system-prompt-file", str(path)).text == "from a file"
    asked = composed(desk, "--system-prompt", "base", "--context-files")
    assert asked.text == "base\n\n# Instructions from AGENTS.md\n\nBe terse."


def test_a_blank_prompt_is_none(desk: Desk) -> None:
    assert composed(desk, "--system-prompt=").text == ""
    assert composed(desk, "--system-prompt= ", "--append-system-prompt", "more").text == "more"
    assert composed(desk, "--system-prompt=", skills=(FOCUS,)).text == FOCUS.text


def test_instructions_come_with_their_path_and_are_announced(desk: Desk) -> None:
    desk.write(".config/pi/AGENTS.md", "user")
    desk.write("work/AGENTS.md", "project")
    found = composed(desk)
    assert "\n\n# Instructions from ~/.config/pi/AGENTS.md\n\nuser\n\n" in found.text
    assert "\n\n# Instructions from AGENTS.md\n\nproject\n\nWorking" in found.text
    assert found.notes == ("instructions: ~/.config/pi/AGENTS.md, AGENTS.md",)
    assert composed(desk, "--no-context-files").notes == ()
    with pytest.raises(UsageError, match="cannot be combined"):
        composed(desk, "--no-context-files", "--context-files")


def test_more_text_is_appended_in_order_and_may_be_in_files(desk: Desk) -> None:
    path = desk.write("more.md", "in a file\n")
    more = ["--append-system-prompt", "one", "--append-system-prompt", f"@{path}"]
    found = composed(desk, "--system-prompt", "base \n", *more, "--append-system-prompt", "@@x")
    assert found.text == "base\n\none\n\nin a file\n\n@x"


@pytest.mark.parametrize("flag", ["--system-prompt-file=", "--append-system-prompt=@"])
def test_a_file_that_gives_no_text_is_an_error(desk: Desk, flag: str) -> None:
    blank = desk.write("blank.md", " \n")
    with pytest.raises(UsageError, match=r"system.prompt file .* is empty"):
        composed(desk, f"{flag}{blank}")
    with pytest.raises(UsageError, match="cannot be read"):
        composed(desk, f"{flag}{blank}.none")


def test_a_link_out_of_the_project_counts_where_the_folder_is_trusted(desk: Desk) -> None:
    (desk.place / "AGENTS.md").symlink_to(desk.write("elsewhere.md", "linked"))
    assert "linked" not in composed(desk).text
    assert "linked" in composed(desk, "--trust-project").text


def test_the_same_parts_give_the_same_text_and_record(desk: Desk) -> None:
    one, other = composed(desk), composed(desk)
    assert one == other
    assert one.record() == other.record()
    assert one.record()["parts"] == ["base", "place"]
    assert compose([Part("a", " x "), Part("b", ""), Part("c", "\ny\n")]) == " x\n\ny"
