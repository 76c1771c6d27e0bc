"""Mending a session's tree without losing any of it. Pure: rows in, a plan out.

What is done, each reported:
  * a line that cannot be read goes to the quarantine file, with its number and reason;
  * a second entry of an id that says the same as one before is dropped; one that says
    something else gets a new id (children stay with the first);
  * an entry whose parent is not there becomes a root;
  * of each cycle the entry with the lowest id becomes a root, so that all stay reachable.

With ``remove`` entries that cannot be reached from a root are dropped instead, as the
older program did. Laws: the result is sound, and repairing it again changes nothing;
without ``remove`` no entry that differs from all others is lost.
"""

from __future__ import annotations

import json

from pi.base.typing import Any
from pi.sessions.entry import MAX_ID
from pi.sessions.graph import examine, nodes, parents
from pi.sessions.plan import Plan, with_header
from pi.sessions.rows import is_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pi.sessions.plan import PlanLine
    from pi.sessions.rows import Row


def plan_repair(
    rows: Sequence[Row], *, head: int | None, next_id: int, remove: bool = False
) -> Plan:
    """How to mend the file of ``rows``; ``head`` is where the conversation stands.

    ``next_id`` is the lowest id that was never given. The report's keys: the six of the
    older program (removed_duplicates, duplicate_ids, removed_invalid_parent,
    invalid_parent_ids, removed_cycles, cycle_ids), then quarantined (line numbers),
    reidentified (pairs of old and new id), relinked (ids that became roots).
    """
    bad = tuple(row.number for row in rows if row.record is None)
    doubles = _doubles(rows)
    changed: dict[int, Mapping[str, Any] | None] = dict.fromkeys(bad)
    pairs = []
    fresh = next_id
    for row, is_same in doubles:
        changed[row.number] = None
        if is_same or remove:
            continue
        if fresh > MAX_ID:
            bad = (*bad, row.number)
        else:
            assert row.record is not None
            changed[row.number] = {**row.record, "id": fresh}
            pairs.append((row.record["id"], fresh))
            fresh += 1
    kept = [
        row._replace(record=changed.get(row.number, row.record))
        for row in rows
        if changed.get(row.number, row.record) is not None
    ]
    findings = examine(nodes(kept))
    cyclic = findings.cyclic
    orphans = _lost(kept) if remove else findings.orphans
    if remove:
        dropped = {*orphans, *cyclic}
        for row in kept:
            if row.is_entry and row.record is not None and row.record["id"] in dropped:
                changed[row.number] = None
        relinked: tuple[int, ...] = ()
    else:
        relinked = tuple(sorted({*orphans, *(ring[0] for ring in findings.rings)}))
        for row in kept:
            if row.is_entry and row.record is not None and row.record["id"] in relinked:
                changed[row.number] = {**row.record, "parent_id": None}
    lines: list[PlanLine] = []
    for row in rows:
        new = changed.get(row.number, row.number)
        if new is not None:
            lines.append(new)
    dropped_ids = [row.record["id"] for row, _ in doubles if row.record is not None]
    report = {
        "removed_duplicates": len(doubles) - len(pairs),
        "duplicate_ids": dropped_ids,
        "removed_invalid_parent": len(orphans) if remove else 0,
        "invalid_parent_ids": list(orphans),
        "removed_cycles": len(cyclic) if remove else 0,
        "cycle_ids": list(cyclic),
        "quarantined": sorted(bad),
        "reidentified": [list(pair) for pair in pairs],
        "relinked": list(relinked),
    }
    where = _head(lines, rows, head)
    if changed:
        # What goes may have had the highest ids; a bad line may have held one.
        lines = with_header(lines, rows, min(fresh, MAX_ID))
    return Plan(tuple(lines), where, report, bool(changed), tuple(sorted(bad)))


def _doubles(rows: Iterable[Row]) -> list[tuple[Row, bool]]:
    """The rows whose id came earlier, and whether one of those before said the same."""
    said: dict[int, set[str]] = {}
    found = []
    for row in rows:
        if row.record is None or not row.is_entry:
            continue
        text = json.dumps(row.record, sort_keys=True)
        before = said.setdefault(row.record["id"], set())
        if before:
            found.append((row, text in before))
        before.add(text)
    return found


def _lost(rows: Sequence[Row]) -> tuple[int, ...]:
    """The ids whose parent is missing, then those whose parent is one of these, and so on;
    each round ascending."""
    parent_of = parents(nodes(rows))
    below: dict[int, list[int]] = {}
    for entry, parent in parent_of.items():
        if parent is not None:
            below.setdefault(parent, []).append(entry)
    lost: list[int] = []
    seen: set[int] = set()
    layer = sorted(e for e, p in parent_of.items() if p is not None and p not in parent_of)
    while layer:
        lost += layer
        seen.update(layer)
        layer = sorted(c for entry in layer for c in below.get(entry, ()) if c not in seen)
    return tuple(lost)


def _head(lines: Iterable[PlanLine], rows: Iterable[Row], head: int | None) -> int | None:
    """Where the conversation stands: where it stood, else at the last entry."""
    by_number = {row.number: row.record for row in rows}
    ids = []
    for line in lines:
        record = by_number[line] if isinstance(line, int) else line
        if record is not None and is_entry(record):
            ids.append(record["id"])
    if head in ids:
        return head
    return ids[-1] if ids else None


def text_line(report: Mapping[str, Any]) -> str:
    """The report for a person, on one line."""

    def ids(name: str) -> str:
        return ",".join(map(str, report[name])) or "none"

    pairs = ",".join(f"{old}->{new}" for old, new in report["reidentified"]) or "none"
    return (
        f"repair complete: removed_duplicates={report['removed_duplicates']} "
        f"duplicate_ids={ids('duplicate_ids')} "
        f"removed_invalid_parent={report['removed_invalid_parent']} "
        f"invalid_parent_ids={ids('invalid_parent_ids')} "
        f"removed_cycles={report['removed_cycles']} cycle_ids={ids('cycle_ids')} "
        f"quarantined={ids('quarantined')} reidentified={pairs} relinked={ids('relinked')}"
    )
