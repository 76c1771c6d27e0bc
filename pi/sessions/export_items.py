"""What the exports for people have in common: which entries they show, and how text is made
safe to look at. Pure.

Characters that show nothing, or that turn the order of what is around them, are shown by
their number: what a reader sees is what the file holds.
"""

from __future__ import annotations

import json
import re

from pi.base.text import well_formed
from pi.base.typing import Any, NamedTuple
from pi.sessions.backups import stamp
from pi.sessions.entry import decode, is_waypoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pi.ai.types import Message, ToolCall
    from pi.sessions.rows import Row

# Control characters but tab and newline; what turns text around; what is invisible.
_HIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)


class Item(NamedTuple):
    """One entry: a message, or with ``summary`` the short form of what came before.
    ``time`` is "" where the entry has none."""

    id: int
    time: str
    message: Message | None
    summary: str = ""


def held(row: Row) -> Mapping[str, Any]:
    """The record of a row that was read with all that is in it."""
    assert row.record is not None
    return row.record


def items(rows: Iterable[Row], full: Callable[[Row], Mapping[str, Any]] = held) -> Iterator[Item]:
    """The entries of ``rows`` that say something to a person. ``full`` gives the whole record
    of a row."""
    for row in rows:
        if not row.is_entry:
            continue
        record = full(row)
        ts = time_of(record.get("ts"))
        time = "" if ts is None else iso(ts)
        if not is_waypoint(record):
            yield Item(record["id"], time, decode(record).message)
        elif isinstance(record.get("summary"), str):
            yield Item(record["id"], time, None, record["summary"])


def time_of(value: object) -> int | None:
    """``value`` if it can be milliseconds since 1970, of a year with four digits."""
    if type(value) is int and 0 <= value < 253_402_300_800_000:
        return value
    return None


def iso(ms: int) -> str:
    """``2026-11-22T13:15:00.123Z``."""
    text = stamp(ms)
    return f"{text[:4]}-{text[4:6]}-{text[6:11]}:{text[11:13]}:{text[13:]}"


def marked(text: str, before: str, after: str) -> str:
    """``text`` with ends of lines as newlines, and ``before``U+XXXX``after`` for each
    character that could not be seen."""
    text = well_formed(text).replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_HIDDEN, lambda match: f"{before}U+{ord(match[0]):04X}{after}", text)


def arguments_text(call: ToolCall) -> str:
    """The arguments of a call, as JSON where they are that."""
    if call.raw_arguments is not None:
        return call.raw_arguments
    try:
        return json.dumps(dict(call.arguments), ensure_ascii=False, indent=2)
    except RecursionError:
        return "(nested too deeply to be shown)"


def one_line(text: str, limit: int = 200) -> str:
    """A name for a heading: on one line, not too long."""
    line = " ".join(text[: 8 * limit].split())
    return line if len(line) <= limit else line[:limit] + "..."
