"""Where a conversation stands in a file that other processes may rewrite under it.

If part of the way to the head is gone from the file, reading goes on from what was read
before, and the next addition first stores again what is missing; see ``reanchor``.
"""

from __future__ import annotations

from pi.base.typing import Any
from pi.sessions.errors import NamedWrong, SessionError
from pi.sessions.lineage import path_to
from pi.sessions.reanchor import Closed, close, gap, relinked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.sessions.contents import Contents
    from pi.sessions.journal import Journal
    from pi.sessions.lineage import Path

    Records = list[Mapping[str, Any]]


class Standpoint:
    """``head`` is the entry the next one follows; whoever sets it means an entry of the file
    as it was read last."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._news: list[str] = []
        self._moved: dict[int, int] = {}
        self.head = journal.contents.place

    @property
    def head(self) -> int | None:
        return self._head

    @head.setter
    def head(self, entry_id: int | None) -> None:
        self._head = entry_id
        self._home = self._journal.contents

    @property
    def contents(self) -> Contents:
        """What holds the head: what is in the file, or what was in it before."""
        now = self._journal.contents
        if now is not self._home:
            head, home = self._head, self._home
            if head is None or head not in home or not gap(head, home, now).ids:
                self._home = now
        return self._home

    def path(self) -> Path:
        """The way to the head. SessionError if it was set to an unknown id."""
        found = self.contents
        if self._head is not None and self._head not in found:
            raise unknown(self._journal.path, self._head)
        return path_to(self._head, found.parent_of)

    def add(
        self,
        count: int,
        make: Callable[[int | None, Sequence[int]], Records],
        *,
        fsync: bool,
    ) -> list[int]:
        """Store what ``make`` gives for a parent and ``count`` new ids, after what the file
        lacks of the conversation. Returns the new ids; all are in the file, or none and
        SessionError. Entries that ``make`` names by old ids are named by their new ones."""
        found: list[Closed] = []

        def records() -> Records:
            home, now = self.contents, self._journal.contents
            if self._head is not None and self._head not in home:
                raise unknown(self._journal.path, self._head)
            lacking = gap(self._head, home, now)
            if lacking.ids and now.is_blank:
                raise SessionError(
                    f"session '{self._journal.path}' was removed or emptied while it was in use",
                    cause=f"it does not contain entry id {self._head}",
                    code="unknown-session-id",
                )
            closed = close(lacking, home, now, count)
            found[:] = [closed]
            made = make(closed.parent, closed.ids)
            if closed.mapped:
                made = [relinked(record, closed.mapped) for record in made]
            return [*closed.records, *made]

        self._journal.add(records, fsync=fsync)
        (closed,) = found
        if closed.mapped:
            self._moved.update(closed.mapped)
            self.head = closed.parent
            self._news.append(
                f"session '{self._journal.path}' was rewritten by another process: "
                f"{len(closed.mapped)} entries of this conversation were stored again"
            )
        return closed.ids

    def current(self, entry_id: int | None) -> int | None:
        """What an entry of this conversation is called now, if it was stored again."""
        while entry_id is not None and entry_id in self._moved:
            entry_id = self._moved[entry_id]
        return entry_id

    def news(self) -> tuple[str, ...]:
        """What the user should be told, once."""
        found, self._news = tuple(self._news), []
        return found


def unknown(path: str, entry_id: int) -> SessionError:
    return NamedWrong(
        f"session '{path}' does not contain entry id {entry_id}",
        hint="/session-graph-export - shows all entries, /branches the ends",
        code="unknown-session-id",
    )
