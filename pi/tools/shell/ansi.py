"""The escapes of ``$'...'`` (bash(1), section QUOTING)."""

from __future__ import annotations

import re

from pi.tools.shell.pattern import pattern

_ESCAPE = pattern(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}


def decode(body: str) -> str | None:
    """What stands between ``$'`` and ``'`` as the shell reads it.

    None when that hangs on the locale (bytes above 127), cuts the text off (NUL) or is an
    escape that shells read differently.
    """
    parts: list[str] = []
    end = 0
    for match in _ESCAPE.finditer(body):
        octal, two, four, letter = match.groups()
        if letter is not None:
            char = _LETTERS.get(letter, "")
        else:
            code = int(octal, 8) if octal else int(two or four, 16)
            char = chr(code) if 0 < code < 128 else ""
        if not char:
            return None
        parts.append(body[end : match.start()])
        parts.append(char)
        end = match.end()
    parts.append(body[end:])
    return "".join(parts)
