"""The help texts, made from the command table."""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.commands.result import Result
from pi.commands.suggest import suggestion
from pi.commands.table import BY_NAME, COMMANDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

_COLUMN = 22


def show_help(arguments: Arguments, context: CommandContext) -> Result:
    """All commands, or the one that is named."""
    topic = arguments.word().strip()
    return one(topic) if topic else overview()


def overview() -> Result:
    """Every command on a line."""
    lines = ["commands:"]
    lines += [f"  {spec.usage.ljust(_COLUMN)} {spec.summary}" for spec in COMMANDS]
    lines.append("tip: run /help <command> for details")
    rows = [{"name": spec.name, "usage": spec.usage, "summary": spec.summary} for spec in COMMANDS]
    return Result(tuple(lines), {"commands": rows})


def one(topic: str) -> Result:
    """The page of one command."""
    name = topic if topic.startswith("/") else f"/{topic}"
    spec = BY_NAME.get(name) or BY_NAME.get(name.lower())
    if spec is None:
        lines = [f"unknown help topic: {name}"]
        close = suggestion(name, tuple(BY_NAME))
        if close:
            lines.append(f"did you mean {close}?")
        lines.append("run /help for command list")
        error = UsageError(f"unknown help topic: {name}", code="unknown-command")
        return Result(tuple(lines), error=error)
    lines = [f"command: {spec.name}", f"usage: {spec.usage}", spec.summary]
    if spec.details:
        lines.append(spec.details)
    if spec.example:
        lines.append(f"example: {spec.example}")
    data = {"name": spec.name, "usage": spec.usage, "summary": spec.summary}
    return Result(tuple(lines), {**data, "details": spec.details, "example": spec.example})
