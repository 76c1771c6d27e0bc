"""Folders and files that ``read`` may open outside of the roots, and nothing else may."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.tools.outcome import Missing, ToolFailure
from pi.tools.paths import PathRule


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("root", "skills/review", "skills/other"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("skills/review/SKILL.md", "skills/flat.md", "skills/other/x", "mine"):
        (tmp_path / name).write_text("text", encoding="utf-8")
    (tmp_path / "skills" / "review" / "out").symlink_to(tmp_path / "mine")
    (tmp_path / "skills" / "review" / ".pi").mkdir()
    (tmp_path / "skills" / "review" / ".pi" / "credentials.json").write_text("{}", "utf-8")
    return tmp_path / "root"


@pytest.fixture
def rule(root: Path) -> PathRule:
    skills = root.parent / "skills"
    return PathRule([str(root)], readable=[str(skills / "review"), str(skills / "flat.md")])


@pytest.mark.parametrize("name", ["review/SKILL.md", "flat.md", "review/../review/SKILL.md"])
def test_read_may_open_them_and_nothing_may_write_them(
    rule: PathRule, root: Path, name: str
) -> None:
    path = str(root.parent / "skills" / name)
    place = rule.existing(path, str(root), own_files=True)
    with open(place.resolved, encoding="utf-8") as file:
        assert file.read() == "text"
    with pytest.raises(ToolFailure, match="outside allowed roots"):
        rule.existing(path, str(root))
    with pytest.raises(ToolFailure, match="outside allowed roots"):
        rule.writable(path, str(root))


@pytest.mark.parametrize(
    "name",
    [
        *("skills/other/x", "skills", "mine", "skills/review/out"),
        *("skills/review/../other/x", "skills/flat.mdx", "skills/reviews/x"),
        "skills/review/.pi/credentials.json",
    ],
)
def test_what_lies_beside_them_or_behind_a_link_stays_shut(
    rule: PathRule, root: Path, name: str
) -> None:
    with pytest.raises(ToolFailure, match="outside allowed roots"):
        rule.existing(str(root.parent / name), str(root), own_files=True)


def test_what_is_not_there_is_told_with_what_is(rule: PathRule, root: Path) -> None:
    with pytest.raises(Missing, match=r"does not exist; there are: SKILL\.md"):
        rule.existing(str(root.parent / "skills" / "review" / "SKIL.md"), str(root), own_files=True)
