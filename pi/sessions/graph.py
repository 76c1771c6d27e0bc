"""The tree of a session: who hangs on whom, and what is wrong with it. Pure, linear.

Records of one id: for walks the last one in the file counts, as it does when the file is
loaded. Nothing here recurses or assumes that a parent's id is the lower one: merged files
break that.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pi.sessions.rows import Row


class Node(NamedTuple):
    """An entry's place: its id, its parent's, and the number of its line."""

    id: int
    parent_id: int | None
    line: int = 0


class Findings(NamedTuple):
    """What is wrong with a tree; all empty for a sound one.

    ``duplicates`` are the records whose id came earlier in the file, in file order;
    ``orphans`` the ids whose parent is not in the file; ``cyclic`` the ids whose upward
    walk comes back to where it was, innocent descendants of a cycle included; both
    ascending. ``rings`` are the cycles themselves, each from its lowest id on.
    """

    duplicates: tuple[Node, ...] = ()
    orphans: tuple[int, ...] = ()
    cyclic: tuple[int, ...] = ()
    rings: tuple[tuple[int, ...], ...] = ()

    @property
    def sound(self) -> bool:
        return not (self.duplicates or self.orphans or self.cyclic)


def nodes(rows: Iterable[Row]) -> tuple[Node, ...]:
    """The entries of ``rows``, in file order, those with one id all of them."""
    return tuple(
        Node(row.record["id"], row.record.get("parent_id"), row.number)
        for row in rows
        if row.record is not None and row.is_entry
    )


def parents(found: Iterable[Node]) -> dict[int, int | None]:
    """Id to parent id, in file order of the first record; the last record's parent counts."""
    return {node.id: node.parent_id for node in found}


def examine(found: Sequence[Node]) -> Findings:
    """What is wrong with the tree of ``found``."""
    seen: set[int] = set()
    duplicates = []
    for node in found:
        if node.id in seen:
            duplicates.append(node)
        seen.add(node.id)
    parent_of = parents(found)
    orphans = sorted(
        child for child, parent in parent_of.items() if parent is not None and parent not in seen
    )
    cyclic, rings = _cycles(parent_of)
    return Findings(tuple(duplicates), tuple(orphans), tuple(sorted(cyclic)), rings)


def _cycles(
    parent_of: Mapping[int, int | None],
) -> tuple[set[int], tuple[tuple[int, ...], ...]]:
    """The ids that lead into a cycle, and the cycles. Each id is walked once."""
    cyclic: set[int] = set()
    good: set[int] = set()
    rings = []
    for start in parent_of:
        walk: list[int] = []
        place: dict[int, int] = {}
        current: int | None = start
        while current is not None and current not in good and current not in cyclic:
            if current in place:
                ring = walk[place[current] :]
                lowest = ring.index(min(ring))
                rings.append(tuple(ring[lowest:] + ring[:lowest]))
                break
            place[current] = len(walk)
            walk.append(current)
            current = parent_of.get(current)
        ends_well = current is None or current in good
        (good if ends_well else cyclic).update(walk)
    return cyclic, tuple(sorted(rings))


def tips(parent_of: Mapping[int, int | None]) -> tuple[int, ...]:
    """The ids that are nobody's parent, ascending."""
    inner = set(parent_of.values())
    return tuple(sorted(entry for entry in parent_of if entry not in inner))


def roots(parent_of: Mapping[int, int | None]) -> tuple[int, ...]:
    """The ids without a parent, ascending."""
    return tuple(sorted(entry for entry, parent in parent_of.items() if parent is None))


def depths(parent_of: Mapping[int, int | None]) -> dict[int, int]:
    """How deep each id hangs; a root's depth is 1. An id that leads into a cycle or to a
    missing parent is left out."""
    depth: dict[int, int] = {}
    lost: set[int] = set()
    for start, parent in parent_of.items():
        if parent is None or parent in depth:  # as in a file whose parents come first
            depth[start] = 1 if parent is None else depth[parent] + 1
            continue
        walk: list[int] = []
        on_walk: set[int] = set()
        current: int | None = start
        while current is not None and current not in depth and current not in lost:
            if current in on_walk or current not in parent_of:
                lost.update(walk)
                break
            on_walk.add(current)
            walk.append(current)
            current = parent_of[current]
        if current is not None and current not in depth:
            lost.update(walk)
            continue
        base = 0 if current is None else depth[current]
        for below, entry in enumerate(reversed(walk), start=1):
            depth[entry] = base + below
    return depth


def children(parent_of: Mapping[int, int | None]) -> dict[int | None, list[int]]:
    """Parent id to the ids that hang on it, in file order."""
    found: dict[int | None, list[int]] = {}
    for entry, parent in parent_of.items():
        found.setdefault(parent, []).append(entry)
    return found
