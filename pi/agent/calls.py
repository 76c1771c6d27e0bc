"""The tool calls of one answer: put into groups, run, answered.

Every call gets exactly one result, whatever happens, so the conversation is always one
that a model accepts. What tools do wrong is a result too, never an exception.
"""

from __future__ import annotations

from pi.agent.events import ToolEnd, ToolStart, ToolUpdate
from pi.agent.guard import HINT, HINT_AT, STOP_AT
from pi.agent.hooks import words
from pi.agent.results import failed, in_format, not_run, with_note
from pi.agent.tool import ToolContext, ToolResult
from pi.ai.events import Warned
from pi.ai.types import Text, tool_message
from pi.base.errors import CapReached, PiError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from pi.agent.events import AgentEvent, MessageAdded
    from pi.agent.hooks import Hooks
    from pi.agent.prepare import Prepared
    from pi.agent.run import Run
    from pi.agent.tool import Tool
    from pi.agent.workers import Ended, Job, News
    from pi.ai.types import Message, Reply, ToolCall

CANCELLED = "cancelled by user: this call was not run"
SKIPPED = "Skipped: the user sent a new message"
BEYOND_CAP = "Not run: the limit of {} tool calls for one prompt is reached."
REPEATED = "Not run: the run ends because the same call failed again and again."
NOT_RUN = "Not run: pi stopped before this call was started. Ask again if it is still needed."
IN_DOUBT = (
    "In doubt: pi was stopped while this call was running. "
    "It may have taken effect in part; check before repeating it."
)


class CallSettings(NamedTuple):
    """``result_format`` is "text" or "json" (see ``results.in_format``)."""

    cwd: str
    max_calls: int | None = None  # of one prompt
    sequential: bool = False
    result_format: str = "text"


class ToolCalls:
    """Answers the calls of a conversation. ``started`` names those that were begun and
    have no result yet; ``is_interrupted`` says whether the user wants to be heard."""

    def __init__(
        self,
        tools: Iterable[Tool],
        settings: CallSettings,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float],
        is_interrupted: Callable[[], bool],
        started: Iterable[str],
    ) -> None:
        self._tools = {tool.definition.name: tool for tool in tools}
        self._settings = settings
        self._hooks = hooks
        self._monotonic = monotonic
        self._is_interrupted = is_interrupted
        self._started = set(started)
        self.definitions = tuple(tool.definition for tool in self._tools.values())

    def settle(self, messages: list[Message], run: Run) -> Generator[AgentEvent, None, None]:
        """Answer what an earlier run, or process, left open at the end of ``messages``."""
        for call in open_calls(messages):
            why = IN_DOUBT if call.id in self._started else NOT_RUN
            self._started.discard(call.id)
            yield self._left_out(call, why, run)

    def answer(self, reply: Reply, run: Run) -> Generator[AgentEvent, None, None]:
        """Run the calls of ``reply``. What must end the run is in ``run.error``."""
        calls = reply.message.tool_calls()
        if not calls:
            return
        # Checks, plan and threads are loaded with the first call: 4 ms for runs with none.
        from pi.agent.prepare import prepare
        from pi.agent.schedule import plan

        most = self._settings.max_calls
        allowed = len(calls) if most is None else max(0, most - run.calls)
        is_cut = reply.stop_reason == "length"
        ready = [
            prepare(call, self._tools, self._settings.cwd, is_cut=is_cut)
            for call in calls[:allowed]
        ]
        groups = plan([one.effect for one in ready], sequential=self._settings.sequential)
        for number, group in enumerate(groups):
            why = self._why_not(run, is_first=number == 0)
            for position in group if why else ():
                yield self._left_out(calls[position], why, run)
            if not why:
                yield from self._group([ready[position] for position in group], run)
        for call in calls[allowed:]:
            why = self._why_not(run, is_first=not groups) or BEYOND_CAP.format(most)
            yield self._left_out(call, why, run)
        if allowed < len(calls) and run.error is None:
            run.error = CapReached(
                f"agent exceeded max tool calls ({most})",
                hint="what was done is kept; run again to go on, or raise the limit",
            )

    def _left_out(self, call: ToolCall, why: str, run: Run) -> MessageAdded:
        """The answer to a call that is not begun."""
        result = in_format(not_run(why), self._settings.result_format)
        return run.add(tool_message(call, result.text, is_error=True))

    def _why_not(self, run: Run, *, is_first: bool) -> str:
        """Why no further call is begun, or ""."""
        if run.cancel.why is not None:
            return CANCELLED
        if run.error is not None:
            return REPEATED
        return SKIPPED if not is_first and self._is_interrupted() else ""

    def _group(self, group: Sequence[Prepared], run: Run) -> Generator[AgentEvent, None, None]:
        """Announce the calls, run them at the same time, answer them in their order."""
        from pi.agent.workers import Ended, run_jobs

        ready: list[Prepared] = []
        for one in group:
            run.calls += 1
            self._started.add(one.call.id)
            yield ToolStart(one.call)
            refusal = one.refusal or self._hooks.refusal(one.call, one.arguments)
            ready.append(one._replace(refusal=refusal))
        ended: dict[int, Ended] = {}
        due = 0
        work = run_jobs([self._job(one, run) for one in ready], run.cancel, self._monotonic)
        try:
            for news in work:
                if not isinstance(news, Ended):
                    yield self._told(news, ready)
                    continue
                ended[news.position] = news
                while due in ended:
                    yield from self._deliver(ready[due], ended.pop(due), run)
                    due += 1
        finally:
            work.close()  # if this ends early: nothing shall go on unseen

    def _job(self, one: Prepared, run: Run) -> Job:
        def job(emit: Callable[[str], None]) -> ToolResult:
            if one.refusal is not None:
                return one.refusal
            context = ToolContext(self._settings.cwd, run.cancel, emit)
            try:
                result = self._tools[one.call.name].run(one.arguments, context)
            except Exception as exc:  # the border to tools: a bug in one must not end the run
                self._hooks.tell(exc)
                return failed(f"tool '{one.call.name}' failed: {words(exc)}")
            if not isinstance(result, ToolResult):
                return failed(f"tool '{one.call.name}' failed: it gave no result")
            return result

        return job

    def _told(self, news: News, ready: Sequence[Prepared]) -> AgentEvent:
        """What happens while calls run, as an event."""
        from pi.agent.workers import Stopping, Update

        if isinstance(news, Update):
            return ToolUpdate(ready[news.position].call, self._hooks.hidden_text(news.text))
        assert isinstance(news, Stopping)
        names = ", ".join(ready[position].call.name for position in news.positions)
        return Warned(f"cancelled: waiting for {names} to end")

    def _deliver(self, one: Prepared, ended: Ended, run: Run) -> Generator[AgentEvent, None, None]:
        """The result of a call as everybody will see it: the one place all results pass."""
        call = one.call
        if ended.result is None:
            result = not_run(CANCELLED)
        else:
            result = self._hooks.reviewed(call, ended.result)
            result = self._hooks.hidden(with_note(result, one.note) if one.note else result)
        times = run.guard.saw(call, result)
        if times == HINT_AT:
            result = with_note(result, HINT)
        elif times == STOP_AT and run.error is None:
            run.error = PiError(
                f"the model repeats a failing call: '{call.name}' failed in the same way "
                f"{times} times in a row",
                hint="what was done is kept; say what it should do instead",
                code="repeated-failure",
            )
        result = in_format(result, self._settings.result_format)
        self._started.discard(call.id)
        yield ToolEnd(call, result, ended.duration_ms)
        message = tool_message(call, result.text, result.is_error)
        yield run.add(message._replace(blocks=(Text(result.text), *result.images)))


def open_calls(messages: Sequence[Message]) -> list[ToolCall]:
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
