"""Sessions of the TypeScript ancestor (format versions 1 to 3), as records of ours. Pure.

Its file begins with ``{"type":"session","version":3,"id":...,"timestamp":ISO,"cwd":...}``;
the other lines have ``type``, ``id`` (8 hexadecimal digits), ``parentId`` and
``timestamp``; in version 1 they have no ids and each follows the one before. Entry ids
become whole numbers in file order, the tree stays; an entry whose parent is not before it
in the file becomes a root that says so. Labels also become bookmarks. (Format: the
ancestor's own page on its session files and its session manager.)

Laws: any JSON objects are taken without an exception, and what comes out is sound; each
line that is an object with a ``type`` is an entry afterwards.
"""

from __future__ import annotations

from pi.base.jsonl import Damaged
from pi.base.typing import Any
from pi.sessions import labels
from pi.sessions.pimono_messages import body
from pi.sessions.rows import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pi.base.jsonl import Line


def is_header(record: Mapping[str, Any]) -> bool:
    """Whether a line is the first one of such a session."""
    return record.get("type") == "session" and "record_type" not in record


class _Names:
    """What the entries are called there and here; ``last`` is the entry before."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.lines: list[int | None] = []  # what version 1 counts: every object of the file
        self.count = 0
        self.last: int | None = None
        self._labels: dict[int, str] = {}
        self._taken: set[str] = set()

    def place(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Give ``record`` the next id, and find its parent."""
        self.count += 1
        parent_name = record.get("parentId")
        place: dict[str, Any] = {"record_type": "entry", "id": self.count, "parent_id": None}
        if "parentId" not in record:
            place["parent_id"] = self.last
        elif isinstance(parent_name, str) and parent_name in self.ids:
            place["parent_id"] = self.ids[parent_name]
        elif parent_name is not None:
            place["missing_parent"] = parent_name
        return place

    def keep(self, record: Mapping[str, Any]) -> None:
        name = record.get("id")
        if isinstance(name, str):
            self.ids[name] = self.count
        self.lines.append(self.count)
        self.last = self.count

    def bookmark(self, record: Mapping[str, Any], target: object) -> list[dict[str, Any]]:
        """The records that give a label's target its name here; without one, the label
        takes a name away."""
        if type(target) is not int:
            return []
        found = []
        before = self._labels.pop(target, None)
        if before is not None:
            self._taken.discard(before)
            found.append(labels.record("bookmark", before, None))
        name = labels.free_name(str(record.get("label") or ""), self._taken, target)
        if name:
            self._labels[target] = name
            self._taken.add(name)
            found.append(labels.record("bookmark", name, target))
        return found


def convert(lines: Iterable[Line]) -> tuple[Row, ...]:
    """The lines of a file, the header first, as rows of ours.

    A line that cannot be understood is a row without a record, with the reason.
    """
    found: list[Row] = []
    names = _Names()
    for line in lines:
        number = line.number
        if isinstance(line, Damaged):
            found.append(Row(number, line.offset, line.size, None, line.reason))
            continue
        record = line.value
        if is_header(record):
            names.lines.append(None)
            found.append(Row(number, 0, 0, _header(record)))
            continue
        if not isinstance(record.get("type"), str):
            names.lines.append(None)
            found.append(Row(number, line.offset, line.size, None, "not a record of a session"))
            continue
        place = names.place(record)
        said = body(record, names.ids)
        index = record.get("firstKeptEntryIndex")
        if type(index) is int and 0 <= index < len(names.lines):
            said["first_kept_id"] = names.lines[index]
        names.keep(record)
        found.append(Row(number, 0, 0, {**place, **_time(record), **said}))
        if said.get("kind") == "label":
            marks = names.bookmark(record, said.get("target_id"))
            found += (Row(number, 0, 0, mark) for mark in marks)
    return tuple(found)


def _header(record: Mapping[str, Any]) -> dict[str, Any]:
    header: dict[str, Any] = {"record_type": "meta", "schema_version": 2}
    for theirs, ours in (("id", "session_id"), ("cwd", "cwd"), ("parentSession", "parent_session")):
        if isinstance(record.get(theirs), str):
            header[ours] = record[theirs]
    created = parse_time(record.get("timestamp"))
    if created is not None:
        header["created_ms"] = created
    return header


def _time(record: Mapping[str, Any]) -> dict[str, Any]:
    ts = parse_time(record.get("timestamp"))
    return {} if ts is None else {"ts": ts}


def parse_time(text: object) -> int | None:
    """``2024-12-03T14:00:00.000Z`` as milliseconds since 1970; None if it is not that."""
    if not isinstance(text, str) or len(text) > 40:
        return None
    from datetime import datetime, timezone  # 1 ms, and only for a foreign file

    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        since = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        return None
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
