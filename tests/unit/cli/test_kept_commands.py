"""Commands that the user let through in a project: where they count, and how they are kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import ConfigError
from pi.cli.kept_commands import COMMANDS, forget, keep, kept, may_add
from pi.cli.parse import parse
from pi.cli.tool_settings import ToolSettings, build_tool_settings
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path)
    made.write("work/.pi/settings.json", "{}")
    return made


def settings(*argv: str) -> ToolSettings:
    return build_tool_settings(parse(argv, {}))


def test_names_count_in_their_own_project_until_they_are_forgotten(desk: Desk) -> None:
    def kept_here() -> tuple[str, ...]:
        return kept(settings(), desk.cwd(), desk.environ)

    assert kept_here() == ()
    assert keep(["make"], desk.cwd(), desk.environ, 7, os.urandom)
    assert keep(["go", "make"], desk.cwd(), desk.environ, 8, os.urandom)
    assert not keep(["go"], desk.cwd(), desk.environ, 9, os.urandom)
    assert kept_here() == ("go", "make")
    assert kept(settings(), "/", desk.environ) == ()
    assert forget("make", desk.cwd(), desk.environ, os.urandom)
    assert not forget("make", desk.cwd(), desk.environ, os.urandom)
    assert kept_here() == ("go",)
    assert forget("go", desk.cwd(), desk.environ, os.urandom)
    assert COMMANDS.read(desk.environ) == {}
    assert os.stat(COMMANDS.path(desk.environ)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "argv",
    [
        ("--tool-policy-preset", "strict"),
        ("--tool-policy-preset", "hardened"),
        ("--tool-policy-preset", "hardened", "--bash-profile", "balanced"),
        ("--bash-profile", "strict"),
        ("--no-config",),
    ],
)
def test_nobody_adds_to_a_strict_list(desk: Desk, argv: tuple[str, ...]) -> None:
    keep(["make"], desk.cwd(), desk.environ, 7, os.urandom)
    assert not may_add(settings(*argv))
    assert kept(settings(*argv), desk.cwd(), desk.environ) == ()


@pytest.mark.parametrize(
    "answer", [{}, {"commands": "make"}, {"commands": ["a*"]}, {"commands": [7]}, [], None]
)
def test_a_damaged_list_is_told(desk: Desk, answer: Any) -> None:
    path = Path(COMMANDS.path(desk.environ))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": 1, "folders": {"/x": answer}}))
    with pytest.raises(ConfigError, match=r"the list of commands you allowed .* is damaged"):
        kept(settings(), desk.cwd(), desk.environ)
    with pytest.raises(ConfigError):
        keep(["make"], desk.cwd(), desk.environ, 7, os.urandom)
