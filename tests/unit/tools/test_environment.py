"""What commands see of pi's variables, and the shell they run in."""

from __future__ import annotations

import os

import pytest

from pi.base.errors import UsageError
from pi.tools.environment import absolute_folders, choose_shell, command_environment

GIVEN = {
    "PATH": "/bin:",
    "HOME": "/h",
    "https_proxy": "p",
    "LD_PRELOAD": "x",
    "EDITOR": "vi",
    "GITHUB_TOKEN": "gh-secret",
    "token": "secret",
    "PI_MODEL": "m",
    "DATABASE": "db://me:gh-secret@host",
}
SET = {"PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}


def passed(preset: str, *more: str) -> dict[str, str]:
    found = command_environment(GIVEN, preset, secrets=("gh-secret",), more=more)
    return {name: value for name, value in found.items() if SET.get(name) != value}


def test_the_preset_decides() -> None:
    small = {"PATH": "/bin", "HOME": "/h"}
    assert passed("hardened") == passed("strict") == small
    assert passed("balanced") == {**small, "https_proxy": "p"}
    assert passed("permissive") == {
        "PATH": "/bin:",
        "HOME": "/h",
        "https_proxy": "p",
        "LD_PRELOAD": "x",
        "EDITOR": "vi",
    }


def test_nobody_is_asked_by_a_pager_or_for_a_password() -> None:
    assert command_environment({"PAGER": "less"}, "permissive") == SET
    assert command_environment({}, "strict") == SET


def test_what_the_operator_names_is_passed_whatever_it_is() -> None:
    more = passed("strict", "EDITOR", "GITHUB_TOKEN", "NEW=a=b", "EMPTY=", "UNSET", "PATH=.:/x")
    assert more == {
        "PATH": ".:/x",
        "HOME": "/h",
        "EDITOR": "vi",
        "GITHUB_TOKEN": "gh-secret",
        "NEW": "a=b",
        "EMPTY": "",
    }


@pytest.mark.parametrize("entry", ["", "=x", "a b", "1A", "A-B=c"])
def test_what_names_no_variable_is_refused(entry: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a variable"):
        command_environment({}, "balanced", more=(entry,))


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/a:/b", "/a:/b"),
        (":/a::b/c:/d:", "/a:/d"),
        (".", os.defpath),
        ("", os.defpath),
    ],
)
def test_programs_are_not_looked_for_in_the_working_directory(path: str, kept: str) -> None:
    assert absolute_folders(path) == kept


def test_the_shell_is_bash_where_there_is_one() -> None:
    chosen = choose_shell(os.environ)
    if os.path.exists("/bin/bash"):
        assert chosen == "/bin/bash"
    assert os.path.basename(choose_shell({"PATH": "", "SHELL": "/usr/bin/fish"})) != "fish"
