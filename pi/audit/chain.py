"""The hash chain of the tool audit log: how a record is sealed and read back.

A record is one line of compact JSON, keys sorted, UTF-8 (what ``jq -cS`` writes) with
  ``seq``   its number, from 1;
  ``prev``  SHA-256, in hex, of the record line before it without its newline, or of
            ``GENESIS`` for the first;
  ``hash``  SHA-256 of the record itself, written the same way without this field.
So a line shows by itself that it was edited, also the last one, and ``prev`` and ``seq``
show what was removed, moved or rewritten. A process that died while writing leaves a torn
line; the next record then is a ``TORN`` note, which holds length and digest of the bytes
that are no record and is chained to the last record before them.

What the end of the file does not show is that records were cut off there: compare with a
``Head`` that was kept elsewhere. Whoever can write the file can also make a new chain.

Pure. Invariant (has a property test): what was sealed is read back, whatever it holds.
"""

from __future__ import annotations

import json
from hashlib import sha256

from pi.base.errors import UsageError
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

GENESIS = sha256(b"pi tool audit log 1").hexdigest()
TORN = "torn_line"
MAX_RECORD_BYTES = 32 * 1024
MAX_LINE_BYTES = 64 * 1024  # a longer line is nothing pi wrote
MAX_JSON_INT = 2**53

_ENCODER = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


class Head(NamedTuple):
    """Where a chain ends: the last record's number and the digest of its line."""

    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.digest}"


class Sealed(NamedTuple):
    """A record whose line is as it was written. ``digest`` is what the next one names."""

    seq: int
    prev: str
    digest: str
    value: Mapping[str, Any]


class Flaw(NamedTuple):
    """Why a line is no such record: a word for scripts and the rest of "line 5 ..."."""

    kind: str
    why: str


def parse_head(text: str) -> Head:
    """The head that ``str`` wrote. Raises UsageError for anything else."""
    seq, _, digest = text.strip().partition(":")
    if not (seq.isascii() and seq.isdigit() and len(seq) < 17 and _is_digest(digest)):
        raise UsageError(f"{text[:100]!r} is not a head of an audit log", hint="NUMBER:SHA256")
    return Head(int(seq), digest)


def canonical(value: Mapping[str, Any]) -> bytes:
    """The only way a record is written. Raises ValueError for what JSON cannot hold."""
    return _ENCODER.encode(value).encode("utf-8")


def seal(fields: Mapping[str, Any], seq: int, prev: str) -> bytes:
    """The line (without newline) of record ``seq``. Raises ValueError if it is too long."""
    record = {**fields, "seq": seq, "prev": prev}
    record["hash"] = sha256(canonical(record)).hexdigest()
    line = canonical(record)
    if len(line) > MAX_RECORD_BYTES:
        raise ValueError(f"an audit record of {len(line)} bytes is too long")
    return line


def read_record(line: bytes) -> Sealed | Flaw:
    """What stands in a line without its newline."""
    if len(line) > MAX_LINE_BYTES:
        return Flaw("foreign", f"is longer than {MAX_LINE_BYTES} bytes")
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return Flaw("not-json", "is not JSON" if line.strip() else "is blank")
    if type(value) is not dict or not ("seq" in value and "prev" in value and "hash" in value):
        return Flaw("foreign", "is no record of an audit log")
    try:
        is_canonical = canonical(value) == line
    except (ValueError, RecursionError):
        is_canonical = False
    if not is_canonical:
        return _odd_form(line)
    seq, prev, own = value["seq"], value["prev"], value.pop("hash")
    if type(seq) is not int or not 0 < seq < MAX_JSON_INT or not _is_digest(prev):
        return Flaw("edited", "was edited: it has no proper number or link")
    if sha256(canonical(value)).hexdigest() != own:
        return Flaw("edited", "was edited: its content does not match its hash")
    return Sealed(seq, prev, sha256(line).hexdigest(), value)


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _odd_form(line: bytes) -> Flaw:
    """Why a JSON object is not what ``canonical`` writes: edited, by hand or by a tool."""
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in found]
        twice.extend(name for name in set(names) if names.count(name) > 1)

    try:
        json.loads(line.decode("utf-8"), object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        pass  # was read once already; a deeper stack now changes nothing
    if twice:
        return Flaw("duplicate-keys", f"was edited: it has the key {min(twice)[:50]!r} twice")
    return Flaw("edited", "was edited: it is not written as pi writes records")
