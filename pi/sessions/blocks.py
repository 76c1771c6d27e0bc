"""Content blocks of a message, as stored. Unknown kinds and odd fields are left to the entry.

``{"type":"text","text":S,"signature":S?}``,
``{"type":"thinking","text":S,"signature":S?,"redacted":B?,"vendor":OBJ?}``,
``{"type":"image","mime":S,"data":BASE64}``,
``{"type":"tool_call","id":S,"name":S,"arguments":OBJ,"raw_arguments":S?,"signature":S?,
"item_id":S?,"rescued":B?}``. Fields that hold their default are not written.
"""

from __future__ import annotations

import json

from pi.ai.types import Image, Text, Thinking, ToolCall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pi.ai.types import Block

_REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "thinking": ("text",),
    "image": ("mime", "data"),
    "tool_call": ("id", "name"),
}
_OPTIONAL: dict[str, type] = {
    "signature": str,
    "item_id": str,
    "raw_arguments": str,
    "redacted": bool,
    "rescued": bool,
    "vendor": dict,
}
_KINDS: dict[str, type[Text | Thinking | Image | ToolCall]] = {
    "text": Text,
    "thinking": Thinking,
    "image": Image,
    "tool_call": ToolCall,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def refusal(block: Any) -> str:
    """Why ``block`` cannot be a content block; "" if it can.

    Kinds we do not know, and thinking and images in another program's shape, are accepted:
    they stay in the file and out of the message.
    """
    if type(block) is not dict or type(block.get("type")) is not str:
        return "content block is not an object with a type"
    if block["type"] in ("text", "tool_call") and not _is_whole(block):
        return f"{block['type']} block without {' or '.join(_REQUIRED[block['type']])}"
    return ""


def decode(stored: Mapping[str, Any]) -> Block | None:
    """The block in a record that ``refusal`` accepts; None for one we do not understand."""
    kind = _KINDS.get(stored["type"])
    if kind is None or not _is_whole(stored):
        return None
    fields = {name: stored[name] for name in _REQUIRED[stored["type"]]}
    for name, wanted in _OPTIONAL.items():
        if name in kind._fields and type(stored.get(name)) is wanted:
            fields[name] = stored[name]
    if kind is ToolCall:
        arguments = stored.get("arguments", {})
        if type(arguments) is not dict:
            # Schema 1 allowed any JSON here.
            fields["raw_arguments"] = json.dumps(arguments, ensure_ascii=False)
        fields["arguments"] = {} if "raw_arguments" in fields else arguments
    return kind(**fields)


def _is_whole(stored: Mapping[str, Any]) -> bool:
    return all(type(stored.get(name)) is str for name in _REQUIRED[stored["type"]])


def encode(block: Block) -> dict[str, Any]:
    """The record of ``block``."""
    if isinstance(block, Text) and block.signature is None:  # most blocks
        return {"type": "text", "text": block.text}
    record: dict[str, Any] = {"type": _NAMES[type(block)]}
    defaults = block._field_defaults
    values: dict[str, Any] = block._asdict()
    for name, value in values.items():
        if name == "arguments":
            record[name] = dict(value)
        elif name not in defaults or value != defaults[name]:
            record[name] = value
    return record
