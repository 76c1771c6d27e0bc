"""Which folder is the user's, and which is the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.homes import find_project, home_folder, user_folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "a" / "b" / "c").mkdir(parents=True)
    return tmp_path / "home"


def names(home: Path, folders: tuple[str, ...]) -> list[str]:
    return [os.path.relpath(folder, home) for folder in folders]


def test_the_users_folder_is_the_old_one_where_it_is_present(home: Path) -> None:
    environ = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "cfg")}
    assert user_folder(environ) == str(home / "cfg" / "pi")
    assert user_folder({"HOME": str(home)}) == str(home / ".config" / "pi")
    assert user_folder({**environ, "XDG_CONFIG_HOME": "cfg"}) == str(home / ".config" / "pi")
    (home / ".pi" / "agent").mkdir(parents=True)
    assert user_folder(environ) == str(home / ".pi" / "agent")


def test_without_the_variable_the_system_knows_the_home_folder() -> None:
    assert os.path.isabs(home_folder({}))


def test_a_work_tree_is_the_project_also_where_git_keeps_a_file(home: Path) -> None:
    (home / "a" / ".git").write_text("gitdir: elsewhere")
    found = find_project(str(home / "a" / "b" / "c"), {"HOME": str(home)})
    assert found is not None
    assert names(home, (found.root,)) == ["a"]
    assert names(home, found.folders) == ["a", "a/b", "a/b/c"]
    assert found.above == ()


def test_without_git_settings_make_a_project_and_else_any_pi_folder(home: Path) -> None:
    environ = {"HOME": str(home)}
    deep = str(home / "a" / "b" / "c")
    found = find_project(deep, environ)
    assert found is not None
    assert names(home, (found.root, *found.above)) == ["a/b/c", "a", "a/b"]
    (home / "a" / "b" / ".pi").mkdir()
    found = find_project(deep, environ)
    assert found is not None
    assert names(home, (found.root,)) == ["a/b"]
    (home / "a" / ".pi").mkdir()
    (home / "a" / ".pi" / "settings.json").write_text("{}")
    found = find_project(deep, environ)
    assert found is not None
    assert names(home, (found.root,)) == ["a"]
    assert found.nearest("settings.json") == str(home / "a" / ".pi" / "settings.json")
    assert found.nearest("prompts") == ""


def test_the_home_folder_is_no_project_and_nothing_above_it_is(home: Path) -> None:
    environ = {"HOME": str(home)}
    (home / ".git").mkdir()
    (home / ".pi").mkdir()
    (home.parent / ".git").mkdir()
    assert find_project(str(home), environ) is None
    assert find_project("/", environ) is None
    found = find_project(str(home / "a"), environ)
    assert found is not None
    assert found.root == str(home / "a")


def test_outside_of_the_home_folder_nothing_above_the_project_is_looked_at(home: Path) -> None:
    found = find_project(str(home / "a" / "b"), {"HOME": str(home / "elsewhere")})
    assert found is not None
    assert (found.root, found.above) == (str(home / "a" / "b"), ())


def test_a_project_is_known_by_its_real_path(home: Path) -> None:
    (home / "a" / ".git").mkdir()
    (home / "link").symlink_to(home / "a" / "b")
    found = find_project(str(home / "link"), {"HOME": str(home)})
    assert found is not None
    assert found.root == str(home / "a")


@pytest.mark.parametrize("home", ["~", ".", "rel/ative"])
def test_a_home_that_is_no_absolute_path_is_nowhere_in_the_project(home: str) -> None:
    """Python gives ~ where nobody knows the user: a clone may bring a folder of that name."""
    assert home_folder({"HOME": home}) == "/"
    assert user_folder({"HOME": home}).startswith("/")


def test_a_user_whose_home_is_the_root_has_nothing_above_a_project(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / ".pi").mkdir(parents=True)
    found = find_project(str(work), {"HOME": "/"})
    assert found is not None
    assert found.above == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_what_lies_in_somebody_elses_folder_above_is_not_of_the_project(home: Path) -> None:
    above = home / "a" / "b"
    (above / ".pi").mkdir()
    (above / ".pi" / "settings.json").write_text("{}")
    mine = str(above / "c")
    found = find_project(mine, {"HOME": str(home)})
    assert found is not None
    assert found.root == str(above)
    os.chown(above, 65534, 65534)
    found = find_project(mine, {"HOME": str(home)})
    assert found is not None
    assert (found.root, found.above) == (mine, ())
