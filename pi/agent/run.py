"""What one prompt has come to, and how it is called when it ends."""

from __future__ import annotations

from pi.agent.events import AgentEnd, MessageAdded
from pi.agent.guard import LoopGuard
from pi.ai.types import Usage
from pi.base.errors import AnswerCut, CapReached, ProviderFailed, TimeLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.ai.types import Message, Reply
    from pi.base.cancel import Cancel
    from pi.base.errors import PiError


class Run:
    """``keep`` takes a message into the conversation."""

    def __init__(self, cancel: Cancel, keep: Callable[[Message], None]) -> None:
        self.cancel = cancel
        self.guard = LoopGuard()
        self.error: PiError | None = None
        self.usage = Usage()
        self.turn_usage = Usage()  # of the turn that runs, all its requests
        self.calls = 0  # that were begun
        self._added = 0
        self._keep = keep

    def add(self, message: Message) -> MessageAdded:
        """Take a message into the conversation."""
        self._keep(message)
        self._added += 1
        return MessageAdded(message)

    def record(self, reply: Reply) -> MessageAdded:
        """Take an answer, whole or not. What is not whole is no part of the conversation."""
        if reply.error is None and reply.stop_reason != "error" and reply.message.blocks:
            self._keep(reply.message)
        self._added += 1
        self.usage = self.usage.plus(reply.usage)
        self.turn_usage = self.turn_usage.plus(reply.usage)
        return MessageAdded(reply.message, reply)

    def is_cancelled(self) -> bool:
        """Whether it ended because somebody, or the time limit, wanted it to end."""
        return self.error is not None and self.error is self.cancel.why

    def end(self, *, discarded: bool) -> AgentEnd:
        return AgentEnd(self._status(), self._added, self.usage, self.error, discarded)

    def _status(self) -> str:
        if self.error is None:
            return "completed"
        if isinstance(self.error, CapReached):
            return "max_turns"
        if self.is_cancelled():
            return "timed_out" if isinstance(self.error, TimeLimit) else "cancelled"
        return "failed"


def cut_short(reply: Reply, *, is_silent: bool) -> PiError | None:
    """The error of a final answer that is not a whole answer, or None."""
    if reply.stop_reason == "length":
        return AnswerCut(
            "the answer was cut off at the model's output limit",
            hint="what arrived is kept; ask it to go on",
            code="output-limit",
        )
    if reply.stop_reason == "refusal":
        return AnswerCut(
            "the provider refused to answer",
            cause=f"stop reason {reply.raw_stop_reason!r}",
            code="answer-refused",
        )
    if reply.stop_reason == "pause":
        return AnswerCut(
            "the provider paused the answer again and again",
            hint="what arrived is kept; ask it to go on",
            code="answer-paused",
        )
    if is_silent:
        return ProviderFailed(
            "the model gave an empty answer", hint="ask again", code="empty-answer"
        )
    return None
