"""The conversation as a provider will accept it. The stored one is never changed.

Rules: an answer that failed or was cancelled is left out, and so is an empty one; every
call has exactly one result, right after the message that asked for it and in call order;
tool names hold only what every vendor takes. Same history, same result; linear.
"""

from __future__ import annotations

from pi.ai.types import Image, Message, Thinking, ToolCall, tool_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pi.ai.types import Block, Text

NO_RESULT = "No result provided"
MAX_NAME = 64


def prepare(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Make ``messages`` valid for a request.

    Failed, aborted and empty answers go, and results that no call asks for. A call left
    unanswered when the conversation goes on, or at its end, gets an error result.
    """
    return tuple(_prepared(messages))


def _prepared(messages: Iterable[Message]) -> Iterator[Message]:
    calls: dict[str, ToolCall] = {}  # of the last answer kept
    results: dict[str, Message] = {}
    dropped: set[str] = set()  # ids of calls of failed answers since the last answer kept
    for message in messages:
        if message.role == "tool":
            identity = message.tool_call_id or ""
            if identity in calls and identity not in results and identity not in dropped:
                results[identity] = message
            continue
        if message.role == "assistant":
            if message.stop_reason in ("error", "aborted"):
                dropped.update(call.id for call in message.tool_calls())
                continue
            message = _tidy(message)
            if not message.blocks:
                continue
        yield from _answers(calls, results)
        yield message
        calls = {call.id: call for call in message.tool_calls()}
        results = {}
        dropped = set()
    yield from _answers(calls, results)


def _answers(calls: dict[str, ToolCall], results: dict[str, Message]) -> Iterator[Message]:
    for identity, call in calls.items():
        result = results.get(identity) or tool_message(call, NO_RESULT, is_error=True)
        yield result if result.tool_name == call.name else result._replace(tool_name=call.name)


def _tidy(message: Message) -> Message:
    """Drop blank text and calls that repeat an id; make tool names acceptable."""
    seen: set[str] = set()
    blocks: list[Block] = []
    for block in message.blocks:
        if isinstance(block, ToolCall):
            if block.id and block.id not in seen:
                seen.add(block.id)
                name = tool_name(block.name)
                blocks.append(block if name == block.name else block._replace(name=name))
        elif _says_something(block):
            blocks.append(block)
    return message if tuple(blocks) == message.blocks else message._replace(blocks=tuple(blocks))


def _says_something(block: Text | Thinking | Image) -> bool:
    if isinstance(block, Image) or block.text.strip() or block.signature is not None:
        return True
    return isinstance(block, Thinking) and (block.redacted or block.vendor is not None)


def tool_name(name: str) -> str:
    """``name`` with what some vendor would refuse replaced by an underscore."""
    plain = name.replace("_", "").replace("-", "")
    if name.isascii() and 0 < len(name) <= MAX_NAME and (plain.isalnum() or not plain):
        return name
    kept = (char if char.isascii() and (char.isalnum() or char in "_-") else "_" for char in name)
    return "".join(kept)[:MAX_NAME] or "unknown_tool"
