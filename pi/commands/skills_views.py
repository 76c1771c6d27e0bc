"""Commands that look at skills: list, show, search, and what differs from the lockfile."""

from __future__ import annotations

import os

from pi.base.errors import UsageError, VerificationFailed
from pi.base.text import visible
from pi.commands.result import Result
from pi.commands.skills_told import at_lock, catalogue, in_directory, telling, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.skill import Skill

DEFAULT_LIMIT = 20
KEPT_FIELDS = ("license", "compatibility", "metadata")


def _showing(arguments: Arguments, context: CommandContext) -> str:
    return f"{in_directory(arguments, context)} name={arguments.word()}"


def _searching(arguments: Arguments, context: CommandContext) -> str:
    return f'{in_directory(arguments, context)} args="{arguments.raw}"'


@telling("skills list", in_directory)
def show_list(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-list``: every skill that can be used here, and which are in use."""
    from pi.commands.skills_use import in_use

    found = catalogue(context)
    used = in_use(context, found)
    directory = work(context).settings.directory
    rows = [
        {**_row(skill, directory), "in_use": skill.file in used}
        for skill in sorted(found.skills, key=_by_name)
    ]
    lines = [f"skills list: path={directory} count={len(rows)}"]
    lines += [
        f"skill: name={row['name']} file={row['file']}"
        + (f" in_use=true bytes={row['bytes']}" if row["in_use"] else "")
        for row in rows
    ] or ["skills: none"]
    lines += [f"warning: {told}" for told in found.warnings]
    data = {"path": directory, "count": len(rows), "skills": rows, "warnings": found.warnings}
    return Result(tuple(lines), data)


@telling("skills show", _showing)
def show(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-show <name>``: one skill's text and what is known of it."""
    directory = work(context).settings.directory
    skill = catalogue(context).find(arguments.word())
    row = _row(skill, directory)
    content = skill.body
    facts = {name: skill.fields[name] for name in KEPT_FIELDS if skill.fields.get(name)}
    size = len(content.encode("utf-8", "replace"))
    lines = [
        f"skills show: path={directory} name={skill.name} file={row['file']} content_bytes={size}"
    ]
    if skill.description:
        lines.append(f"description: {' '.join(skill.description.split())}")
    lines += [f"{name}: {value}" for name, value in facts.items()]
    if row["allowed_tools"]:
        lines.append(f"allowed-tools: {' '.join(row['allowed_tools'])} (shown, never granted)")
    lines = [visible(line) for line in lines]
    data = {**row, **facts, "path": directory, "content_bytes": size, "content": content}
    text = (*lines, "---", *content.rstrip("\n").split("\n"))
    return Result(text, data, verbatim=True)


@telling("skills search", _searching)
def search(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-search <query> [max_results]``: by name and content."""
    query, limit = _query(arguments)
    directory = work(context).settings.directory
    found = matches(catalogue(context).skills, query)
    rows = [{**_row(skill, directory), "match": where} for skill, where in found[:limit]]
    lines = [
        f'skills search: path={directory} query="{query}" max_results={limit} '
        f"matched={len(found)} shown={len(rows)}"
    ]
    lines += [
        f"skill: name={row['name']} file={row['file']} match={row['match']}" for row in rows
    ] or ["skills: none"]
    data = {"path": directory, "query": query, "max_results": limit, "matched": len(found),
            "shown": len(rows), "skills": rows}  # fmt: skip
    return Result(tuple(lines), data)


def matches(skills: Sequence[Skill], query: str) -> list[tuple[Skill, str]]:
    """Skills that hold ``query``, whatever the case of ASCII letters; names first. Pure."""
    wanted = _lower(query)
    found = []
    for skill in skills:
        in_name = wanted in _lower(skill.name)
        in_content = wanted in _lower(skill.body) or wanted in _lower(skill.description)
        if in_name or in_content:
            both = "name+content" if in_content else "name"
            found.append((skill, both if in_name else "content"))
    return sorted(found, key=lambda pair: (pair[1] == "content", pair[0].name.encode()))


@telling("skills lock diff", at_lock, with_status=True)
def lock_diff(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-lock-diff [lockfile]``: what differs from the lockfile."""
    return _compared("skills lock diff", arguments, context)


@telling("skills sync", at_lock, with_status=True)
def sync(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-sync [lockfile]``: the same, as a check."""
    return _compared("skills sync", arguments, context)


def _compared(words: str, arguments: Arguments, context: CommandContext) -> Result:
    from pi.skills.drift import compare
    from pi.skills.installed import installed

    stage = work(context, arguments.word())
    path = stage.settings.lock_path
    drift = compare(stage.lock(), installed(stage.settings.directory))
    data = {
        **drift.as_json(),
        "path": path,
        "in_sync": drift.in_sync,
        "status": "in_sync" if drift.in_sync else "drift",
    }
    if drift.in_sync:
        return Result((f"{words}: in-sync path={path} {drift.counts()}",), data, legacy=data)
    line = f"{words}: drift path={path} {drift.detail()}"
    error = VerificationFailed(
        f"skills drift: path={path} {drift.detail()}",
        hint="pi --skills-sync --install-missing installs them anew",
        code="skills-drift",
    )
    return Result((line,), data, error, legacy=data)


def _query(arguments: Arguments) -> tuple[str, int]:
    """The words to look for and how many rows to show. A number at the end is a limit, as
    in the older program, unless ``--limit`` is given."""
    words = arguments.word().split() if len(arguments.words) == 1 else list(arguments.words)
    limit = arguments.options.get("limit")
    if limit is None and words and words[-1].isascii() and words[-1].isdigit():
        limit = int(words.pop()[:9])
    limit = DEFAULT_LIMIT if limit is None else limit
    if not words:
        raise UsageError("query is required", hint="usage: /skills-search <query> [max_results]")
    if limit < 1:
        raise UsageError("max_results must be greater than zero")
    return " ".join(words), limit


def _row(skill: Skill, directory: str) -> dict[str, Any]:
    from pi.skills.skill import allowed_tools

    return {
        "name": skill.name,
        "file": shown_file(skill, directory),
        "kind": skill.kind,
        "scope": skill.scope,
        "description": skill.description,
        "listed": skill.is_listed,
        "bytes": len(skill.body.encode("utf-8", "replace")),
        "allowed_tools": list(allowed_tools(skill.fields)),
    }


def shown_file(skill: Skill, directory: str) -> str:
    """The file of a skill, as the lockfile names it if it lies in ``directory``."""
    inside = os.path.relpath(skill.file, os.path.abspath(directory))
    return skill.file if inside.startswith("..") else inside.replace(os.sep, "/")


def _by_name(skill: Skill) -> bytes:
    return skill.name.encode("utf-8", "replace")


def _lower(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)
