"""Reasoning on chat completions: how it is asked for, read, and sent back.

Servers name the text ``reasoning_content`` (most), ``reasoning`` (OpenRouter, Ollama, newer
vLLM) or ``reasoning_text``; some send two of them with the same words, so the first that
says something counts. Mistral sends parts of type "thinking" inside ``content``.
OpenRouter adds ``reasoning_details``, which models want back as they came.

A ``Thinking`` block of ours carries in ``vendor`` the field it came in, and the details.
"""

from __future__ import annotations

from pi.ai.providers.shared import nearest
from pi.ai.surrogates import Joiner
from pi.ai.types import Thinking
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.providers.compat import Compat
    from pi.ai.types import Message

FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
IN_CONTENT = "content"
# What nearly every server takes where the catalog does not know better.
COMMON_LEVELS = ("low", "medium", "high")
# Keys of a detail that come in pieces on a stream; any other is sent once.
_GROWING = ("text", "summary")


def asked(options: Options, compat: Compat) -> dict[str, Any]:
    """The fields that ask for what ``options.thinking`` says; none if it says nothing."""
    traits = options.traits
    style = compat.thinking_format
    if not options.thinking or style == "none" or traits.supports_reasoning is False:
        return {}
    is_on = options.thinking != "off" or not traits.thinking_can_disable
    effort = nearest(options.thinking, traits.thinking_levels or COMMON_LEVELS) if is_on else "none"
    if style == "qwen":
        return {"enable_thinking": is_on}
    if style == "qwen-chat-template":
        return {"chat_template_kwargs": {"enable_thinking": is_on}}
    if style == "openrouter":
        return {"reasoning": {"effort": effort}}
    fields: dict[str, Any] = {}
    if style == "zai":
        fields["thinking"] = {"type": "enabled" if is_on else "disabled"}
    if compat.supports_reasoning_effort and (is_on or style == "openai"):
        fields["reasoning_effort"] = effort
    return fields


class ThinkingParts:
    """The thinking of one answer, put together from its deltas. Never raises."""

    __slots__ = ("_details", "_field", "_joiner", "_parts")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._details: list[dict[str, Any]] = []
        self._field = ""
        self._joiner = Joiner()

    def __bool__(self) -> bool:
        return bool(self._parts or self._details)

    def read(self, delta: dict[str, Any]) -> str:
        """The reasoning a delta or message brings, to be handed to ``add``."""
        text = ""
        get = delta.get
        if get("reasoning_content") or get("reasoning") or get("reasoning_text"):
            for field in FIELDS:
                value = get(field)
                if value and isinstance(value, str):
                    text, self._field = value, self._field or field
                    break
        details = get("reasoning_details")
        if details and isinstance(details, list):
            shown = "".join(self._add_detail(part) for part in details if isinstance(part, dict))
            text = text or shown
        content = get("content")
        if type(content) is list:
            within = _of_parts(content)
            if within:
                text, self._field = text + within, self._field or IN_CONTENT
        return text

    def add(self, text: str) -> str:
        """Keep text; return it as far as it can be shown."""
        text = self._joiner.feed(text)
        if text:
            self._parts.append(text)
        return text

    def block(self) -> tuple[Thinking, ...]:
        """The thinking as a block; nothing if there was none."""
        text = "".join(self._parts) + self._joiner.finish()
        vendor: dict[str, Any] = {"field": self._field} if self._field else {}
        if self._details:
            vendor["reasoning_details"] = [_whole(detail) for detail in self._details]
        if not text.strip() and not self._details:
            return ()
        return (Thinking(text, vendor=vendor or None),)

    def _add_detail(self, part: dict[str, Any]) -> str:
        """Take a detail, or a piece that continues the last one; return its words."""
        words = next((part[key] for key in _GROWING if isinstance(part.get(key), str)), "")
        last = self._details[-1] if self._details else None
        if last is None or not _continues(last, part):
            self._details.append(dict(part))
            return words
        for key, value in part.items():
            if key in _GROWING and isinstance(value, str):
                pieces = last.get(key)
                if not isinstance(pieces, _Pieces):
                    last[key] = pieces = _Pieces([pieces] if isinstance(pieces, str) else [])
                pieces.append(value)
            elif value is not None:
                last[key] = value
        return words


class _Pieces(list[str]):
    """Text of a detail that is still growing, joined once at the end."""


def replayed(message: Message, content: Any, policy: str) -> dict[str, Any]:
    """The fields that bring earlier thinking back; ``content`` is the message's text."""
    has_calls = bool(message.tool_calls())
    if policy == "never" or (policy != "always" and not has_calls):
        return {}
    details: list[Any] = []
    texts: dict[str, list[str]] = {}
    for block in message.blocks:
        vendor = block.vendor if isinstance(block, Thinking) else None
        if not isinstance(block, Thinking) or not isinstance(vendor, dict):
            continue
        given = vendor.get("reasoning_details")
        if isinstance(given, list) and given:
            details += given
        else:
            texts.setdefault(str(vendor.get("field")), []).append(block.text)
    fields: dict[str, Any] = {"reasoning_details": details} if details else {}
    for field in FIELDS:
        if field in texts:
            fields[field] = "".join(texts[field])
    if IN_CONTENT in texts:
        said = [{"type": "text", "text": content}] if content else []
        thought = [{"type": "text", "text": "".join(texts[IN_CONTENT])}]
        fields["content"] = [{"type": "thinking", "thinking": thought}, *said]
    if policy == "required" and not any(field in fields for field in FIELDS):
        fields["reasoning_content"] = ""
    return fields


def _of_parts(content: list[Any]) -> str:
    """The text of the parts of type "thinking"."""
    found: list[str] = []
    for part in content:
        inner = part.get("thinking") if isinstance(part, dict) else None
        rows = inner if isinstance(inner, list) else [inner]
        texts = (row.get("text") if isinstance(row, dict) else row for row in rows)
        found += (text for text in texts if isinstance(text, str))
    return "".join(found)


def _continues(last: dict[str, Any], part: dict[str, Any]) -> bool:
    """Whether ``part`` is a further piece of the same detail."""
    same = last.get("type") == part.get("type") and last.get("index") == part.get("index")
    grows = any(key in last for key in _GROWING) and "data" not in part
    return same and grows and part.get("id") in (None, last.get("id"))


def _whole(detail: dict[str, Any]) -> dict[str, Any]:
    return {k: "".join(v) if isinstance(v, _Pieces) else v for k, v in detail.items()}
