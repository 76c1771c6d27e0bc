"""How YAML makes one text of several lines, and what a backslash stands for.

Rules from YAML 1.2.2: folding (6.5), escapes (5.7), block scalars (8.1).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.S)
ESCAPES = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v", "f": "\f",
    "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


def unescaped(text: str) -> str:
    """The text between double quotes. Raises ValueError for an escape there is not."""
    return ESCAPE.sub(_one, text)


def _one(match: re.Match[str]) -> str:
    digits = match.group(1) or match.group(2) or match.group(3)
    if digits:
        number = int(digits, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise ValueError(f"{match.group()} is no character")
        return chr(number)
    sign = match.group(4)
    if sign not in ESCAPES:
        raise ValueError(f"unknown escape {match.group()!r}")
    return ESCAPES[sign]


def depth_of(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def folded(parts: Sequence[str]) -> str:
    """Lines as one text: a line break becomes a blank, n of them n - 1 line breaks."""
    text = [parts[0]]
    breaks = 0
    for number, part in enumerate(parts[1:], start=2):
        breaks += 1
        if part or number == len(parts):
            text.append(" " if breaks == 1 else "\n" * (breaks - 1))
            text.append(part)
            breaks = 0
    return "".join(text)


def block_text(lines: Sequence[str], folds: bool, chomp: str) -> str:
    """The lines of a block as text; ``chomp`` says which line breaks stay at its end."""
    count = len(lines)
    while count and not lines[count - 1]:
        count -= 1
    empty = len(lines) - count
    if not count:
        return "\n" * empty if chomp == "+" else ""
    text: list[str] = []
    last, breaks = "", 0
    for line in lines[:count]:
        if not line:
            breaks += 1
            continue
        if last:
            flows = folds and last[0] not in " \t" and line[0] not in " \t"
            text.append((" " if not breaks else "\n" * breaks) if flows else "\n" * (breaks + 1))
        else:
            text.append("\n" * breaks)
        text.append(line)
        last, breaks = line, 0
    ends = {"-": 0, "": 1, "+": 1 + empty}
    return "".join(text) + "\n" * ends[chomp]
