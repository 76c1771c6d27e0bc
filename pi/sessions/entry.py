"""One message of a session and the record it is stored as (schema 2, a superset of 1).

    {"record_type":"entry","id":2,"parent_id":1,"ts":1700000000000,
     "message":{"role":"user","content":[{"type":"text","text":"hi"}],"is_error":false}}

Assistant entries also have ``provider``, ``model``, ``api``, ``stop_reason``, ``usage``
and ``error`` beside ``message``. Entries without ``record_type`` are the oldest form.

Invariants (each has a property test):
  * a record is refused with a reason or decoded; ``refusal`` and ``decode`` never raise;
  * decode(encode(entry)) == entry, and encode(decode(record)) has all that record had:
    fields, blocks and fields of blocks that a Message cannot hold wait in ``extra``.
"""

from __future__ import annotations

from pi.ai.types import Message, Origin, Text
from pi.base.typing import Any, NamedTuple
from pi.sessions import blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.ai.types import Block, Reply

SCHEMA_VERSION = 2
MAX_ID = 2**63 - 1
ROLES = ("system", "user", "assistant", "tool")
_make = tuple.__new__  # half of what calling the type costs; ``decode`` runs for each entry
_NOTHING: Mapping[str, Any] = {}
_TOOL_FIELDS = ("tool_call_id", "tool_name")
_TEXT_OR_NONE = (str, type(None))


class SessionEntry(NamedTuple):
    """``extra`` holds the record's other fields (``ts``, ``usage``, ``error``, unknown ones);
    its "message", if any, those of the stored message."""

    id: int
    parent_id: int | None
    message: Message
    extra: Mapping[str, Any] = _NOTHING


def header(
    session_id: str, *, created_ms: int, next_id: int, cwd: str, app_version: str
) -> dict[str, Any]:
    """The record that opens a file, and the one that continues a file of schema 1."""
    return {
        "record_type": "meta",
        "schema_version": SCHEMA_VERSION,
        "session_id": session_id,
        "created_ms": created_ms,
        "cwd": cwd,
        "app_version": app_version,
        "next_id": next_id,
    }


def is_id(value: object) -> bool:
    """Whether ``value`` can be an entry's id: an int (a bool is none) of 63 bits."""
    return type(value) is int and 0 <= value <= MAX_ID


def is_waypoint(record: Mapping[str, Any]) -> bool:
    """Whether the record has a place in the tree but no message (a kind of a later pi)."""
    return "message" not in record and record.get("kind", "message") != "message"


def refusal(record: Mapping[str, Any]) -> str:
    """Why ``record`` cannot be an entry; "" if it can. Runs for every line of a file."""
    entry_id, parent = record.get("id"), record.get("parent_id")
    if not (type(entry_id) is int and 0 <= entry_id <= MAX_ID):
        return "entry id is not an integer from 0 to 2^63-1"
    if parent is not None and not (type(parent) is int and 0 <= parent <= MAX_ID):
        return "parent_id is not null or an integer from 0 to 2^63-1"
    message = record.get("message")
    if type(message) is not dict:
        return "" if is_waypoint(record) else "entry without a message object"
    if message.get("role") not in ROLES:
        return "role is not system, user, assistant or tool"
    content = message.get("content")
    if type(content) is not list:
        return "content is not an array"
    for block in content:
        # Most blocks are plain text: judged here, a long session opens a tenth faster.
        is_short = type(block) is dict and len(block) == 2
        if is_short and block.get("type") == "text" and type(block.get("text")) is str:
            continue
        reason = blocks.refusal(block)
        if reason:
            return reason
    if type(message.get("is_error", False)) is not bool:
        return "is_error is not a boolean"
    for name in _TOOL_FIELDS:
        if name in message and not isinstance(message[name], _TEXT_OR_NONE):
            return f"{name} is not a string"
    return ""


def decode(record: Mapping[str, Any]) -> SessionEntry:
    """The entry in a record that ``refusal`` accepts and that is no waypoint."""
    stored = record["message"]
    role = stored["role"]
    content, is_held = _content(stored["content"])
    extra = dict(record)
    del extra["id"], extra["message"]
    extra.pop("record_type", None)
    parent_id = extra.pop("parent_id", None)
    stop_reason, origin = "", None
    is_tool = role == "tool"
    if role == "assistant":
        if type(extra.get("stop_reason")) is str:
            stop_reason = extra.pop("stop_reason")
        origin = _take_origin(extra)
    # The oldest files may lack it; a tool message without one would break the contract.
    call_id = (stored.get("tool_call_id") or "") if is_tool else None
    tool_name = stored.get("tool_name") if is_tool else None
    is_error = stored.get("is_error", False)
    fields = (role, content, call_id, tool_name, is_error, stop_reason, origin)
    message = _make(Message, fields)
    # Most messages have three fields, and need no closer look.
    if is_tool or not is_held or len(stored) > 2 + ("is_error" in stored):
        rest = _rest(stored, message, is_held)
        if rest:
            extra["message"] = rest
    return _make(SessionEntry, (record["id"], parent_id, message, extra))


def encode(entry: SessionEntry) -> dict[str, Any]:
    """The schema 2 record of ``entry``, its own fields before what ``extra`` adds."""
    extra = dict(entry.extra)
    stored = _message_record(entry.message)
    stored.update(extra.pop("message", _NOTHING))
    record: dict[str, Any] = {
        "record_type": "entry",
        "id": entry.id,
        "parent_id": entry.parent_id,
        "message": stored,
    }
    message = entry.message
    if message.role == "assistant":
        if message.origin is not None:
            record.update(message.origin._asdict())
        if message.stop_reason:
            record["stop_reason"] = message.stop_reason
    for name, value in extra.items():
        record.setdefault(name, value)
    return record


def reply_extra(reply: Reply) -> dict[str, Any]:
    """What a reply says beyond its message, as fields of the entry that stores it."""
    extra: dict[str, Any] = {"usage": reply.usage._asdict()}
    if reply.error is not None:
        error = reply.error
        extra["error"] = {"code": error.code, "message": error.message, "cause": error.cause}
    if reply.raw_stop_reason is not None:
        extra["raw_stop_reason"] = reply.raw_stop_reason
    if reply.response_id is not None:
        extra["response_id"] = reply.response_id
    return extra


def _content(stored: Sequence[dict[str, Any]]) -> tuple[tuple[Block, ...], bool]:
    """The blocks of a stored message, and whether they hold all that is stored."""
    found: list[Block] = []
    is_held = True
    for record in stored:
        if len(record) == 2 and record["type"] == "text":  # most blocks; ``refusal`` saw them
            found.append(_make(Text, (record["text"], None)))
            continue
        block = blocks.decode(record)
        if block is None:
            is_held = False
            continue
        found.append(block)
        is_held = is_held and blocks.encode(block) == record
    return tuple(found), is_held


def _rest(stored: Mapping[str, Any], message: Message, is_held: bool) -> dict[str, Any]:
    """The fields of a stored message that ``message`` cannot hold; ``is_held`` says whether
    its content is not one of them."""
    written = _other_fields(message)
    written["role"] = message.role
    if is_held:
        written["content"] = stored["content"]
    return {
        name: value
        for name, value in stored.items()
        if name not in written or written[name] != value
    }


def _take_origin(extra: dict[str, Any]) -> Origin | None:
    """The three fields belong together; with one missing or odd they stay where they are."""
    api, provider, model = extra.get("api"), extra.get("provider"), extra.get("model")
    if not (type(api) is str and type(provider) is str and type(model) is str):
        return None
    del extra["api"], extra["provider"], extra["model"]
    return Origin(api, provider, model)


def _message_record(message: Message) -> dict[str, Any]:
    content = [blocks.encode(block) for block in message.blocks]
    return {"role": message.role, "content": content, **_other_fields(message)}


def _other_fields(message: Message) -> dict[str, Any]:
    record: dict[str, Any] = {}
    if message.tool_call_id:
        record["tool_call_id"] = message.tool_call_id
    if message.tool_name is not None:
        record["tool_name"] = message.tool_name
    record["is_error"] = message.is_error
    return record
