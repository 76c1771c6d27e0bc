"""Records without credentials, for an export that goes to others. Pure.

Every string of a record is looked at, names of fields that pi does not know included. What
was signed by a vendor and is changed loses its signature and its original, which would not
fit or would tell. Ids and the shape of the tree stay.
"""

from __future__ import annotations

from pi.base.credentials import Credentials, is_secret_name
from pi.base.text import REDACTED
from pi.base.typing import Any
from pi.sessions.entry import ROLES
from pi.sessions.labels import KINDS
from pi.sessions.rows import DIGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 150
# A value that equals one of these words is no secret; a record without them is no record.
_WORDS = frozenset(
    (
        *("record_type", "id", "parent_id", "message", "ts", "kind", "role", "content", "type"),
        *("text", "is_error", "tool_call_id", "tool_name", "name", "arguments", "mime", "data"),
        *("schema_version", "session_id", "next_id", "created_ms", "at", "summary", "title"),
        *("first_kept_id", "stop_reason", "usage", "provider", "model", "api"),
    )
)
_KEPT = frozenset(("record_type", "role", "kind", "type", "stop_reason"))
# What these say where they are a record's own; what else they hold may be anything.
_SAID = frozenset(
    (
        *(*ROLES, *KINDS, DIGEST, "entry", "meta", "head", "label", "tool_start", "message"),
        *("text", "thinking", "image", "tool_call", "compaction", "pruning", "branch_summary"),
        *("custom", "custom_message", "shell", "model_change", "thinking_change", "info"),
        *("stop", "length", "error", "aborted", "tool_use"),
    )
)
_NUMBERS = frozenset(("id", "parent_id", "ts", "at", "next_id", "created_ms", "first_kept_id"))
_BLOCKS = ("text", "thinking", "tool_call")
_SIGNED = ("signature", "vendor", "textSignature", "thinkingSignature", "thoughtSignature")


def redacted(record: Mapping[str, Any], credentials: Credentials) -> dict[str, Any]:
    """``record`` with its credentials blanked out."""
    found: dict[str, Any] = _hidden(dict(record), credentials, 0)
    return found


def _hidden(value: Any, credentials: Credentials, depth: int) -> Any:
    if isinstance(value, str):
        return credentials.hidden(value)
    if not isinstance(value, (dict, list)):
        return value
    if depth > MAX_DEPTH:
        return REDACTED  # nobody reads that deep, and nothing may slip through
    if isinstance(value, list):
        return [_hidden(item, credentials, depth + 1) for item in _apart(value, credentials)]
    is_picture = value.get("type") == "image"
    found = {}
    for name, item in value.items():
        if name in _KEPT and isinstance(item, str) and item in _SAID:
            found[name] = item
        elif _is_secret(name, item, credentials):
            found[credentials.hidden(name)] = REDACTED
        elif is_picture and name == "data" and isinstance(item, str):
            found[name] = credentials.known_hidden(item)
        else:
            shown = name if name in _WORDS else credentials.hidden(name)
            found[shown] = _hidden(item, credentials, depth + 1)
    if found != value and value.get("type") in _BLOCKS:
        for name in _SIGNED:
            found.pop(name, None)
    return found


def _apart(items: list[Any], credentials: Credentials) -> list[Any]:
    """``items`` without the known values that one text block begins and the next ones end."""
    found = list(items)
    begin = 0
    for end, item in enumerate([*items, None]):
        if _is_text(item):
            continue
        if end - begin > 1:
            texts = [block["text"] for block in items[begin:end]]
            for at, text in enumerate(credentials.known_hidden_in(texts), begin):
                if text != items[at]["text"]:
                    found[at] = {**items[at], "text": text}
                    for name in _SIGNED:
                        found[at].pop(name, None)
        begin = end + 1
    return found


def _is_text(item: Any) -> bool:
    """Whether it is a block of text."""
    return isinstance(item, dict) and item.get("type") == "text" and type(item.get("text")) is str


def _is_secret(name: str, item: Any, credentials: Credentials) -> bool:
    """Whether an item is one for its name, or is a number that is a secret of digits."""
    if type(item) in (str, int, float, list, dict) and item and is_secret_name(name):
        return True
    is_number = type(item) is int and name not in _NUMBERS
    return is_number and credentials.known_hidden(str(item)) == REDACTED
