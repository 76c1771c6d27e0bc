"""Making room without a model: old tool results become one line each. Pure."""

from __future__ import annotations

from pi.ai.cost import estimate_message
from pi.ai.summaries import stub

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.ai.types import Message


def prune_results(
    messages: Sequence[Message], to_free: int, keep_last: int = 4
) -> tuple[Message, ...]:
    """``messages`` with the oldest tool results replaced by a line until about ``to_free``
    tokens are gone. The last ``keep_last`` messages stay as they are, and so do the results
    that the model has not seen yet: those after the last answer."""
    end = len(messages)
    while end > 0 and messages[end - 1].role == "tool":
        end -= 1
    pruned = list(messages)
    for index, message in enumerate(messages[: max(0, min(end, len(messages) - keep_last))]):
        if to_free <= 0:
            break
        if message.role == "tool":
            pruned[index] = stub(message)
            to_free -= estimate_message(message) - estimate_message(pruned[index])
    return tuple(pruned)
