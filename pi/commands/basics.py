"""Commands that need nothing."""

from __future__ import annotations

from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext


def leave(arguments: Arguments, context: CommandContext) -> Result:
    """End the loop or the script."""
    return Result((), {}, leave=True)
