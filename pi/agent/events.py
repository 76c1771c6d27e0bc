"""What a run says while it goes on: the only way progress leaves the loop.

Order of a prompt with one tool call: MessageAdded(user), AgentStart, TurnStart 1,
TextDelta..., MessageAdded(assistant), ToolStart, ToolEnd, MessageAdded(tool), TurnEnd 1,
TurnStart 2, MessageAdded(assistant), TurnEnd 2, AgentEnd. Every path out of the loop
ends with exactly one AgentEnd. A message is final when it is added, and it is added
before the next thing that depends on it happens.

An answer that broke off after part of it was shown is added as well, with stop reason
"error", and is no part of the conversation; then either Fallback and another model's
answer follow, or AutoRetry, the wait, the same request again, and AutoRetryEnd once it is
known how that ended. A paused answer is followed by the message that goes on with it.
"""

from __future__ import annotations

from typing import NamedTuple, Union

from pi.agent.tool import ToolResult
from pi.ai.events import CallDelta, Fallback, Retrying, TextDelta, ThinkingDelta, Warned
from pi.ai.types import Message, Reply, ToolCall, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.errors import PiError


class AgentStart(NamedTuple):
    model: str


class TurnStart(NamedTuple):
    turn: int  # from 1


class MessageAdded(NamedTuple):
    """A message joined the record. ``reply`` is set for assistant messages."""

    message: Message
    reply: Reply | None = None


class AutoRetry(NamedTuple):
    """An answer that broke off, or was empty, is asked for again after ``delay_ms``."""

    attempt: int  # from 1
    max_attempts: int
    delay_ms: int
    error: str


class AutoRetryEnd(NamedTuple):
    """How the last of ``attempt`` repetitions ended."""

    success: bool
    attempt: int


class ToolStart(NamedTuple):
    call: ToolCall


class ToolEnd(NamedTuple):
    call: ToolCall
    result: ToolResult
    duration_ms: int


class TurnEnd(NamedTuple):
    turn: int
    tool_results: int
    request_duration_ms: int  # the model request only, its retries included
    usage: Usage
    stop_reason: str


class AgentEnd(NamedTuple):
    """``status`` is "completed", "max_turns", "failed", "cancelled" or "timed_out".

    ``error`` is None only when completed. ``new_messages`` counts the user's too.
    """

    status: str
    new_messages: int
    usage: Usage
    error: PiError | None = None


AgentEvent = Union[
    AgentStart,
    TurnStart,
    TextDelta,
    ThinkingDelta,
    CallDelta,
    Retrying,
    Fallback,
    Warned,
    AutoRetry,
    AutoRetryEnd,
    MessageAdded,
    ToolStart,
    ToolEnd,
    TurnEnd,
    AgentEnd,
]
