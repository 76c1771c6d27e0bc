"""The command rule set up in a world of its own."""

from __future__ import annotations

import posixpath
from typing import Any

from pi.tools.commands.rule import CommandRule
from pi.tools.decision import Decision
from pi.tools.policy import make_policy

PROGRAMS = {name: f"/usr/bin/{name}" for name in ("ls", "cat", "env", "find", "git", "python3")}


def rule(preset: str, *more: str, root: str = "/work", **given: Any) -> CommandRule:
    """A rule in a world without links whose programs are in ``/usr/bin``."""
    return CommandRule(
        make_policy(preset, given, more),
        [root],
        {"HOME": "/home/me", "PATH": "/usr/bin"},
        which=PROGRAMS.get,
        realpath=normal,
    )


def normal(path: str) -> str:
    return posixpath.normpath("/" + path.lstrip("/"))


def check(preset: str, command: str, *more: str, cwd: str = "/work", **given: Any) -> Decision:
    return rule(preset, *more, **given).check(command, cwd)
