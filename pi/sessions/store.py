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
"""

from __future__ import annotations

from typing import Any

from pi.base.jsonl import MAX_LINE_BYTES
from pi.sessions.entry import SessionEntry, encode
from pi.sessions.errors import SessionError
from pi.sessions.journal import Journal
from pi.sessions.lineage import context, path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.ai.types import Message
    from pi.base.jsonl import Damaged
    from pi.sessions.lineage import Path

LOCK_WAIT_MS = 5000
FSYNC_POLICIES = ("always", "turn", "never")


class SessionStore:
    """Made by ``SessionStore.open``. ``head`` is the id of the entry that the next one
    follows, None at the start of a tree."""

    def __init__(self, journal: Journal, *, now_ms: Callable[[], int], fsync: str) -> None:
        self._journal = journal
        self._now_ms = now_ms
        self._fsync = fsync
        self.head = self.file_head

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
        fsync: str = "turn",
        max_line_bytes: int = MAX_LINE_BYTES,
    ) -> SessionStore:
        """The session in ``path``, which need not exist. Writes nothing.

        ``cwd`` and ``app_version`` go into the header of a new file. ``fsync`` is "always"
        (with each append), "turn" (when ``sync`` is called) or "never". Raises SessionError
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
            lock_wait_ms=lock_wait_ms,
            max_line_bytes=max_line_bytes,
        )
        journal.refresh()
        return cls(journal, now_ms=now_ms, fsync=fsync)

    @property
    def path(self) -> str:
        """Where the file really is, links followed."""
        return self._journal.path

    @property
    def session_id(self) -> str:
        return self._journal.session_id

    @property
    def file_head(self) -> int | None:
        """The last entry in file order, whoever wrote it."""
        order = self._journal.contents.order
        return order[-1] if order else None

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
        """Store ``messages``, each as the child of the one before, the first of ``head``.

        ``extras`` are further fields of the entries, by position (see ``entry.reply_extra``);
        ``ts`` is added. All are in the file when this returns, or none and SessionError.
        """
        if not messages:
            return ()
        ids: list[int] = []

        def records() -> list[Mapping[str, Any]]:
            parent = self._known_head()
            ids[:] = self._journal.contents.reserve(len(messages))
            if not ids:
                raise SessionError(f"session '{self.path}' has no ids left")
            ts = self._now_ms()
            found: list[Mapping[str, Any]] = []
            for index, message in enumerate(messages):
                extra = {"ts": ts, **(extras[index] if index < len(extras) else {})}
                found.append(encode(SessionEntry(ids[index], parent, message, extra)))
                parent = ids[index]
            return found

        self._journal.add(records, fsync=self._fsync == "always")
        self.head = ids[-1]
        return self._journal.contents.entries(ids)

    def note(self, record: Mapping[str, Any]) -> None:
        """Store a record that is no entry, such as {"record_type": "tool_start", ...}.

        Adds ``ts`` and ``at``, the entry it was written at, unless they are there.
        """

        def records() -> list[Mapping[str, Any]]:
            place = {"record_type": "", "ts": self._now_ms(), "at": self._known_head()}
            return [{**place, **record}]

        self._journal.add(records, fsync=self._fsync == "always")

    def sync(self) -> None:
        """End of a turn: make sure of what was appended, if the policy asks for it."""
        if self._fsync != "never":
            self._journal.sync()

    def lineage(self, head: int | None = None) -> tuple[SessionEntry, ...]:
        """The entries from a root to ``head`` (by default the store's), as far as they are
        there; ``lineage_problem`` tells what is missing. SessionError for an unknown id."""
        return self._journal.contents.entries(self._path(head).ids)

    def lineage_problem(self, head: int | None = None) -> str:
        """Why the lineage does not reach a root; "" if it does."""
        return self._path(head).problem

    def messages(self) -> tuple[Message, ...]:
        """The conversation up to ``head`` as it goes into a request."""
        return context(entry.message for entry in self.lineage())

    def started_calls(self, since: int | None = None) -> frozenset[str]:
        """Ids of the tool calls of the lineage that were started, whether or not they ended.

        ``since`` leaves out what was started before that entry came: some models name
        their calls anew in every answer.
        """
        ids = self._path(None).ids
        if since is not None:
            ids = ids[ids.index(since) :] if since in ids else ()
        return self._journal.contents.started_calls(frozenset(ids))

    def _path(self, head: int | None) -> Path:
        head = self._known_head() if head is None else self._known(head)
        return path_to(head, self._journal.contents.parent_of)

    def _known_head(self) -> int | None:
        return None if self.head is None else self._known(self.head)

    def _known(self, entry_id: int) -> int:
        if entry_id not in self._journal.contents:
            raise SessionError(
                f"session '{self.path}' does not contain entry id {entry_id}",
                code="unknown-session-id",
            )
        return entry_id
