"""Two things to notice in what compatible servers send: a prompt that was cut without a
word, and a call that the server could not read.
"""

from __future__ import annotations

import re

from pi.ai.types import Text, ToolCall
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.failure import Target
    from pi.ai.rescue import WrittenCall
    from pi.ai.types import ChatRequest, Usage

# No text has fewer tokens than this many characters make; code and prose have more.
CHARS_PER_TOKEN = 5
MIN_TOKENS = 1000  # below, templates and rounding decide
FEW_TOKENS = 32
MAX_QUOTED = 20_000

_HINT = "start it with a larger one, for example: OLLAMA_CONTEXT_LENGTH=32768 ollama serve"
_TOOL_IN_MESSAGE = r"(?:for|call) (?:tool|function) [\"'`]?([\w.:-]{1,200})"


def context_warnings(
    chat: ChatRequest, usage: Usage, finish_reason: str | None, target: Target
) -> tuple[str, ...]:
    """What to tell the user if the server seems to have read only a part of the prompt."""
    read = usage.input + usage.cache_read + usage.cache_write
    least = prompt_chars(chat) // CHARS_PER_TOKEN
    if read and least > MIN_TOKENS and read < least * 4 // 5:
        return (
            f"{target.name} read only {read} tokens of a prompt of more than {least}: "
            f"the server's context window is smaller than the conversation; {_HINT}",
        )
    cut = finish_reason == "length" and chat.max_tokens is None
    if cut and read and usage.output < FEW_TOKENS:
        return (
            f"{target.name} stopped after {usage.output} tokens for want of room: "
            f"the server's context window is full; {_HINT}",
        )
    return ()


def prompt_chars(chat: ChatRequest) -> int:
    """How many characters of a request a model surely reads."""
    count = len(chat.system)
    for message in chat.messages:
        for block in message.blocks:
            if isinstance(block, Text):
                count += len(block.text)
            elif isinstance(block, ToolCall):
                count += sum(len(v) for v in block.arguments.values() if isinstance(v, str))
    return count


def failed_calls(payload: Any, chat: ChatRequest) -> tuple[WrittenCall, ...]:
    """The calls in an error "tool_use_failed", which quotes what the model wrote.

    Calls that can be read are given as they are, otherwise the text goes as the arguments
    of the tool it seems to be for. Nothing, if no tool is named, or if what the model wrote
    last was already handed on like this and came to nothing.
    """
    error = payload.get("error") if isinstance(payload, dict) else None
    if not isinstance(error, dict) or error.get("code") != "tool_use_failed":
        return ()
    from pi.ai.rescue import WrittenCall, find_calls  # only for such an error

    written, message = error.get("failed_generation"), error.get("message")
    written = written if isinstance(written, str) else ""
    found = find_calls(written, chat.tools)
    if found is not None:
        return found.calls
    if _was_handed_on(chat):
        return ()
    names = {tool.name for tool in chat.tools}
    named = re.search(_TOOL_IN_MESSAGE, message) if isinstance(message, str) else None
    words = [named.group(1)] if named else []
    words += re.findall(r"[\w-]+", written[:MAX_QUOTED])
    name = next((word for word in words if word in names), "")
    quote = written[:MAX_QUOTED].strip() or (message if isinstance(message, str) else "")
    # Never readable arguments, whatever is quoted: the call must not run.
    return (WrittenCall(name, f"not a tool call: {quote}"),) if name else ()


def _was_handed_on(chat: ChatRequest) -> bool:
    """Whether the last answer had a call that was recognised and not understood."""
    for message in reversed(chat.messages):
        if message.role == "assistant":
            return any(call.rescued and call.raw_arguments for call in message.tool_calls())
        if message.role != "tool":
            return False
    return False
