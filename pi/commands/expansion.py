"""Prompt templates: a text with places for what is typed behind ``/name``. Pure.

    $1 ... $9, $10   the first argument, the second ...; nothing where there is none
    $@ $ARGUMENTS    all of them, with a blank between
    ${@:N} ${@:N:L}  those from the N-th on, at most L

Arguments are split as a shell splits words; where a quote is left open, at blanks. Each
place is filled once: what an argument holds is never taken for a place. Arguments of a
text that has no place for them follow it, because they were typed to be read.
"""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# A plain string: most runs never need it, and ``re`` remembers it.
PLACES = r"\$(?:([0-9]+)|(@|ARGUMENTS\b)|\{@:([0-9]+)(?::([0-9]+))?\})"
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"
FENCE = "---"
MOST_DIGITS = 9  # a longer number is of no argument, and costs time to read


class Template(NamedTuple):
    """``level`` is "user" or "project"; ``arguments`` is a hint from the head of the file."""

    name: str
    path: str
    level: str
    body: str
    description: str = ""
    arguments: str = ""


def split_arguments(text: str) -> tuple[str, ...]:
    """The arguments in what was typed behind the name."""
    if not any(sign in text for sign in "\"'\\"):
        return tuple(text.split())
    import shlex  # 6 ms, and only where something is quoted

    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())


def expand(body: str, arguments: Sequence[str]) -> str:
    """``body`` with its places filled."""
    everything = " ".join(arguments)

    def fill(match: re.Match[str]) -> str:
        number, whole, first, length = match.groups()
        if whole:
            return everything
        if number:
            index = _number(number)
            return arguments[index - 1] if 0 < index <= len(arguments) else ""
        start = max(_number(first) - 1, 0)
        end = len(arguments) if length is None else start + _number(length)
        return " ".join(arguments[start:end])

    text, count = re.subn(PLACES, fill, body)
    if count or not everything:
        return text
    return f"{text.rstrip()}\n\n{everything}" if text.strip() else everything


def read_template(name: str, path: str, level: str, text: str) -> Template:
    """A file as a template. Its head, if it has one, is lines of ``key: value`` between two
    lines ``---``; only "description" and "argument-hint" mean something. Without a
    description the first line of the text is it."""
    text = text.replace("\r\n", "\n")
    head: dict[str, str] = {}
    lines = text.split("\n")
    if lines[0].rstrip() == FENCE:
        end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), 0)
        if end:
            for line in lines[1:end]:
                key, colon, value = line.partition(":")
                if colon and key == key.strip():
                    head.setdefault(key.lower(), _unquoted(value.strip()))
            text = "\n".join(lines[end + 1 :])
    body = text.strip()
    first = body.split("\n", 1)[0].lstrip("# ")
    description = head.get("description") or first
    return Template(name, path, level, body, description[:200], head.get("argument-hint", "")[:80])


def is_name(text: str) -> bool:
    """Whether a template can have this name: it is typed behind a slash, as one word."""
    return re.fullmatch(NAME, text) is not None


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= MOST_DIGITS else 10**MOST_DIGITS


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value
