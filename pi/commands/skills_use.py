"""``/skills-use``: which skills' texts are in the system prompt."""

from __future__ import annotations

from pi.base.errors import PiError
from pi.commands.result import Result
from pi.commands.skills_told import in_directory, service, telling, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.catalogue import Catalogue
    from pi.skills.skill import Skill

MAX_WORD = 4096


@telling("skills use", in_directory)
def use(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-use [name...] [--none]``: put texts into the system prompt, as ``--skill``
    does; ``--none`` takes out those that are there."""
    from pi.base.errors import UsageError
    from pi.skills.picking import shown

    for word in arguments.words:
        if len(word) > MAX_WORD:
            raise UsageError(f"unknown skill '{shown(word)}'", code="unknown-skill")
    directory = work(context).settings.directory
    only = bool(arguments.options.get("none"))
    found = service(context, "skills_in_use")(arguments.words, only=only)
    rows = [size_of(skill, directory) for skill in found.selected]
    places = [place for skill in found.selected for place in (skill.file, skill.folder)]
    about = [note for note in found.notes if any(place in note for place in places)]
    size, tokens = (sum(row[name] for row in rows) for name in ("bytes", "tokens"))
    lines = [f"skills use: path={directory} count={len(rows)} bytes={size} tokens={tokens}"]
    lines += [
        f"skill: name={row['name']} file={row['file']} bytes={row['bytes']} tokens={row['tokens']}"
        for row in rows
    ] or ["skills: none"]
    lines += [f"warning: {note}" for note in about]
    data = {"path": directory, "count": len(rows), "bytes": size, "tokens": tokens,
            "skills": rows, "warnings": about}  # fmt: skip
    return Result(tuple(lines), data)


def size_of(skill: Skill, directory: str) -> dict[str, Any]:
    """A skill in the system prompt, with what it takes there; tokens by estimate."""
    from pi.ai.cost import estimate_tokens
    from pi.commands.skills_views import shown_file
    from pi.skills.prompting import with_selected

    text = with_selected("", [skill])
    return {
        "name": skill.name,
        "file": shown_file(skill, directory),
        "bytes": len(text.encode("utf-8", "replace")),
        "tokens": estimate_tokens(text),
    }


def in_use(context: CommandContext, found: Catalogue) -> dict[str, int]:
    """Bytes in the system prompt by file of a skill of ``found``; {} where that cannot be
    told."""
    directory = work(context).settings.directory
    try:
        selected = service(context, "skills_selected")(found)
    except PiError:  # the next prompt says so
        return {}
    return {skill.file: size_of(skill, directory)["bytes"] for skill in selected}
