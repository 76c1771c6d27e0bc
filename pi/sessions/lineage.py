"""From entries to a conversation. Pure: ids and messages in, ids and messages out."""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pi.ai.types import Message

# An answer that did not arrive whole is kept in the file and never sent again: providers
# refuse half a tool call, and half a sentence leads the model astray.
UNFINISHED = ("aborted", "error")


class Path(NamedTuple):
    """The ids from a root to an entry. ``problem`` is "" or why the first one is no root."""

    ids: tuple[int, ...]
    problem: str = ""


def path_to(head: int | None, parent_of: Callable[[int], int | None]) -> Path:
    """Walk from ``head`` to its root; ``parent_of`` raises KeyError for an unknown id.

    A cycle or a missing parent ends the walk: what was reached is still a conversation.
    Never assumes that a parent's id is the lower one (merged files break that).
    """
    ids: list[int] = []
    seen: set[int] = set()
    problem = ""
    current = head
    while current is not None:
        if current in seen:
            problem = f"detected a cycle while resolving session lineage at id {current}"
            break
        try:
            parent = parent_of(current)
        except KeyError:
            problem = f"missing parent id {current} for session entry {ids[-1] if ids else current}"
            break
        seen.add(current)
        ids.append(current)
        current = parent
    ids.reverse()
    return Path(tuple(ids), problem)


def context(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The messages of a lineage that belong into a request."""
    all_of_them = tuple(messages)
    return tuple(all_of_them[place] for place in places(all_of_them))


def places(messages: Sequence[Message]) -> tuple[int, ...]:
    """Where among ``messages`` are those that belong into a request.

    Left out: system messages (the prompt is built fresh each run; schema 1 stored it as
    a root), unfinished answers, empty ones, and tool results whose call is not in the answer
    before them (because that was unfinished, or is on a damaged line): providers refuse
    all of these.
    """
    kept: list[int] = []
    calls: set[str] = set()
    for place, message in enumerate(messages):
        if message.role == "system":
            continue
        if message.role == "assistant":
            calls = set()
            if message.stop_reason in UNFINISHED or not message.blocks:
                continue
            calls.update(call.id for call in message.tool_calls())
        elif message.role == "tool" and message.tool_call_id not in calls:
            continue
        kept.append(place)
    return tuple(kept)
