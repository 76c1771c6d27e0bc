"""Whether a failure says that the conversation is too long for the model. Pure.

Every vendor and server words it differently; ``PHRASES`` is the list. A limit on tokens
per minute or per day speaks of tokens too and is no overflow, so such texts are told
apart first. The size of the window is read where the words name it.
"""

from __future__ import annotations

import re

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

CODE = "context-overflow"
MAX_TEXT = 4096  # the sentence is at the front; what follows may be anything
# Above any window there is; a larger number means something else.
MAX_WINDOW = 1_000_000_000

WORDS = {
    "context_length_exceeded",
    "context_window_exceeded",
    "exceed_context_size_error",
    "model_context_window_exceeded",
}
_NUMBER = r"(\d[\d,]*)"
# One for each wording seen; a group is the window.
PHRASES = "|".join(
    (
        rf"prompt is too long(?:: [\d,]+ tokens > {_NUMBER} maximum)?",  # Anthropic
        rf"exceed context limit: [\d,]+ \+ [\d,]+ > {_NUMBER}",  # Anthropic, with max_tokens
        r"input is too long for requested model",  # Bedrock
        r"exceeds the context window",  # OpenAI
        rf"input token count.*?exceeds the maximum(?: number of tokens allowed)?(?: \(?{_NUMBER})?",
        rf"maximum prompt length is {_NUMBER}",  # xAI
        r"reduce the length of the messages",  # Groq
        rf"maximum context length (?:is|of) {_NUMBER} tokens",  # OpenAI, OpenRouter, vLLM
        rf"exceeds the limit of {_NUMBER}",  # Copilot
        rf"exceeds the available context size(?: \({_NUMBER})?",  # llama.cpp
        rf"greater than the context length(?: \({_NUMBER})?",  # LM Studio
        rf"context length of only {_NUMBER} tokens",  # LM Studio
        rf"exceed context window of {_NUMBER}",  # llama-cpp-python
        r"context window exceeds limit",  # MiniMax; the number after it is an error code
        rf"exceeded model token limit(?:: {_NUMBER})?",  # Kimi
        rf"too large for model with {_NUMBER} maximum context length",  # Mistral
        r"context[ _]length[ _]exceeded",
        r"exceeded (?:max )?context length",  # Ollama
        r"model_context_window_exceeded",
        r"too many tokens",
        r"token limit exceeded",
    )
)
# How limits on rates speak; and limits on other things than the conversation.
_RATES = (
    r"rate[ _]?limit|too many requests|throttl|per[ _-]?(?:min|hour|day)|\btpm\b|\btpd\b"
    r"|please wait|(?:images?|tools?|max_tokens|characters)\b[^.]*exceeds the limit of"
)
_FLAGS = re.IGNORECASE | re.DOTALL


class Overflow(NamedTuple):
    """The conversation is too long. ``window`` in tokens, if the failure names it."""

    window: int | None = None


def find_overflow(
    status: int | None, text: str, words: Collection[str] = (), n_ctx: object = None
) -> Overflow | None:
    """Read a failure. ``words`` are its codes and types in lower case, ``n_ctx`` a field.

    ``status`` is the HTTP status, None for a failure reported inside an answer.
    """
    if status in (401, 402, 403, 429):
        return None
    window = n_ctx if type(n_ctx) is int and 0 < n_ctx < MAX_WINDOW else None
    if not WORDS.isdisjoint(words):
        return Overflow(window or _window(text))
    text = text[:MAX_TEXT]
    if re.search(_RATES, text, _FLAGS) or not re.search(PHRASES, text, _FLAGS):
        return None
    return Overflow(window or _window(text))


def _window(text: str) -> int | None:
    """The window's size, from the first phrase that names one."""
    for found in re.finditer(PHRASES, text[:MAX_TEXT], _FLAGS):
        digits = next((group for group in found.groups() if group), "").replace(",", "")
        if digits and len(digits) < 10 and int(digits) > 0:
            return int(digits)
    return None
