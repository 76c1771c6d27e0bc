"""What a person may let through beside the list of commands, and for how long."""

from __future__ import annotations

import os

import pytest

from pi.tools.commands import command_check
from pi.tools.commands.allowing import MOST_NAMES, Allowing, is_name
from pi.tools.policy import make_policy

HERE = os.getcwd()


def allowing(preset: str = "balanced", kept: tuple[str, ...] = ()) -> Allowing:
    policy = make_policy(preset, {})
    return Allowing(
        lambda names: command_check(
            policy._replace(allowed_commands=(*policy.allowed_commands, *names)),
            [HERE],
            {"PATH": os.defpath},
        ),
        lambda: kept,
    )


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("make test", ("make",)),
        ("ls && make test | pytest -q; make", ("make", "pytest")),
        ("env FOO=1 make", ("make",)),
        ("timeout 5 xargs make", ("timeout", "make")),
        ("ls", ()),
        ("make; eval ls", ()),
        ("make > /etc/passwd", ()),
        ("make `echo", ()),
        ("$X", ()),
        ("'*'", ()),
        ("'a b'", ()),
        ("'m\u0430ke'", ()),  # a letter that only looks like one
        ("/nowhere/make", ()),
        ("PATH=/tmp make", ()),
        ("; ".join(f"x{number}" for number in range(MOST_NAMES + 1)), ()),
    ],
)
def test_only_names_that_are_merely_missing_are_asked_for(
    command: str, names: tuple[str, ...]
) -> None:
    rule = allowing()
    assert rule.wanted(command, HERE) == names
    assert rule.check(command, HERE).allowed == (command == "ls"), "asking allows nothing"


def test_once_is_once_and_for_this_command_in_this_directory() -> None:
    rule = allowing()
    names = rule.wanted("make", HERE)
    rule.allow_once("make", HERE, names)
    assert not rule.check("make all", HERE).allowed
    assert not rule.check("make", "/").allowed
    decision = rule.check("make", HERE)
    assert decision.allowed
    assert decision.steps[-1].detail == "the user allowed make once"
    assert not rule.check("make", HERE).allowed


def test_what_was_allowed_once_and_not_run_is_forgotten_with_the_next_question() -> None:
    rule = allowing()
    rule.allow_once("make", HERE, rule.wanted("make", HERE))
    assert rule.wanted("make", HERE) == ("make",)
    assert not rule.check("make", HERE).allowed


def test_what_is_allowed_from_now_on_is_the_name_and_nothing_else() -> None:
    rule = allowing()
    rule.allow(["make"])
    assert rule.check("make all; make", HERE).allowed
    assert rule.wanted("make; cmake", HERE) == ("cmake",)
    assert not rule.check("make; eval ls", HERE).allowed
    assert not rule.check("maker", HERE).allowed


def test_names_that_were_kept_count_if_they_are_names() -> None:
    rule = allowing(kept=("make", "*", "a b"))
    assert rule.check("make", HERE).allowed
    assert not rule.check("cmake", HERE).allowed
    assert not is_name("*")
    assert not is_name("a*")
    assert not is_name("")
    assert not is_name(7)
