"""The tree of a session as a picture: Mermaid, DOT, or JSON. Pure.

A node's label is "<id>: <role> | <preview>". Mermaid reads labels as markup, so what
could end or open something in one is written as entities (mermaid.js.org, "Entity codes
to escape characters"); DOT wants backslashes and quotes escaped (graphviz.org, "ID").
"""

from __future__ import annotations

import json
import re

from pi.base.typing import Any
from pi.sessions.snapshot import as_data, preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pi.sessions.entry import SessionEntry
    from pi.sessions.snapshot import Snapshot

# No picture can show them, and neither format has a way to write them.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_MERMAID = {
    ord(character): f"#{name};"
    for character, name in (
        ('"', "quot"),
        ("#", "35"),
        ("<", "lt"),
        (">", "gt"),
        ("[", "91"),
        ("]", "93"),
        ("`", "96"),
        ("\\", "92"),
        ("&", "amp"),
    )
}


def format_of(path: str) -> str:
    """The format a file's name asks for: "dot", "json", else "mermaid"."""
    ending = path.rpartition(".")[2].lower()
    return ending if ending in FORMATS else "mermaid"


def mermaid(snapshot: Snapshot, marks: Mapping[int, Collection[str]]) -> str:
    """A ``graph TD``; ``marks`` are names that stand on entries (bookmarks, "active")."""
    lines = ["graph TD"]
    entries = sorted(snapshot.entries, key=lambda entry: entry.id)
    lines += [f'  n{e.id}["{_label(e, marks).translate(_MERMAID)}"]' for e in entries]
    lines += [f"  n{parent} --> n{child}" for parent, child in edges(snapshot)]
    if not entries:
        lines.append('  empty["(empty session)"]')
    if snapshot.active is not None and any(entry.id == snapshot.active for entry in entries):
        lines.append(f"  style n{snapshot.active} stroke-width:3px")
    return "\n".join(lines)


def dot(snapshot: Snapshot, marks: Mapping[int, Collection[str]]) -> str:
    """A ``digraph``."""
    lines = ["digraph session {", "  rankdir=LR;"]
    entries = sorted(snapshot.entries, key=lambda entry: entry.id)
    for entry in entries:
        label = _label(entry, marks).replace("\\", "\\\\").replace('"', '\\"')
        bold = ", style=bold" if entry.id == snapshot.active else ""
        lines.append(f'  n{entry.id} [label="{label}"{bold}];')
    lines += [f"  n{parent} -> n{child};" for parent, child in edges(snapshot)]
    if not entries:
        lines.append('  empty [label="(empty session)"];')
    return "\n".join([*lines, "}"])


def as_json(snapshot: Snapshot, marks: Mapping[int, Collection[str]]) -> str:
    """Nodes and edges as one JSON object."""
    entries = sorted(snapshot.entries, key=lambda entry: entry.id)
    data: dict[str, Any] = {
        "active": snapshot.active,
        "edges": [list(edge) for edge in edges(snapshot)],
        "nodes": [
            {**as_data(entry), "names": sorted(marks.get(entry.id, ()))} for entry in entries
        ],
    }
    return json.dumps(data, ensure_ascii=False, sort_keys=True, indent=2)


FORMATS: dict[str, Callable[[Snapshot, Mapping[int, Collection[str]]], str]] = {
    "mermaid": mermaid,
    "dot": dot,
    "json": as_json,
}


def edges(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """(parent, child) pairs, by child. Entries without a message are no nodes: what hangs
    on one hangs on the nearest node above it."""
    drawn = {entry.id for entry in snapshot.entries}
    found = []
    for entry in sorted(drawn):
        parent, steps = snapshot.parent_of.get(entry), 0
        while parent is not None and parent not in drawn and steps < len(snapshot.parent_of):
            parent, steps = snapshot.parent_of.get(parent), steps + 1
        if parent is not None and parent in drawn:
            found.append((parent, entry))
    return tuple(found)


def _label(entry: SessionEntry, marks: Mapping[int, Collection[str]]) -> str:
    names = "".join(f" ({name})" for name in sorted(marks.get(entry.id, ())))
    label = f"{entry.id}: {entry.message.role} | {preview(entry.message.text())}{names}"
    return _CONTROL.sub("\ufffd", label)
