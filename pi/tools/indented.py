"""Where whole lines are that a model gave with another indentation.

Pure. Both sides are compared without what all their lines begin with; the replacement
gets the file's. The cost is linear in the text unless its lines repeat.
"""

from __future__ import annotations

from itertools import accumulate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANKS = " \t\r\v\f"


def indented_matches(text: str, find: str, replace: str) -> list[tuple[int, int, str]]:
    """Start, end and new text of each place that differs from ``find`` in indentation only.

    There is none if ``replace`` has a line with less indentation than all of ``find``:
    nobody can tell where that belongs.
    """
    ends_line = find.endswith("\n")
    wanted = find.split("\n")[: -1 if ends_line else None]
    margin = _margin(wanted)
    plain = [line[len(margin) :].rstrip(_BLANKS) for line in wanted]
    new = replace.split("\n")
    if not any(plain) or not plain[0] or not all(_has(margin, line) for line in new):
        return []
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    found = []
    free = 0  # the first line that is in no match yet
    for at in _candidates(lines, plain):
        last = at + len(plain) - 1
        theirs = _prefix(lines[at], plain[0])
        if at < free or theirs is None or not _same(lines[at : last + 1], theirs, plain):
            continue
        end = starts[last] + len(lines[last]) - lines[last].endswith("\r")
        if ends_line:
            if last + 1 == len(lines):
                break  # this one has no end
            end = starts[last + 1]
        moved = [theirs + line[len(margin) :] if line.strip(_BLANKS) else line for line in new]
        found.append((starts[at], end, "\n".join(moved)))
        free = last + 1
    return found


def _candidates(lines: Sequence[str], plain: Sequence[str]) -> list[int]:
    """The lines where a match may begin: those that have its rarest line in its place."""
    places: dict[str, list[int]] = {line.strip(_BLANKS): [] for line in plain if line}
    for at, line in enumerate(lines):
        found = places.get(line.strip(_BLANKS))
        if found is not None:
            found.append(at)
    rarest = min(places, key=lambda content: len(places[content]))
    before = [line.strip(_BLANKS) for line in plain].index(rarest)
    most = len(lines) - len(plain)
    return [at - before for at in places[rarest] if 0 <= at - before <= most]


def _margin(lines: Sequence[str]) -> str:
    """What all lines that are not blank begin with."""
    indents = [line[: len(line) - len(line.lstrip(" \t"))] for line in lines if line.strip(_BLANKS)]
    if not indents:
        return ""
    low, high = min(indents), max(indents)
    same = next((at for at, (a, b) in enumerate(zip(low, high)) if a != b), len(low))
    return low[:same]


def _has(margin: str, line: str) -> bool:
    return line.startswith(margin) or not line.strip(_BLANKS)


def _prefix(line: str, plain: str) -> str | None:
    """The blanks in ``line`` before ``plain``, if that is all there is in it."""
    line = line.rstrip(_BLANKS)
    before = line[: len(line) - len(plain)]
    return before if line == before + plain and not before.strip(" \t") else None


def _same(lines: Sequence[str], prefix: str, plain: Sequence[str]) -> bool:
    return all(
        line.rstrip(_BLANKS) == (prefix + wanted if wanted else "")
        for line, wanted in zip(lines, plain)
    )
