"""How the summary of an older part stands in a conversation, and what may follow it. Pure.

Here because both who makes a summary and who reads one back from a session build the
same message of it, to the byte.
"""

from __future__ import annotations

from pi.ai.cost import estimate_message
from pi.ai.types import Text, Thinking, ToolCall, user_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.types import Message

_BEFORE = "The conversation before this point was summarised to make room:\n\n<summary>\n"
_AFTER = "\n</summary>"
_STUB = ("[result of ", " tokens left out to make room; call the tool again if it is needed]")


def summary_message(summary: str) -> Message:
    """The message that stands for the old part."""
    return user_message(f"{_BEFORE}{summary}{_AFTER}")


def summary_of(message: Message) -> str | None:
    """The summary in such a message; None for any other."""
    if message.role != "user" or len(message.blocks) != 1:
        return None
    text = message.text()
    if not (text.startswith(_BEFORE) and text.endswith(_AFTER)):
        return None
    return text[len(_BEFORE) : -len(_AFTER)]


def without_thinking(message: Message) -> Message:
    """A kept message as it is sent on: reasoning and its signatures belong to the request
    they came from, and providers refuse them in another one."""
    if message.role != "assistant":
        return message
    return message._replace(
        blocks=tuple(
            block._replace(signature=None) if isinstance(block, (Text, ToolCall)) else block
            for block in message.blocks
            if not isinstance(block, Thinking)
        )
    )


def stub(message: Message) -> Message:
    """A tool's result as one line; the message itself if that is no shorter, or is done."""
    text = message.text()
    if text.startswith(_STUB[0]) and text.endswith(_STUB[1]):
        return message
    tokens = estimate_message(message)
    short = message._replace(blocks=(Text(f"{tokens}".join(_STUB)),))
    return short if estimate_message(short) < tokens else message
