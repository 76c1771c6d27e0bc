"""Cutting a session file down to the branches that are wanted. Pure: rows in, a plan out.

Entries keep their ids and their order; the header remembers the next id, so that none is
ever given twice. Names that stand on an entry which goes are taken away with it.
"""

from __future__ import annotations

from pi.base.typing import Any
from pi.sessions.errors import SessionError
from pi.sessions.graph import nodes, parents
from pi.sessions.lineage import path_to
from pi.sessions.plan import Plan, with_header
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from pi.sessions.plan import PlanLine
    from pi.sessions.rows import Row


def plan_prune(
    rows: Sequence[Row], *, head: int | None, next_id: int, keep: Collection[int] = ()
) -> Plan:
    """Keep the lineage of ``head`` and those of ``keep`` (ids that names stand on).

    The report: removed_entries, retained_entries, head, removed_ids, removed_names.
    Raises SessionError for an unknown head or a lineage that reaches no root.
    """
    parent_of = parents(nodes(rows))
    if not parent_of:
        return Plan(tuple(row.number for row in rows), None, _report([], 0, None, []), False)
    if head is None or head not in parent_of:
        raise SessionError(f"unknown session id {shown(head)}", code="unknown-session-id")
    kept: set[int] = set()
    for tip in (head, *(tip for tip in keep if tip in parent_of)):
        path = path_to(tip, parent_of.__getitem__)
        if path.problem:
            problem = path.problem.replace("resolving session", "compacting session")
            raise SessionError(problem, hint="run /session-repair first")
        kept.update(path.ids)
    lines: list[PlanLine] = []
    removed, names = [], []
    for row in rows:
        place = _place(row)
        if place is None or place in kept:
            lines.append(row.number)
        elif row.is_entry:
            removed.append(place)
        elif row.record is not None and row.record.get("record_type") == "label":
            names.append(str(row.record.get("name")))
    report = _report(removed, len(kept), head, names)
    if not removed:
        return Plan(tuple(row.number for row in rows), head, report, changes=False)
    return Plan(tuple(with_header(lines, rows, next_id)), head, report)


def _report(
    removed: Sequence[int], retained: int, head: int | None, names: Sequence[str]
) -> dict[str, Any]:
    return {
        "removed_entries": len(removed),
        "retained_entries": retained,
        "head": head,
        "removed_ids": sorted(removed),
        "removed_names": sorted(set(names)),
    }


def _place(row: Row) -> int | None:
    """The entry a row is about: its own id, where a name or a note stands; None for none."""
    if row.record is None:
        return None
    name = "id" if row.is_entry or row.record.get("record_type") in ("label", "head") else "at"
    place = row.record.get(name)
    return place if type(place) is int else None


def text_line(report: Mapping[str, Any]) -> str:
    """The report for a person."""
    line = (
        f"compact complete: removed_entries={report['removed_entries']} "
        f"retained_entries={report['retained_entries']} head={shown(report['head'])}"
    )
    if report["removed_ids"]:
        line += f" removed_ids={','.join(map(str, report['removed_ids']))}"
    if report["removed_names"]:
        line += f" removed_names={','.join(report['removed_names'])}"
    return line
