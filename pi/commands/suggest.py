"""The command somebody may have meant. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def suggestion(typed: str, names: Sequence[str]) -> str:
    """The first name that begins with ``typed``, else the nearest one by edit distance if
    that is at most 1 for up to 4 typed bytes, 2 for up to 8, 3 above; "" for none."""
    for name in names:
        if name.startswith(typed):
            return name
    length = len(typed.encode("utf-8", "surrogatepass"))
    allowed = 1 if length <= 4 else 2 if length <= 8 else 3
    best, least = "", allowed + 1
    for name in names:
        distance = edit_distance(typed, name, least)
        if distance < least:
            best, least = name, distance
    return best


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
