"""Services about macros."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.cli.conversation import Conversation
    from pi.commands.context import CommandContext


def fresh_context(run: Conversation) -> Callable[[Callable[[str], bool]], CommandContext]:
    """``fresh_context(confirm)``: what commands may use now; the line before may have begun
    another session."""
    return lambda confirm: run.context(confirm=confirm)
