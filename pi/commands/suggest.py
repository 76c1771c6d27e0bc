"""The commands somebody may have meant. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_MORE_FROM = 4  # signs that must be typed before more than one name is worth telling


def suggestion(typed: str, names: Sequence[str]) -> str:
    """The first name that begins with ``typed``, else the nearest one by edit distance if
    that is at most 1 for up to 4 typed bytes, 2 for up to 8, 3 above; "" for none."""
    return next(iter(suggestions(typed, names, most=1)), "")


def suggestions(typed: str, names: Sequence[str], most: int = 3) -> tuple[str, ...]:
    """Up to ``most`` names: those that begin with ``typed`` in their order, else the near
    ones, the nearest first."""
    most = most if len(typed) >= _MORE_FROM else 1
    begun = [name for name in names if name.startswith(typed)]
    if begun:
        return tuple(begun[:most])
    length = len(typed.encode("utf-8", "surrogatepass"))
    allowed = 1 if length <= 4 else 2 if length <= 8 else 3
    measured = [(edit_distance(typed, name, allowed + 1), name) for name in names]
    near = sorted((each for each in measured if each[0] <= allowed), key=lambda each: each[0])
    return tuple(name for _, name in near[:most])


def did_you_mean(typed: str, names: Sequence[str]) -> list[str]:
    """The lines that tell them: none, one, or one and the others."""
    found = suggestions(typed, names)
    lines = [f"did you mean {found[0]}?"] if found else []
    return [*lines, f"or: {', '.join(found[1:])}"] if found[1:] else lines


def edit_distance(one: str, other: str, enough: int) -> int:
    """Levenshtein's distance, or ``enough`` if it is not below that."""
    if abs(len(one) - len(other)) >= enough:
        return enough
    before = list(range(len(other) + 1))
    for row, sign in enumerate(one, start=1):
        now = [row]
        for column, against in enumerate(other, start=1):
            now.append(min(before[column] + 1, now[-1] + 1, before[column - 1] + (sign != against)))
        before = now
    return min(before[-1], enough)
