"""Making room in the model's window on demand."""

from __future__ import annotations

from pi.base.errors import Interrupted, PiError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.agent.events import AutoCompactionEnd
    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

NOTHING = "nothing-to-compact"


def compact(arguments: Arguments, context: CommandContext) -> Result:
    """Summarise the older part of the conversation. Needs the service "compact":
    (focus: str) -> AutoCompactionEnd."""
    service = context.services.get("compact")
    if service is None:
        raise PiError(
            "there is no model here to write a summary",
            hint="use /compact in a conversation",
            code="no-compaction",
        )
    end: AutoCompactionEnd = service(arguments.word())
    if end.result is not None:
        done = end.result
        return Result(
            (
                f"context compacted: tokens_before={done.tokens_before} "
                f"tokens_after={done.tokens_after} kept_messages={done.kept}",
            ),
            {
                "compacted": True,
                "tokens_before": done.tokens_before,
                "tokens_after": done.tokens_after,
                "kept_messages": done.kept,
                "summary": done.summary,
                "files": {"read": list(done.read), "modified": list(done.modified)},
            },
        )
    if end.aborted:
        raise Interrupted("cancelled; the conversation is as it was")
    if end.error is None or end.error.code == NOTHING:
        return Result(("nothing to compact",), {"compacted": False})
    raise end.error
