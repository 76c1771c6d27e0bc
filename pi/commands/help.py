"""The help texts, made from the command table."""

from __future__ import annotations

from pi.base.columns import row, wrapped
from pi.base.errors import UsageError
from pi.commands.result import Result
from pi.commands.subcommands import SUBCOMMANDS, usage, usages
from pi.commands.suggest import did_you_mean
from pi.commands.table import BY_NAME, COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.commands.spec import CommandSpec

_COLUMN = 22  # of the usage; scripts know the rows by it
_TIP = "tip: run /help <command> for details"


def show_help(arguments: Arguments, context: CommandContext) -> Result:
    """All commands; or the command, the subcommand or the word that is named."""
    columns = context.services.get("columns")
    width = columns() if columns is not None else 0
    topic = arguments.word().strip()
    return one(topic, width) if topic else overview(width)


def overview(width: int = 0) -> Result:
    """Every command on a line, by topic. A width of 0 is no terminal: lines stay whole."""
    lines = ["commands:"]
    for topic in topics():
        lines += ["", f"{topic}:"]
        lines += _rows((spec for spec in COMMANDS if spec.topic == topic), width)
    lines += ["", *_fitted([_TIP], width)]
    return Result(tuple(lines), {"topics": list(topics()), "commands": _data(COMMANDS)})


def topics() -> tuple[str, ...]:
    """The topics in the order of the table."""
    return tuple(dict.fromkeys(spec.topic for spec in COMMANDS))


def one(topic: str, width: int = 0) -> Result:
    """The page of a command or subcommand; for another word, the commands that speak of it."""
    first, _, rest = topic.partition(" ")
    name = first if first.startswith("/") else f"/{first}"
    spec = BY_NAME.get(name) or BY_NAME.get(name.lower())
    if spec is not None and not rest:
        return _page(spec, width)
    if spec is not None:
        found = [each for each in SUBCOMMANDS.get(spec.name, ()) if each.name == rest.strip()]
        if found:
            lines = [
                f"command: {spec.name} {found[0].name}",
                f"usage: {usage(spec.name, found[0])}",
            ]
            data = {"name": f"{spec.name} {found[0].name}", "usage": usage(spec.name, found[0])}
            return Result(
                _fitted([*lines, found[0].summary], width), {**data, "summary": found[0].summary}
            )
    spoken = [] if topic.startswith("/") else _about(topic)
    if spoken:
        lines = [f"commands about {topic!r}:", *_rows(spoken, width), *_fitted([_TIP], width)]
        return Result(tuple(lines), {"query": topic, "commands": _data(spoken)})
    whole = topic if topic.startswith("/") else f"/{topic}"
    return _unknown(whole)


def _page(spec: CommandSpec, width: int) -> Result:
    lines = [f"command: {spec.name}", f"usage: {spec.usage}", spec.summary]
    if spec.details:
        lines.append(spec.details)
    lines += [f"  {each}" for each in usages(spec.name)]
    if spec.example:
        lines.append(f"example: {spec.example}")
    return Result(_fitted(lines, width), _data([spec])[0])


def _unknown(name: str) -> Result:
    names = [*BY_NAME]
    command = name.partition(" ")[0]
    if " " in name:
        names = [f"{command} {each.name}" for each in SUBCOMMANDS.get(command, ())]
    close = did_you_mean(name, names)
    told = (*close, "run /help for command list")
    error = UsageError(f"unknown help topic: {name}", hint=" ".join(told), code="unknown-command")
    return Result((error.message, *told), error=error)


def _about(word: str) -> list[CommandSpec]:
    """Commands whose name, topic, description, details or subcommands hold the word."""
    wanted = word.lower()
    return [
        spec
        for spec in COMMANDS
        if wanted
        in "\n".join(
            (spec.name, spec.topic, spec.summary, spec.details, *_sub_words(spec.name))
        ).lower()
    ]


def _sub_words(command: str) -> list[str]:
    return [f"{each.name} {each.summary}" for each in SUBCOMMANDS.get(command, ())]


def _rows(specs: Iterable[CommandSpec], width: int) -> list[str]:
    if not width:
        return [f"  {spec.usage.ljust(_COLUMN)} {spec.summary}" for spec in specs]
    return [
        line for spec in specs for line in row(f"  {spec.usage}", spec.summary, _COLUMN + 3, width)
    ]


def _fitted(lines: list[str], width: int) -> tuple[str, ...]:
    if not width:
        return tuple(lines)
    found: list[str] = []
    for line in lines:
        indent = " " * (len(line) - len(line.lstrip()))
        first, *rest = wrapped(line, width - len(indent) - 2)
        found += [indent + first, *(f"{indent}  {part}" for part in rest)]
    return tuple(found)


def _data(specs: Iterable[CommandSpec]) -> list[dict[str, Any]]:
    return [
        {
            "name": spec.name,
            "usage": spec.usage,
            "summary": spec.summary,
            "details": spec.details,
            "example": spec.example,
            "topic": spec.topic,
            "aliases": list(spec.aliases),
            "needs_session": spec.needs_session,
            "subcommands": [
                {"name": each.name, "usage": usage(spec.name, each), "summary": each.summary}
                for each in SUBCOMMANDS.get(spec.name, ())
            ],
        }
        for spec in specs
    ]
