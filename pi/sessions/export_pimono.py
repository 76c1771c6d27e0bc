"""A session in the format of the TypeScript ancestor (version 3). Pure: rows in, lines
out, each made when it is asked for.

The other way is ``pimono``; both ways together give the same messages (a property test holds
that). What the ancestor's format has no word for is under "pi" of a message or a block, where
it looks past it and the import here finds it again. A kind of entry it does not have becomes
one of its "custom" entries, and names (bookmarks, aliases) its labels.
"""

from __future__ import annotations

from pi.base.jsonl import encode
from pi.base.typing import Any
from pi.sessions.entry import is_waypoint
from pi.sessions.export_items import held, iso, time_of
from pi.sessions.pimono_reverse import KINDS, said, with_our_words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pi.sessions.rows import Row

_REFERENCES = {"first_kept_id": "firstKeptEntryId", "from_id": "fromId", "target_id": "targetId"}
_PLACE = ("record_type", "id", "parent_id", "ts", "kind", "message", "type", "missing_parent")
_SPOKEN = ("user", "assistant", "tool")


def to_pimono(
    header: Mapping[str, Any],
    rows: Sequence[Row],
    head: int | None,
    notes: Iterable[Mapping[str, Any]] = (),
    full: Callable[[Row], Mapping[str, Any]] = held,
) -> Iterator[bytes]:
    """The file. Its last line hangs on ``head``: there the ancestor goes on. ``full`` gives
    the whole record of a row."""
    entries = {row.record["id"]: row for row in rows if row.record and row.is_entry}
    order = _parents_first(entries)
    time = time_of(header.get("created_ms")) or 0
    yield encode(_header(header, time, order))
    last = None
    for one in order:
        record = full(entries[one])
        time = time_of(record.get("ts")) or time
        parent = record.get("parent_id")
        place = {
            "id": _name(one),
            "parentId": _name(parent) if parent in entries else None,
            "timestamp": iso(time),
        }
        yield encode(_line(record, place, time))
        last = one
    others = (full(row) for row in rows if row.record and row.record.get("record_type") == "label")
    fresh = max(entries, default=0)
    stand = head if head in entries else last
    for note in (note for part in (others, notes) for note in part):
        target = note.get("id")
        if note.get("record_type") != "label" or target not in entries:
            continue
        fresh += 1
        place = {"id": _name(fresh), "parentId": _name(stand), "timestamp": iso(time)}
        said_name = {"targetId": _name(target), "label": note.get("name")}
        yield encode({"type": "label", **place, **said_name})
        stand = last = fresh
    if stand != last:
        place = {"id": _name(fresh + 1), "parentId": _name(stand), "timestamp": iso(time)}
        yield encode({"type": "custom", **place, "customType": "pi:head"})


def _header(header: Mapping[str, Any], time: int, order: Sequence[int]) -> dict[str, Any]:
    """An import counts entries from 1 and goes by the session's id and theirs to tell what it
    has already: what was counted otherwise needs an id of its own, the same each time."""
    from hashlib import sha256  # 2 ms, and only for an export

    told = f"pi-mono {header.get('session_id')} {','.join(map(str, order))}"
    mark = sha256(told.encode("utf-8", "replace")).hexdigest()
    name = "-".join((mark[:8], mark[8:12], f"8{mark[13:16]}", f"8{mark[17:20]}", mark[20:32]))
    found = {"type": "session", "version": 3, "id": name}
    found.update(timestamp=iso(time), cwd=str(header.get("cwd") or ""))
    if isinstance(header.get("parent_session"), str):
        found["parentSession"] = header["parent_session"]
    return found


def _name(entry_id: object) -> str | None:
    """An id as the ancestor writes them."""
    return format(entry_id, "08x") if type(entry_id) is int else None


def _parents_first(entries: Mapping[int, Row]) -> list[int]:
    """The ids in file order, but none before its parent. Members of a cycle stay where the
    walk meets them."""
    done: dict[int, None] = {}
    for one in entries:
        way: dict[int, None] = {}
        current: Any = one
        while current in entries and current not in done and current not in way:
            way[current] = None
            current = (entries[current].record or {}).get("parent_id")
        done.update(dict.fromkeys(reversed(list(way))))
    return list(done)


def _line(record: Mapping[str, Any], place: Mapping[str, Any], time: int) -> Mapping[str, Any]:
    """One entry as a line of the ancestor's."""
    kind = record.get("kind", "message")
    message = record.get("message")
    if kind == "shell" and isinstance(record.get("data"), dict):
        return {"type": "message", **place, "message": record["data"]}
    if kind == "branch_summary" and isinstance(record.get("summary"), str):
        return {"type": "branch_summary", **place, **_fields(record)}
    if is_waypoint(record):
        return _waypoint(record, place, str(kind))
    role = message.get("role") if isinstance(message, dict) else None
    if role not in _SPOKEN:
        return {"type": "custom", **place, "customType": "pi:system", "data": {"message": message}}
    assert isinstance(message, dict)
    if kind != "message" and role == "user":
        found = {"customType": record.get("custom_type") or f"pi:{kind}"}
        found.update(content=said(message, "")["content"], display=record.get("display", True))
        if record.get("details") is not None:
            found["details"] = record["details"]
        return {"type": "custom_message", **place, **found}
    return {"type": "message", **place, "message": with_our_words(record, time)}


def _waypoint(record: Mapping[str, Any], place: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    if kind in KINDS:
        found = {"type": KINDS[kind], **place, **_fields(record)}
        if kind == "compaction":
            found["tokensBefore"] = found.pop("tokens_before", 0)
            files = found.pop("files", None)
            if isinstance(files, dict) and "details" not in found:
                found["details"] = {
                    "readFiles": files.get("read", []),
                    "modifiedFiles": files.get("modified", []),
                }
        return found
    theirs = record.get("type")
    if kind != "custom" or not isinstance(theirs, str) or theirs == "session":
        return {"type": "custom", **place, "customType": f"pi:{kind}", "data": _fields(record)}
    if theirs == "message":
        return {"type": theirs, **place, "message": record.get("data")}
    return {"type": theirs, **place, **_fields(record)}


def _fields(record: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says beside its place and its message; entries by their new names."""
    return {
        _REFERENCES.get(name, name): _name(value) if name in _REFERENCES else value
        for name, value in record.items()
        if name not in _PLACE
    }
