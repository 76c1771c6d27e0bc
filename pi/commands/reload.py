"""``/reload``: what files configure is read anew, without a new start."""

from __future__ import annotations

from pi.base.errors import PiError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext


def reload(arguments: Arguments, context: CommandContext) -> Result:
    """Read settings, instructions and templates anew. Needs the service "reload": it
    returns sentences about what it found."""
    service = context.services.get("reload")
    if service is None:
        raise PiError("there is nothing to reload here", code="no-conversation")
    notes: list[str] = service()
    return Result(("reloaded", *(f"  {note}" for note in notes)), {"notes": notes})
