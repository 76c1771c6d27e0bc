"""A session, or a branch of it, as a file for elsewhere. Pure: rows in, pieces of bytes out,
each made when it is asked for; so a long session is never in memory as a whole.

``jsonl`` is a session file: a header and the records with their ids, byte for byte as
they are kept; its last line is a digest over all before it, so that an import can tell
whether it arrived whole. ``json`` is the same for other programs, as one document. The
forms for people and for the TypeScript ancestor have modules of their own
(``export_markdown``, ``export_html``, ``export_pimono``).
"""

from __future__ import annotations

import os

from pi.base.jsonl import encode
from pi.base.typing import Any
from pi.sessions.errors import SessionError
from pi.sessions.export_items import held
from pi.sessions.graph import nodes, parents
from pi.sessions.lineage import path_to
from pi.sessions.rows import DIGEST
from pi.sessions.snapshot import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pi.sessions.rows import Row

FORMATS = ("jsonl", "md", "html", "json", "pi-mono")
_ENDINGS = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".jsonl": "jsonl",
}


def format_of(path: str, otherwise: str = "jsonl") -> str:
    """The format that the ending of a file's name asks for, ``otherwise`` for no such ending."""
    return _ENDINGS.get(os.path.splitext(path)[1].lower(), otherwise)


def chosen(rows: Sequence[Row], head: int | None, *, whole: bool = False) -> tuple[Row, ...]:
    """The rows to export: the lineage of ``head``, root first, or all entries in file order;
    with those that name or describe them, without headers. Raises SessionError for an
    unknown head."""
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
    kept = tuple(row for row in rows if _belongs(row, ids, last, whole=whole))
    return kept if whole or head is None else _in_order(kept, path.ids)


def _in_order(rows: tuple[Row, ...], ids: Sequence[int]) -> tuple[Row, ...]:
    """``rows`` with the entries in the order of ``ids``; a merged file may have another."""
    entries = {row.record["id"]: row for row in rows if row.record is not None and row.is_entry}
    if list(entries) == list(ids):
        return rows
    return (*(entries[one] for one in ids), *(row for row in rows if not row.is_entry))


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
) -> Iterator[bytes]:
    """A session file; ``raw`` gives the bytes of a row without its newline. ``notes`` are
    records that come after the rows."""
    yield encode(header)
    for row in rows:
        yield raw(row) + b"\n"
    yield from map(encode, notes)


def to_sealed_jsonl(
    header: Mapping[str, Any],
    rows: Iterable[Row],
    raw: Callable[[Row], bytes],
    notes: Iterable[Mapping[str, Any]] = (),
) -> Iterator[bytes]:
    """The same with a last line that says what all before it comes to, which an import
    checks; the header promises that line, so that its loss is noticed too."""
    from hashlib import sha256  # 2 ms, and only for an export

    hashed = sha256()
    for piece in to_jsonl({**header, DIGEST: "sha256"}, rows, raw, notes):
        hashed.update(piece)
        yield piece
    yield encode({"record_type": DIGEST, "sha256": hashed.hexdigest()})


def to_json(
    title: str,
    header: Mapping[str, Any],
    rows: Sequence[Row],
    notes: Iterable[Mapping[str, Any]] = (),
    full: Callable[[Row], Mapping[str, Any]] = held,
) -> Iterator[bytes]:
    """One JSON object: title, header, entries, notes (names and the like), digest.

    Each record is on a line of its own, in the form JSON lines have here; the digest is over
    these lines: header, entries, notes, each with its newline and without the comma. ``full``
    gives the whole record of a row.
    """
    from hashlib import sha256  # 2 ms, and only for an export

    hashed = sha256()

    def line(record: Mapping[str, Any]) -> bytes:
        data = encode(record)
        hashed.update(data)
        return data[:-1]

    def lines(records: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
        before = b"["
        for record in records:
            yield before + b"\n" + line(record)
            before = b","
        yield b"[]" if before == b"[" else b"\n]"

    entries = (full(row) for row in rows if row.is_entry)
    others = (full(row) for row in rows if row.record is not None and not row.is_entry)
    yield b'{\n"title": ' + encode({"": title})[4:-2]
    yield b',\n"header": ' + line(header)
    yield b',\n"entries": '
    yield from lines(entries)
    yield b',\n"notes": '
    yield from lines(record for part in (others, notes) for record in part)
    yield b',\n"digest": ' + encode({"sha256": hashed.hexdigest()})[:-1] + b"\n}\n"


def text_line(path: str, entries: int, head: int | None) -> str:
    """The report for a person."""
    return f"session export complete: path={path} entries={entries} head={shown(head)}"
