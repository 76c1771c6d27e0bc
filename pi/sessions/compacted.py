"""The conversation of a lineage, compactions taken into account. Pure.

    {"record_type":"entry","kind":"compaction","id":9,"parent_id":8,"ts":1700000000000,
     "summary":"...","first_kept_id":5,"tokens_before":120000,"tokens_after":20000,
     "files":{"read":["a.py"],"modified":[]}}

The last such entry counts: what goes into a request is its summary, the messages from
``first_kept_id`` on (thinking removed up to the compaction, as it was then), and what
came after. One that names no entry before it on its own lineage is passed over, as if it
were not there: everything it stood for is still in the file.

    {"record_type":"entry","kind":"pruning","id":9,"parent_id":8,"ts":...,"first_kept_id":5}

says that room was made without a summary: tool results before ``first_kept_id`` are a line
each, and thinking before the pruning is removed.
"""

from __future__ import annotations

from pi.ai.summaries import stub, summary_message, without_thinking
from pi.base.typing import NamedTuple
from pi.sessions.entry import decode, is_waypoint
from pi.sessions.lineage import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from pi.ai.types import Message
    from pi.sessions.entry import SessionEntry

KIND = "compaction"
PRUNING = "pruning"
_COUNTED = ("input", "output", "cache_read", "cache_write")


class Compacted(NamedTuple):
    """The compaction that counts: its entry, its summary, and where in the lineage the first
    kept entry and its own are."""

    id: int
    summary: str
    first: int
    place: int


class Context(NamedTuple):
    """``ids`` are those of the entries the messages come from. The first ``after`` messages
    took ``used`` tokens, as the last good answer since the compaction said; 0 is unknown.
    ``just_compacted``: nothing came since."""

    messages: tuple[Message, ...] = ()
    ids: tuple[int, ...] = ()
    used: int = 0
    after: int = 0
    just_compacted: bool = False


def find_compaction(records: Sequence[Mapping[str, Any]]) -> tuple[Compacted | None, str]:
    """The compaction that counts on a lineage, and why a later one does not; "" if none is
    broken."""
    problem = ""
    for place in range(len(records) - 1, -1, -1):
        record = records[place]
        if record.get("kind") != KIND or not is_waypoint(record):
            continue
        summary, kept = record.get("summary"), record.get("first_kept_id")
        first = next((at for at in range(place) if records[at]["id"] == kept), None)
        if type(summary) is str and type(kept) is int and first is not None:
            return Compacted(record["id"], summary, first, place), problem
        problem = problem or (
            f"compaction {record['id']} does not say what it kept; nothing is left out for it"
        )
    return None, problem


def read_context(records: Sequence[Mapping[str, Any]]) -> Context:
    """The conversation of a lineage, from its records, root first."""
    found, _ = find_compaction(records)
    stubs, pruned_at = _pruning(records)
    wanted = records if found is None else records[found.first :]
    start = max(pruned_at, -1 if found is None else found.place) + 1
    came = {record["id"] for record in records[start:]}
    entries = [decode(record) for record in wanted if not is_waypoint(record)]
    chosen = [entries[place] for place in places([entry.message for entry in entries])]
    messages = [
        stub(entry.message)
        if entry.id in stubs and entry.message.role == "tool"
        else (entry.message if entry.id in came else without_thinking(entry.message))
        for entry in chosen
    ]
    sources = [entry.id for entry in chosen]
    used = after = 0
    for number, entry in enumerate(chosen, 1):
        tokens = _used(entry) if entry.id in came else 0
        if tokens:
            used, after = tokens, number
    if found is None:
        return Context(tuple(messages), tuple(sources), used, after)
    return Context(
        (summary_message(found.summary), *messages),
        (found.id, *sources),
        used,
        after + 1 if used else 0,
        pruned_at < found.place and not any(entry.id in came for entry in chosen),
    )


def _pruning(records: Sequence[Mapping[str, Any]]) -> tuple[set[int], int]:
    """The ids of the entries before the one from which results are whole, and where in the
    lineage that was last said; -1 if it never was."""
    if all(record.get("kind") != PRUNING for record in records):
        return set(), -1
    place_of = {record["id"]: place for place, record in enumerate(records)}
    end = said = -1
    for place, record in enumerate(records):
        if record.get("kind") != PRUNING or not is_waypoint(record):
            continue
        first = record.get("first_kept_id")
        if type(first) is int and place_of.get(first, place) < place:
            end, said = max(end, place_of[first]), place
    return {record["id"] for record in records[: max(0, end)]}, said


def resolved(
    record: Mapping[str, Any], lineage: Callable[[], Sequence[Mapping[str, Any]]]
) -> dict[str, Any]:
    """``record`` as it is stored: one that says how many messages are kept as they are
    ("kept") names the entry of the first of them instead."""
    stored = dict(record)
    kept = stored.pop("kept", None)
    if kept is not None:
        ids = read_context(lineage()).ids
        stored["first_kept_id"] = ids[-kept] if 0 < kept <= len(ids) else None
    return stored


def _used(entry: SessionEntry) -> int:
    """The tokens of a stored answer and all before it; 0 if it does not say."""
    usage = entry.extra.get("usage")
    if entry.message.role != "assistant" or not isinstance(usage, dict):
        return 0
    counts = [usage.get(name, 0) for name in _COUNTED]
    return sum(counts) if all(type(count) is int and count >= 0 for count in counts) else 0
