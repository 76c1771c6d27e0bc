"""Whether a run has skills at all, told without loading what reads them."""

from __future__ import annotations

import os

from pi.base.errors import UsageError
from pi.skills.discovery import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pi.cli.parse import Parsed
    from pi.skills.discovery import Place


class NoSkills:
    """What a run without skills adds to its system prompt."""

    parts = ()
    notes = ()


def may_have_skills(parsed: Parsed, environ: Mapping[str, str], cwd: str) -> bool:
    """Whether there is anything to look at: a few questions to the file system. Raises
    UsageError for a folder that was typed and is none."""
    found = searched(parsed, environ, cwd)
    _check_named(parsed, found)
    if parsed.values["--skill"]:
        return True
    if parsed.values["--no-skills"]:
        return False
    return any(os.path.isdir(place.path) for place in found)


def _check_named(parsed: Parsed, found: Sequence[Place]) -> None:
    """Raise UsageError for folders that were typed and are none. A folder from a settings
    file need not be on every machine, one to install into need not be there yet."""
    sources = parsed.sources
    for place in found:
        named = "--skills-dir" if place.managed else "--skills-path"
        if place.scope != "settings" and not place.managed:
            continue
        if sources[named] != "flag" or os.path.isdir(place.path):
            continue
        if not place.managed or os.path.lexists(place.path):
            raise UsageError(f"{named} {place.path} is not a folder")


def with_chosen(parsed: Parsed, chosen: tuple[str, ...] | None) -> Parsed:
    """``parsed`` as if ``--skill`` named ``chosen``; None leaves what it names."""
    if chosen is None:
        return parsed
    return parsed._replace(values={**parsed.values, "--skill": chosen})


def searched(parsed: Parsed, environ: Mapping[str, str], cwd: str) -> tuple[Place, ...]:
    """The folders that are searched; with --no-skills only the managed one, for names."""
    value: dict[str, Any] = parsed.values
    found = places(value["--skills-dir"], cwd, environ, value["--skills-path"])
    return found[:1] if value["--no-skills"] else found
