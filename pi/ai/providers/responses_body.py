"""The body of a Responses request: parameters first, the conversation last.

The same settings give the same bytes, and a longer history only adds bytes at the end,
so prompt caches hit. A parameter named in ``Options.without`` was refused before by this
server and is left out.
"""

from __future__ import annotations

from pi.ai.providers.compat import compat_of, host_and_port
from pi.ai.providers.responses_input import input_items, wire_id
from pi.ai.providers.shared import LEVELS, nearest
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest

# The vendor refuses less. A cap this small only asks for a sign of life.
MIN_OUTPUT_TOKENS = 16
EXTENDED_CACHE_HOST = "api.openai.com"


def request_body(chat: ChatRequest, options: Options) -> dict[str, Any]:
    body = parameters(chat, options)
    body["input"] = input_items(chat, options.without)
    return body


def parameters(chat: ChatRequest, options: Options) -> dict[str, Any]:
    """Everything but the conversation."""
    without, traits = options.without, options.traits
    body: dict[str, Any] = {"model": chat.model}
    if options.stream:
        body["stream"] = True
    body["store"] = False  # the default is to keep the conversation at the vendor
    if chat.system:
        body["instructions"] = chat.system
    if chat.max_tokens is not None:
        body["max_output_tokens"] = max(chat.max_tokens, MIN_OUTPUT_TOKENS)
    if chat.temperature is not None and traits.temperature_allowed is not False:
        body["temperature"] = chat.temperature
    reasoning = _reasoning(options)
    if reasoning:
        body["reasoning"] = reasoning
    if traits.supports_reasoning is not False:
        body["include"] = ["reasoning.encrypted_content"]
    body.update(_caching(options))
    if chat.tools:
        parallel = compat_of(options).parallel_tool_calls
        if parallel:
            body["parallel_tool_calls"] = parallel == "yes"
        body["tools"] = _tools(chat, strict_known="strict" not in without)
    return {name: value for name, value in body.items() if name not in without}


def _reasoning(options: Options) -> dict[str, str]:
    """How much to think, if that was asked for. A summary is all that can be shown."""
    if not options.thinking or options.traits.supports_reasoning is False:
        return {}
    fields: dict[str, str] = {}
    if "reasoning.effort" not in options.without:
        fields["effort"] = _effort(options)
    if options.thinking != "off" and "reasoning.summary" not in options.without:
        fields["summary"] = "auto"
    return fields


def _effort(options: Options) -> str:
    """The nearest level the model has; "none" is thinking switched off.

    A model we know no levels of is asked as the user said: its refusal names them.
    """
    if options.thinking == "off" and options.traits.thinking_can_disable:
        return "none"
    return nearest(options.thinking, options.traits.thinking_levels or LEVELS)


def _caching(options: Options) -> dict[str, Any]:
    if options.cache_retention == "none":
        return {}
    fields: dict[str, Any] = {}
    if options.conversation:
        fields["prompt_cache_key"] = wire_id(options.conversation, "pi")
    host, _ = host_and_port(options.base_url)
    if options.cache_retention == "long" and host == EXTENDED_CACHE_HOST:
        fields["prompt_cache_retention"] = "24h"
    return fields


def _tools(chat: ChatRequest, strict_known: bool) -> list[dict[str, Any]]:
    # Strict is the default here, and would demand that every parameter is required.
    strict = {"strict": False} if strict_known else {}
    return [
        {
            "type": "function",
            "name": tool.name,
            "description": tool.description,
            "parameters": dict(tool.parameters),
            **strict,
        }
        for tool in chat.tools
    ]
