"""What is thrown inside the command rule when a part of the command is not allowed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SHOWN = 120


class Refused(Exception):
    """``name`` is the offending command; ``reason`` is empty if it is just not on the list."""

    def __init__(self, name: str, reason: str = "") -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason


def refuse(name: str, reason: str) -> NoReturn:
    raise Refused(name, reason)


def shown(text: str) -> str:
    """Text of the command for a message: not too long, and on one line."""
    if text.isprintable() and len(text) <= _SHOWN:
        return text
    cut = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return "".join(char if char.isprintable() else "?" for char in cut)
