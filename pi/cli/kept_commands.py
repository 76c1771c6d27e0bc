"""Names of commands that the user let through for good in a project.

They are kept in ``commands.json`` in the user's folder, by the real path of the project's
root (outside of one: of the working directory), where no repository can put any.
"""

from __future__ import annotations

import os

from pi.base.homes import find_project
from pi.cli.answers import AnswerFile
from pi.tools.commands.allowing import is_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pi.cli.answers import Answers
    from pi.cli.tool_settings import ToolSettings


def _fits(answer: Any) -> bool:
    return type(answer["commands"]) is list and all(map(is_name, answer["commands"]))


COMMANDS = AnswerFile(
    "commands.json",
    "the list of commands you allowed",
    _fits,
    "correct it, or remove it; you will be asked again",
    "--allow-command NAME allows a command for one run",
)


def may_add(settings: ToolSettings) -> bool:
    """Whether a person may add to the list of commands: not to a strict one, and not to what
    must not look at files of the user's."""
    policy = settings.policy
    return (
        settings.reads_answers
        and policy.preset in ("balanced", "permissive")
        and policy.bash_profile != "strict"
        and bool(policy.allowed_commands)
    )


def place_of(cwd: str, environ: Mapping[str, str]) -> str:
    """The folder whose answers count in ``cwd``."""
    project = find_project(cwd, environ)
    return project.root if project is not None else os.path.realpath(cwd)


def kept(settings: ToolSettings, cwd: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The names that count here. Raises ConfigError for a damaged file."""
    if not may_add(settings):
        return ()
    return tuple(COMMANDS.read(environ).get(place_of(cwd, environ), {}).get("commands", ()))


def keep(
    names: Sequence[str],
    cwd: str,
    environ: Mapping[str, str],
    now_ms: int,
    random_bytes: Callable[[int], bytes],
) -> bool:
    """Let these through here from now on. Returns whether that is new. Raises ConfigError."""

    def edit(answers: Answers) -> bool:
        place = place_of(cwd, environ)
        before: list[str] = answers.get(place, {}).get("commands", [])
        after: list[str] = sorted({*before, *names})
        answers[place] = {"commands": after, "at_ms": now_ms}
        return after != before

    return COMMANDS.change(environ, edit, random_bytes)


def forget(
    name: str, cwd: str, environ: Mapping[str, str], random_bytes: Callable[[int], bytes]
) -> bool:
    """Let it through here no more. Returns whether it was. Raises ConfigError."""

    def edit(answers: Answers) -> bool:
        place = place_of(cwd, environ)
        found = answers.get(place, {}).get("commands", [])
        if name not in found:
            return False
        found.remove(name)
        if not found:
            del answers[place]
        return True

    return COMMANDS.change(environ, edit, random_bytes)
