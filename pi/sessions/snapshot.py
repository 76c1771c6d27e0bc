"""A session at one moment, as the questions about it want it: entries, tree, heads."""

from __future__ import annotations

from typing import NamedTuple

from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.sessions.entry import SessionEntry

PREVIEW = 80
SUMMARY = 60


class Snapshot(NamedTuple):
    """``entries`` are those that hold a message, in file order, one for each id;
    ``parent_of`` has every id of the tree. ``active`` is where the conversation stands,
    ``latest`` the last entry of the file."""

    entries: tuple[SessionEntry, ...]
    parent_of: Mapping[int, int | None]
    active: int | None
    latest: int | None

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
