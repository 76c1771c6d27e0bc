"""The agent: asks the model, runs the tools it wants, until it is done.

``Agent.run`` is a synchronous generator of events (see ``events`` for their order and
promises). Whoever runs it hands each event on before asking for the next one, so what
was yielded is recorded before anything that depends on it happens. Failures of the
model, of a tool or of a limit are events and results, not exceptions; so is a bug in
here. Closing the generator stops the work where it is and sets the run's cancel.
"""

from __future__ import annotations

from threading import Lock

from pi.agent.answers import Answers
from pi.agent.calls import CallSettings, ToolCalls
from pi.agent.compaction import MANUAL, OVERFLOW, THRESHOLD, Room
from pi.agent.events import (
    AgentStart,
    AutoCompactionEnd,
    AutoCompactionStart,
    TurnEnd,
    TurnStart,
)
from pi.agent.hooks import Hooks
from pi.agent.queues import ONE_AT_A_TIME, MessageQueue
from pi.agent.run import Run, cut_short
from pi.agent.turn import State, Turn
from pi.ai.events import Warned
from pi.ai.recovery import OVERFLOW as TOO_LONG
from pi.ai.types import ChatRequest, Usage, user_message
from pi.base.errors import CapReached, PiError, as_pi_error
from pi.base.retry import TurnRetry
from pi.base.typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from pi.agent.compaction import Compaction
    from pi.agent.events import AgentEvent
    from pi.agent.tool import Tool
    from pi.ai.events import StreamEvent
    from pi.ai.types import Message, Reply
    from pi.base.cancel import Cancel

STILL_TOO_LONG = (
    "room was made, and it is still too long: start a new session, or use a model with a "
    "larger window"
)


class Model(Protocol):
    """What the loop needs of a client."""

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]: ...


class AgentSettings(NamedTuple):
    """``max_turns`` and ``max_tool_calls`` are for one prompt; None is no limit.

    sequential:         tool calls run one after the other, never at the same time
    tool_result_format: what the model reads, "text" or "json" (see ``results.in_format``)
    discard_on_cancel:  a cancelled run leaves the conversation as it was before
    steering_mode, follow_up_mode: how many queued messages are delivered at once,
                        "one-at-a-time" or "all"
    """

    model: str
    system: str
    cwd: str
    max_turns: int | None = None
    max_tool_calls: int | None = None
    sequential: bool = False
    tool_result_format: str = "text"
    discard_on_cancel: bool = False
    steering_mode: str = ONE_AT_A_TIME
    follow_up_mode: str = ONE_AT_A_TIME


class Agent:
    """One conversation. ``messages`` is its history, a started list may be handed in.

    ``started_calls`` names calls of that history whose tool had begun to run when an
    earlier process ended: those without an answer are reported to the model as in doubt.
    ``retry`` is for answers that break off after part of them was shown; ``pause`` waits
    before, and ends the wait when the run is cancelled. Without ``pause`` they are not
    asked for again. ``monotonic`` is called from several threads. ``compaction`` makes room
    when the window is full; without it a conversation that is too long is an error.

    ``steer``, ``follow_up`` and ``take_queued`` may be called from any thread at any time.
    """

    def __init__(
        self,
        model: Model,
        settings: AgentSettings,
        tools: Iterable[Tool],
        *,
        monotonic: Callable[[], float],
        messages: Iterable[Message] = (),
        started_calls: frozenset[str] = frozenset(),
        retry: TurnRetry | None = None,
        pause: Callable[[int, Cancel], None] | None = None,
        hooks: Hooks = Hooks(),  # noqa: B008 - a tuple, never changed
        compaction: Compaction | None = None,
    ) -> None:
        self._answers = Answers(model, retry or TurnRetry(), pause)
        self._compaction = compaction
        self._settings = settings
        self._monotonic = monotonic
        self._running = Lock()
        self._steering = MessageQueue(settings.steering_mode)
        self._follow_up = MessageQueue(settings.follow_up_mode)
        self._calls = ToolCalls(
            tools,
            CallSettings(
                settings.cwd,
                settings.max_tool_calls,
                settings.sequential,
                settings.tool_result_format,
            ),
            hooks,
            monotonic=monotonic,
            is_interrupted=lambda: len(self._steering) > 0,
            started=started_calls,
        )
        self.messages = list(messages)

    def steer(self, text: str) -> None:
        """Tell the model as soon as the calls that run have ended; the others are skipped."""
        self._steering.put(text)

    def follow_up(self, text: str) -> None:
        """Tell the model when it would stop."""
        self._follow_up.put(text)

    def take_queued(self) -> tuple[str, ...]:
        """Hand back what was not delivered, steering first. The next run would read it."""
        return (*self._steering.take_all(), *self._follow_up.take_all())

    def run(self, prompt: str, cancel: Cancel) -> Generator[AgentEvent, None, None]:
        """Answer one prompt. One at a time: PiError ("agent-busy") while another run goes on."""
        self._begin()
        try:
            run = Run(cancel, lambda message: self.messages.append(message))
            before = tuple(self.messages)
            try:
                yield from self._converse(prompt, run)
            except Exception as exc:  # the border of the loop: a bug in it ends this run only
                run.error = as_pi_error(exc)
            is_discarded = self._settings.discard_on_cancel and run.is_cancelled()
            if is_discarded:
                self.messages[:] = before
            yield run.end(discarded=is_discarded)
        finally:
            self._running.release()

    def compact(self, focus: str, cancel: Cancel) -> Generator[AgentEvent, None, None]:
        """Summarise the older part of the conversation now, looking especially at ``focus``.

        Between runs only: PiError ("agent-busy") while one goes on. Its last
        AutoCompactionEnd says how it ended.
        """
        self._begin()
        try:
            run = Run(cancel, lambda message: self.messages.append(message))
            yield from self._make_room(MANUAL, run, focus)
        finally:
            self._running.release()

    def _begin(self) -> None:
        if not self._running.acquire(blocking=False):
            raise PiError(
                "the agent is still answering",
                hint="send it as a steering or follow-up message, or cancel first",
                code="agent-busy",
            )

    def _converse(self, prompt: str, run: Run) -> Generator[AgentEvent, None, None]:
        yield from self._calls.settle(self.messages, run)
        yield run.add(user_message(prompt))
        yield AgentStart(self._settings.model)
        turn = Turn(self._settings.max_turns)
        yield from self._hear(turn, run)
        number = 0
        while run.error is None and turn.state is State.NEEDS_REPLY:
            number += 1
            if self._compaction is not None and self._compaction.is_due(self._request()):
                yield from self._make_room(THRESHOLD, run)
                run.error = run.cancel.why
                if run.error is not None:
                    break
                yield from self._hear(turn, run)
            yield TurnStart(number)
            yield from self._turn(turn, number, run)
            if run.error is None:
                yield from self._hear(turn, run)
        if run.error is None and turn.state is State.EXHAUSTED:
            run.error = CapReached(
                f"agent exceeded max turns ({self._settings.max_turns})",
                hint="what was done is kept; run again to go on, or raise --max-turns",
            )

    def _hear(self, turn: Turn, run: Run) -> Generator[AgentEvent, None, None]:
        """Add what the user sent meanwhile, if there is a turn left to answer it."""
        if not turn.may_ask:
            return
        texts = self._steering.take()
        if not texts and turn.state is State.DONE:
            texts = self._follow_up.take()
        for text in texts:
            yield run.add(user_message(text))
            turn.asked()

    def _turn(self, turn: Turn, number: int, run: Run) -> Generator[AgentEvent, None, None]:
        """One answer and the tools it asks for."""
        began = self._monotonic()
        run.turn_usage = Usage()
        before, reply = yield from self._answer(run)
        request_ms = int((self._monotonic() - began) * 1000)
        if reply.error is not None:
            run.error = reply.error
            return
        calls = reply.message.tool_calls()
        turn.replied([call.id for call in calls])
        yield from self._calls.answer(reply, run)
        for call in calls:
            turn.answered(call.id)
        run.error = run.cancel.why or run.error
        if run.error is None and not calls:
            asked = self.messages[before - 1].role == "user"
            said = any(message.text().strip() for message in self.messages[before:])
            run.error = cut_short(reply, is_silent=asked and not said)
        yield TurnEnd(number, len(calls), request_ms, run.turn_usage, reply.stop_reason)

    def _request(self) -> ChatRequest:
        settings = self._settings
        return ChatRequest(
            settings.model, settings.system, tuple(self.messages), self._calls.definitions
        )

    def _answer(self, run: Run) -> Generator[AgentEvent, None, tuple[int, Reply]]:
        """The model's answer, and how many messages it was shown. If they are too many for
        it, room is made, once."""
        before = len(self.messages)
        reply = yield from self._answers.get(self._request(), run.cancel, run.record)
        helper = self._compaction
        if _is_too_long(reply) and helper and helper.is_automatic and run.cancel.why is None:
            has_room = yield from self._make_room(OVERFLOW, run)
            if run.cancel.why is not None:
                return before, reply._replace(stop_reason="aborted", error=run.cancel.why)
            if has_room:
                before = len(self.messages)
                reply = yield from self._answers.get(self._request(), run.cancel, run.record)
                if _is_too_long(reply) and reply.error is not None:
                    reply.error.hint = STILL_TOO_LONG
        if helper is not None and reply.error is None and reply.message.blocks:
            helper.measured(self.messages, reply.usage)
        return before, reply

    def _make_room(
        self, reason: str, run: Run, focus: str = ""
    ) -> Generator[AgentEvent, None, bool]:
        """Put a summary in the place of older messages. Returns whether there is room now."""
        yield AutoCompactionStart(reason)
        if self._compaction is None:
            room = Room(error=PiError("this run cannot summarise", code="no-compaction"))
        else:
            room = yield from self._compaction.make_room(self._request(), reason, run.cancel, focus)
        run.usage = run.usage.plus(room.usage)
        if room.messages is not None:
            self.messages[:] = room.messages
        has_room = room.messages is not None
        is_aborted = not has_room and run.cancel.why is not None
        will_retry = has_room and reason == OVERFLOW
        yield AutoCompactionEnd(
            room.summarised, is_aborted, will_retry, room.error, room.usage, room.whole
        )
        if room.error is not None and reason != MANUAL and not is_aborted:
            yield Warned(_not_compacted(room))
        return has_room


def _is_too_long(reply: Reply) -> bool:
    return reply.error is not None and reply.error.code == TOO_LONG


def _not_compacted(room: Room) -> str:
    error = room.error
    why = "" if error is None else ": ".join(filter(None, (error.message, error.cause)))
    done = "the conversation goes on as it is" if room.messages is None else "old tool results go"
    return f"not compacted, {done}: {why}"
