"""What a run wants in its session, kept until it is there.

Everything is written in order and at once. If that fails, it and all that follows waits in
memory and is tried again with each next thing; what cannot be had at the end of a run goes
into ``<session>.rescue-<pid>.jsonl``: a session of its own, with the whole conversation,
that /session-import takes in (and of which it finds out what is there already).
"""

from __future__ import annotations

import os

from pi.base.errors import PiError
from pi.base.jsonl import encode as line_of
from pi.base.typing import Any, NamedTuple, Union
from pi.sessions.compacted import resolved
from pi.sessions.entry import SCHEMA_VERSION, SessionEntry, encode
from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.ai.types import Message
    from pi.sessions.store import SessionStore

# A retry while the run goes on must not make it stand still at every step.
_RETRY_WAIT_MS = 20


class _Add(NamedTuple):
    message: Message
    extra: Mapping[str, Any]


class _Note(NamedTuple):
    record: Mapping[str, Any]


class _Waypoint(NamedTuple):
    record: Mapping[str, Any]


class Mark:
    """A place in the conversation: after all that came before it, saved or not."""

    __slots__ = ("head",)

    def __init__(self) -> None:
        self.head: int | None = None


class _GoBack(NamedTuple):
    mark: Mark


_Step = Union[_Add, _Note, _Waypoint, Mark, _GoBack]


class Unsaved:
    """``obstacle`` is why something waits, None if nothing does; ``loss`` is why something
    can never be stored."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._waiting: list[_Step] = []
        self._rescue = ""
        self.obstacle: PiError | None = None
        self.loss: PiError | None = None

    def append(self, message: Message, extra: Mapping[str, Any]) -> None:
        self._do(_Add(message, extra))

    def note(self, record: Mapping[str, Any]) -> None:
        self._do(_Note(record))

    def append_waypoint(self, record: Mapping[str, Any]) -> None:
        """An entry without a message, see ``SessionStore.append_waypoint``."""
        self._do(_Waypoint(record))

    def mark(self) -> Mark:
        """Where the conversation stands."""
        mark = Mark()
        self._do(mark)
        return mark

    def go_back(self, mark: Mark) -> None:
        """Go on from there."""
        self._do(_GoBack(mark))

    def finish(self) -> str:
        """End of a run: a last try with all patience, else the rescue file. Returns its
        path, "" if none was needed or it could not be written either."""
        self._write(self._store.lock_wait_ms)
        if self.obstacle is not None:
            return self._write_rescue()
        try:
            self._store.sync()
        except PiError as error:
            self.obstacle = error
        if self._rescue:
            _remove(self._rescue)  # all of it is in the session now
            self._rescue = ""
        return ""

    def _do(self, step: _Step) -> None:
        self._waiting.append(step)
        patient = self.obstacle is None
        self._write(self._store.lock_wait_ms if patient else _RETRY_WAIT_MS)

    def _write(self, wait_ms: int) -> None:
        store, usual = self._store, self._store.lock_wait_ms
        store.lock_wait_ms = min(wait_ms, usual)
        try:
            while self._waiting:
                self._take(self._waiting[0])
                del self._waiting[0]
            self.obstacle = None
        except PiError as error:
            if self.obstacle is None or self.obstacle.code != error.code:
                self.obstacle = error
        finally:
            store.lock_wait_ms = usual

    def _take(self, step: _Step) -> None:
        try:
            if isinstance(step, _Add):
                self._store.add([step.message], [step.extra])
            elif isinstance(step, _Note):
                self._store.note(step.record)
            elif isinstance(step, _Waypoint):
                self._store.append_waypoint(step.record)
            elif isinstance(step, Mark):
                step.head = self._store.head
            else:
                self._store.switch(self._store.current(step.mark.head))
        except PiError as error:
            if error.code != "session-unstorable":
                raise
            self.loss = error  # trying again would only keep back what comes after it

    def _write_rescue(self) -> str:
        """A new file each time: the one before is removed when this one is complete."""
        data = b"".join(_lines(self._records()))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        start, number = f"{self._store.path}.rescue-{os.getpid()}", 1
        while os.path.lexists(path := f"{start}{f'-{number}' if number > 1 else ''}.jsonl"):
            number += 1
        try:
            with open(os.open(path, flags, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            _remove(path)
            return self._rescue
        if self._rescue:
            _remove(self._rescue)
        self._rescue = path
        return path

    def _records(self) -> list[Mapping[str, Any]]:
        """The conversation as the file had it, and what waits behind it."""
        store = self._store
        head, next_id = store.head, store.next_id
        records: list[Mapping[str, Any]] = [*store.conversation()]
        for step in self._waiting:
            if isinstance(step, _Add):
                records.append(encode(SessionEntry(next_id, head, step.message, step.extra)))
                head, next_id = next_id, next_id + 1
            elif isinstance(step, _Note):
                records.append({"at": head, **step.record})
            elif isinstance(step, _Waypoint):
                place = {"record_type": "entry", "id": next_id, "parent_id": head}
                stored = resolved(step.record, lambda: _lineage(records, head))  # noqa: B023
                records.append({**place, **stored})
                head, next_id = next_id, next_id + 1
            elif isinstance(step, Mark):
                step.head = head
            else:
                head = store.current(step.mark.head)
                records.append({"record_type": "head", "id": head, "name": "main"})
        header = {
            "record_type": "meta",
            "schema_version": SCHEMA_VERSION,
            "session_id": store.session_id,
            "rescued_from": store.path,
            "next_id": next_id,
        }
        return [header, *records]


def _lineage(records: list[Mapping[str, Any]], head: int | None) -> list[Mapping[str, Any]]:
    entries = {one["id"]: one for one in records if one.get("record_type", "entry") == "entry"}
    ids = path_to(head, lambda entry_id: entries[entry_id].get("parent_id")).ids
    return [entries[entry_id] for entry_id in ids]


def _lines(records: list[Mapping[str, Any]]) -> list[bytes]:
    found = []
    for record in records:
        try:
            found.append(line_of(record))
        except ValueError:
            pass  # nested too deeply: no file can hold it
    return found


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was not made, or is gone
