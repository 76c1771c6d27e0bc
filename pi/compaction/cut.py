"""Where a conversation is cut: what is summarised and what stays. Pure.

Laws: what stays begins with a user's message or an answer, never with a result of a tool,
so that no call loses its result; it is a suffix of the conversation; and something is
left to summarise, or there is no cut.
"""

from __future__ import annotations

from pi.ai.cost import estimate_message
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.ai.types import Message


class Cut(NamedTuple):
    """Messages before ``turn`` are summarised; those from ``turn`` up to ``kept`` are the
    beginning of a turn that goes on in what is kept, and get a summary of their own.
    ``turn`` == ``kept`` when the cut falls between turns."""

    turn: int
    kept: int


def find_cut(messages: Sequence[Message], keep_tokens: int, start: int = 0) -> Cut | None:
    """Walk back until ``keep_tokens`` are kept; nothing before ``start`` (the summary of an
    earlier compaction) is a place to cut. None if there is nothing to summarise."""
    kept, total = len(messages), 0
    for index in range(len(messages) - 1, start - 1, -1):
        total += estimate_message(messages[index])
        if total > keep_tokens and kept < len(messages):
            break
        if messages[index].role != "tool":
            kept = index
        if total > keep_tokens:
            break
    if kept >= len(messages):
        kept = _last_place(messages, start)
    if kept <= start:
        return None
    turn = kept
    while turn > start and messages[turn].role != "user":
        turn -= 1
    if messages[turn].role != "user":
        turn = kept
    return Cut(turn, kept)


def _last_place(messages: Sequence[Message], start: int) -> int:
    """The last message at which may be cut, when even the newest ones are too large."""
    for index in range(len(messages) - 1, start, -1):
        if messages[index].role != "tool":
            return index
    return start
