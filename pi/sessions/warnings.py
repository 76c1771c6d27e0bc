"""What a user is told once after a session was opened."""

from __future__ import annotations

from pi.sessions.compacted import find_compaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.sessions.store import SessionStore

_MAX_LINES = 3


def warnings(store: SessionStore) -> tuple[str, ...]:
    """Sentences about what is damaged, missing or not writable; () if all is well."""
    name = f"session '{store.path}'"
    found = [
        f"{name}, line {line.number} (byte {line.offset}) is damaged and left out: {line.reason}"
        for line in store.damage[:_MAX_LINES]
    ]
    if len(store.damage) > _MAX_LINES:
        found.append(f"{name} has {len(store.damage) - _MAX_LINES} more damaged lines")
    if store.read_only:
        found.append(f"{name} is only read: {store.read_only}")
    problem = store.lineage_problem()
    if problem:
        found.append(f"{name} gives only the end of the conversation: {problem}")
    _, broken = find_compaction(store.conversation())
    if broken:
        found.append(f"{name}: {broken}")
    return tuple(found)
