"""Is this session file sound. Pure: rows in, findings out.

Errors are what breaks or lacks part of a conversation: entries given twice, parents that
are missing, cycles, lines that cannot be read. Warnings are what does not: calls without a
result, results without a call, names that stand on nothing, a last line that was being
written when its writer was killed (nothing was lost with it that was said to be saved).
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple
from pi.sessions.graph import Findings, examine, nodes
from pi.sessions.labels import KINDS, fold

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from pi.sessions.rows import Row


class Report(NamedTuple):
    """``bad_lines`` are (number, reason); ``open_calls`` and ``stray_results`` are (entry
    id, tool call id) of calls without a result on any branch, and of results without a
    call above them; ``stray_names`` (name, entry id) of names on entries that are not
    there; ``torn`` is the number of an unfinished last line, 0 for none."""

    path: str
    entries: int
    findings: Findings
    bad_lines: tuple[tuple[int, str], ...]
    open_calls: tuple[tuple[int, str], ...]
    stray_results: tuple[tuple[int, str], ...]
    stray_names: tuple[tuple[str, int], ...] = ()
    torn: int = 0

    @property
    def valid(self) -> bool:
        return self.findings.sound and not self.bad_lines

    def of_no_session(self) -> Report:
        """The report of a file that holds nothing of a session: what would be an unfinished
        last line is no better than the others."""
        last = ((self.torn, "it is no record of a session"),) if self.torn else ()
        return self._replace(bad_lines=(*self.bad_lines, *last), torn=0)


def validate(path: str, rows: Sequence[Row], torn: int = 0) -> Report:
    """Judge the rows of the session at ``path``; ``torn`` is the line that the file ends
    in the middle of."""
    found = nodes(rows)
    open_calls, stray = _calls(rows)
    bad = ((row.number, row.reason) for row in rows if row.record is None)
    return Report(
        path,
        len(found),
        examine(found),
        tuple(pair for pair in bad if pair[0] != torn),
        open_calls,
        stray,
        _stray_names(rows, {node.id for node in found}),
        torn,
    )


def _stray_names(rows: Iterable[Row], ids: Collection[int]) -> tuple[tuple[str, int], ...]:
    notes = [row.record for row in rows if row.record is not None and not row.is_entry]
    return tuple(
        (name, place)
        for kind in KINDS
        for name, place in fold(notes, kind).items()
        if place not in ids
    )


def _calls(
    rows: Iterable[Row],
) -> tuple[tuple[tuple[int, str], ...], tuple[tuple[int, str], ...]]:
    """Calls and results that have no counterpart: a result hangs below its call, with
    nothing but other results, and entries without a message, between them."""
    wanted: dict[tuple[int, str], bool] = {}  # (answer, call id): has a result
    owner: dict[int, int] = {}  # entry: the answer whose calls its tool results answer
    stray = []
    for row in rows:
        record = row.record
        if record is None or not row.is_entry:
            continue
        entry_id, message = record["id"], record.get("message")
        if not isinstance(message, dict):
            parent = record.get("parent_id")
            owner[entry_id] = -1 if parent is None else owner.get(parent, -1)
        elif message.get("role") == "assistant":
            owner[entry_id] = entry_id
            for call_id in _call_ids(message):
                wanted[entry_id, call_id] = False
        elif message.get("role") == "tool":
            parent = record.get("parent_id")
            answer = -1 if parent is None else owner.get(parent, -1)
            owner[entry_id] = answer
            key = (answer, str(message.get("tool_call_id") or ""))
            if key in wanted:
                wanted[key] = True
            else:
                stray.append((entry_id, key[1]))
    return tuple(key for key, answered in wanted.items() if not answered), tuple(stray)


def _call_ids(message: Mapping[str, Any]) -> list[str]:
    blocks = message.get("content")
    if not isinstance(blocks, list):
        return []
    return [
        str(block.get("id"))
        for block in blocks
        if isinstance(block, dict) and block.get("type") == "tool_call"
    ]


def counts(report: Report) -> str:
    """The counts as the older program printed them."""
    findings = report.findings
    return (
        f"duplicates={len(findings.duplicates)} invalid_parent={len(findings.orphans)} "
        f"cycles={len(findings.cyclic)}"
    )


def text_lines(report: Report) -> tuple[str, ...]:
    """The report for a person: the summary line, then each finding."""
    findings = report.findings
    lines = [f"session validation: path={report.path} entries={report.entries} {counts(report)}"]
    lines += [f"duplicate: id={node.id} line={node.line}" for node in findings.duplicates]
    lines += [f"invalid parent: id={entry}" for entry in findings.orphans]
    lines += ["cycle: ids=" + ",".join(map(str, ring)) for ring in findings.rings]
    lines += [f"bad line: line={number} reason={why}" for number, why in report.bad_lines]
    lines += [f"warning: call without result: id={e} call={c}" for e, c in report.open_calls]
    lines += [f"warning: result without call: id={e} call={c}" for e, c in report.stray_results]
    lines += [f"warning: name on nothing: name={n} id={e}" for n, e in report.stray_names]
    if report.torn:
        lines.append(f"warning: torn end: line={report.torn}")
    if report.valid:
        lines.append("session validation passed")
    return tuple(lines)


def json_data(report: Report) -> dict[str, Any]:
    """The same as JSON data."""
    findings = report.findings
    return {
        "path": report.path,
        "valid": report.valid,
        "entries": report.entries,
        "duplicates": [{"id": node.id, "line": node.line} for node in findings.duplicates],
        "invalid_parent": list(findings.orphans),
        "cycles": list(findings.cyclic),
        "rings": [list(ring) for ring in findings.rings],
        "bad_lines": [{"line": number, "reason": why} for number, why in report.bad_lines],
        "open_calls": [{"id": e, "tool_call_id": c} for e, c in report.open_calls],
        "stray_results": [{"id": e, "tool_call_id": c} for e, c in report.stray_results],
        "stray_names": [{"name": name, "id": e} for name, e in report.stray_names],
        "torn_line": report.torn or None,
    }
