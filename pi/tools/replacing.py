"""Which spans of a text an edit replaces, decided before anything is changed.

No files here. Invariants (each has a property test):
  * text outside the spans is untouched, character by character;
  * spans do not overlap and are in order;
  * a text that is found more than once is refused unless all matches are wanted.
"""

from __future__ import annotations

from typing import NamedTuple

from pi.tools.outcome import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_FOUND = "target string not found"
_SHOWN_LINES = 10


class Edit(NamedTuple):
    find: str
    replace: str
    all: bool = False


class Span(NamedTuple):
    """``text`` takes the place of what is between ``start`` and ``end``."""

    start: int
    end: int
    text: str


def plan_spans(text: str, edits: Sequence[Edit], line_end: str) -> list[Span]:
    """The spans for ``edits``, each of them matched against ``text`` as it is.

    ``line_end`` is the file's: models write LF whatever a file has. Raises ToolFailure.
    """
    spans: list[Span] = []
    for number, edit in enumerate(edits, 1):
        try:
            spans += _spans_of(text, edit, line_end)
        except ToolFailure as failure:
            if len(edits) == 1:
                raise
            raise ToolFailure(f"edit {number} of {len(edits)}: {failure.error}") from None
    spans.sort()
    for before, after in zip(spans, spans[1:]):
        if after.start < before.end:
            line = text.count("\n", 0, after.start) + 1
            raise ToolFailure(f"edits overlap at line {line}; nothing was changed")
    return spans


def apply_spans(text: str, spans: Sequence[Span]) -> str:
    """``text`` with every span replaced."""
    pieces = []
    position = 0
    for span in spans:
        pieces += [text[position : span.start], span.text]
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)


def _spans_of(text: str, edit: Edit, line_end: str) -> list[Span]:
    if not edit.find:
        raise ToolFailure("'find' must not be empty")
    if edit.find == edit.replace:
        raise ToolFailure("'find' and 'replace' are identical: nothing to change")
    find, replace = edit.find, edit.replace
    starts = _starts(text, find)
    if not starts:
        find = _with_line_end(find, line_end)
        starts = _starts(text, find)
    # A text with line ends that matched as it is means them; else the file's are kept.
    if find is not edit.find or "\n" not in find:
        replace = _with_line_end(replace, line_end)
    if not starts:
        raise ToolFailure(NOT_FOUND)
    if len(starts) > 1 and not edit.all:
        raise ToolFailure(
            f"target string found {len(starts)} times, at lines {_line_list(text, starts)}; "
            "add surrounding text to make it unique, or set 'all' to replace every match"
        )
    return [Span(start, start + len(find), replace) for start in starts]


def _starts(text: str, find: str) -> list[int]:
    """Where ``find`` is, without overlaps."""
    found = []
    start = text.find(find)
    while start >= 0:
        found.append(start)
        start = text.find(find, start + len(find))
    return found


def _with_line_end(text: str, line_end: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", line_end)


def _line_list(text: str, starts: Sequence[int]) -> str:
    lines = []
    line, position = 1, 0
    for start in starts[:_SHOWN_LINES]:
        line += text.count("\n", position, start)
        position = start
        lines.append(str(line))
    if len(starts) > _SHOWN_LINES:
        lines.append("...")
    return ", ".join(lines)
