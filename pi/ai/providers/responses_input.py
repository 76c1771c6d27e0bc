"""The conversation as ``input`` items of the Responses format. Pure, append-only, linear.

Rules of the vendor that shape this:
  * an answer's items go back in their order, with the ids they came with;
  * a reasoning item must stand directly before the item it preceded, and can only be read
    again if it holds its content, because nothing is stored at the vendor;
  * an item that came after reasoning which is not sent must not claim to be that item, so
    it goes without its id;
  * ids have at most 64 characters. Some gateways send longer ones: those are hashed, the
    same id always to the same result.
"""

from __future__ import annotations

from pi.ai.jsontext import dump, parse
from pi.ai.types import Image, Text, Thinking
from pi.base.errors import Bug
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pi.ai.types import Block, ChatRequest, Message, ToolCall

MAX_ID = 64
# The name, among the parameters a server refused, of earlier reasoning.
REASONING_ITEMS = "reasoning-items"


def input_items(chat: ChatRequest, without: frozenset[str]) -> list[dict[str, Any]]:
    with_reasoning = REASONING_ITEMS not in without
    items: list[dict[str, Any]] = []
    for message in chat.messages:
        if message.role == "assistant":
            items.extend(_answer_items(message, with_reasoning))
        elif message.role == "tool":
            items.append(_result_item(message))
        else:
            items.append({"role": message.role, "content": _content(message)})
    return items


def text_signature(item_id: str, phase: str) -> str | None:
    """What ``Text.signature`` keeps of the item the text came in; None for nothing."""
    kept = {name: word for name, word in (("id", item_id), ("phase", phase)) if word}
    return dump(kept) if kept else None


def wire_id(identity: str, prefix: str) -> str:
    """An id as the vendor takes it."""
    plain = identity.replace("_", "").replace("-", "")
    is_plain = plain.isascii() and plain.isalnum()
    if is_plain and len(identity) <= MAX_ID and not identity.endswith("_"):
        return identity
    import hashlib  # 2 ms, and only for ids that do not fit

    digest = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{prefix}_{digest[:32]}"


def _answer_items(message: Message, with_reasoning: bool) -> Iterator[dict[str, Any]]:
    """The items of one answer; reasoning waits for the item that it belongs to."""
    waiting: list[dict[str, Any]] = []
    with_ids = with_reasoning
    for block in message.blocks:
        if isinstance(block, Thinking):
            item = _reasoning_item(block) if with_reasoning else None
            if item is None:
                with_ids = False
            else:
                waiting.append(item)
            continue
        if isinstance(block, Text):
            item = _message_item(block, with_ids)
        elif isinstance(block, Image):
            continue  # no answer holds one
        else:
            item = _call_item(block, with_ids)
        yield from waiting
        waiting.clear()
        yield item
    # What is left waiting was cut off before its item came, and would be refused.


def _reasoning_item(block: Thinking) -> dict[str, Any] | None:
    """The vendor's item as it came, or None if it cannot be read again."""
    item = block.vendor
    if item is None or item.get("type") != "reasoning":
        return None
    if not item.get("encrypted_content") and not item.get("content"):
        return None
    changed: dict[str, Any] = {}
    identity = item.get("id")
    if isinstance(identity, str) and len(identity) > MAX_ID:
        changed["id"] = wire_id(identity, "rs")
    if not isinstance(item.get("summary"), list):
        changed["summary"] = []  # required, and some servers leave an empty one out
    return {**item, **changed}


def _message_item(block: Text, with_ids: bool) -> dict[str, Any]:
    came_with = _signed(block.signature)
    phase = {"phase": came_with["phase"]} if came_with.get("phase") else {}
    identity = came_with.get("id")
    if not with_ids or not isinstance(identity, str) or not identity:
        return {"role": "assistant", **phase, "content": block.text}
    return {
        "type": "message",
        "role": "assistant",
        "status": "completed",
        "id": wire_id(identity, "msg"),
        **phase,
        "content": [{"type": "output_text", "text": block.text, "annotations": []}],
    }


def _signed(signature: str | None) -> Mapping[str, Any]:
    """What ``text_signature`` kept. A signature that is not ours counts as none."""
    if not signature:
        return {}
    try:
        value = parse(signature)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _call_item(call: ToolCall, with_ids: bool) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "function_call"}
    if with_ids and call.item_id:
        item["id"] = wire_id(call.item_id, "fc")
    item["call_id"] = wire_id(call.id, "call")
    item["name"] = call.name
    # A call that was not understood goes back without arguments: servers parse this
    # field. The raw text is in the call's error result.
    item["arguments"] = dump(dict(call.arguments))
    return item


def _result_item(message: Message) -> dict[str, Any]:
    if not message.tool_call_id:
        raise Bug("tool message is missing tool_call_id")
    has_image = any(isinstance(block, Image) for block in message.blocks)
    return {
        "type": "function_call_output",
        "call_id": wire_id(message.tool_call_id, "call"),
        "output": _content(message) if has_image else message.text(),
    }


def _content(message: Message) -> list[dict[str, Any]]:
    parts = [part for part in map(_part, message.blocks) if part is not None]
    return parts or [{"type": "input_text", "text": ""}]


def _part(block: Block) -> dict[str, Any] | None:
    if isinstance(block, Text):
        return {"type": "input_text", "text": block.text}
    if isinstance(block, Image):
        url = f"data:{block.mime};base64,{block.data}"
        return {"type": "input_image", "detail": "auto", "image_url": url}
    return None
