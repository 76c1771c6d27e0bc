"""Messages of ours as messages of the TypeScript ancestor's: ``pimono_messages`` backwards.

Pure. What would come back different is added under "pi": the words for an answer's origin
and end, the fields of a block that the ancestor has no place for.
"""

from __future__ import annotations

from pi.base.typing import Any
from pi.sessions import blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Kinds that mean the same there.
KINDS = {
    "model_change": "model_change",
    "thinking_change": "thinking_level_change",
    "label": "label",
    "info": "session_info",
    "compaction": "compaction",
}
_ROLES = {"user": "user", "assistant": "assistant", "tool": "toolResult"}
_APIS = {
    "openai-chat": "openai-completions",
    "anthropic": "anthropic-messages",
    "google": "google-generative-ai",
}
_PLAIN_SIGNATURES = ("anthropic-messages", "google-generative-ai")
_SIGNATURES = {
    "tool_call": "thoughtSignature",
    "thinking": "thinkingSignature",
    "text": "textSignature",
}
_STOP_REASONS = {
    **{word: word for word in ("stop", "length", "error", "aborted")},
    "tool_use": "toolUse",
}
_COUNTS = ("input", "output", "cacheRead", "cacheWrite")
_USAGE = dict(zip(_COUNTS, ("input", "output", "cache_read", "cache_write")))


def with_our_words(record: Mapping[str, Any], time: int) -> dict[str, Any]:
    """The message of an entry with a user's, an assistant's or a tool's."""
    stored = record["message"]
    role = stored["role"]
    own: dict[str, Any] = {}
    found = said(stored, _word(_APIS, record.get("api")) if role == "assistant" else "")
    if role == "assistant":
        found.update(_answer(record, own))
    elif role == "tool":
        found["toolCallId"] = stored.get("tool_call_id") or ""
        found["toolName"] = stored.get("tool_name") or ""
        if stored.get("tool_name") is None:
            own["tool_name"] = None
        if record.get("details") is not None:
            found["details"] = record["details"]
    if role == "tool" or stored.get("is_error"):
        found["isError"] = stored.get("is_error", False)
    found["timestamp"] = time
    if own:
        found["pi"] = own
    return found


def said(stored: Mapping[str, Any], api: str) -> dict[str, Any]:
    """Role and content of a stored message."""
    content = [_block(block, api) for block in stored["content"] if blocks.decode(block)]
    return {"role": _ROLES[stored["role"]], "content": content}


def _word(table: Mapping[str, str], word: object) -> str:
    return table.get(word, word) if isinstance(word, str) else ""


def _answer(record: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What an answer says beside its content; into ``own`` what would not come back."""
    found: dict[str, Any] = {}
    for name in ("api", "provider", "model"):
        ours = record.get(name)
        found[name] = _word(_APIS if name == "api" else {}, ours) or "unknown"
        if found[name] != ours:
            own[name] = ours if isinstance(ours, str) else None
    reason = record.get("stop_reason")
    found["stopReason"] = _STOP_REASONS.get(reason if isinstance(reason, str) else "", "stop")
    if not isinstance(reason, str) or reason not in _STOP_REASONS:
        own["stop_reason"] = reason if isinstance(reason, str) else None
    found["usage"] = _usage(record.get("usage"))
    error = record.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        found["errorMessage"] = error["message"]
    return found


def _usage(usage: object) -> dict[str, Any]:
    """The ancestor adds these up without asking whether they are there."""
    given = usage if isinstance(usage, dict) else {}
    counts = {name: given.get(_USAGE[name]) for name in _COUNTS}
    found: dict[str, Any] = {name: n if type(n) is int else 0 for name, n in counts.items()}
    found["totalTokens"] = sum(found.values())
    cost = given.get("cost")
    none = dict.fromkeys((*_COUNTS, "total"), 0)
    found["cost"] = {**none, **cost} if isinstance(cost, dict) else none
    return found


def _block(stored: Mapping[str, Any], api: str) -> dict[str, Any]:
    """A block that ``blocks.decode`` understands."""
    kind = stored["type"]
    if kind == "image":
        return {"type": "image", "data": stored["data"], "mimeType": stored["mime"]}
    own = blocks.encode(blocks.decode(stored))  # type: ignore[arg-type]
    found: dict[str, Any]
    if kind == "tool_call":
        found = {name: own.pop(name) for name in ("id", "name", "arguments")}
        found = {"type": "toolCall", **found}
    elif kind == "thinking":
        found = {"type": "thinking", "thinking": own.pop("text")}
        if own.pop("redacted", False):
            found["redacted"] = True
    else:
        found = {"type": "text", "text": own.pop("text")}
    del own["type"]
    theirs = _SIGNATURES[kind]
    if own.get("signature") and api in _PLAIN_SIGNATURES and not found.get("redacted"):
        found[theirs] = own.pop("signature")
    elif isinstance(stored.get(theirs), str):
        found[theirs] = stored[theirs]
    if found.get("redacted"):
        own["redacted"] = True
    if own:
        found["pi"] = own
    return found
