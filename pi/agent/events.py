"""What a run says while it goes on: the only way progress leaves the loop.

Order of a prompt with one tool call: MessageAdded(user), AgentStart, TurnStart 1,
TextDelta..., MessageAdded(assistant), ToolStart, ToolEnd, MessageAdded(tool), TurnEnd 1,
TurnStart 2, MessageAdded(assistant), TurnEnd 2, AgentEnd. Every path out of the loop
ends with exactly one AgentEnd. A message is final when it is added, and it is added
before the next thing that depends on it happens.

Calls that run at the same time are announced first, one ToolStart after the other, then
they begin. While they run, a ToolUpdate of any of them may come. Their ends come in the
order of the calls, not in the order of time: ToolEnd, MessageAdded(tool), then the next
pair. A call that was never begun (cancelled, skipped, beyond a cap) has a
MessageAdded(tool) only.

What the user sends meanwhile is added between a TurnEnd and the next TurnStart, or after
AgentStart.

An answer that broke off after part of it was shown is added as well, with stop reason
"error", and is no part of the conversation; then either Fallback and another model's
answer follow, or AutoRetry, the wait, the same request again, and AutoRetryEnd once it is
known how that ended. A paused answer is followed by the message that goes on with it.

When the window is nearly full, AutoCompactionStart and AutoCompactionEnd come before a
TurnStart; when a model says that the conversation is too long for it, they come after that
failed answer and before the same turn's next one. From an End with a result on, the
conversation is the summary and what was kept.
"""

from __future__ import annotations

from pi.agent.compaction import Summarised
from pi.agent.tool import ToolResult
from pi.ai.events import CallDelta, Fallback, Retrying, TextDelta, ThinkingDelta, Warned
from pi.ai.types import Message, Reply, ToolCall, Usage
from pi.base.typing import NamedTuple, Union

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


class AutoCompactionStart(NamedTuple):
    """``reason`` is "threshold", "overflow" or "manual"."""

    reason: str


class AutoCompactionEnd(NamedTuple):
    """How that ended. ``aborted``: it was cancelled, the conversation is as it was;
    ``will_retry``: the request that was too long is made again. ``error`` says why there
    is no summary; ``usage`` is what asking for one took. ``whole`` is None unless tool
    results were shortened instead, all but those among so many last messages."""

    result: Summarised | None = None
    aborted: bool = False
    will_retry: bool = False
    error: PiError | None = None
    usage: Usage = Usage()
    whole: int | None = None


class ToolStart(NamedTuple):
    call: ToolCall


class ToolUpdate(NamedTuple):
    """What a running call has to show: the latest of its output, replacing what was before."""

    call: ToolCall
    text: str


class ToolEnd(NamedTuple):
    """``result.text`` is what the model reads."""

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
    ``discarded`` says that the conversation is again what it was before the prompt: what
    was added since is no part of it.
    """

    status: str
    new_messages: int
    usage: Usage
    error: PiError | None = None
    discarded: bool = False


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
    AutoCompactionStart,
    AutoCompactionEnd,
    MessageAdded,
    ToolStart,
    ToolUpdate,
    ToolEnd,
    TurnEnd,
    AgentEnd,
]
