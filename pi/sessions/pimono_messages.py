"""What the lines of the TypeScript ancestor's sessions say, as fields of our entries. Pure.

An entry that was part of the conversation there has a message here: a command that the
user ran, a summary of a branch that was left and a message of an extension went to the
model in a user's words, and do so again. The other entries keep their own fields. What an export of
ours added under "pi" (see ``pimono_reverse``) is taken back.
"""

from __future__ import annotations

import json

from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Body = dict[str, Any]

_ROLES = {"user": "user", "assistant": "assistant", "toolResult": "tool"}
_STOP_REASONS = {"toolUse": "tool_use"}
_USAGE = (
    ("input", "input"),
    ("output", "output"),
    ("cacheRead", "cache_read"),
    ("cacheWrite", "cache_write"),
)
# Kinds that mean the same here; what is none of them is "custom".
_KINDS = {
    "model_change": "model_change",
    "thinking_level_change": "thinking_change",
    "label": "label",
    "session_info": "info",
}
_PLACE = ("id", "parentId", "timestamp", "record_type", "parent_id", "ts", "kind", "message")
_BRANCH = "The following is a summary of a branch that this conversation came back from:"


def body(record: Mapping[str, Any], ids: Mapping[str, int]) -> Body:
    """The fields of the entry that ``record`` becomes, beside its place in the tree.

    ``ids`` maps the names of the entries before it to our ids.
    """
    kind = record.get("type")
    make = _BODIES.get(kind) if isinstance(kind, str) else None
    made = make(record, ids) if make is not None else None
    return _other(record, ids) if made is None else made


def _message(record: Mapping[str, Any], ids: Mapping[str, int]) -> Body | None:
    theirs = record.get("message")
    if not isinstance(theirs, dict):
        return None
    role = theirs.get("role")
    if role == "bashExecution":
        return _shell(theirs)
    if role in ("custom", "hookMessage"):  # the name in version 2
        return _custom_message(theirs, ids)
    if not isinstance(role, str) or role not in _ROLES:
        return {"kind": "custom", "data": theirs}
    message = _said(_ROLES[role], theirs.get("content"), theirs.get("api"))
    message["is_error"] = theirs.get("isError") is True
    found: Body = {"message": message}
    if role == "toolResult":
        message["tool_call_id"] = str(theirs.get("toolCallId") or "")
        message["tool_name"] = str(theirs.get("toolName") or "")
        if "tool_name" in _own(theirs):
            del message["tool_name"]
        if theirs.get("details") is not None:
            found["details"] = theirs["details"]
    elif role == "assistant":
        found.update(_answer(theirs))
    return found


def _answer(theirs: Mapping[str, Any]) -> Body:
    """What an assistant's entry says beside its message."""
    extra: Body = {}
    for name in ("api", "provider", "model"):
        if isinstance(theirs.get(name), str):
            extra[name] = theirs[name]
    reason = theirs.get("stopReason")
    if isinstance(reason, str):
        extra["stop_reason"] = _STOP_REASONS.get(reason, reason)
    usage = theirs.get("usage")
    if isinstance(usage, dict):
        counted = {ours: usage.get(name) for name, ours in _USAGE}
        extra["usage"] = {ours: n if type(n) is int else 0 for ours, n in counted.items()}
        if isinstance(usage.get("cost"), dict):
            extra["usage"]["cost"] = usage["cost"]
    if isinstance(theirs.get("errorMessage"), str):
        extra["error"] = {"code": "", "message": theirs["errorMessage"], "cause": ""}
    own = _own(theirs)
    for name in ("api", "provider", "model", "stop_reason"):
        if isinstance(own.get(name), str):
            extra[name] = own[name]
        elif name in own:
            extra.pop(name, None)
    return extra


def _own(theirs: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an export of ours put there for its import."""
    own = theirs.get("pi")
    return own if isinstance(own, dict) else {}


def _shell(theirs: Mapping[str, Any]) -> Body:
    """A command the user ran; one that was not for the model has no message."""
    found: Body = {"kind": "shell", "data": theirs}
    if theirs.get("excludeFromContext") is True:
        return found
    output = theirs.get("output")
    said = f"Ran `{theirs.get('command')}`\n"
    said += f"```\n{output}\n```" if output else "(no output)"
    code = theirs.get("exitCode")
    if theirs.get("cancelled") is True:
        said += "\n\n(command cancelled)"
    elif type(code) is int and code:
        said += f"\n\nCommand exited with code {code}"
    return {**found, "message": _said("user", said)}


def _custom_message(theirs: Mapping[str, Any], ids: Mapping[str, int]) -> Body:
    """A message that an extension put into the conversation."""
    found: Body = {"kind": "custom_message", "message": _said("user", theirs.get("content"))}
    for name, ours in (("customType", "custom_type"), ("display", "display"), ("details",) * 2):
        if theirs.get(name) is not None:
            found[ours] = theirs[name]
    return found


def _branch_summary(record: Mapping[str, Any], ids: Mapping[str, int]) -> Body | None:
    summary = record.get("summary")
    if not isinstance(summary, str) or not summary:
        return None
    found = _other(record, ids)
    said = f"{_BRANCH}\n\n<summary>\n{summary}\n</summary>"
    return {**found, "kind": "branch_summary", "message": _said("user", said)}


def _compaction(record: Mapping[str, Any], ids: Mapping[str, int]) -> Body:
    found = {**_other(record, ids), "kind": "compaction"}
    found.pop("type", None)
    if type(record.get("tokensBefore")) is int:
        found["tokens_before"] = found.pop("tokensBefore")
    details = record.get("details")
    if isinstance(details, dict):
        files = {"read": details.get("readFiles"), "modified": details.get("modifiedFiles")}
        found["files"] = {
            name: [path for path in paths if isinstance(path, str)]
            for name, paths in files.items()
            if isinstance(paths, list)
        }
    return found


def _other(record: Mapping[str, Any], ids: Mapping[str, int]) -> Body:
    """An entry without a message: its own fields, those that name entries with our ids."""
    kind = record.get("type")
    ours = _KINDS.get(kind, "custom") if isinstance(kind, str) else "custom"
    found: Body = {"kind": ours}
    if ours == "custom":
        found["type"] = kind
    for field, value in record.items():
        if field in _REFERENCES:
            found[_REFERENCES[field]] = ids.get(value) if isinstance(value, str) else None
        elif field not in _PLACE and field != "type":
            found[field] = value
    if kind == "message":
        found["data"] = record.get("message")
    return found


def _said(role: str, content: object, api: object = "") -> Body:
    blocks: list[dict[str, Any]] = []
    if isinstance(content, str):
        blocks = [{"type": "text", "text": content}]
    elif isinstance(content, list):
        blocks = [_block(block, api) for block in content if isinstance(block, dict)]
    return {"role": role, "content": blocks, "is_error": False}


def _block(block: Mapping[str, Any], api: object) -> dict[str, Any]:
    kind = block.get("type")
    made: dict[str, Any]
    if kind == "toolCall":
        arguments = block.get("arguments")
        made = {"type": "tool_call", "id": str(block.get("id")), "name": str(block.get("name"))}
        made["arguments"] = arguments if isinstance(arguments, dict) else {}
    elif kind == "thinking":
        made = {"type": "thinking", "text": str(block.get("thinking") or "")}
    elif kind == "image" and isinstance(block.get("data"), str):
        return {"type": "image", "mime": str(block.get("mimeType")), "data": block["data"]}
    elif kind == "text" and isinstance(block.get("text"), str):
        made = {"type": "text", "text": block["text"]}
    else:
        return {"type": "text", "text": json.dumps(dict(block), ensure_ascii=False)}
    theirs = _SIGNATURES[kind]
    signature = block.get(theirs)
    if isinstance(signature, str) and signature:
        # For other wire formats it is a record of the ancestor's own making.
        is_plain = api in _PLAIN_SIGNATURES and block.get("redacted") is not True
        made["signature" if is_plain else theirs] = signature
    own = _own(block)
    made.update((name, own[name]) for name in _BLOCK_FIELDS if name in own)
    return made


_REFERENCES = {"firstKeptEntryId": "first_kept_id", "fromId": "from_id", "targetId": "target_id"}
_BLOCK_FIELDS = ("signature", "item_id", "raw_arguments", "redacted", "rescued", "vendor")
_PLAIN_SIGNATURES = ("anthropic-messages", "google-generative-ai")
_SIGNATURES = {
    "toolCall": "thoughtSignature",
    "thinking": "thinkingSignature",
    "text": "textSignature",
}
_BODIES: dict[str, Callable[[Mapping[str, Any], Mapping[str, int]], Body | None]] = {
    "message": _message,
    "custom_message": _custom_message,
    "branch_summary": _branch_summary,
    "compaction": _compaction,
}
