"""What to do differently after a compatible server refused a request, and what to tell.

A rule needs three things: that we sent what it names, that the refusal names it, and words
that say it is the thing as such that is refused (a limit that is too high is not). So no
rule fires twice, and a refusal about anything else changes nothing.
"""

from __future__ import annotations

import re

from pi.ai.jsontext import parse
from pi.ai.providers.codec import Change
from pi.ai.providers.compat import compat_of
from pi.ai.providers.openai_request import request_body
from pi.ai.providers.openai_thinking import asked
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.providers.codec import Options
    from pi.ai.providers.compat import Compat
    from pi.ai.types import ChatRequest

RESPONSES = "openai-responses"
MAX_READ = 65536
MAX_WORDS = 8000

# 404: the model is in another API; 500: how llama.cpp reports what a chat template refuses.
_REFUSALS = (400, 404, 422, 500)
_REFUSED = re.compile(
    r"unsupported|not supported|n[o']t support|unrecogni[sz]ed|not recogni[sz]ed|unknown"
    r"|unexpected|not permitted|not allowed|deprecated|extra_forbidden|extra inputs|additional"
    r"|invalid|not one of|must be one of|one of the following|cannot pass|can't pass|forbidden"
)
_ERROR_TYPE = re.compile(r"\binvalid_\w+")  # every 400 has it: no word about a parameter
# GPT-5.4 and later: tools and reasoning go together only in the other API.
_OTHER_API = re.compile(r"v1/responses")

# The name for ``Options.without``, which is the body's key unless said otherwise below,
# and how a refusal names it.
_BODY_KEYS = {
    name: re.compile(rf"\b{name}\b")
    for name in (
        "stream_options", "max_tokens", "max_completion_tokens", "temperature",
        "reasoning_effort", "enable_thinking", "chat_template_kwargs", "store",
        "parallel_tool_calls", "prompt_cache_key", "prompt_cache_retention", "provider",
    )
}  # fmt: skip
_BODY_KEYS["reasoning"] = re.compile(r"\breasoning\b(?!_)")
_BODY_KEYS["thinking"] = re.compile(r"\bthinking\b")
_IN_MESSAGES = {
    "developer": re.compile(r"\bdeveloper\b"),
    "strict": re.compile(r"\bstrict\b"),
    "cache_control": re.compile(r"\bcache_control\b"),
    # The word alone is too common: the path to it, or the word in quotes.
    "name": re.compile(r"messages\W[\w\W]{0,80}\bname\b|[\"'`]name[\"'`]"),
    "reasoning_replay": re.compile(r"\breasoning(?:_content|_details|_text)?\b|\bthinking\b"),
}
_REPLAY_KEYS = ("reasoning_content", "reasoning", "reasoning_text", "reasoning_details")


class Addition(NamedTuple):
    """A flag to set: ``words`` in the refusal of a server that needs it."""

    flag: str
    value: Any
    words: re.Pattern[str]


_ADDITIONS = (
    Addition(
        "thinking_replay",
        "required",
        re.compile(r"reasoning_content.{0,60}(?:passed back|is missing|required)"
                   r"|missing.{0,20}reasoning_content"),
    ),
    Addition("tool_id_pattern", "mistral", re.compile(r"tool call ids?.{0,120}length (?:of )?9")),
    Addition(
        "requires_assistant_after_tool_result",
        True,
        re.compile(r"unexpected role '?\"?user'?\"? after role '?\"?tool"),
    ),
)  # fmt: skip

_HINTS = (
    ("--enable-auto-tool-choice",
     "start vLLM with --enable-auto-tool-choice --tool-call-parser NAME"),
    ("--jinja", "start llama-server with --jinja"),
    ("try pulling it first", "fetch the model with: ollama pull {model}"),
    ("does not support tools", "choose a model that was trained to use tools"),
)  # fmt: skip


def adapt(status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
    """One change after a refusal, or None if nothing of ours is to blame."""
    if status not in _REFUSALS:
        return None
    param, words = refusal_words(body)
    if not words:
        return None
    compat = compat_of(options)
    if _OTHER_API.search(words) and asked(options, compat).get("reasoning_effort") != "none":
        return Change(options, RESPONSES)
    for flag, value, pattern in _ADDITIONS:
        if getattr(compat, flag) != value and pattern.search(words):
            return Change(options._replace(compat={**options.compat, flag: value}))
    if status == 404 or not _REFUSED.search(words):
        return None
    name = _named(param, words, status, list(_sent(chat, options, compat)))
    return Change(options._replace(without=options.without | {name})) if name else None


def hint_for(body: bytes, chat: ChatRequest) -> str:
    """What to do about a refusal that the server's keeper can end; "" if unknown."""
    text = body[:MAX_READ].decode("utf-8", "replace")
    hint = next((hint for needle, hint in _HINTS if needle in text), "")
    return hint.format(model=chat.model) if chat.model.isprintable() else ""


def refusal_words(body: bytes) -> tuple[str, str]:
    """The parameter a refusal names in its own field, and all its words in lower case."""
    text = body[:MAX_READ].decode("utf-8", "replace")
    try:
        payload = parse(text)
    except ValueError:
        return "", text[:MAX_WORDS].lower()
    words: list[str] = []
    params: list[str] = []
    level: list[Any] = [payload]
    for _ in range(6):  # deeper than any known error nests
        inner: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                inner += (value[key] for key in value if key not in ("input", "failed_generation"))
                if isinstance(value.get("param"), str):
                    params.append(value["param"])
                if isinstance(value.get("loc"), list):
                    words.append(".".join(map(str, value["loc"])))
            elif isinstance(value, list):
                inner += value
            elif isinstance(value, str):
                words.append(value)
        level = inner
    line = _ERROR_TYPE.sub("", " ".join(words)[:MAX_WORDS].lower())
    return next(iter(params), "").lower(), line


def _sent(chat: ChatRequest, options: Options, compat: Compat) -> Iterator[str]:
    """What can be left out of the request that was refused, by its name."""
    body = request_body(chat, options, compat)
    yield from (name for name in _BODY_KEYS if name in body)
    messages = body["messages"]
    if messages and messages[0]["role"] == "developer":
        yield "developer"
    if any("strict" in tool["function"] for tool in body.get("tools", ())):
        yield "strict"
    if any("name" in message for message in messages) and not compat.requires_tool_result_name:
        yield "name"
    if any(_thinks(message) for message in messages):
        yield "reasoning_replay"
    if any(_is_marked(message) for message in messages):
        yield "cache_control"


def _thinks(message: dict[str, Any]) -> bool:
    content = message["content"]
    in_content = isinstance(content, list) and any("thinking" in part for part in content)
    return in_content or any(key in message for key in _REPLAY_KEYS)


def _is_marked(message: dict[str, Any]) -> bool:
    content = message["content"]
    return isinstance(content, list) and any("cache_control" in part for part in content)


def _named(param: str, words: str, status: int, sent: list[str]) -> str:
    """Which of the names in ``sent`` a refusal is about: its own field says, else the first."""
    if param in sent and param != "name":
        return param
    places = []
    for name in sent:
        pattern = _IN_MESSAGES.get(name) or _BODY_KEYS[name]
        if status == 500 and name not in _IN_MESSAGES:
            continue
        match = pattern.search(words)
        if match is not None:
            places.append((match.start(), name))
    return min(places)[1] if places else ""
