"""Which spans of a text an edit replaces, decided before anything is changed.

No files here. Invariants (each has a property test):
  * text outside the spans is untouched, character by character;
  * spans do not overlap and are in order;
  * a text that is found more than once is refused unless all matches are wanted;
  * what only looks like the text counts if nothing is equal to it, and only if unique.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.outcome import ToolFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOT_FOUND = "target string not found"
LOOKS = "looks"  # only looks the same: other quotes, dashes, spaces, widths
INDENTED = "indentation"  # whole lines, with another indentation
_SHOWN_LINES = 10


class Edit(NamedTuple):
    find: str
    replace: str
    all: bool = False


class Span(NamedTuple):
    """``text`` takes the place of what is between ``start`` and ``end``.

    ``how`` is ``LOOKS`` or ``INDENTED`` if what is there is not what was asked for.
    """

    start: int
    end: int
    text: str
    how: str = ""


def plan_spans(
    text: str, edits: Sequence[Edit], line_end: str, check: Callable[[], None] = lambda: None
) -> list[Span]:
    """The spans for ``edits``, each of them matched against ``text`` as it is.

    ``line_end`` is the file's: models write LF whatever a file has. ``check`` is called before
    each edit and may raise: a thousand of them in a large file take their time. Raises
    ToolFailure.
    """
    spans: list[Span] = []
    for number, edit in enumerate(edits, 1):
        check()
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
        return [_fuzzy_span(text, find, replace)]
    if len(starts) > 1 and not edit.all:
        raise ToolFailure(
            f"target string found {len(starts)} times, at lines {_line_list(text, starts)}; "
            "add surrounding text to make it unique, or set 'all' to replace every match"
        )
    return [Span(start, start + len(find), replace) for start in starts]


def _fuzzy_span(text: str, find: str, replace: str) -> Span:
    """The one place that is like ``find``: of several nobody can tell which is meant."""
    from pi.tools.fuzzy import fuzzy_matches  # these, and only when a text is missing
    from pi.tools.indented import indented_matches

    found = [Span(*place, replace, LOOKS) for place in fuzzy_matches(text, find)]
    found = found or [Span(*each, INDENTED) for each in indented_matches(text, find, replace)]
    if not found:
        raise ToolFailure(NOT_FOUND)
    if len(found) > 1:
        lines = _line_list(text, [span.start for span in found])
        raise ToolFailure(
            f"target string not found as it is; {len(found)} places look like it, "
            f"at lines {lines}: copy one exactly, with surrounding text"
        )
    return found[0]


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
