"""The body of a Messages request: the conversation in the vendor's words.

Rules the vendor or the servers that copy it insist on:
  * roles alternate, the first message is the user's: neighbours of one role become one;
  * all results of an answer stand in one user message, in call order, before any text;
  * no text block is blank; a result without words says so;
  * thinking goes back as it came, in its place, with its signature; without one, not at all.

``messages`` is the last key, and nothing in it depends on what follows, but for the marks
of the prompt cache: a longer history only adds bytes at the end.
"""

from __future__ import annotations

from pi.ai.providers.anthropic_thinking import ask
from pi.ai.types import Image, Text, Thinking, ToolCall
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.providers.codec import Options
    from pi.ai.types import Block, ChatRequest, Message, ToolDefinition

VENDOR_HOST = "api.anthropic.com"
NO_OUTPUT = "(no output)"
# A conversation whose beginning is gone, and what a result without a call id comes to.
NO_BEGINNING = "(the beginning of this conversation is not available)"
LOST_RESULT = "invalid tool result message: missing tool_call_id"


def request_body(chat: ChatRequest, options: Options) -> dict[str, Any]:
    """The body for ``chat``, without what ``options.without`` names."""
    asked = ask(options, chat.max_tokens)
    body: dict[str, Any] = {"model": chat.model, "max_tokens": asked.max_tokens}
    if options.stream:
        body["stream"] = True
    body.update(asked.fields)
    if chat.temperature is not None and not asked.thinks and _may_set_temperature(options):
        body["temperature"] = chat.temperature
    system = _system(chat)
    if system:
        body["system"] = system
    messages = _messages(chat, options)
    # Gateways want the key, even empty, when the conversation has calls.
    if chat.tools or any(message.tool_calls() for message in chat.messages):
        body["tools"] = [_tool(tool) for tool in chat.tools]
    mark = _cache_mark(options)
    if mark:
        _mark(system, messages, mark)
    body["messages"] = messages
    return body


def _may_set_temperature(options: Options) -> bool:
    allowed = options.traits.temperature_allowed is not False
    return allowed and "temperature" not in options.without


def _system(chat: ChatRequest) -> list[dict[str, Any]]:
    later = (message.text() for message in chat.messages if message.role == "system")
    words = "\n\n".join(text for text in (chat.system, *later) if text.strip())
    return [{"type": "text", "text": words}] if words else []


def _tool(tool: ToolDefinition) -> dict[str, Any]:
    schema = dict(tool.parameters)
    schema.setdefault("type", "object")  # the only kind there is, and it must be said
    return {"name": tool.name, "description": tool.description, "input_schema": schema}


def _messages(chat: ChatRequest, options: Options) -> list[dict[str, Any]]:
    keep_thinking = "thinking-history" not in options.without
    wire: list[dict[str, Any]] = []
    for message in chat.messages:
        if message.role == "system":
            continue
        if message.role == "assistant":
            role, blocks = "assistant", list(_said(message, keep_thinking))
        else:
            role, blocks = "user", list(_given(message))
        if not blocks:
            continue
        if wire and wire[-1]["role"] == role:
            wire[-1]["content"] += blocks
            continue
        if not wire and role == "assistant":
            wire.append({"role": "user", "content": [{"type": "text", "text": NO_BEGINNING}]})
        wire.append({"role": role, "content": blocks})
    return wire


def _said(message: Message, keep_thinking: bool) -> Iterator[dict[str, Any]]:
    """The blocks of an answer, in the order they came."""
    for block in message.blocks:
        if isinstance(block, Text):
            if block.text.strip():
                yield {"type": "text", "text": block.text}
        elif isinstance(block, ToolCall):
            # A call that was not understood goes back without arguments; its raw text is
            # in the error result.
            arguments = dict(block.arguments)
            yield {"type": "tool_use", "id": block.id, "name": block.name, "input": arguments}
        elif isinstance(block, Thinking) and keep_thinking:
            yield from _thought(block)


def _thought(block: Thinking) -> Iterator[dict[str, Any]]:
    if block.redacted:
        if block.vendor and block.vendor.get("type") == "redacted_thinking":
            yield dict(block.vendor)
    elif block.signature:
        yield {"type": "thinking", "thinking": block.text, "signature": block.signature}


def _given(message: Message) -> Iterator[dict[str, Any]]:
    """The blocks of what the model is given: a user's message or a tool's result."""
    if message.role != "tool":
        # The vendor reads pictures better before the words about them.
        yield from (_image(block) for block in message.blocks if isinstance(block, Image))
        yield from _texts(message.blocks)
    elif not message.tool_call_id:
        yield {"type": "text", "text": LOST_RESULT}
    else:
        yield _result(message, message.tool_call_id)


def _result(message: Message, call_id: str) -> dict[str, Any]:
    images = [_image(block) for block in message.blocks if isinstance(block, Image)]
    result: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id}
    if images:
        result["content"] = [*_texts(message.blocks), *images]
    else:
        text = message.text()
        result["content"] = text if text.strip() else NO_OUTPUT
    if message.is_error and not images:  # an error with pictures is refused
        result["is_error"] = True
    return result


def _texts(blocks: tuple[Block, ...]) -> Iterator[dict[str, Any]]:
    for block in blocks:
        if isinstance(block, Text) and block.text.strip():
            yield {"type": "text", "text": block.text}


def _image(block: Image) -> dict[str, Any]:
    source = {"type": "base64", "media_type": block.mime, "data": block.data}
    return {"type": "image", "source": source}


def _cache_mark(options: Options) -> dict[str, Any]:
    """What marks the end of a prefix worth caching; {} to mark nothing."""
    if options.cache_retention == "none" or "cache_control" in options.without:
        return {}
    mark = {"type": "ephemeral"}
    if options.cache_retention == "long" and _may_cache_long(options):
        mark["ttl"] = "1h"
    return mark


def _may_cache_long(options: Options) -> bool:
    """An hour's cache is the vendor's own offer; others have it if we are told so."""
    if "cache-ttl" in options.without:
        return False
    host = options.base_url.partition("://")[2].partition("/")[0].partition(":")[0]
    return host.lower() == VENDOR_HOST or bool(options.compat.get("supports_long_cache_retention"))


def _mark(
    system: list[dict[str, Any]], messages: list[dict[str, Any]], mark: dict[str, Any]
) -> None:
    """Mark the system prompt, which covers the tools before it, and two user messages.

    The vendor looks back 20 blocks from a mark: one on the message before the last keeps
    a long turn within reach of what the turn before it wrote.
    """
    marked = [system[-1]] if system else []
    given = [message["content"][-1] for message in messages if message["role"] == "user"]
    for block in marked + given[-2:]:
        block["cache_control"] = mark
