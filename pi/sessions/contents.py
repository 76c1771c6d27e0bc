"""What the lines of a session add up to. Pure: fed with lines, asked for entries.

A record stays as it was parsed and becomes a ``SessionEntry`` when it is asked for:
starting on a long session needs one lineage, not every message as a value. A record of
an unknown kind is a note, even if it looks like an entry: a later pi knows better.
"""

from __future__ import annotations

from pi.base.jsonl import Damaged
from pi.base.typing import Any
from pi.sessions.entry import MAX_ID, SCHEMA_VERSION, decode, is_id, is_waypoint, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from pi.base.jsonl import Line
    from pi.sessions.entry import SessionEntry


class Contents:
    """``schema_version`` is the highest a header names, 0 without one; ``next_id`` the
    lowest id that was never given; ``is_session`` says whether any line is a session's.
    ``place`` is where the conversation was left: at the last entry, or where a later
    "head" record moved it."""

    def __init__(self, next_id: int = 1) -> None:
        self.order: list[int] = []
        self.notes: list[Mapping[str, Any]] = []
        self.damage: list[Damaged] = []
        self.session_id = ""
        self.begun_in = ""  # the working directory of its first run, as the header says
        self.schema_version = 0
        self.next_id = next_id
        self.is_session = False
        self.place: int | None = None
        # Of records with the same id the last wins: if two writers without a lock gave
        # it twice, that is the one the end of the file hangs on.
        self._by_id: dict[int, dict[str, Any]] = {}
        # Made when asked for; of the first so many of ``order``.
        self._parents: dict[int, int | None] = {}
        self._parents_until = 0

    def take(self, lines: Iterable[Line]) -> None:
        by_id, order = self._by_id, self.order
        for line in lines:
            if isinstance(line, Damaged):
                self._damaged(line)
                continue
            record = line.value
            kind = record.get("record_type")
            if kind == "entry" or (kind is None and "message" in record):
                reason = refusal(record)
                if not reason:  # written out here: it runs for every line of a long session
                    entry_id = self.place = record["id"]
                    by_id[entry_id] = record
                    order.append(entry_id)
                    if entry_id >= self.next_id:
                        self.next_id = entry_id + 1
                    self.is_session = True
                    continue
            elif kind == "meta":
                reason = self._take_meta(record)
            elif type(kind) is str:
                self.notes.append(record)
                if kind == "head":
                    self._take_head(record)
                continue
            else:
                reason = "not a record of a session"
            if reason:
                self._damaged(Damaged(line.number, line.offset, line.size, reason))
            else:
                self.is_session = True

    @property
    def is_blank(self) -> bool:
        """Whether there was nothing at all."""
        return not (self.is_session or self.notes or self.damage)

    @property
    def read_only(self) -> str:
        """Why this pi must not add anything; "" if it may."""
        if self.schema_version <= SCHEMA_VERSION:
            return ""
        return f"schema version {self.schema_version}, this pi writes up to {SCHEMA_VERSION}"

    def __contains__(self, entry_id: int) -> bool:
        return entry_id in self._by_id

    def record(self, entry_id: int) -> dict[str, Any]:
        """As it is in the file. Raises KeyError for an unknown id."""
        return self._by_id[entry_id]

    def parent_of(self, entry_id: int) -> int | None:
        """Raises KeyError for an unknown id."""
        parent: int | None = self._by_id[entry_id].get("parent_id")
        return parent

    @property
    def parents(self) -> dict[int, int | None]:
        """Every id of the tree with its parent's, in file order. It is not changed later."""
        newer = self.order[self._parents_until :]
        if newer:
            by_id = self._by_id
            self._parents = dict(self._parents)
            self._parents.update((key, by_id[key].get("parent_id")) for key in newer)
            self._parents_until = len(self.order)
        return self._parents

    def entries(self, ids: Iterable[int]) -> tuple[SessionEntry, ...]:
        """The entries that hold a message, in the order of ``ids``."""
        return tuple(self.each(ids))

    def each(self, ids: Iterable[int]) -> Iterator[SessionEntry]:
        """The same, one after the other. Who needs each for a moment only should let it go:
        to hold ten thousand takes twice as long as to make them."""
        by_id = self._by_id
        for entry_id in ids:
            record = by_id[entry_id]
            if "message" in record or not is_waypoint(record):
                yield decode(record)

    def started_calls(self, places: Collection[int]) -> frozenset[str]:
        """Ids of the tool calls with a start record that was written at one of ``places``."""
        return frozenset(
            note["tool_call_id"]
            for note in self.notes
            if note["record_type"] == "tool_start"
            and type(note.get("tool_call_id")) is str
            and (type(note.get("at")) is not int or note["at"] in places)
        )

    def reserve(self, count: int) -> list[int]:
        """The next ``count`` ids; [] if there are no more. Given once they are in the file."""
        if self.next_id + count - 1 > MAX_ID:
            return []
        return list(range(self.next_id, self.next_id + count))

    def _take_head(self, record: Mapping[str, Any]) -> None:
        """The conversation was moved; a place that is not there moves nothing."""
        place = record.get("id", -1)
        if place is None or (type(place) is int and place in self._by_id):
            self.place = place

    def _take_meta(self, record: Mapping[str, Any]) -> str:
        version = record.get("schema_version")
        if not is_id(version):
            return "header without a schema_version"
        self.schema_version = max(self.schema_version, version or 0)
        session_id, next_id = record.get("session_id"), record.get("next_id")
        if type(session_id) is str and not self.session_id:
            self.session_id = session_id
        begun_in = record.get("cwd")
        if type(begun_in) is str and not self.begun_in:
            self.begun_in = begun_in
        if type(next_id) is int and is_id(next_id):
            self.next_id = max(self.next_id, next_id)
        return ""

    def _damaged(self, line: Damaged) -> None:
        self.damage.append(line)
        # It may have been the entry with this id; nobody else shall get it.
        self.next_id += 1
