"""The skills of a run: what is selected, what is offered, where the model may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError, UsageError, VerificationFailed
from pi.cli.run_skills import RunSkills, run_skills
from pi.cli.skill_look import may_have_skills
from tests.fakes.desk import Desk

HEAD = "---\nname: {0}\ndescription: What {0} does.\n---\nThe body of {0}.\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def found(desk: Desk, *argv: str, can_read: bool = True) -> RunSkills:
    return run_skills(desk.parsed(*argv), desk, str(desk.place), can_read=can_read)


def folder(desk: Desk, where: str, name: str) -> str:
    return str(desk.write(f"{where}/{name}/SKILL.md", HEAD.format(name)).parent)


def texts(skills: RunSkills) -> tuple[str, str]:
    selected, listed = skills.parts
    return selected.text, listed.text


def listed(skills: RunSkills) -> list[str]:
    lines = texts(skills)[1].split("\n")
    return [line.strip()[6:-7] for line in lines if line.strip().startswith("<name>")]


def test_skills_of_the_user_are_offered_and_may_be_read(desk: Desk) -> None:
    mine = folder(desk, ".agents/skills", "mine")
    flat = desk.write(".pi/agent/skills/flat.md", "---\ndescription: Flat.\n---\ntext")
    desk.write(".agents/skills/README.md", "no skill")
    skills = found(desk)
    assert listed(skills) == ["flat", "mine"]
    assert skills.folders == tuple(sorted([mine, str(flat)]))
    assert skills.notes == ()
    for quiet in (found(desk, "--no-skills"), found(desk, can_read=False)):
        assert (texts(quiet), quiet.folders) == (("", ""), ())


def test_skills_of_a_project_wait_for_trust_but_can_be_named(desk: Desk) -> None:
    place = folder(desk, "work/.pi/skills", "theirs")
    folder(desk, "work/.agents/skills", "also")
    skills = found(desk)
    assert listed(skills) == []
    assert skills.notes == (
        "skills of this folder are not offered to the model, it is not trusted: theirs, also "
        "(--trust-project, or /trust once)",
    )
    skills = found(desk, "--skill", "theirs")
    assert texts(skills)[0].startswith("# Skill: theirs\nReferences are relative to ")
    assert skills.folders == (place,)
    assert listed(found(desk, "--trust-project")) == ["also", "theirs"]
    assert listed(found(desk, "--skills-dir", str(desk.place / ".pi" / "skills"))) == ["theirs"]


def test_trust_in_a_folder_is_no_trust_in_those_above_it(tmp_path: Path) -> None:
    """Folders above a project may be anybody's, as those of /tmp are."""
    desk = Desk(tmp_path, "shared/project")
    folder(desk, "shared/.agents/skills", "strange")
    folder(desk, "shared/project/.agents/skills", "ours")
    skills = found(desk, "--trust-project")
    assert listed(skills) == ["ours"]
    assert "not trusted: strange" in skills.notes[0]
    (desk.home / "shared" / ".git").mkdir()
    assert listed(found(desk, "--trust-project")) == ["ours", "strange"]


def test_the_home_folder_is_the_users_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path, ".")
    folder(desk, ".pi/skills", "own")
    assert listed(found(desk)) == ["own"]


def test_a_path_is_a_skill_wherever_it_lies(desk: Desk) -> None:
    place = folder(desk, "elsewhere", "one")
    flat = desk.write("elsewhere/two.md", "two")
    for value in (place, f"{place}/SKILL.md", "~/elsewhere/one", "../elsewhere/one"):
        assert texts(found(desk, "--skill", value))[0].endswith("The body of one.")
        assert texts(found(desk, "--no-skills", "--skill", value))[0] != ""
    assert texts(found(desk, "--skill", str(flat)))[0] == "# Skill: two\ntwo"
    both = found(desk, "--skill", f"{place},{flat},{place}")
    assert texts(both)[0].count("# Skill: ") == 2
    with pytest.raises(UsageError, match="there is no skill at"):
        found(desk, "--skill", "./none.md")


def test_a_selected_skill_is_not_offered_once_more(desk: Desk) -> None:
    folder(desk, ".agents/skills", "mine")
    assert listed(found(desk, "--skill", "mine")) == []


def test_a_managed_path_that_is_a_file_is_an_error(desk: Desk) -> None:
    desk.write("work/.pi/skills", "a file")
    with pytest.raises(ConfigError, match="failed to load skills from"):
        found(desk)


def test_where_signatures_are_demanded_nothing_unsigned_is_used(desk: Desk) -> None:
    """Also where there is no lockfile at all: then nothing is signed."""
    folder(desk, ".agents/skills", "mine")
    skills = found(desk, "--require-signed-skills")
    assert (listed(skills), skills.folders) == ([], ())
    assert skills.notes == ("skill 'mine' is left out: it is not in the lockfile",)
    with pytest.raises(VerificationFailed, match="skill 'mine' is not signed by a trusted key"):
        found(desk, "--require-signed-skills", "--skill", "mine")
    desk.write("work/.pi/skills/skills.lock.json", "{")
    with pytest.raises(PiError, match="failed to parse skills lockfile"):
        found(desk, "--require-signed-skills",
              "--skills-lock-file", str(desk.place / ".pi/skills/skills.lock.json"))  # fmt: skip


def test_a_run_without_any_folder_of_skills_looks_no_further(desk: Desk) -> None:
    def may(*argv: str) -> bool:
        return may_have_skills(desk.parsed(*argv), desk.environ, str(desk.place))

    assert not may()
    assert may("--skill", "x")
    folder(desk, ".agents/skills", "mine")
    assert may()
    assert not may("--no-skills")
