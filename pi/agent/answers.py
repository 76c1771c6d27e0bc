"""One whole answer of the model, with what it takes to get it.

A request may break off after part of the answer was shown, bring nothing, or pause. Then
it is made again here: a broken answer after a wait, up to the policy's number of times and
only for failures that may pass; an empty one once, at once; a paused one with what came
so far added, a few times. Every message that arrives is handed to ``record``, the failed
ones too, so the record says what happened; only whole ones belong to the conversation.
"""

from __future__ import annotations

from pi.agent.events import AutoRetry, AutoRetryEnd
from pi.ai.events import CallDelta, ReplyDone, ReplyFailed, TextDelta, ThinkingDelta
from pi.ai.recovery import asked_wait_ms, may_pass
from pi.ai.types import Text, Thinking, ToolCall
from pi.base.errors import PiError
from pi.base.retry import TurnRetry, turn_wait_ms
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pi.agent.events import AgentEvent, MessageAdded
    from pi.agent.loop import Model
    from pi.ai.types import ChatRequest, Reply
    from pi.base.cancel import Cancel

    Record = Callable[[Reply], MessageAdded]

EMPTY = "empty-answer"
# Failures of an answer that is not worth a wait, but worth a second try.
TRY_AGAIN_CODES = {EMPTY, "malformed-call"}
MAX_PAUSES = 5


class Again(NamedTuple):
    """An answer is asked for again, ``attempt`` of ``max_attempts`` after a wait."""

    attempt: int
    max_attempts: int
    delay_ms: int


class Answers:
    """``pause`` waits, or raises the reason a run was cancelled with; without it no broken
    answer is asked for again."""

    def __init__(
        self,
        model: Model,
        retry: TurnRetry,
        pause: Callable[[int, Cancel], None] | None,
    ) -> None:
        self._model = model
        self._retry = retry
        self._pause = pause

    def get(
        self, chat: ChatRequest, cancel: Cancel, record: Record
    ) -> Generator[AgentEvent, None, Reply]:
        """Ask until there is an answer, or an error that stays. The last reply is recorded too."""
        failed = pauses = 0
        while True:
            shown, reply = yield from self._once(chat, cancel, record)
            yield record(reply)
            again = None
            if cancel.why is None:
                again = self._again(chat, reply, shown, failed)
            if again is not None:
                failed = again.attempt
                yield AutoRetry(*again, _why(reply))
                stopped = self._wait(again.delay_ms, cancel)
                if stopped is None:
                    continue
                reply = reply._replace(stop_reason="aborted", error=stopped)
            if failed:
                yield AutoRetryEnd(reply.error is None and not is_empty(reply), failed)
                failed = 0
            paused = reply.stop_reason == "pause" and not reply.message.tool_calls()
            if not paused or pauses == MAX_PAUSES or cancel.why is not None:
                return reply
            pauses += 1
            chat = chat._replace(messages=(*chat.messages, reply.message))

    def _once(
        self, chat: ChatRequest, cancel: Cancel, record: Record
    ) -> Generator[AgentEvent, None, tuple[bool, Reply]]:
        """One request: whether any of the answer was shown, and what came."""
        shown = False
        for event in self._model.stream(chat, cancel):
            if isinstance(event, ReplyDone):
                return shown, event.reply
            if isinstance(event, ReplyFailed):
                yield record(event.reply)
                shown = False
                continue
            shown = shown or isinstance(event, (TextDelta, ThinkingDelta, CallDelta))
            yield event
        raise AssertionError("a model stream ended without ReplyDone")

    def _again(self, chat: ChatRequest, reply: Reply, shown: bool, failed: int) -> Again | None:
        """What to do about a reply that is not an answer."""
        error, policy = reply.error, self._retry
        if policy.max_attempts <= 0:
            return None
        if error is None or error.code in TRY_AGAIN_CODES:
            # Nothing to add to a tool's result, or to a paused answer, is an answer.
            expected = not chat.messages or chat.messages[-1].role == "user"
            if failed or (error is None and not (expected and is_empty(reply))):
                return None
            return Again(1, 1, 0)
        if self._pause is None or not shown or not may_pass(error):
            return None
        wait = turn_wait_ms(policy, failed, asked_wait_ms(error))
        return None if wait is None else Again(failed + 1, policy.max_attempts, wait)

    def _wait(self, ms: int, cancel: Cancel) -> PiError | None:
        """Wait; the reason if the run was cancelled meanwhile."""
        if ms and self._pause is not None:
            try:
                self._pause(ms, cancel)
            except PiError as why:
                return why
        return cancel.why


def is_empty(reply: Reply) -> bool:
    """Whether a good answer holds neither text nor call nor thinking."""
    return reply.stop_reason == "stop" and not any(
        isinstance(block, (ToolCall, Thinking)) or (isinstance(block, Text) and block.text.strip())
        for block in reply.message.blocks
    )


def _why(reply: Reply) -> str:
    if reply.error is None:
        return "the model gave an empty answer"
    return ": ".join(text for text in (reply.error.message, reply.error.cause) if text)
