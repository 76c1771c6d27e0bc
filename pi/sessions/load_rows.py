"""Reading a whole session file as rows. Takes no lock; a caller that rewrites holds it."""

from __future__ import annotations

import os
from typing import NamedTuple

from pi.base.jsonl import MAX_LINE_BYTES, Damaged
from pi.sessions.contents import Contents
from pi.sessions.entry import is_id, refusal
from pi.sessions.errors import SessionError
from pi.sessions.logfile import LogFile
from pi.sessions.rows import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.jsonl import Line


class Loaded(NamedTuple):
    """A file's rows and what they add up to. ``path`` is where the file really is."""

    path: str
    rows: tuple[Row, ...]
    contents: Contents


def load_rows(path: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Loaded:
    """Every line of the file at ``path`` that is not blank, in file order.

    Raises SessionError: "session-missing" if there is no file, "session-unreadable" for a
    folder, a device or a file that may not be read.
    """
    log = LogFile(path, max_line_bytes=max_line_bytes)
    descriptor = log.open_to_read()
    if descriptor < 0:
        raise SessionError(
            f"there is no session file '{path}'", hint="check the path", code="session-missing"
        )
    contents = Contents()
    found: list[Row] = []
    try:
        for lines in log.read_new(descriptor):
            contents.take(lines)
            found += map(as_row, lines)
    finally:
        os.close(descriptor)
    if log.tail is not None:
        contents.take([log.tail])
        found.append(as_row(log.tail))
    return Loaded(log.path, tuple(found), contents)


def as_row(line: Line) -> Row:
    """A line of a file as a row: judged as ``Contents`` judges it."""
    if isinstance(line, Damaged):
        return Row(line.number, line.offset, line.size, None, line.reason)
    row = Row(line.number, line.offset, line.size, line.value)
    kind = line.value.get("record_type")
    if row.is_entry:
        reason = refusal(line.value)
    elif kind == "meta":
        known = is_id(line.value.get("schema_version"))
        reason = "" if known else "header without a schema_version"
    else:
        reason = "" if type(kind) is str else "not a record of a session"
    return row._replace(record=None, reason=reason) if reason else row
