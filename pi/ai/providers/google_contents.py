"""The conversation as Gemini's ``contents``: roles "user" and "model", made of parts.

What the vendor checks: every call of a turn is answered in one content, in call order; a
signature comes back on the very part it came with; the first call of a turn is signed
from Gemini 3 on, if need be with the placeholder the vendor documents for calls that
another model made.
"""

from __future__ import annotations

from pi.ai.types import Image, Text, Thinking, ToolCall
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, Message

PLACEHOLDER_SIGNATURE = "skip_thought_signature_validator"
SEE_IMAGE = "(see attached image)"
RESULT_IMAGE = "Tool result image:"
# Plain and URL-safe base64: the server reads both.
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_="


class Rules(NamedTuple):
    """What this model and this server take."""

    signatures: bool  # signatures of earlier answers go back
    first_call_signed: bool  # an unsigned first call would be refused
    call_ids: bool
    images_in_results: bool


def rules_for(chat: ChatRequest, options: Options) -> Rules:
    refused = options.without
    current = is_gemini_3(chat.model, options.traits.thinking_style)
    return Rules(
        "thoughtSignature" not in refused,
        current or "unsignedCalls" in refused,
        "functionCall.id" not in refused,
        current and "functionResponse.parts" not in refused,
    )


def is_gemini_3(model: str, thinking_style: str) -> bool:
    """Whether the model is Gemini 3 or newer; names without a number mean the newest."""
    if thinking_style:
        return thinking_style == "gemini-level"
    version = gemini_version(model)
    return version is not None and version >= 3


def gemini_version(model: str) -> int | None:
    """The generation in a Gemini model's name, None for other models."""
    name = model.lower().rpartition("/")[2]
    if not name.startswith("gemini-"):
        return None
    digits = name[len("gemini-") :].partition("-")[0].partition(".")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 4 else 99


def signature_of(part: dict[str, Any]) -> str | None:
    """The signature of a part; what is not base64 would be refused when it goes back."""
    signature = part.get("thoughtSignature")
    if isinstance(signature, str) and signature and not signature.strip(_BASE64):
        return signature
    return None


def mark(offset: int, signature: str) -> str:
    """A signature for the end of a text: it belongs to what begins at ``offset``.

    A stream cuts one text into parts and may sign only the last, which may be empty. Two
    blocks would read as two paragraphs, and one part as another than the model signed.
    """
    return f"{offset}:{signature}" if offset else signature


def _text_parts(block: Text, rules: Rules) -> Iterator[dict[str, Any]]:
    offset, colon, signature = (block.signature or "").rpartition(":")
    start = int(offset) if colon and offset.isascii() and offset.isdigit() else 0
    signed = _signed({"text": block.text[start:]}, signature, rules)
    if "thoughtSignature" not in signed:
        if block.text:
            yield {"text": block.text}
        return
    if start and block.text[:start]:
        yield {"text": block.text[:start]}
    yield signed


def _signed(part: dict[str, Any], signature: str | None, rules: Rules) -> dict[str, Any]:
    if signature and rules.signatures and not signature.strip(_BASE64):
        part["thoughtSignature"] = signature
    return part


def _model_parts(message: Message, rules: Rules) -> Iterator[dict[str, Any]]:
    needs_signature = rules.first_call_signed
    for block in message.blocks:
        if isinstance(block, Text):
            yield from _text_parts(block, rules)
        elif isinstance(block, Thinking):
            part = _signed({"text": block.text, "thought": True}, block.signature, rules)
            if not block.redacted and (block.text or "thoughtSignature" in part):
                yield part
        elif isinstance(block, ToolCall):
            call: dict[str, Any] = {"name": block.name, "args": dict(block.arguments)}
            if block.item_id and rules.call_ids:
                call = {"id": block.item_id, **call}
            part = _signed({"functionCall": call}, block.signature, rules)
            if needs_signature:
                part.setdefault("thoughtSignature", PLACEHOLDER_SIGNATURE)
            needs_signature = False
            yield part


def _inline(image: Image) -> dict[str, Any]:
    return {"inlineData": {"mimeType": image.mime, "data": image.data}}


def _user_parts(message: Message) -> list[dict[str, Any]]:
    parts = []
    for block in message.blocks:
        if isinstance(block, Image):
            parts.append(_inline(block))
        elif isinstance(block, Text) and block.text:  # an empty part is refused
            parts.append({"text": block.text})
    return parts


class _Results:
    """The answers to the calls of one turn."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._wire_ids: dict[str, str | None] = {}
        self._parts: list[dict[str, Any]] = []
        self._images: list[dict[str, Any]] = []

    def expect(self, message: Message) -> None:
        self._wire_ids = {call.id: call.item_id for call in message.tool_calls()}

    def add(self, message: Message) -> None:
        identity = message.tool_call_id or ""
        images = [_inline(block) for block in message.blocks if isinstance(block, Image)]
        content = message.text() or (SEE_IMAGE if images else "")
        response: dict[str, Any] = {
            "name": message.tool_name or "unknown_tool",
            "response": {
                "tool_call_id": identity,
                "content": content,
                "is_error": message.is_error,
            },
        }
        wire_id = self._wire_ids.get(identity)
        if wire_id and self._rules.call_ids:
            response = {"id": wire_id, **response}
        if images and self._rules.images_in_results:
            response["parts"] = images
        else:
            self._images += images
        self._parts.append({"functionResponse": response})

    def contents(self) -> Iterator[dict[str, Any]]:
        """What was added, and then nothing until more is."""
        if self._parts:
            yield {"role": "user", "parts": self._parts}
        if self._images:
            yield {"role": "user", "parts": [{"text": RESULT_IMAGE}, *self._images]}
        self._parts, self._images = [], []


def wire_contents(chat: ChatRequest, rules: Rules) -> Iterator[dict[str, Any]]:
    """The messages but for the system's; a message with nothing to say is left out."""
    results = _Results(rules)
    for message in chat.messages:
        if message.role == "tool":
            results.add(message)
            continue
        yield from results.contents()
        if message.role == "assistant":
            results.expect(message)
            parts = list(_model_parts(message, rules))
            if parts:
                yield {"role": "model", "parts": parts}
        elif message.role == "user":
            parts = _user_parts(message)
            if parts:
                yield {"role": "user", "parts": parts}
    yield from results.contents()


def system_text(chat: ChatRequest) -> str:
    texts = [chat.system]
    texts += [message.text() for message in chat.messages if message.role == "system"]
    return "\n\n".join(text for text in texts if text.strip())
