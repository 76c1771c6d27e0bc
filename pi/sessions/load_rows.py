"""Reading a whole session file at once. Takes no lock; a caller that rewrites holds it."""

from __future__ import annotations

import os

from pi.base.jsonl import MAX_LINE_BYTES, Damaged, JsonlReader, Record
from pi.base.typing import NamedTuple
from pi.sessions.contents import Contents
from pi.sessions.entry import is_id, refusal
from pi.sessions.errors import NamedWrong
from pi.sessions.logfile import LogFile
from pi.sessions.rows import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from pi.base.jsonl import Line


class Lines(NamedTuple):
    """What a file holds. ``path`` is where it really is; ``torn`` the number of a last line
    that no newline ended and that is no record, 0 for none."""

    path: str
    lines: tuple[Line, ...]
    torn: int = 0


class Loaded(NamedTuple):
    """A file's rows and what they add up to; ``path`` and ``torn`` as in ``Lines``."""

    path: str
    rows: tuple[Row, ...]
    contents: Contents
    torn: int = 0


def read_lines(path: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Lines:
    """Every line of the file at ``path`` that is not blank, in file order.

    Raises SessionError: "session-missing" if there is no file, "session-unreadable" for a
    folder, a device or a file that may not be read.
    """
    log = LogFile(path, max_line_bytes=max_line_bytes)
    descriptor = log.open_to_read()
    if descriptor < 0:
        raise NamedWrong(
            f"there is no session file '{path}'", hint="check the path", code="session-missing"
        )
    found: list[Line] = []
    try:
        for lines in log.read_new(descriptor):
            found += lines
    finally:
        os.close(descriptor)
    if log.tail is not None:
        found.append(log.tail)
    return Lines(log.path, tuple(found), log.tail.number if log.tail is not None else 0)


def lines_of(data: bytes, path: str = "-") -> Lines:
    """The same of bytes that are in no file."""
    reader = JsonlReader()
    found = reader.feed(data)
    last = reader.finish()
    if last is not None:
        found.append(last)
    return Lines(path, tuple(found), last.number if isinstance(last, Damaged) else 0)


def load_rows(path: str, *, max_line_bytes: int = MAX_LINE_BYTES) -> Loaded:
    """The lines of the file at ``path`` as rows. Raises SessionError as ``read_lines``."""
    return loaded(read_lines(path, max_line_bytes=max_line_bytes))


def loaded(found: Lines) -> Loaded:
    """Lines as rows of a session of ours."""
    contents = Contents()
    contents.take(found.lines)
    return Loaded(found.path, tuple(map(as_row, found.lines)), contents, found.torn)


def records(lines: Iterable[Line]) -> list[Record]:
    """Those of ``lines`` that hold a JSON object."""
    return [line for line in lines if isinstance(line, Record)]


def raw_of(file: BinaryIO) -> Callable[[Row], bytes]:
    """A function that gives the bytes of a row of ``file``, without the newline."""

    def raw(row: Row) -> bytes:
        file.seek(row.offset)
        return file.read(row.size)

    return raw


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
