"""Skills found in real folders, in the shapes that the public collections have."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, UsageError
from pi.skills.catalogue import Catalogue, is_path, load
from pi.skills.discovery import MAX_FOLDERS, Place, places
from pi.skills.skill import FLAT, FOLDER, PLAIN, allowed_tools, violations


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def folder(root: Path, name: str, *head: str, body: str = "Do it.") -> Path:
    lines = "".join(f"{line}\n" for line in head)
    return write(root / name / "SKILL.md", f"---\n{lines}---\n{body}\n")


def catalogue(root: Path, *, managed: bool = False) -> Catalogue:
    return load([Place(str(root), "project", managed)])


def test_the_shapes_of_the_ancestors_fixtures_load_with_their_warnings(tmp_path: Path) -> None:
    folder(tmp_path, "valid-skill", "name: valid-skill", "description: a")
    folder(tmp_path, "name-mismatch", "name: different-name", "description: a")
    folder(tmp_path, "invalid-name-chars", "name: Invalid_Name", "description: a")
    folder(tmp_path, "long-name", f"name: {'x' * 65}", "description: a")
    folder(tmp_path, "consecutive-hyphens", "name: bad--name", "description: a")
    folder(tmp_path, "unknown-field", "name: unknown-field", "description: a", "author: x")
    folder(tmp_path, "nested/child-skill", "name: child-skill", "description: a")
    folder(tmp_path, "multiline-description", "name: multiline-description", "description: |",
           "  one", "  two")  # fmt: skip
    folder(tmp_path, "disable-model-invocation", "name: disable-model-invocation",
           "description: a", "disable-model-invocation: true")  # fmt: skip
    folder(tmp_path, "root-skill-preferred", "description: a")
    folder(tmp_path, "root-skill-preferred/nested", "name: nested", "description: a")
    folder(tmp_path, "missing-description", "name: missing-description")
    write(tmp_path / "no-frontmatter" / "SKILL.md", "# Nothing\n")
    folder(tmp_path, "invalid-yaml", "name: invalid-yaml", "description: [unclosed")
    found = catalogue(tmp_path)
    assert sorted(skill.name for skill in found.skills) == sorted(
        [
            *("valid-skill", "different-name", "Invalid_Name", "x" * 65, "bad--name"),
            *("unknown-field", "child-skill", "multiline-description"),
            *("disable-model-invocation", "root-skill-preferred"),
        ]
    )
    by_name = {skill.name: skill for skill in found.skills}
    assert by_name["multiline-description"].description == "one\ntwo\n"
    assert not by_name["disable-model-invocation"].is_listed
    told = {}
    for warning in found.warnings:
        path, _, why = warning.partition(": ")
        told.setdefault(Path(path).parent.name, []).append(why)
    assert {name: len(whys) for name, whys in told.items()} == {
        "name-mismatch": 1,
        "invalid-name-chars": 2,
        "long-name": 2,
        "consecutive-hyphens": 2,
        "missing-description": 1,
        "no-frontmatter": 1,
        "invalid-yaml": 1,
    }
    assert "at line 3" in told["invalid-yaml"][0]


def test_the_first_of_two_skills_of_one_name_wins(tmp_path: Path) -> None:
    first = folder(tmp_path, "first/calendar", "name: calendar", "description: 1")
    second = folder(tmp_path, "second/calendar", "name: calendar", "description: 2")
    found = catalogue(tmp_path)
    assert [skill.file for skill in found.skills] == [str(first)]
    assert found.warnings == (f"two skills are named 'calendar': {first} is used, {second} is not",)


def test_flat_and_folder_skills_are_one_catalogue(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "plain text\n")
    write(tmp_path / "b.md", "---\ndescription: bee\nname: other\n---\nbody\n")
    folder(tmp_path, "c", "name: c", "description: sea")
    found = catalogue(tmp_path, managed=True)
    assert [(skill.name, skill.kind) for skill in found.skills] == [
        ("a", PLAIN),
        ("b", FLAT),
        ("c", FOLDER),
    ]
    assert [skill.name for skill in found.skills if skill.is_listed] == ["b", "c"]
    assert found.find("other").name == "b"
    assert found.find("a").body == "plain text\n"


def test_a_plain_file_outside_the_managed_folder_is_no_skill(tmp_path: Path) -> None:
    write(tmp_path / "README.md", "# About\n")
    assert catalogue(tmp_path) == Catalogue((), (), {}, (str(tmp_path),))


def test_a_folder_beats_a_flat_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "x.md", "plain\n")
    file = folder(tmp_path, "x", "name: x", "description: d")
    found = catalogue(tmp_path, managed=True)
    assert [skill.file for skill in found.skills] == [str(file)]
    assert "is used" in found.warnings[0]


def test_one_bad_file_is_a_warning_and_an_error_when_it_is_chosen(tmp_path: Path) -> None:
    write(tmp_path / "good.md", "good\n")
    (tmp_path / "bad.md").write_bytes(b"\xff\xfe")
    found = catalogue(tmp_path, managed=True)
    assert [skill.name for skill in found.skills] == ["good"]
    assert f"failed to read {tmp_path / 'bad.md'}: is not UTF-8 text" in found.warnings[0]
    with pytest.raises(UsageError, match="skill 'bad' cannot be used"):
        found.find("bad")


def test_pipes_folders_and_giants_are_survived(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "dir.md").mkdir()
    with open(tmp_path / "giant.md", "wb") as file:
        file.truncate(6 * 1024 * 1024)
    found = catalogue(tmp_path, managed=True)
    assert found.skills == ()
    assert sorted(warning.rpartition(": ")[2] for warning in found.warnings) == [
        "it is larger than 5242880 bytes",
        "it is not a regular file",
    ]


def test_links_are_followed_once(tmp_path: Path) -> None:
    folder(tmp_path, "real", "name: real", "description: d")
    (tmp_path / "again").symlink_to(tmp_path / "real")
    (tmp_path / "real-loop").mkdir()
    (tmp_path / "real-loop" / "up").symlink_to(tmp_path)
    found = catalogue(tmp_path)
    assert [Path(skill.file).parent.name for skill in found.skills] == ["again"]


def test_a_lower_case_file_name_is_accepted_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path / "s" / "skill.md", "---\nname: s\ndescription: d\n---\n")
    found = catalogue(tmp_path)
    assert [skill.name for skill in found.skills] == ["s"]
    assert "should be named SKILL.md" in found.warnings[0]


def test_dot_folders_and_node_modules_are_not_searched(tmp_path: Path) -> None:
    for name in (".hidden", "node_modules"):
        folder(tmp_path, f"{name}/x", "name: x", "description: d")
    assert catalogue(tmp_path).skills == ()


def test_a_huge_tree_is_left_with_a_word(tmp_path: Path) -> None:
    for number in range(MAX_FOLDERS + 1):
        (tmp_path / f"d{number}").mkdir()
    assert "more than 2000 folders" in catalogue(tmp_path).warnings[0]


def test_an_unknown_name_is_told_what_is_near_and_where_was_searched(tmp_path: Path) -> None:
    write(tmp_path / "checklist.md", "x\n")
    with pytest.raises(UsageError) as caught:
        catalogue(tmp_path, managed=True).select(["cheklist"])
    assert caught.value.message == "unknown skill 'cheklist'"
    assert caught.value.hint == f"did you mean checklist? searched: {tmp_path}"


def test_names_asked_twice_are_given_once_in_the_order_asked(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.md", name)
    chosen = catalogue(tmp_path, managed=True).select(["c", "a", "c"])
    assert [skill.name for skill in chosen] == ["c", "a"]


def test_a_skills_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "skills", "x")
    with pytest.raises(ConfigError) as caught:
        catalogue(path, managed=True)
    assert caught.value.message == f"failed to load skills from {path}"
    assert caught.value.cause == f"{path} is not a directory"


def test_explicit_paths_come_first_and_must_be_skills(tmp_path: Path) -> None:
    there = folder(tmp_path, "one", "name: one", "description: d")
    plain = write(tmp_path / "two.md", "text")
    found = load([], [str(there.parent), str(plain), str(there)])
    assert [skill.name for skill in found.skills] == ["one", "two"]
    for path in ("nowhere", str(tmp_path / "empty"), str(write(tmp_path / "x.txt", ""))):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="no skill"):
            load([], [path])


@pytest.mark.parametrize("value", ["./a", "a/b", "~x", ".hidden", "a.md"])
def test_a_value_with_a_separator_dot_or_ending_is_a_path(value: str) -> None:
    assert is_path(value)
    assert not is_path("a.b-c")


def test_places_are_searched_from_the_project_to_the_user(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "sub"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    found = places(".pi/skills", str(inner), {"HOME": str(tmp_path)}, ["~/.claude/skills"])
    assert [(os.path.relpath(place.path, tmp_path), place.scope) for place in found] == [
        ("repo/sub/.pi/skills", "project"),
        ("repo/sub/.agents/skills", "project"),
        ("repo/.agents/skills", "project"),
        (".pi/agent/skills", "user"),
        (".agents/skills", "user"),
        (".claude/skills", "settings"),
    ]
    assert [place.managed for place in found] == [True, *[False] * 5]


def test_the_standards_rules_are_told_for_one_file() -> None:
    text = "---\nname: template-skill\ndescription: " + "d" * 1025 + "\n---\n"
    assert [told.partition(": ")[2] for told in violations(text, "/x/template/SKILL.md")] == [
        "the name 'template-skill' is not that of its folder 'template'",
        "the description has 1025 characters; 1024 are allowed",
    ]
    assert violations("---\ndescription: d\n---\n", "/x/s/SKILL.md") == (
        "/x/s/SKILL.md: the name is missing",
    )
    assert violations("---\nname: s\u00e9\ndescription: d\n---\n", "/x/s\u00e9/SKILL.md") == ()


def test_allowed_tools_may_be_a_text_or_a_list() -> None:
    assert allowed_tools({"allowed-tools": "Bash(git:*) Read"}) == ("Bash(git:*)", "Read")
    assert allowed_tools({"allowed-tools": ["a b", "c"]}) == ("a b", "c")


def test_too_many_flat_files_are_left_with_a_word(tmp_path: Path) -> None:
    for number in range(MAX_FOLDERS + 1):
        (tmp_path / f"f{number}.md").write_text("")
    found = catalogue(tmp_path, managed=True)
    assert len(found.skills) == MAX_FOLDERS
    assert found.warnings == (f"{tmp_path}: more than {MAX_FOLDERS} files; not all read",)
