"""What an operation makes of a session file: decided by pure functions, applied in one place.

A planner (``plan_repair``, ``plan_import``, ...) gets the rows of the file and returns a
``Plan``; ``rewrite.apply`` makes a backup, writes the new file beside the old one, and
renames it over. A plan that changes nothing is not applied.
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple, Union
from pi.sessions.rows import DIGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.sessions.rows import Row

# The number of a row that is copied byte for byte, or a new record.
PlanLine = Union[int, "Mapping[str, Any]"]


class Plan(NamedTuple):
    """``lines`` is the whole new file in order, its header included. ``head`` is the entry
    the conversation stands at afterwards (None: none). ``report`` is what the operation
    tells, as JSON data: counts, the ids affected, the pairs of remapped ids.
    ``quarantine`` are numbers of rows moved into ``<session>.quarantine.jsonl``.
    """

    lines: tuple[PlanLine, ...]
    head: int | None
    report: Mapping[str, Any]
    changes: bool = True
    quarantine: tuple[int, ...] = ()


def with_header(lines: list[PlanLine], rows: Sequence[Row], next_id: int) -> list[PlanLine]:
    """``lines`` with ``next_id`` in its first header, or one put in front: an id that was
    given once must not be given again after entries were taken out. Digests of exports
    are left out: they are over what was there before."""
    digests = {row.number for row in rows if _is_digest(row.record)}
    lines = [
        line
        for line in lines
        if not (line in digests if isinstance(line, int) else _is_digest(line))
    ]
    headers = {
        row.number: row.record
        for row in rows
        if row.record is not None and row.record.get("record_type") == "meta"
    }
    for at, line in enumerate(lines):
        header = headers.get(line) if isinstance(line, int) else line
        if header is not None and header.get("record_type") == "meta":
            newest = max(2, *(_version(found) for found in (header, *headers.values())))
            kept = {name: value for name, value in header.items() if name != DIGEST}
            lines[at] = {**kept, "schema_version": newest, "next_id": next_id}
            return lines
    return [{"record_type": "meta", "schema_version": 2, "next_id": next_id}, *lines]


def _is_digest(record: Mapping[str, Any] | None) -> bool:
    return record is not None and record.get("record_type") == DIGEST


def _version(header: Mapping[str, Any]) -> int:
    version = header.get("schema_version")
    return version if type(version) is int else 0
