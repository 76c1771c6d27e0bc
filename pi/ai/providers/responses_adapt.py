"""What to change after a Responses request was refused for something we added.

A model may be newer than our catalog, and servers that copy the vendor's interface lack
parts of it. A rule fires only for what this request really sent, so none fires twice.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import parse
from pi.ai.providers.codec import Change
from pi.ai.providers.failure import error_line
from pi.ai.providers.responses_input import REASONING_ITEMS
from pi.ai.providers.shared import LEVELS
from pi.ai.providers.signals import error_object
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options

CHAT = "openai-chat"

_MAX_READ = 65536
_REFUSALS = (400, 404, 422)
_NO_SUCH_PATH = (404, 405)
# Longer names first: one may be a part of another.
_REMOVABLE = (
    "prompt_cache_retention",
    "parallel_tool_calls",
    "reasoning.summary",
    "prompt_cache_key",
    "reasoning.effort",
    "temperature",
    "reasoning",
    "include",
    "strict",
    "stream",
    "store",
)
# Words that also stand in sentences about something else count only in quotes.
_ORDINARY = ("reasoning", "include", "strict", "stream", "store")
_REFUSED_CODES = ("unsupported_parameter", "unknown_parameter", "unsupported_value")
_REFUSED = re.compile(
    r"unsupported|not supported|n.t support|unknown|unrecogni[sz]ed|deprecated|unexpected"
    r"|not (?:permitted|allowed|available|enabled)|must be verified|extra (?:inputs|fields)",
)
# "The encrypted content for item rs_1 could not be verified", "Item with id 'rs_1' not
# found. Items are not persisted when `store` is set to false", "Item 'fc_1' of type
# 'function_call' was provided without its required 'reasoning' item", and a local server
# that does not know the kind of item.
_STALE = re.compile(
    r"invalid_encrypted_content|encrypted content .{0,80}could not be|items are not persisted"
    r"|without its required|created under a different azure|cannot determine type of 'item'"
    r"|item\['content'\]",
)
# "This model is only supported in v1/chat/completions and not in v1/responses", "The
# responses operation does not work with the specified model", "Responses API is enabled
# only for api-version 2025-03-01-preview and later"
_NO_RESPONSES = re.compile(
    r"not (?:\w+ ){0,3}(?:in|with|via|by|on) .{0,40}\bresponses\b"
    r"|\bresponses\b.{0,60}(?:not (?:supported|available|enabled|work)|unsupported|enabled only)"
    r"|only (?:supported|available) in v1/chat/completions|operationnotsupported",
)
_NO_SUCH_MODEL = re.compile(r"model_?not_?found|deployment_?not_?found|\bmodel\b.{0,200}\bexist")
_LEVELS_SAID = re.compile(r"(?:supported values are|input should be):?(.*)")


def adapted(status: int, refusal: bytes, body: dict[str, Any], options: Options) -> Change | None:
    """The one change that may help, or None if the refusal is about something else."""
    if status not in _REFUSALS and status not in _NO_SUCH_PATH:
        return None
    line, code, param = _read(refusal)
    said = f"{line} {code}"
    if status in _REFUSALS and _STALE.search(said) and _has_history(body):
        return _leaving_out(options, REASONING_ITEMS)
    if status in _NO_SUCH_PATH:
        return None if _NO_SUCH_MODEL.search(said) else _over_chat(options)
    if code in _REFUSED_CODES or _REFUSED.search(line):
        name = _named(line, param, body)
        if name:
            return _without(name, line, body, options)
    return _over_chat(options) if _NO_RESPONSES.search(said) else None


def _over_chat(options: Options) -> Change:
    """Chat completions refuse tools together with thinking, so there is none."""
    return Change(options._replace(thinking="off"), CHAT)


def _without(name: str, line: str, body: dict[str, Any], options: Options) -> Change:
    if name == "stream":
        return Change(options._replace(stream=False))
    if name == "reasoning.effort":
        said = _LEVELS_SAID.search(line)
        named = re.findall(r"[a-z]+", said.group(1)) if said else []
        levels = tuple(level for level in LEVELS if level in named)
        if levels and body["reasoning"]["effort"] not in named:
            traits = options.traits._replace(
                thinking_levels=levels, thinking_can_disable="none" in named
            )
            return Change(options._replace(traits=traits))
    return _leaving_out(options, name)


def _leaving_out(options: Options, name: str) -> Change:
    return Change(options._replace(without=options.without | {name}))


def _named(line: str, param: str, body: dict[str, Any]) -> str:
    """The removable parameter that a refusal names and we sent, or ""."""
    if param:
        param = re.sub(r"\[\d+\]|\.\d+", "", param)
        param = "strict" if param.startswith("tools") and param.endswith("strict") else param
        return param if param in _REMOVABLE and _was_sent(param, body) else ""
    for name in _REMOVABLE:
        word = re.escape(name)
        pattern = rf"['\"`]{word}['\"`]" if name in _ORDINARY else rf"\b{word}\b"
        if re.search(pattern, line) and _was_sent(name, body):
            return name
    return ""


def _was_sent(name: str, body: dict[str, Any]) -> bool:
    if name == "strict":
        return any("strict" in tool for tool in body.get("tools", ()))
    first, _, second = name.partition(".")
    return first in body and (not second or second in body[first])


def _has_history(body: dict[str, Any]) -> bool:
    """Whether something refers to what the vendor said earlier."""
    return any("id" in item or item.get("type") == "reasoning" for item in body["input"])


def _read(refusal: bytes) -> tuple[str, str, str]:
    """The sentence, the code and the parameter of a refusal, in lower case."""
    text = refusal[:_MAX_READ].decode("utf-8", "replace")
    try:
        payload = parse(text)
    except ValueError:
        return text.lower(), "", ""  # not JSON: the words are the body
    error = error_object(payload)
    code, param = error.get("code"), error.get("param")
    return (
        error_line(payload).lower(),
        code.lower() if isinstance(code, str) else "",
        param.lower() if isinstance(param, str) else "",
    )
