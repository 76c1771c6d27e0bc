"""The sessions of a folder: their list, the latest one, a name's file, a fork.

A list reads the head and the tail of each file, whatever its size.
"""

from __future__ import annotations

import os
import stat

from pi.base.jsonl import JsonlReader, Record
from pi.base.typing import NamedTuple
from pi.sessions.entry import decode, is_waypoint, refusal
from pi.sessions.errors import NamedWrong
from pi.sessions.snapshot import preview

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FOLDER = os.path.join(".pi", "sessions")
ENDING = ".jsonl"
PEEK_BYTES = 64 * 1024
MAX_LISTED = 1000
_ASIDE = (".quarantine.jsonl",)


class Card(NamedTuple):
    """One session in a list. ``first`` and ``last`` are previews of its first prompt and
    its last message, "" where none was found in what was read."""

    name: str
    path: str
    modified_ms: int
    size: int
    first: str
    last: str


def path_of(given: str) -> str:
    """The file a session argument means: a path as it is; a bare name (no slash, no ending)
    the file of that name among the project's sessions. Raises SessionError."""
    if not given.strip():
        raise NamedWrong("a session needs a name or a path", hint="--session work")
    is_path = os.sep in given or "/" in given or "." in given
    return given if is_path else os.path.join(FOLDER, given + ENDING)


def cards(folder: str) -> tuple[Card, ...]:
    """The sessions in ``folder``, the latest first. [] if there is no such folder."""
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found]
    except OSError:
        return ()
    found_cards = []
    for name in names:
        if (
            not name.endswith(ENDING)
            or name.endswith(_ASIDE)
            or ".rescue-" in name
            or name.startswith(".")
        ):
            continue
        path = os.path.join(folder, name)
        try:
            info = os.stat(path)
        except OSError:
            continue
        if stat.S_ISREG(info.st_mode):
            found_cards.append((info.st_mtime_ns, name, path, info.st_size))
    found_cards.sort(key=lambda card: (-card[0], card[1]))
    return tuple(
        Card(name[: -len(ENDING)], path, mtime // 1_000_000, size, *_peek(path, size))
        for mtime, name, path, size in found_cards[:MAX_LISTED]
    )


def latest(folder: str) -> str:
    """The path of the session written last. Raises SessionError if there is none."""
    found = cards(folder)
    if not found:
        raise NamedWrong(f"there is no session in {folder} to continue", hint="start one with -p")
    return found[0].path


def pick(found: tuple[Card, ...], answer: str) -> Card:
    """The card that a number (from 1) or a name means. Raises SessionError."""
    text = answer.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= len(found):
        return found[int(text[:9]) - 1]
    named = [card for card in found if card.name == text]
    close = named or [card for card in found if text and card.name.startswith(text)]
    if len(close) != 1:
        raise NamedWrong(f"{text!r} is not one of the sessions", hint="type its number or name")
    return close[0]


def _peek(path: str, size: int) -> tuple[str, str]:
    """Previews of the first prompt and the last message, from both ends of the file."""
    try:
        with open(path, "rb") as file:
            head = file.read(PEEK_BYTES)
            tail = b""
            if size > PEEK_BYTES:
                file.seek(max(PEEK_BYTES, size - PEEK_BYTES))
                tail = file.read(PEEK_BYTES)
    except OSError:
        return "", ""
    first = last = ""
    for record in _records(head):
        text = _said(record)
        if text and not first and record["message"]["role"] == "user":
            first = text
        last = text or last
    for record in _records(tail):
        last = _said(record) or last
    return first, last


def _records(data: bytes) -> list[Mapping[str, Any]]:
    reader = JsonlReader()
    return [line.value for line in reader.feed(data) if isinstance(line, Record)]


def _said(record: Mapping[str, Any]) -> str:
    if "message" not in record or refusal(record) or is_waypoint(record):
        return ""
    text = decode(record).message.text()
    return preview(text) if text.strip() else ""


def text_lines(found: tuple[Card, ...], shown_time: Mapping[str, str]) -> tuple[str, ...]:
    """A list for a person; ``shown_time`` maps paths to times in words."""
    return tuple(
        f"{number}. {card.name}  {shown_time.get(card.path, '')}  {card.size} bytes  "
        f"{card.first or '(no prompt)'}"
        for number, card in enumerate(found, start=1)
    ) or ("no sessions",)
