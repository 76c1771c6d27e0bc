"""``/auth`` and ``/integration-auth``: this version keeps no credentials."""

from __future__ import annotations

from pi.base.errors import UsageError
from pi.commands.arguments import split_line
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

_SECRET = ("/auth", "/integration-auth")
_LONGEST = 1000


def repeatable(line: str) -> str:
    """A command line as it may be shown again in messages, logs and histories: without what
    may be a secret, and not endless."""
    name, raw = split_line(line)
    words = raw.split(None, 1) if name.lower() in _SECRET else []
    if len(words) > 1:
        line = f"{name} {words[0]} ..."
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "..."


def auth(arguments: Arguments, context: CommandContext) -> Result:
    """Say where keys come from instead."""
    return _not_available(
        "auth", "set the provider's variable, for example OPENAI_API_KEY; /doctor names it"
    )


def integration_auth(arguments: Arguments, context: CommandContext) -> Result:
    """Say where secrets come from instead."""
    return _not_available("integration auth", "set the integration's own variable")


def _not_available(words: str, hint: str) -> Result:
    """The arguments are not repeated: one of them may be a secret."""
    error = UsageError(
        "this version keeps no credential store; keys come from the environment",
        hint=hint,
        code="not-available",
    )
    return Result((f"{words} error: {error.message}", f"hint: {hint}"), error=error)
