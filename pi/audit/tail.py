"""The end of a log file: from the last bytes to the record that the next one follows. Pure."""

from __future__ import annotations

from hashlib import sha256

from pi.audit.chain import GENESIS, TORN, Head, Sealed, read_record, seal
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

FOREIGN = "what it holds is not a tool audit log"
EMPTY = Head(0, GENESIS)


class End(NamedTuple):
    """Where a chain goes on.

    head:      the last record
    torn:      what stands after it and is no record, if a process died while writing
    open_line: the last line has no newline
    """

    head: Head = EMPTY
    torn: bytes = b""
    open_line: bool = False


def find_end(data: bytes, is_all: bool) -> End | None:
    """The end of a file whose last bytes are ``data``; None if more of it is needed.

    Raises ValueError if there is no record, and what is there is no torn one either.
    Complete lines after the last record that are none are left for the verifier to blame.
    """
    if not data:
        return End()
    open_line = not data.endswith(b"\n")
    stop = len(data) - (not open_line)
    is_torn = open_line
    while stop >= 0:
        start = data.rfind(b"\n", 0, stop) + 1
        if not start and not is_all:
            break
        found = read_record(data[start:stop])
        if isinstance(found, Sealed):
            torn = data[stop + 1 :] if is_torn else b""
            return End(Head(found.seq, found.digest), torn, open_line)
        is_torn = is_torn and found.kind == "not-json"  # what is JSON was written whole
        stop = start - 1
    if is_all:
        if is_torn and data.startswith(b'{"') and b"\n" not in data:
            return End(EMPTY, data, open_line)  # its very first record was torn
        raise ValueError(FOREIGN)
    return None


def go_on(end: End, fields: Mapping[str, Any], now_ms: int) -> tuple[bytes, Head]:
    """What to append for a record with ``fields``, and the head after it.

    A torn line is ended and accounted for in a note of its own, never changed.
    """
    data, head = b"\n" if end.open_line else b"", end.head
    records = [fields]
    if end.torn:
        note = {
            "event": TORN,
            "schema_version": 1,
            "timestamp_unix_ms": now_ms,
            "torn_bytes": len(end.torn),
            "torn_sha256": sha256(end.torn).hexdigest(),
        }
        records.insert(0, note)
    for record in records:
        line = seal(record, head.seq + 1, head.digest)
        head = Head(head.seq + 1, sha256(line).hexdigest())
        data += line + b"\n"
    return data, head
