"""``/audit-summary``: what the audit log and the telemetry log (either, or both mixed) say.

``summarize`` is pure; ``summarize_file`` reads for it. A line that is no JSON object (a log
that is being written has a torn last one) is counted and skipped.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pi.audit.telemetry import RECORD_TYPE
from pi.base.errors import PiError
from pi.base.jsonl import JsonlReader, Record
from pi.base.text import cut_head, plain_text, well_formed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_NAME_BYTES = 256
MAX_LINE_BYTES = 1 << 20
MAX_ROWS = 1000  # names come from a file; further ones are put together
OTHERS = "(others)"
_CHUNK_BYTES = 1 << 18
_TOKENS = ("input_tokens", "output_tokens", "total_tokens")


class Row(NamedTuple):
    """All records of one tool or provider; ``tokens`` are input, output, total."""

    name: str
    times: int
    errors: int
    durations: tuple[int, ...]  # sorted
    tokens: tuple[int, int, int] = (0, 0, 0)

    def figures(self) -> dict[str, str]:
        return {
            "count": str(self.times),
            "error_rate": f"{100 * self.errors / self.times:.2f}%",
            "p50_ms": str(percentile(self.durations, 50)),
            "p95_ms": str(percentile(self.durations, 95)),
        }


class Summary(NamedTuple):
    """What a log holds. Rows are sorted by name."""

    records: int
    bad_lines: int
    tools: tuple[Row, ...]
    providers: tuple[Row, ...]

    def text(self, path: str) -> str:
        """The report, without a newline at the end; bad lines are named only if there are any."""
        tools, prompts = (sum(row.times for row in rows) for rows in (self.tools, self.providers))
        head = f"audit summary: path={path} records={self.records} "
        head += f"tool_events={tools} prompt_records={prompts}"
        head += f" bad_lines={self.bad_lines}" if self.bad_lines else ""
        lines = [head, "tool_breakdown:"]
        lines += [_line(row.name, row.figures()) for row in self.tools] or ["  none"]
        lines.append("provider_breakdown:")
        for row in self.providers:
            tokens = {name: str(count) for name, count in zip(_TOKENS, row.tokens)}
            lines.append(_line(row.name, {**row.figures(), **tokens}))
        return "\n".join(lines if self.providers else [*lines, "  none"])

    def as_json(self, path: str) -> dict[str, Any]:
        """The report for scripts."""
        return {
            "schema_version": 1,
            "path": path,
            "records": self.records,
            "bad_lines": self.bad_lines,
            "tools": [_data(row) for row in self.tools],
            "providers": [
                {**_data(row), **dict(zip(_TOKENS, row.tokens))} for row in self.providers
            ],
        }


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The value at rank ceil(n * percent / 100) of sorted values; 0 of none."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(1, rank) - 1] if ordered else 0


def summarize(chunks: Iterable[bytes]) -> Summary:
    """Count what stands in the bytes of a log, given in any slices."""
    reader = JsonlReader(max_line_bytes=MAX_LINE_BYTES)
    tools, providers = _Table(), _Table()
    records = bad = 0

    def take(line: object) -> None:
        nonlocal records, bad
        if not isinstance(line, Record):
            bad += 1
            return
        records += 1
        value = line.value
        if value.get("event") == "tool_execution_end":
            took = _count(value.get("duration_ms"))
            name = _shown(value.get("tool_name"), "unknown_tool")
            tools.add(name, value.get("is_error") is True, took)
        elif value.get("record_type") == RECORD_TYPE:
            took = _count(value.get("duration_ms")) or None
            name = _shown(value.get("provider"), "unknown_provider")
            providers.add(name, _failed(value), took, value.get("token_usage"))

    for chunk in chunks:
        for line in reader.feed(chunk):
            take(line)
    last = reader.finish()
    if last is not None:
        take(last)
    return Summary(records, bad, tools.rows(), providers.rows())


def summarize_file(path: str) -> Summary:
    """The summary of the log at ``path``. Raises PiError if it cannot be read."""
    try:
        return summarize(_chunks(path))
    except (OSError, ValueError) as exc:
        raise PiError(
            f"failed to open audit file {path}",
            cause=getattr(exc, "strerror", None) or str(exc),
            code="audit-log-unreadable",
        ) from exc


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        while True:
            chunk = file.read(_CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


class _Table:
    """Rows that grow."""

    def __init__(self) -> None:
        self._found: dict[str, list[Any]] = {}

    def add(self, name: str, failed: bool, took: int | None, tokens: object = None) -> None:
        if len(self._found) >= MAX_ROWS and name not in self._found:
            name = OTHERS
        row = self._found.setdefault(name, [0, 0, [], [0, 0, 0]])
        row[0] += 1
        row[1] += failed
        if took is not None:
            row[2].append(took)
        if isinstance(tokens, dict):
            for at, field in enumerate(_TOKENS):
                row[3][at] += _count(tokens.get(field)) or 0

    def rows(self) -> tuple[Row, ...]:
        return tuple(
            Row(name, count, failed, tuple(sorted(took)), tuple(tokens))
            for name, (count, failed, took, tokens) in sorted(self._found.items())
        )


def _failed(value: Mapping[str, Any]) -> bool:
    """Whether a prompt failed; one of whose calls only a tool failed did not."""
    status = value.get("status")
    if status == "completed_with_tool_errors":
        return False
    success = value.get("success")
    return not success if isinstance(success, bool) else status != "completed"


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 63 else None


def _shown(name: object, otherwise: str) -> str:
    """A name that cannot forge another line or field of the report."""
    text = "_".join(plain_text(well_formed(name)).split()) if isinstance(name, str) else ""
    return cut_head(text, MAX_NAME_BYTES) or otherwise


def _line(name: str, figures: Mapping[str, str]) -> str:
    return f"  {name} " + " ".join(f"{field}={value}" for field, value in figures.items())


def _data(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "count": row.times,
        "errors": row.errors,
        "p50_ms": percentile(row.durations, 50),
        "p95_ms": percentile(row.durations, 95),
        "max_ms": row.durations[-1] if row.durations else 0,
    }
