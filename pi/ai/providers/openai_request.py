"""The body of a chat completions request.

The same settings give the same bytes, and ``messages`` is the last key, so a longer history
only adds bytes at the end and prompt caches hit. One exception: on OpenRouter the mark
that tells a Claude model how far to cache moves with the last message.
"""

from __future__ import annotations

from pi.ai.jsontext import dump
from pi.ai.providers.compat import wire_call_id
from pi.ai.providers.openai_thinking import asked, replayed
from pi.ai.types import Image, Text, Thinking
from pi.base.errors import Bug
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.providers.codec import Options
    from pi.ai.providers.compat import Compat
    from pi.ai.types import ChatRequest, Message, ToolDefinition

FIELDS_OF_LIMIT = ("max_tokens", "max_completion_tokens")
IMAGE_NOTE = "(see attached image)"
IMAGES_FOLLOW = "Attached image(s) from tool result:"
AFTER_RESULTS = "I have processed the tool results."


def request_body(chat: ChatRequest, options: Options, compat: Compat) -> dict[str, Any]:
    """The body; what ``options.without`` names is left out."""
    body: dict[str, Any] = {"model": chat.model}
    if options.stream:
        body["stream"] = True
        if options.include_usage and compat.supports_usage_in_streaming:
            body["stream_options"] = {"include_usage": True}
    limit = _limit_field(options, compat)
    if chat.max_tokens is not None and limit:
        body[limit] = chat.max_tokens
    if chat.temperature is not None and options.traits.temperature_allowed is not False:
        body["temperature"] = chat.temperature
    body.update(asked(options, compat))
    if compat.supports_store:
        body["store"] = False
    body.update(_cache_fields(options, compat))
    if compat.routing:
        body["provider"] = dict(compat.routing)
    if chat.tools:
        if compat.parallel_tool_calls:
            body["parallel_tool_calls"] = compat.parallel_tool_calls == "yes"
        strict = compat.supports_strict and "strict" not in options.without
        body["tools"] = [_wire_tool(tool, strict) for tool in chat.tools]
    elif "claude" in chat.model and any(message.role == "tool" for message in chat.messages):
        body["tools"] = []  # behind gateways these models want it as soon as there were calls
    for name in options.without:
        body.pop(name, None)
    messages = list(_wire_messages(chat, options, compat))
    if compat.cache_format == "openrouter" and chat.model.startswith("anthropic/"):
        _mark_for_cache(messages, options)
    body["messages"] = messages
    return body


def extra_headers(options: Options, compat: Compat) -> tuple[tuple[str, str], ...]:
    """Headers of ours besides the credential."""
    if compat.cache_format != "mistral" or not _wants_cache(options):
        return ()
    return (("x-affinity", options.conversation),)


def _limit_field(options: Options, compat: Compat) -> str:
    """The name the limit goes by; the other one if the server refused the first."""
    first = compat.max_tokens_field
    names = (first, *(name for name in FIELDS_OF_LIMIT if name != first))
    return next((name for name in names if name not in options.without), "")


def _wants_cache(options: Options) -> bool:
    return bool(options.conversation) and options.cache_retention != "none"


def _cache_fields(options: Options, compat: Compat) -> dict[str, Any]:
    if compat.cache_format != "openai" or not _wants_cache(options):
        return {}
    fields = {"prompt_cache_key": options.conversation}
    if options.cache_retention == "long":
        fields["prompt_cache_retention"] = "24h"
    return fields


def _wire_tool(tool: ToolDefinition, strict: bool) -> dict[str, Any]:
    function: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    if strict:
        function["strict"] = False
    return {"type": "function", "function": function}


def _wire_messages(chat: ChatRequest, options: Options, compat: Compat) -> Iterator[dict[str, Any]]:
    if chat.system:
        yield {"role": _system_role(options, compat), "content": chat.system}
    images: list[Image] = []  # of the tool results just passed
    after_results = False
    for message in chat.messages:
        if message.role == "tool":
            yield _wire_result(message, options, compat)
            images += (block for block in message.blocks if isinstance(block, Image))
            after_results = True
            continue
        bridged = after_results and compat.requires_assistant_after_tool_result
        if bridged and (images or message.role == "user"):
            yield {"role": "assistant", "content": AFTER_RESULTS}
        if images:
            yield _wire_images(images)
        images, after_results = [], False
        if message.role == "assistant":
            yield _wire_assistant(message, options, compat)
        else:
            yield {"role": message.role, "content": _wire_content(message)}
    if images:
        if compat.requires_assistant_after_tool_result:
            yield {"role": "assistant", "content": AFTER_RESULTS}
        yield _wire_images(images)


def _system_role(options: Options, compat: Compat) -> str:
    """Models that reason know their makers' word for it; everybody knows "system"."""
    known = compat.supports_developer_role and options.traits.supports_reasoning
    return "developer" if known and "developer" not in options.without else "system"


def _wire_content(message: Message) -> str | list[dict[str, Any]]:
    if not any(isinstance(block, Image) for block in message.blocks):
        return message.text()
    parts: list[dict[str, Any]] = []
    for block in message.blocks:
        if isinstance(block, Image):
            parts.append(_wire_image(block))
        elif isinstance(block, Text) and block.text.strip():
            parts.append({"type": "text", "text": block.text})
    return parts


def _wire_image(image: Image) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{image.mime};base64,{image.data}"}}


def _wire_images(images: list[Image]) -> dict[str, Any]:
    """A tool message holds no images: they follow in a user message of their own."""
    parts = [{"type": "text", "text": IMAGES_FOLLOW}, *map(_wire_image, images)]
    return {"role": "user", "content": parts}


def _wire_assistant(message: Message, options: Options, compat: Compat) -> dict[str, Any]:
    text = message.text()
    if compat.requires_thinking_as_text:
        thoughts = (block.text for block in message.blocks if isinstance(block, Thinking))
        text = "\n\n".join(part for part in (*thoughts, text) if part.strip())
    calls = [
        {
            "id": wire_call_id(call.id, compat.tool_id_pattern),
            "type": "function",
            # A call that was not understood goes back without arguments: many servers
            # parse this field and would refuse the conversation from here on. The raw
            # text is in the call's error result.
            "function": {"name": call.name, "arguments": dump(dict(call.arguments))},
        }
        for call in message.tool_calls()
    ]
    wire: dict[str, Any] = {"role": "assistant", "content": text}
    if calls and not text.strip():
        wire["content"] = None
    if not compat.requires_thinking_as_text and "reasoning_replay" not in options.without:
        wire.update(replayed(message, wire["content"], compat.thinking_replay))
    if calls:
        wire["tool_calls"] = calls
    return wire


def _wire_result(message: Message, options: Options, compat: Compat) -> dict[str, Any]:
    if not message.tool_call_id:
        raise Bug("tool message is missing tool_call_id")
    text = message.text()
    if not text.strip() and any(isinstance(block, Image) for block in message.blocks):
        text = IMAGE_NOTE
    result = {
        "role": "tool",
        "tool_call_id": wire_call_id(message.tool_call_id, compat.tool_id_pattern),
        "content": text,
    }
    if message.tool_name and ("name" not in options.without or compat.requires_tool_result_name):
        result["name"] = message.tool_name
    return result


def _mark_for_cache(messages: list[dict[str, Any]], options: Options) -> None:
    """Mark the system prompt and the last text, as far as which a prefix is kept."""
    if options.cache_retention == "none" or "cache_control" in options.without:
        return
    mark: dict[str, Any] = {"type": "ephemeral"}
    if options.cache_retention == "long":
        mark["ttl"] = "1h"
    if messages and messages[0]["role"] in ("system", "developer"):
        _mark(messages[0], mark)
    for message in reversed(messages):
        if message["role"] in ("user", "assistant") and _mark(message, mark):
            return


def _mark(message: dict[str, Any], mark: dict[str, Any]) -> bool:
    content = message["content"]
    if isinstance(content, str) and content.strip():
        message["content"] = [{"type": "text", "text": content, "cache_control": mark}]
        return True
    texts = [part for part in content or () if isinstance(part, dict) and part["type"] == "text"]
    if not texts:
        return False
    texts[-1]["cache_control"] = mark
    return True
