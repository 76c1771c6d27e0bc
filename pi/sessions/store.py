"""A session: the entries of one file, where the conversation stands, and adding to it.

Loading is tolerant: a line that cannot be read stays in the file, is listed in ``damage``,
and costs only itself. Nothing in the file is ever changed; there is only appending.

A file of schema 1 (or of bare entries) is continued as it is: the first append puts a
schema 2 header in front of its records. A reader of schema 1 then refuses the file with
a clear word instead of tripping over a record it does not know, and cutting the file at
that header gives back the old one.

Ids are never given twice by a file: the next one is above every id seen, every
``next_id`` of a header, and leaves a gap for each damaged line, which may have held one.

A store belongs to one thread; any number of stores, in any processes, may share a file.
Each keeps its own head, so two that started at the same entry write sibling branches.
If another process rewrites the file so that the head is gone, the next append stores again
what is missing of the conversation; see ``standpoint``.
"""

from __future__ import annotations

from pi.base.jsonl import MAX_LINE_BYTES
from pi.base.typing import Any
from pi.sessions.compacted import read_context, resolved
from pi.sessions.entry import SessionEntry, encode
from pi.sessions.journal import Journal
from pi.sessions.lineage import path_to
from pi.sessions.lock import STALE_MS, Locking
from pi.sessions.snapshot import Snapshot
from pi.sessions.standpoint import Standpoint, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.ai.types import Message
    from pi.base.jsonl import Damaged
    from pi.sessions.compacted import Context
    from pi.sessions.contents import Contents
    from pi.sessions.lineage import Path
    from pi.sessions.standpoint import Records

LOCK_WAIT_MS = Locking().wait_ms
FSYNC_POLICIES = ("always", "turn", "never")


class SessionStore:
    """Made by ``SessionStore.open``. ``head`` is the id of the entry that the next one
    follows, None at the start of a tree."""

    def __init__(self, journal: Journal, *, now_ms: Callable[[], int], fsync: str) -> None:
        self._journal = journal
        self._now_ms = now_ms
        self._fsync = fsync
        self._stand = Standpoint(journal)

    @classmethod
    def open(
        cls,
        path: str,
        *,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        cwd: str = "",
        app_version: str = "",
        lock_wait_ms: int = LOCK_WAIT_MS,
        lock_stale_ms: int = STALE_MS,
        use_flock: bool = True,
        fsync: str = "turn",
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> SessionStore:
        """The session in ``path``, which need not exist. Writes nothing.

        ``cwd`` and ``app_version`` go into the header of a new file. ``fsync`` is "always"
        (with each append), "turn" (when ``sync`` is called) or "never". The lock's settings
        are those of ``SessionLock``. Raises SessionError
        for what cannot be a session: a folder, a device, another file, an unreadable one.
        """
        if fsync not in FSYNC_POLICIES:
            raise ValueError(f"fsync is one of {FSYNC_POLICIES}, not {fsync!r}")
        journal = Journal(
            path,
            now_ms=now_ms,
            random_bytes=random_bytes,
            cwd=cwd,
            app_version=app_version,
            locking=Locking(lock_wait_ms, lock_stale_ms, use_flock),
            max_line_bytes=max_line_bytes,
        )
        journal.refresh()
        return cls(journal, now_ms=now_ms, fsync=fsync)

    @property
    def head(self) -> int | None:
        return self._stand.head

    @head.setter
    def head(self, entry_id: int | None) -> None:
        self._stand.head = entry_id

    @property
    def path(self) -> str:
        """Where the file really is, links followed."""
        return self._journal.path

    @property
    def session_id(self) -> str:
        return self._journal.session_id

    @property
    def begun_in(self) -> str:
        """The folder in which the conversation was begun, "" if the file does not say."""
        return self._journal.contents.begun_in

    @property
    def file_head(self) -> int | None:
        """The last entry in file order, whoever wrote it."""
        order = self._journal.contents.order
        return order[-1] if order else None

    def snapshot(self) -> Snapshot:
        """Everything in the file, as the questions about it want it."""
        contents = self._journal.contents
        parent_of = contents.parents
        head = self.head if self.head is None or self.head in contents else None
        return Snapshot(contents.each, parent_of, head, self.file_head)

    def switch(self, head: int | None) -> None:
        """Go on from ``head`` (None: from the start of a new tree), now and in later runs.

        SessionError for an unknown id, or if it cannot be written down.
        """
        self.head = None if head is None else self._known(head)
        self.note({"record_type": "head", "id": self.head, "name": "main"})

    @property
    def next_id(self) -> int:
        """The lowest id that was never given."""
        return self._journal.contents.next_id

    @property
    def damage(self) -> tuple[Damaged, ...]:
        """The lines that could not be read, in file order; they stay in the file."""
        return self._journal.damage

    @property
    def notes(self) -> tuple[Mapping[str, Any], ...]:
        """The records that are neither headers nor entries, in file order."""
        return tuple(self._journal.contents.notes)

    @property
    def read_only(self) -> str:
        """Why nothing can be appended; "" if it can."""
        return self._journal.contents.read_only

    def __len__(self) -> int:
        """How many entries the file has, on all branches."""
        return len(self._journal.contents.order)

    def refresh(self) -> None:
        """Read what other processes appended since. Does not move ``head``."""
        self._journal.refresh()

    def append(
        self, messages: Sequence[Message], extras: Sequence[Mapping[str, Any]] = ()
    ) -> tuple[SessionEntry, ...]:
        """``add``, and the entries as a reader of the file gets them."""
        ids = self.add(messages, extras)  # may read another file: ``contents`` is asked for after
        return self._journal.contents.entries(ids)

    def add(
        self, messages: Sequence[Message], extras: Sequence[Mapping[str, Any]] = ()
    ) -> Sequence[int]:
        """Store ``messages``, each as the child of the one before, the first of ``head``.

        ``extras`` are further fields of the entries, by position (see ``entry.reply_extra``);
        ``ts`` is added. All are in the file when this returns, or none and SessionError.
        Returns their ids.
        """
        if not messages:
            return ()

        def records(parent: int | None, ids: Sequence[int]) -> Records:
            ts = self._now_ms()
            found: Records = []
            for index, message in enumerate(messages):
                extra = {"ts": ts, **(extras[index] if index < len(extras) else {})}
                found.append(encode(SessionEntry(ids[index], parent, message, extra)))
                parent = ids[index]
            return found

        ids = self._add(len(messages), records)
        self.head = ids[-1]
        return ids

    def note(self, record: Mapping[str, Any]) -> None:
        """Store a record that is no entry, such as {"record_type": "tool_start", ...}.

        Adds ``ts`` and ``at``, the entry it was written at, unless they are there.
        """

        def records(parent: int | None, ids: Sequence[int]) -> Records:
            return [{"record_type": "", "ts": self._now_ms(), "at": parent, **record}]

        self._add(0, records)

    def append_waypoint(self, record: Mapping[str, Any]) -> int:
        """Store an entry that holds no message, as the child of ``head``, which moves onto
        it. Adds ``id``, ``parent_id``, ``ts``; see ``compacted.resolved``. Returns its id."""
        stored = resolved(record, self.conversation)

        def records(parent: int | None, ids: Sequence[int]) -> Records:
            place = {"record_type": "entry", "id": ids[0], "parent_id": parent}
            return [{**place, "ts": self._now_ms(), **stored}]

        (self.head,) = self._add(1, records)
        return self.head

    def _add(self, count: int, make: Callable[[int | None, Sequence[int]], Records]) -> list[int]:
        return self._stand.add(count, make, fsync=self._fsync == "always")

    def sync(self) -> None:
        """End of a turn: make sure of what was appended, if the policy asks for it."""
        if self._fsync != "never":
            self._journal.sync()

    def lineage(self, head: int | None = None) -> tuple[SessionEntry, ...]:
        """The entries from a root to ``head`` (by default the store's), as far as they are
        there; ``lineage_problem`` tells what is missing. SessionError for an unknown id."""
        return self._contents(head).entries(self._path(head).ids)

    def lineage_problem(self, head: int | None = None) -> str:
        """Why the lineage does not reach a root; "" if it does."""
        return self._path(head).problem

    def messages(self) -> tuple[Message, ...]:
        """The conversation up to ``head`` as it goes into a request."""
        return self.context().messages

    def context(self) -> Context:
        """The same with the entries it comes from, compactions taken into account."""
        return read_context(self.conversation())

    def started_calls(self, since: int | None = None) -> frozenset[str]:
        """Ids of the tool calls of the lineage that were started, whether or not they ended.

        ``since`` leaves out what was started before that entry came: some models name
        their calls anew in every answer.
        """
        ids = self._path(None).ids
        if since is not None:
            ids = ids[ids.index(since) :] if since in ids else ()
        return self._stand.contents.started_calls(frozenset(ids))

    def conversation(self) -> tuple[Mapping[str, Any], ...]:
        """The records of the lineage of ``head``, as they are or were in the file."""
        return tuple(map(self._stand.contents.record, self._stand.path().ids))

    def current(self, entry_id: int | None) -> int | None:
        """What an entry of this conversation is called now, if it was stored again."""
        return self._stand.current(entry_id)

    def news(self) -> tuple[str, ...]:
        """What the user should be told, once."""
        return self._stand.news()

    @property
    def lock_wait_ms(self) -> int:
        """How long an append waits for another process."""
        return self._journal.locking.wait_ms

    @lock_wait_ms.setter
    def lock_wait_ms(self, wait_ms: int) -> None:
        self._journal.locking = self._journal.locking._replace(wait_ms=wait_ms)

    def _contents(self, head: int | None) -> Contents:
        return self._stand.contents if head is None else self._journal.contents

    def _path(self, head: int | None) -> Path:
        if head is None:
            return self._stand.path()
        return path_to(self._known(head), self._journal.contents.parent_of)

    def _known(self, entry_id: int) -> int:
        if entry_id not in self._journal.contents:
            raise unknown(self.path, entry_id)
        return entry_id
