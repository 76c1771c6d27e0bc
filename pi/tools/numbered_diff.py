"""What an edit changes, as numbered lines for a model and a person.

The spans are known, so no lines are compared beyond those they touch: the cost is linear
in the text, however many places change.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import islice

from pi.base.text import redact
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pi.tools.replacing import Span

CONTEXT_LINES = 4
MAX_DIFF_LINES = 200  # a rename all over a file: the first places tell enough
MAX_DIFF_COLUMNS = 500


class Change(NamedTuple):
    """Old lines ``first`` up to (not including) ``end``, counted from 0, become ``new``."""

    first: int
    end: int
    new: list[str]


class Diff(NamedTuple):
    first_changed_line: int  # in the new text, counted from 1
    text: str


def diff_spans(text: str, spans: Sequence[Span], secrets: Sequence[str] = ()) -> Diff:
    """The difference that ``spans`` (in order, not overlapping) make to ``text``.

    ``secrets`` (longest first) are blanked out of each line before it is cut.
    """
    old = _lines(text)
    # Every change gives a row at least: more of them could not be shown.
    found = islice(_changes(text, old, spans), MAX_DIFF_LINES + 1)
    changes = [_trimmed(old, change) for change in found]
    rows: list[str] = []
    first_changed = 0
    grown = 0  # how many lines the text gained before this change
    shown = 0  # old lines told so far
    width = len(str(len(old) + sum(len(change.new) for change in changes)))
    for change, following in zip(changes, [*changes[1:], None]):
        first_changed = first_changed or change.first + grown + 1
        if len(rows) > MAX_DIFF_LINES:
            break
        start = max(shown, change.first - CONTEXT_LINES)
        if start > shown:
            rows.append(f" {'':>{width}} ...")
        rows += _rows(" ", old[start : change.first], start, width, secrets)
        rows += _rows("-", old[change.first : change.end], change.first, width, secrets)
        rows += _rows("+", change.new, change.first + grown, width, secrets)
        grown += len(change.new) - (change.end - change.first)
        limit = len(old) if following is None else following.first
        shown = min(change.end + CONTEXT_LINES, limit)
        rows += _rows(" ", old[change.end : shown], change.end, width, secrets)
    if len(rows) > MAX_DIFF_LINES:
        rows = [*rows[:MAX_DIFF_LINES], "[rest of the difference not shown]"]
    elif shown < len(old):
        rows.append(f" {'':>{width}} ...")
    return Diff(first_changed, "\n".join(rows))


def _lines(text: str) -> list[str]:
    """The lines with their ends. Only LF ends a line; other separators are data."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _rows(
    sign: str, lines: Sequence[str], number: int, width: int, secrets: Sequence[str]
) -> Iterator[str]:
    # One more than is ever shown, so that the caller sees that there was more.
    for offset, line in enumerate(lines[: MAX_DIFF_LINES + 1], 1):
        shown = redact(line.rstrip("\r\n"), secrets)[:MAX_DIFF_COLUMNS]
        yield f"{sign}{number + offset:>{width}} {shown}"


def _changes(text: str, old: Sequence[str], spans: Sequence[Span]) -> Iterator[Change]:
    """The changed lines; spans that touch the same line are one change."""
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    pending: Change | None = None
    position = 0  # in the old text: how far ``pending.new`` tells it
    new = ""
    for span in spans:
        first = bisect_right(starts, span.start) - 1
        if pending is not None and first < pending.end:
            new += text[position : span.start] + span.text
        else:
            if pending is not None:
                yield _closed(pending, new + text[position : starts[pending.end]])
            pending = Change(first, first, [])
            new = text[starts[first] : span.start] + span.text
        position = span.end
        end = bisect_right(starts, max(span.start, span.end - 1))
        # A replaced line end may join the next line to this one.
        if position == starts[end] and new and not new.endswith("\n") and end < len(old):
            end += 1
        pending = Change(pending.first, end, [])
    if pending is not None:
        yield _closed(pending, new + text[position : starts[pending.end]])


def _closed(change: Change, new: str) -> Change:
    return change._replace(new=_lines(new))


def _trimmed(old: Sequence[str], change: Change) -> Change:
    """Without the lines at both ends that stay the same."""
    first, end, new = change
    head = 0
    while head < min(end - first, len(new)) and old[first + head] == new[head]:
        head += 1
    tail = 0
    while (
        tail < min(end - first, len(new)) - head and old[end - 1 - tail] == new[len(new) - 1 - tail]
    ):
        tail += 1
    return Change(first + head, end - tail, new[head : len(new) - tail])
