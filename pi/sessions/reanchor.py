"""Going on when the file was rewritten under a running conversation. Pure.

Another process may have pruned, repaired or replaced the file, and the entry this
conversation stands at is gone. What of it is still there, from its root on, is built upon;
the rest is stored again under new ids.

Laws (each has a property test): the conversation afterwards is the one before; nothing that
is there is stored twice; no id is given twice.
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple
from pi.sessions.errors import SessionError
from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.sessions.contents import Contents

# Fields that name another entry.
REFERENCES = ("parent_id", "first_kept_id", "from_id", "target_id", "at")


class Gap(NamedTuple):
    """What is missing of a conversation: these entries, below ``parent``."""

    parent: int | None
    ids: tuple[int, ...] = ()


class Closed(NamedTuple):
    """How a gap is closed: by ``records``, which give the missing entries new ids
    (``mapped``). After them comes what is added: with ``ids``, below ``parent``."""

    records: list[Mapping[str, Any]]
    mapped: dict[int, int]
    parent: int | None
    ids: list[int]


def gap(head: int | None, before: Contents, now: Contents) -> Gap:
    """What ``now`` lacks of the conversation that stood at ``head`` in ``before``.

    An entry is still there if it says the same below the same entry; the first one may hang
    anywhere, a repair puts it under what it finds.
    """
    if head is None or before is now:
        return Gap(head)
    ids = path_to(head, before.parent_of).ids
    above = None
    for place, entry_id in enumerate(ids):
        is_there = entry_id in now and _said(now.record(entry_id)) == _said(before.record(entry_id))
        if not is_there or (place and now.parent_of(entry_id) != above):
            return Gap(above, ids[place:])
        above = entry_id
    return Gap(head)


def close(found: Gap, before: Contents, now: Contents, count: int) -> Closed:
    """The records that close the gap, the starts of tools noted within it among them, and
    ``count`` more ids. Raises SessionError if there are not so many left."""
    again = len(found.ids)
    new_ids = now.reserve(again + count)
    if len(new_ids) < again + count:
        raise SessionError("the session has no ids left")
    if not found.ids:
        return Closed([], {}, found.parent, new_ids)
    mapped = dict(zip(found.ids, new_ids))
    parent = found.parent
    records: list[Mapping[str, Any]] = []
    for old, new in mapped.items():
        record = {**relinked(before.record(old), mapped), "id": new, "parent_id": parent}
        records.append({"record_type": "entry", **record})
        parent = new
    records += [
        relinked(note, mapped)
        for note in before.notes
        if note["record_type"] == "tool_start" and note.get("at") in mapped
    ]
    return Closed(records, mapped, parent, new_ids[again:])


def _said(record: Mapping[str, Any]) -> Any:
    if "message" in record:
        return record["message"]
    return {name: value for name, value in record.items() if name != "parent_id"}


def relinked(record: Mapping[str, Any], mapped: Mapping[int, int]) -> dict[str, Any]:
    """``record`` with the entries it names as they are called now."""
    new = dict(record)
    for name in REFERENCES:
        value = new.get(name)
        if type(value) is int:
            new[name] = mapped.get(value, value)
    return new
