"""``/audit-summary``: what the audit log and the telemetry log (either, or both mixed) say.

``Counter`` is fed with bytes and knows no files; ``summarize_files`` reads for it. A line
that is no JSON object (a log that is being written has a torn last one) is counted and
skipped, and so is a record outside the time asked for. Cost is an estimate: tokens times
the price per token of the model that answered; what a prompt cache saved is not known.
"""

from __future__ import annotations

import os
import stat
from heapq import heappushpop

from pi.audit.telemetry import RECORD_TYPE
from pi.base.given_file import not_taken
from pi.base.jsonl import JsonlReader, Record
from pi.base.text import cut_head, plain_text, well_formed
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pi.base.jsonl import Line

MAX_NAME_BYTES = 256
MAX_LINE_BYTES = 1 << 20
MAX_ROWS = 1000  # names come from a file; further ones are put together
SLOWEST = 5
OTHERS = "(others)"
_CHUNK_BYTES = 1 << 18
TOKENS = ("input_tokens", "output_tokens", "total_tokens")


class Window(NamedTuple):
    """Unix milliseconds: records from ``since`` on and before ``until``; None is no bound."""

    since: int | None = None
    until: int | None = None

    def holds(self, when: int | None) -> bool:
        """Whether a record of that time counts; one without a time only in an open window."""
        if when is None:
            return self.since is None and self.until is None
        return (self.since is None or when >= self.since) and (
            self.until is None or when < self.until
        )


class Row(NamedTuple):
    """All records of one tool, provider or model; ``tokens`` are input, output, total."""

    name: str
    times: int
    errors: int
    durations: tuple[int, ...]  # sorted
    tokens: tuple[int, int, int] = (0, 0, 0)

    def percentile(self, percent: int) -> int:
        return percentile(self.durations, percent)

    @property
    def longest(self) -> int:
        return self.durations[-1] if self.durations else 0


class Slow(NamedTuple):
    """One slow tool call or prompt; ``at_ms`` 0 if its time is not known."""

    duration_ms: int
    name: str
    at_ms: int
    session: str


class Summary(NamedTuple):
    """What logs hold. Rows are sorted by name, ``slowest`` by duration, longest first."""

    records: int
    bad_lines: int
    left_out: int  # records outside the window
    tools: tuple[Row, ...]
    providers: tuple[Row, ...]
    models: tuple[Row, ...]
    errors: tuple[tuple[str, int], ...]
    slowest: tuple[Slow, ...]


def percentile(ordered: Sequence[int], percent: int) -> int:
    """The value at rank ceil(n * percent / 100) of sorted values; 0 of none."""
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(1, rank) - 1] if ordered else 0


class Counter:
    """Counts what stands in logs."""

    def __init__(self, window: Window = Window()) -> None:  # noqa: B008 - never changed
        self._window = window
        self._records = self._bad = self._left_out = 0
        self._tools, self._providers, self._models = _Table(), _Table(), _Table()
        self._errors = _Table()
        self._slowest: list[Slow] = []

    def log(self, chunks: Iterable[bytes]) -> None:
        """Count one whole log, given in any slices."""
        reader = JsonlReader(max_line_bytes=MAX_LINE_BYTES)
        for chunk in chunks:
            for line in reader.feed(chunk):
                self._take(line)
        last = reader.finish()
        if last is not None:
            self._take(last)

    def summary(self) -> Summary:
        return Summary(
            self._records,
            self._bad,
            self._left_out,
            self._tools.rows(),
            self._providers.rows(),
            self._models.rows(),
            tuple((row.name, row.times) for row in self._errors.rows()),
            tuple(sorted(self._slowest, reverse=True)),
        )

    def _take(self, line: Line) -> None:
        if not isinstance(line, Record):
            self._bad += 1
            return
        value = line.value
        if not self._window.holds(_count(value.get("timestamp_unix_ms"))):
            self._left_out += 1
            return
        self._records += 1
        if value.get("event") == "tool_execution_end":
            self._tool(value)
        elif value.get("record_type") == RECORD_TYPE:
            self._prompt(value)

    def _tool(self, value: Mapping[str, Any]) -> None:
        took = _count(value.get("duration_ms"))
        name = _shown(value.get("tool_name"), "unknown_tool")
        failed = value.get("is_error") is True
        self._tools.add(name, failed, took)
        if failed:
            rule = _shown(value.get("policy_rule"), "")
            self._errors.add(f"tool:{name}:{rule or 'failed'}", False, None)
        self._slow(value, name, took)

    def _prompt(self, value: Mapping[str, Any]) -> None:
        took = _count(value.get("duration_ms")) or None
        provider = _shown(value.get("provider"), "unknown_provider")
        served = value.get("served_by") or f"{provider}/{value.get('model') or 'unknown'}"
        failed, usage = _failed(value), value.get("token_usage")
        self._providers.add(provider, failed, took, usage)
        self._models.add(_shown(served, "unknown"), failed, took, usage)
        if failed:
            kind = value.get("error_code") or value.get("status")
            self._errors.add(f"prompt:{_shown(kind, 'failed')}", False, None)
        self._slow(value, "prompt", took)

    def _slow(self, value: Mapping[str, Any], name: str, took: int | None) -> None:
        if not took:
            return
        at = _count(value.get("timestamp_unix_ms")) or 0
        call = Slow(took, name, at, _shown(value.get("session"), ""))
        if len(self._slowest) < SLOWEST:
            self._slowest.append(call)
            self._slowest.sort()  # a sorted list is a heap
        else:
            heappushpop(self._slowest, call)


def summarize_files(paths: Sequence[str], window: Window = Window()) -> Summary:  # noqa: B008
    """The summary of logs together. Raises PiError naming the first that cannot be read."""
    counter = Counter(window)
    for path in paths:
        try:
            counter.log(_chunks(path))
        except (OSError, ValueError) as exc:
            raise not_taken(
                f"failed to open audit file {path}", exc, code="audit-log-unreadable"
            ) from exc
    return counter.summary()


def cost_of(row: Row, price: Callable[[str], tuple[float, float] | None]) -> float | None:
    """Dollars, estimated; None where ``price`` (dollars per million tokens of input and
    output, by "provider/model") knows nothing."""
    rates = price(row.name)
    if rates is None:
        return None
    return (row.tokens[0] * rates[0] + row.tokens[1] * rates[1]) / 1_000_000


def _chunks(path: str) -> Iterator[bytes]:
    with open(path, "rb", buffering=0, opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("not a regular file")
        while True:
            chunk = file.read(_CHUNK_BYTES)
            if not chunk:
                return
            yield chunk


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


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
            for at, field in enumerate(TOKENS):
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
