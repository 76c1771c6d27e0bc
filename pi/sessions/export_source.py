"""A session's file, for an export of it: read once to see what there is, and each line again
when its turn comes. So what is held does not grow with what was said.

The file stays open in between: replaced or added to meanwhile, what is read is what there
was. Takes no lock.
"""

from __future__ import annotations

import os

from pi.base.jsonl import MAX_LINE_BYTES, read_again
from pi.base.typing import Any
from pi.sessions.errors import SessionError
from pi.sessions.load_rows import as_row
from pi.sessions.logfile import LogFile
from pi.sessions.rows import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

_BUFFER = 1 << 18
_PLACE = ("id", "parent_id", "at")


class Source:
    """The file at ``path``, to be closed. ``rows`` are its lines, their records without what
    is said in them; there are none, and ``path`` is "", where there is no file."""

    def __init__(self, path: str) -> None:
        log = LogFile(path, max_line_bytes=MAX_LINE_BYTES)
        descriptor = log.open_to_read()
        self.path = log.path if descriptor >= 0 else ""
        self.rows: tuple[Row, ...] = ()
        self._file: BinaryIO | None = None
        if descriptor < 0:
            return
        self._file = os.fdopen(descriptor, "rb", _BUFFER)
        try:
            self.rows = tuple(
                _without_words(as_row(line)) for lines in log.read_new(descriptor) for line in lines
            )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def raw(self, row: Row) -> bytes:
        """The bytes of a row, without the newline. Raises SessionError if they are gone."""
        assert self._file is not None
        try:
            self._file.seek(row.offset)
            data = self._file.read(row.size)
        except OSError as exc:
            cause = exc.strerror or str(exc)
            raise self._failed(cause) from exc
        if len(data) < row.size:
            raise self._failed(f"line {row.number} was cut off meanwhile")
        return data

    def record(self, row: Row) -> Mapping[str, Any]:
        """The whole record of a row that has one. Raises SessionError if it is gone."""
        record = read_again(self.raw(row), row.offset)
        if record is None or not _is_of(record, row):
            raise self._failed(f"line {row.number} was overwritten meanwhile")
        return record

    def _failed(self, cause: str) -> SessionError:
        return SessionError(
            f"failed to read session file '{self.path}'", cause=cause, code="session-unreadable"
        )


def _without_words(row: Row) -> Row:
    if row.record is None:
        return row
    return Row(row.number, row.offset, row.size, _place(row.record))


def _place(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What tells the place of a record in the tree; of a header all."""
    kind = record.get("record_type")
    if kind == "entry":  # written out: it runs for every line of a long session
        return {"record_type": kind, "id": record["id"], "parent_id": record.get("parent_id")}
    if kind == "meta":
        return record
    found = {name: record[name] for name in _PLACE if type(record.get(name)) is int}
    found["record_type"] = kind
    if "message" in record:
        found["message"] = None  # of the oldest form: what makes it an entry
    return found


def _is_of(record: Mapping[str, Any], row: Row) -> bool:
    """Whether a record is the one that was there when ``row`` was read."""
    place = row.record or {}
    same = record.get("record_type") == place.get("record_type")
    return same and ("id" not in place or record.get("id") == place["id"])
