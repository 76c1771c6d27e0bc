"""Finding entries by what they say. Pure; linear in the text looked through.

A plain query is looked for in the text of messages, in the names and arguments of tool
calls, and, as the older program did, in the name of the role.
"""

from __future__ import annotations

import json
import re

from pi.ai.types import Text
from pi.base.typing import Any, NamedTuple
from pi.sessions.entry import ROLES
from pi.sessions.errors import NamedWrong
from pi.sessions.snapshot import PREVIEW, preview, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pi.ai.types import Message
    from pi.sessions.entry import SessionEntry
    from pi.sessions.snapshot import Snapshot

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_LEAD = 30  # characters shown before a hit


class Query(NamedTuple):
    """``role`` and ``tool`` narrow the search ("" for any); ``ids``, if not None, to these
    entries. ``regex`` makes ``text`` a regular expression, ``case`` makes letters count."""

    text: str
    role: str = ""
    tool: str = ""
    regex: bool = False
    case: bool = False
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    ids: Collection[int] | None = None


class SearchError(NamedWrong):
    """Why a query cannot be run, in the report's words."""


class Hit(NamedTuple):
    """An entry that matches, and the words around the match."""

    entry: SessionEntry
    snippet: str


class Found(NamedTuple):
    """``matches`` counts all hits; ``hits`` are those from ``offset`` on, up to ``limit``."""

    query: Query
    entries: int
    matches: int
    hits: tuple[Hit, ...]


def search(snapshot: Snapshot, query: Query) -> Found:
    """The entries that match, by ascending id. Raises SearchError."""
    find = _finder(query)
    in_role = {role: find(role) >= 0 for role in ROLES}
    entries = matches = 0
    hits: list[Hit] = []
    for entry in snapshot.by_id():
        entries += 1
        if query.ids is not None and entry.id not in query.ids:
            continue
        if query.role and entry.message.role != query.role:
            continue
        if query.tool and not _uses(entry.message, query.tool):
            continue
        text = searched_text(entry.message)
        place = find(text)
        if place < 0 and not in_role[entry.message.role]:
            continue
        matches += 1
        if query.offset < matches <= query.offset + query.limit:
            hits.append(Hit(entry, _snippet(text, place)))
    return Found(query, entries, matches, tuple(hits))


def searched_text(message: Message) -> str:
    """The text of a message, and its calls as "name {arguments}"."""
    blocks = message.blocks
    if len(blocks) == 1 and isinstance(blocks[0], Text):  # most messages
        return blocks[0].text
    calls = message.tool_calls()
    if not calls:
        return message.text()
    written = (
        f"{call.name} {json.dumps(dict(call.arguments), ensure_ascii=False)}" for call in calls
    )
    return "\n".join(filter(None, (message.text(), *written)))


def _finder(query: Query) -> Callable[[str], int]:
    """A function that tells where the query is in a text, -1 if nowhere."""
    if not query.text:
        raise SearchError("query is required")
    if query.regex:
        try:
            pattern = re.compile(query.text, 0 if query.case else re.IGNORECASE)
        except (re.error, RecursionError, OverflowError) as exc:
            raise SearchError(f"invalid regular expression: {exc}") from None

        def find_pattern(text: str) -> int:
            match = pattern.search(text)
            return match.start() if match else -1

        return find_pattern
    if query.case:
        return lambda text: text.find(query.text)
    wanted = query.text.lower()
    return lambda text: text.lower().find(wanted)


def _uses(message: Message, tool: str) -> bool:
    return message.tool_name == tool or any(call.name == tool for call in message.tool_calls())


def _snippet(text: str, place: int) -> str:
    """The words around a hit on one line; the beginning, if the hit is within it."""
    start = preview(text)
    if place < PREVIEW - _LEAD:
        return start
    return "..." + preview(text[place - _LEAD : place + PREVIEW])


def text_lines(found: Found) -> tuple[str, ...]:
    """The report for a person."""
    query = found.query
    lines = [
        f'session search: query="{query.text}" role={query.role or "any"} '
        f"entries={found.entries} matches={found.matches} shown={len(found.hits)} "
        f"limit={query.limit}"
    ]
    lines += [
        f"result: id={hit.entry.id} parent={shown(hit.entry.parent_id)} "
        f"role={hit.entry.message.role} preview={hit.snippet}"
        for hit in found.hits
    ] or ["results: none"]
    return tuple(lines)


def json_data(found: Found) -> dict[str, Any]:
    """The same as JSON data."""
    query = found.query
    return {
        "query": query.text,
        "role": query.role or None,
        "entries": found.entries,
        "matches": found.matches,
        "shown": len(found.hits),
        "limit": query.limit,
        "offset": query.offset,
        "results": [
            {
                "id": hit.entry.id,
                "parent_id": hit.entry.parent_id,
                "role": hit.entry.message.role,
                "preview": hit.snippet,
            }
            for hit in found.hits
        ],
    }
