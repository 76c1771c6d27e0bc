"""A session, or a branch of it, as a file for elsewhere. Pure: rows in, bytes out.

``jsonl`` is a session file: a header and the records with their ids, byte for byte as
they are kept; its last line is a digest over all before it, so that an import can tell
whether it arrived whole. ``md`` and ``json`` are for reading.
"""

from __future__ import annotations

import json
from typing import Any

from pi.base.jsonl import encode
from pi.sessions.entry import decode, is_waypoint
from pi.sessions.errors import SessionError
from pi.sessions.graph import nodes, parents
from pi.sessions.lineage import path_to
from pi.sessions.rows import DIGEST
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from pi.ai.types import Message
    from pi.sessions.rows import Row


def chosen(rows: Sequence[Row], head: int | None, *, whole: bool = False) -> tuple[Row, ...]:
    """The rows to export: the lineage of ``head``, or all entries; with those that name
    or describe them, without headers. Raises SessionError for an unknown head."""
    found = nodes(rows)
    parent_of = parents(found)
    if whole:
        ids = set(parent_of)
    elif head is None:
        ids = set()
    elif head not in parent_of:
        raise SessionError(f"unknown session id {head}", code="unknown-session-id")
    else:
        path = path_to(head, parent_of.__getitem__)
        if path.problem:
            raise SessionError(path.problem)
        ids = set(path.ids)
    last = {node.id: node.line for node in found}  # of records with one id the last counts
    return tuple(row for row in rows if _belongs(row, ids, last, whole=whole))


def _belongs(row: Row, ids: Collection[int], last: Mapping[int, int], *, whole: bool) -> bool:
    """Whether a row goes with the entries of ``ids``."""
    record = row.record
    if record is None or record.get("record_type") in ("meta", "head", DIGEST):
        return False
    if row.is_entry:
        return record["id"] in ids and last[record["id"]] == row.number
    place = record.get("id" if record["record_type"] == "label" else "at")
    return whole if type(place) is not int else place in ids


def to_jsonl(
    header: Mapping[str, Any],
    rows: Iterable[Row],
    raw: Callable[[Row], bytes],
    notes: Iterable[Mapping[str, Any]] = (),
) -> bytes:
    """A session file; ``raw`` gives the bytes of a row without its newline. ``notes`` are
    records that come after the rows."""
    parts = [encode(header)]
    parts += [raw(row) + b"\n" for row in rows]
    parts += map(encode, notes)
    return b"".join(parts)


def to_sealed_jsonl(
    header: Mapping[str, Any],
    rows: Iterable[Row],
    raw: Callable[[Row], bytes],
    notes: Iterable[Mapping[str, Any]] = (),
) -> bytes:
    """The same with a last line that says what all before it comes to, which an import
    checks; the header promises that line, so that its loss is noticed too."""
    from hashlib import sha256  # 2 ms, and only for an export

    data = to_jsonl({**header, DIGEST: "sha256"}, rows, raw, notes)
    return data + encode({"record_type": DIGEST, "sha256": sha256(data).hexdigest()})


def to_markdown(title: str, rows: Sequence[Row]) -> bytes:
    """The messages for a person to read."""
    parts = [f"# {title}\n"]
    for entry_id, message in _messages(rows):
        name = f" ({message.tool_name})" if message.tool_name else ""
        error = ", error" if message.is_error else ""
        parts.append(f"## {entry_id}: {message.role}{name}{error}\n")
        text = message.text()
        if text:
            parts.append(_fenced(text) if message.role == "tool" else f"{text}\n")
        for call in message.tool_calls():
            shown_arguments = json.dumps(dict(call.arguments), ensure_ascii=False, indent=2)
            parts.append(f"Calls `{call.name}`:\n\n{_fenced(shown_arguments, 'json')}")
    return "\n".join(parts).encode("utf-8", "replace")


def to_json(title: str, rows: Sequence[Row]) -> bytes:
    """All records as one JSON object."""
    data = {"title": title, "records": [row.record for row in rows]}
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def _messages(rows: Sequence[Row]) -> list[tuple[int, Message]]:
    found = []
    for row in rows:
        if row.record is not None and row.is_entry and not is_waypoint(row.record):
            entry = decode(row.record)
            found.append((entry.id, entry.message))
    return found


def _fenced(text: str, language: str = "") -> str:
    """``text`` as a code block whose fence is longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def text_line(path: str, entries: int, head: int | None) -> str:
    """The report for a person."""
    return f"session export complete: path={path} entries={entries} head={shown(head)}"
