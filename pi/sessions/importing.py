"""Bringing another session's entries into this one. Pure: rows in, a plan out.

Merge keeps what is there and adds the source's tree beside it. An id that is taken
becomes the next one that nobody has, counted from the target's next id. Where an
entry came from is remembered ("origin": {"session_id", "id"}), so importing a snapshot
again adds only what is new; an entry that is here under the same id of the same session
is the same entry.

Replace makes the file the source's entries, ids kept; ids given before stay given.

Laws: every old entry is kept in merge, every source entry is there exactly once, and
parents are the same under the mapping; the result is as sound as its parts.
"""

from __future__ import annotations

from pi.base.typing import Any
from pi.sessions.entry import MAX_ID
from pi.sessions.errors import SessionError
from pi.sessions.labels import KINDS, fold, free_name
from pi.sessions.plan import Plan, with_header
from pi.sessions.reanchor import relinked
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pi.sessions.plan import PlanLine
    from pi.sessions.rows import Row


def session_id(rows: Iterable[Row]) -> str:
    """The id in the first header that has one, else ""."""
    for row in rows:
        if row.record is not None and row.record.get("record_type") == "meta":
            found = row.record.get("session_id")
            if isinstance(found, str) and found:
                return found
    return ""


def plan_import(
    target: Sequence[Row],
    source: Sequence[Row],
    *,
    mode: str,
    next_id: int,
    attach: int | None = None,
) -> Plan:
    """Add (``mode`` "merge") or put in place ("replace") the entries of ``source``.

    ``next_id`` is the lowest id never given in the target. ``attach`` hangs the source's
    roots on that entry of the target (merge only). Damaged lines of the target stay,
    those of the source are left behind and counted. A name of the source's that the
    target has already gets a new one. The report's keys: mode, imported_entries,
    imported_ids (as they are here), remapped_entries, remapped_ids (pairs),
    replaced_entries, replaced_ids, renamed (pairs of names), total_entries, head,
    skipped_entries, left_behind. Raises SessionError if the target has no ids left, or
    ``attach`` is unknown.
    """
    entries = [row for row in source if row.is_entry]
    left_behind = sum(row.record is None for row in source)
    if mode == "replace":
        return _replace(target, source, entries, next_id, left_behind)
    return _merge(target, source, entries, next_id, attach, left_behind)


def _replace(
    target: Sequence[Row],
    source: Sequence[Row],
    entries: Sequence[Row],
    next_id: int,
    left_behind: int,
) -> Plan:
    records = [row.record for row in source if row.record is not None]
    kept: list[PlanLine] = [
        row.number for row in target if row.record is not None and _is_meta(row.record)
    ]
    kept += [record for record in records if not _is_meta(record)]
    ids = [_id(row) for row in entries]
    fresh = max([next_id, *(entry + 1 for entry in ids)])
    head = ids[-1] if ids else None
    report = _report("replace", ids, total=len(ids), head=head, left_behind=left_behind)
    old = [_id(row) for row in target if row.is_entry]
    report.update(replaced_entries=len(old), replaced_ids=old)
    return Plan(tuple(with_header(kept, target, fresh)), head, report)


def _merge(
    target: Sequence[Row],
    source: Sequence[Row],
    entries: Sequence[Row],
    next_id: int,
    attach: int | None,
    left_behind: int,
) -> Plan:
    here = {_id(row): row.record for row in target if row.is_entry and row.record is not None}
    if attach is not None and attach not in here:
        raise SessionError(f"unknown session id {attach}", code="unknown-session-id")
    known = _known_origins(target)
    origin = session_id(source)
    same_session = bool(origin) and origin == session_id(target)
    fresh = next_id
    mapped: dict[int, int] = {}
    added: list[Mapping[str, Any]] = []
    remapped: dict[int, int] = {}
    taken = set(here)
    for row in entries:
        entry_id = _id(row)
        record = row.record or {}
        came_from = record.get("origin") or {"session_id": origin, "id": entry_id}
        found = known.get(_key(came_from))
        if found is None and same_session and here.get(entry_id) == record:
            found = entry_id
        if found is not None:
            mapped[entry_id] = found
            continue
        new_id = entry_id
        if entry_id in taken:
            while fresh in taken:
                fresh += 1
            new_id = fresh
            remapped[entry_id] = new_id
        if new_id > MAX_ID:
            raise SessionError("the session has no ids left for what would be imported")
        taken.add(new_id)
        mapped[entry_id] = new_id
        added.append(
            {**record, "id": new_id, "origin": came_from} if origin else {**record, "id": new_id}
        )
    lines: list[PlanLine] = [row.number for row in target]
    for record in added:
        new = relinked(record, mapped)
        if attach is not None and new.get("parent_id") is None:
            new["parent_id"] = attach
        lines.append(new)
    added_ids = [record["id"] for record in added]
    notes, renamed = _renamed(_notes(source, mapped, set(added_ids)), target)
    lines += notes
    last = mapped[_id(entries[-1])] if entries else None
    head = last if last is not None else next(reversed(list(here)), None)
    report = _report(
        "merge", added_ids, total=len(here) + len(added), head=head, left_behind=left_behind
    )
    report.update(
        remapped_entries=len(remapped),
        remapped_ids=[list(pair) for pair in remapped.items()],
        renamed=renamed,
        skipped_entries=len(entries) - len(added),
    )
    if not added:
        return Plan(tuple(row.number for row in target), head, report, changes=False)
    highest = max(fresh, next_id, *(entry + 1 for entry in taken))
    return Plan(tuple(with_header(lines, target, highest)), head, report)


def _known_origins(rows: Iterable[Row]) -> dict[tuple[str, int], int]:
    """(session, id) of entries that were imported before, to their id here."""
    found = {}
    for row in rows:
        origin = row.record.get("origin") if row.record is not None and row.is_entry else None
        if isinstance(origin, dict) and _key(origin)[0]:
            found[_key(origin)] = _id(row)
    return found


def _key(origin: Mapping[str, Any]) -> tuple[str, int]:
    name, entry_id = origin.get("session_id"), origin.get("id")
    if isinstance(name, str) and type(entry_id) is int:
        return name, entry_id
    return "", -1


def _notes(
    source: Iterable[Row], mapped: Mapping[int, int], added_ids: set[int]
) -> list[Mapping[str, Any]]:
    """The source's notes about entries that were added; where it stood is its own matter."""
    found: list[Mapping[str, Any]] = []
    for row in source:
        record = row.record
        if record is None or row.is_entry or _is_meta(record) or record["record_type"] == "head":
            continue
        name = "id" if record["record_type"] == "label" else "at"
        place = record.get(name)
        if type(place) is int and mapped.get(place) in added_ids:
            found.append({**relinked(record, mapped), name: mapped[place]})
    return found


def _renamed(
    notes: Iterable[Mapping[str, Any]], target: Iterable[Row]
) -> tuple[list[Mapping[str, Any]], list[list[str]]]:
    """``notes`` with names that the target does not have yet, and the pairs of those that
    changed: an import must not move the names of what was here."""
    here = [row.record for row in target if row.record is not None and not row.is_entry]
    taken = {kind: fold(here, kind) for kind in KINDS}
    found: list[Mapping[str, Any]] = []
    pairs: dict[tuple[str, str], str] = {}
    for note in notes:
        kind, name, place = note.get("kind"), note.get("name"), note.get("id")
        if note["record_type"] == "label" and isinstance(kind, str) and isinstance(name, str):
            old = (kind, name)
            if name in taken.get(kind, ()) and old not in pairs and type(place) is int:
                pairs[old] = free_name(name, taken[kind], place)
            note = {**note, "name": pairs.get(old, name)}
        found.append(note)
    return found, [[name, new] for (_, name), new in pairs.items()]


def _is_meta(record: Mapping[str, Any]) -> bool:
    return record.get("record_type") == "meta"


def _id(row: Row) -> int:
    assert row.record is not None
    entry_id: int = row.record["id"]
    return entry_id


def _report(
    mode: str, imported: Sequence[int], *, total: int, head: int | None, left_behind: int
) -> dict[str, Any]:
    return {
        "mode": mode,
        "imported_entries": len(imported),
        "imported_ids": list(imported),
        "remapped_entries": 0,
        "remapped_ids": [],
        "replaced_entries": 0,
        "replaced_ids": [],
        "renamed": [],
        "total_entries": total,
        "head": head,
        "skipped_entries": 0,
        "left_behind": left_behind,
    }


def text_line(path: str, report: Mapping[str, Any]) -> str:
    """The report for a person."""
    pairs = ",".join(f"{old}->{new}" for old, new in report["remapped_ids"]) or "none"
    line = (
        f"session import complete: path={path} mode={report['mode']} "
        f"imported_entries={report['imported_entries']} "
        f"remapped_entries={report['remapped_entries']} remapped_ids={pairs} "
        f"replaced_entries={report['replaced_entries']} "
        f"total_entries={report['total_entries']} head={shown(report['head'])}"
    )
    if report["renamed"]:
        line += " renamed=" + ",".join(f"{old}->{new}" for old, new in report["renamed"])
    for name in ("skipped_entries", "left_behind"):
        if report[name]:
            line += f" {name}={report[name]}"
    return line
