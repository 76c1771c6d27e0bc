"""Where in a text a string that was not found may have been meant to be."""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple

MIN_RATIO = 0.6  # below, the lines named would mislead more than they help
_CANDIDATES = 3
# Characters that are compared. The time can grow with their third power: for texts that
# repeat a few letters 2000 took most of a minute, and nothing can end it.
_COMPARED = 300
_WORD = r"\w+"


class Nearest(NamedTuple):
    """Lines ``first`` to ``last``, counted from 1, and how they read."""

    first: int
    last: int
    text: str


def nearest_lines(text: str, find: str) -> Nearest | None:
    """The lines of ``text`` most like ``find``, if any are alike enough.

    Shared words choose a few windows in one pass; only those are compared in full.
    """
    from difflib import SequenceMatcher  # 5 ms, and only after a failed edit

    wanted = frozenset(re.findall(_WORD, find))
    lines = text.split("\n")
    height = min(find.rstrip("\n").count("\n") + 1, len(lines))
    shared = [len(wanted.intersection(re.findall(_WORD, line))) for line in lines]
    score = sum(shared[:height])
    scores = [(score, 0)]
    for start in range(1, len(lines) - height + 1):
        score += shared[start + height - 1] - shared[start - 1]
        scores.append((score, -start))
    best: tuple[float, int] = (MIN_RATIO, 0)
    found = None
    for score, minus_start in sorted(scores, reverse=True)[:_CANDIDATES]:
        if not score:
            break
        start = -minus_start
        window = "\n".join(lines[start : start + height])
        ratio = SequenceMatcher(
            None, window[:_COMPARED], find.strip("\n")[:_COMPARED], autojunk=False
        ).ratio()
        if (ratio, minus_start) > best:
            best = (ratio, minus_start)
            found = Nearest(start + 1, start + height, window)
    return found
