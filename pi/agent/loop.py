"""The agent: asks the model, runs the tools it wants, until it is done.

``Agent.run`` is a synchronous generator of events (see ``events`` for their order and
promises). Whoever runs it hands each event on before asking for the next one, so what
was yielded is recorded before anything that depends on it happens. Failures of the
model, of a tool or of a limit are events and results, not exceptions. Closing the
generator stops the work where it is.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pi.agent.answers import Answers
from pi.agent.events import (
    AgentEnd,
    AgentStart,
    MessageAdded,
    ToolEnd,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from pi.agent.schema import describe, first_error, lenient
from pi.agent.tool import ToolContext, ToolResult
from pi.agent.turn import State, Turn
from pi.ai.types import ChatRequest, ToolCall, Usage, tool_message, user_message
from pi.base.errors import AnswerCut, CapReached, PiError, ProviderFailed, TimeLimit
from pi.base.retry import TurnRetry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from pi.agent.events import AgentEvent
    from pi.agent.tool import Tool
    from pi.ai.events import StreamEvent
    from pi.ai.types import Message, Reply
    from pi.base.cancel import Cancel

CANCELLED = "Cancelled by the user before it ran."
NOT_RUN = "Not run: pi stopped before this call was started. Ask again if it is still needed."
IN_DOUBT = (
    "In doubt: pi was stopped while this call was running. "
    "It may have taken effect in part; check before repeating it."
)
CUT_CALL = (
    "Not run: the output limit cut this call, its arguments are incomplete. "
    "Split the work into smaller calls."
)
BAD_ARGUMENTS = "Not run: the arguments are not a JSON object."
SHOWN_ARGUMENTS = 200


class Model(Protocol):
    """What the loop needs of a client."""

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]: ...


class AgentSettings(NamedTuple):
    model: str
    system: str
    cwd: str
    max_turns: int | None = None


class Agent:
    """One conversation. ``messages`` is its history, a started list may be handed in.

    ``started_calls`` names calls of that history whose tool had begun to run when an
    earlier process ended: those without an answer are reported to the model as in doubt.
    ``retry`` is for answers that break off after part of them was shown; ``pause`` waits
    before, and ends the wait when the run is cancelled. Without ``pause`` they are not
    asked for again.
    """

    def __init__(
        self,
        model: Model,
        settings: AgentSettings,
        tools: Iterable[Tool],
        *,
        monotonic: Callable[[], float],
        progress: Callable[[str], None] = lambda text: None,
        messages: Iterable[Message] = (),
        started_calls: frozenset[str] = frozenset(),
        retry: TurnRetry | None = None,
        pause: Callable[[int, Cancel], None] | None = None,
    ) -> None:
        self._answers = Answers(model, retry or TurnRetry(), pause)
        self._settings = settings
        self._tools = {tool.definition.name: tool for tool in tools}
        self._definitions = tuple(tool.definition for tool in self._tools.values())
        self._monotonic = monotonic
        self._progress = progress
        self._started_calls = started_calls
        self.messages = list(messages)

    def run(self, prompt: str, cancel: Cancel) -> Iterator[AgentEvent]:
        """Answer one prompt."""
        run = _Run(cancel)
        for call in open_calls(self.messages):
            why = IN_DOUBT if call.id in self._started_calls else NOT_RUN
            yield self._add(tool_message(call, why, is_error=True), run)
        yield self._add(user_message(prompt), run)
        yield AgentStart(self._settings.model)
        turn = Turn(self._settings.max_turns)
        number = 0
        while run.error is None and turn.state is State.NEEDS_REPLY:
            number += 1
            yield TurnStart(number)
            yield from self._turn(turn, number, run)
        if run.error is None and turn.state is State.EXHAUSTED:
            run.error = CapReached(
                f"agent exceeded max turns ({self._settings.max_turns})",
                hint="what was done is kept; run again to go on, or raise --max-turns",
            )
        yield AgentEnd(run.status(), run.added, run.usage, run.error)

    def _turn(self, turn: Turn, number: int, run: _Run) -> Generator[AgentEvent, None, None]:
        """One answer and the tools it asks for."""
        began = self._monotonic()
        chat = ChatRequest(
            self._settings.model, self._settings.system, tuple(self.messages), self._definitions
        )
        before = len(self.messages)
        run.turn_usage = Usage()

        def record(reply: Reply) -> MessageAdded:
            return self._record(reply, run)

        reply = yield from self._answers.get(chat, run.cancel, record)
        request_ms = self._since(began)
        if reply.error is not None:
            run.error = reply.error
            return
        calls = reply.message.tool_calls()
        turn.replied([call.id for call in calls])
        for call in calls:
            yield from self._call(call, reply, run)
            turn.answered(call.id)
        run.error = run.cancel.why
        if run.error is None and not calls:
            asked = self.messages[before - 1].role == "user"
            said = any(message.text().strip() for message in self.messages[before:])
            run.error = cut_short(reply, is_silent=asked and not said)
        yield TurnEnd(number, len(calls), request_ms, run.turn_usage, reply.stop_reason)

    def _record(self, reply: Reply, run: _Run) -> MessageAdded:
        """Take an answer, whole or not. What is not whole is no part of the conversation."""
        if reply.error is None and reply.stop_reason != "error" and reply.message.blocks:
            self.messages.append(reply.message)
        run.added += 1
        run.usage = run.usage.plus(reply.usage)
        run.turn_usage = run.turn_usage.plus(reply.usage)
        return MessageAdded(reply.message, reply)

    def _call(self, call: ToolCall, reply: Reply, run: _Run) -> Generator[AgentEvent, None, None]:
        """Run one tool call and add its answer."""
        if run.cancel.why is not None:
            yield self._add(tool_message(call, CANCELLED, is_error=True), run)
            return
        yield ToolStart(call)
        began = self._monotonic()
        result = self._refused(call, reply) or self._run_tool(call, run.cancel)
        yield ToolEnd(call, result, self._since(began))
        yield self._add(tool_message(call, result.text, result.is_error), run)

    def _refused(self, call: ToolCall, reply: Reply) -> ToolResult | None:
        """An error result for a call that cannot be run, or None."""
        tool = self._tools.get(call.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return failed(f"Tool '{call.name}' is not registered", f"Registered tools: {known}.")
        if call.raw_arguments is None:
            return None
        why = CUT_CALL if reply.stop_reason == "length" else BAD_ARGUMENTS
        shown = call.raw_arguments[:SHOWN_ARGUMENTS]
        expected = describe(tool.definition.parameters)
        return failed(why, f"Expected: {expected}. Received: {shown}")

    def _run_tool(self, call: ToolCall, cancel: Cancel) -> ToolResult:
        tool = self._tools[call.name]
        schema = tool.definition.parameters
        arguments = lenient(call.arguments, schema)
        complaint = first_error(arguments, schema)
        if complaint:
            return failed(
                f"invalid arguments for '{call.name}': {complaint}",
                f"Expected: {describe(schema)}.",
            )
        context = ToolContext(self._settings.cwd, cancel, self._progress)
        try:
            return tool.run(arguments, context)
        except Exception as exc:  # the border to tools: a bug in one must not end the run
            return failed(f"tool '{call.name}' failed: {type(exc).__name__}: {exc}")

    def _add(self, message: Message, run: _Run) -> MessageAdded:
        self.messages.append(message)
        run.added += 1
        return MessageAdded(message)

    def _since(self, began: float) -> int:
        return int((self._monotonic() - began) * 1000)


class _Run:
    """What one prompt has come to."""

    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        self.error: PiError | None = None
        self.usage = Usage()
        self.turn_usage = Usage()  # of the turn that runs, all its requests
        self.added = 0

    def status(self) -> str:
        """The ``AgentEnd`` status of ``error``."""
        if self.error is None:
            return "completed"
        if isinstance(self.error, CapReached):
            return "max_turns"
        if self.error is self.cancel.why:
            return "timed_out" if isinstance(self.error, TimeLimit) else "cancelled"
        return "failed"


def failed(message: str, more: str = "") -> ToolResult:
    """An error result in the form tools give."""
    return ToolResult(f"error: {message}" + (f"\n{more}" if more else ""), {"error": message}, True)


def open_calls(messages: list[Message]) -> list[ToolCall]:
    """The calls at the end of ``messages`` that have no answer, in order."""
    answered = set()
    for message in reversed(messages):
        if message.role == "tool":
            answered.add(message.tool_call_id)
        elif message.stop_reason in ("error", "aborted"):
            continue  # its calls were never to be run
        elif message.role == "assistant":
            return [call for call in message.tool_calls() if call.id not in answered]
        else:
            break
    return []


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
