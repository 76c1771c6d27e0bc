"""A session at one moment, as the questions about it want it: entries, tree, heads."""

from __future__ import annotations

from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pi.sessions.entry import SessionEntry

PREVIEW = 80
SUMMARY = 60


class Snapshot:
    """``parent_of`` has every id of the tree, in file order. ``active`` is where the
    conversation stands, ``latest`` the last entry of the file.

    ``read`` gives the entries of some ids that hold a message; they are read only when
    asked for, since most questions are about a few of ten thousand, or look at each once.
    """

    __slots__ = ("_entries", "_read", "active", "latest", "parent_of")

    def __init__(
        self,
        read: Callable[[Iterable[int]], Iterable[SessionEntry]],
        parent_of: Mapping[int, int | None],
        active: int | None,
        latest: int | None,
    ) -> None:
        self._read = read
        self._entries: tuple[SessionEntry, ...] | None = None
        self.parent_of = parent_of
        self.active = active
        self.latest = latest

    @property
    def entries(self) -> tuple[SessionEntry, ...]:
        """All that hold a message, in file order, one for each id."""
        if self._entries is None:
            self._entries = tuple(self._read(self.parent_of))
        return self._entries

    def by_id(self) -> Iterable[SessionEntry]:
        """The same by ascending id, one after the other; to be looked at and let go."""
        return self._read(sorted(self.parent_of))

    def some(self, ids: Iterable[int]) -> tuple[SessionEntry, ...]:
        """Those of these ids that hold a message, in the order of ``ids``."""
        return tuple(self._read(entry_id for entry_id in ids if entry_id in self.parent_of))

    def lineage_ids(self) -> frozenset[int]:
        """The ids from a root to where the conversation stands, as far as they are there."""
        return frozenset(path_to(self.active, self.parent_of.__getitem__).ids)


def preview(text: str, limit: int = PREVIEW) -> str:
    """``text`` on one line, cut to ``limit`` characters; "(no text)" if it says nothing."""
    line = " ".join(text[: 16 * limit].split())
    if len(line) <= limit:
        line = " ".join(text.split())
    if not line:
        return "(no text)"
    return line if len(line) <= limit else line[:limit] + "..."


def summary(entry: SessionEntry) -> str:
    """A branch's tip in a few words: its text, or what it is."""
    text = entry.message.text().replace("\r\n", " ").replace("\n", " ")
    if not text.strip():
        calls = len(entry.message.tool_calls())
        return f"{entry.message.role.capitalize()} (tool_calls={calls})"
    return text if len(text) <= SUMMARY else text[:SUMMARY] + "..."


def row(label: str, entry: SessionEntry) -> str:
    """``label: id=<id> parent=<id|none> role=<role> preview=<preview>``."""
    return (
        f"{label}: id={entry.id} parent={shown(entry.parent_id)} role={entry.message.role} "
        f"preview={preview(entry.message.text())}"
    )


def as_data(entry: SessionEntry) -> dict[str, object]:
    """The same as JSON data."""
    return {
        "id": entry.id,
        "parent_id": entry.parent_id,
        "role": entry.message.role,
        "preview": preview(entry.message.text()),
    }


def shown(entry_id: int | None) -> str:
    """An id in a report, or "none"."""
    return "none" if entry_id is None else str(entry_id)
