"""Which folders the user trusts: what a project brings along counts only there.

The answers are kept in ``trusted.json`` in the user's folder, outside of every project, by
the real path of the project's root. A yes covers that project and none below it; a no is
kept too, so that nobody is asked twice.
"""

from __future__ import annotations

import os

from pi.base.errors import ConfigError
from pi.base.homes import PI_FOLDER, SETTINGS, home_folder
from pi.base.text import visible
from pi.cli.answers import AnswerFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pi.base.homes import Project
    from pi.cli.parse import Parsed

FILE = "trusted.json"
LOCK_WAIT_MS = 5000
# What lies in .pi and does nothing until the folder is trusted.
THINGS = (SETTINGS, "prompts", "skills", "macros.json", "profiles.json")


TRUSTED = AnswerFile(
    FILE,
    "the list of trusted folders",
    lambda answer: type(answer["trusted"]) is bool,
    "correct it, or remove it and approve your folders anew with /trust",
    "--trust-project trusts a folder for one run",
)


def trust_path(environ: Mapping[str, str]) -> str:
    """The file that keeps the answers."""
    return TRUSTED.path(environ)


def read_answers(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The answers by folder: {"trusted": bool, "at_ms": int}. Raises ConfigError."""
    return TRUSTED.read(environ)


def write_answer(
    environ: Mapping[str, str],
    root: str,
    answer: bool | None,
    now_ms: int,
    random_bytes: Callable[[int], bytes],
) -> bool:
    """Keep the answer for a project's root, None forgets it. Returns whether that changed
    anything. Raises ConfigError for a damaged file or one that cannot be written."""

    def edit(answers: dict[str, dict[str, Any]]) -> bool:
        if answers.get(root, {}).get("trusted") is answer:
            return False
        if answer is None:
            del answers[root]
        else:
            answers[root] = {"trusted": answer, "at_ms": now_ms}
        return True

    return TRUSTED.change(environ, edit, random_bytes)


def answer_for(project: Project, environ: Mapping[str, str]) -> bool | None:
    """What the user said about this project, None for nothing. Raises ConfigError."""
    known = read_answers(environ).get(project.root)
    return None if known is None else bool(known["trusted"])


def is_trusted(project: Project, parsed: Parsed, environ: Mapping[str, str]) -> bool:
    """Whether what the project brings along counts. A damaged list trusts nothing."""
    if parsed.values["--trust-project"]:
        return True
    try:
        return answer_for(project, environ) is True
    except ConfigError:
        return False


def trusts_here(
    project: Project | None, cwd: str, parsed: Parsed, environ: Mapping[str, str]
) -> bool:
    """``is_trusted`` for wherever pi was started: the home folder is the user's own."""
    if project is not None:
        return is_trusted(project, parsed, environ)
    at_home = os.path.realpath(cwd) == os.path.realpath(home_folder(environ))
    return at_home or bool(parsed.values["--trust-project"])


def things_in(project: Project) -> tuple[str, ...]:
    """What the project brings along that needs trust, as paths below ``.pi``."""
    return tuple(f"{PI_FOLDER}/{name}" for name in THINGS if project.nearest(name))


def left_out(project: Project) -> str:
    """The sentence that tells what does not count, and how to change that."""
    names = ", ".join(things_in(project))
    return (
        f"{visible(project.root)} is not trusted: {names} left out "
        "(/trust approves it, --trust-project does for one run)"
    )


def ask_once(
    project: Project | None,
    parsed: Parsed,
    environ: Mapping[str, str],
    confirm: Callable[[str], bool],
    now_ms: int,
    random_bytes: Callable[[int], bytes],
) -> bool:
    """Ask a person about a project that brings something along and was never judged.

    Returns whether it became trusted just now. Raises ConfigError if that cannot be kept.
    """
    if project is None or parsed.values["--trust-project"] or not things_in(project):
        return False
    if answer_for(project, environ) is not None:
        return False
    names = ", ".join(things_in(project))
    answer = confirm(f"{visible(project.root)} brings {names}. Do you trust this folder?")
    write_answer(environ, project.root, answer, now_ms, random_bytes)
    return answer
