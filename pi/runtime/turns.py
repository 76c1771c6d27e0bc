"""One prompt: pulls the agent's events and hands each to every sink."""

from __future__ import annotations

from pi.agent.events import AgentEnd, MessageAdded
from pi.ai.types import Usage
from pi.base.errors import Interrupted, as_pi_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.agent.events import AgentEvent
    from pi.agent.loop import Agent
    from pi.base.cancel import Cancel

    Sink = Callable[[AgentEvent], None]


class _Sinks:
    """Hands events on. A sink that raises is reported once and dropped."""

    def __init__(self, sinks: Sequence[Sink], failed: Callable[[Exception], None]) -> None:
        self._sinks = tuple(sinks)
        self._failed = failed
        self._added = 0
        self._usage = Usage()
        self.last: AgentEvent | None = None

    def take(self, event: AgentEvent) -> None:
        self.last = event
        if isinstance(event, MessageAdded):
            self._added += 1
            if event.reply is not None:
                self._usage = self._usage.plus(event.reply.usage)
        for sink in self._sinks:
            try:
                sink(event)
            except Exception as exc:  # the border to sinks: one must not break the run
                self._sinks = tuple(one for one in self._sinks if one is not sink)
                self._failed(exc)

    def end(self, exc: BaseException) -> None:
        """The end of a run that could not tell its own, unless nothing of it was told."""
        if self.last is None or isinstance(self.last, AgentEnd):
            return
        error = as_pi_error(exc)
        status = "cancelled" if isinstance(error, Interrupted) else "failed"
        self.take(AgentEnd(status, self._added, self._usage, error))


def run_prompt(
    agent: Agent,
    prompt: str,
    cancel: Cancel,
    sinks: Sequence[Sink],
    sink_failed: Callable[[Exception], None],
) -> AgentEnd:
    """Run ``prompt`` to its end. A sink that raises is reported once and dropped.

    The sinks get exactly one AgentEnd, also if this is left by an exception (a second
    Ctrl+C, the last resort). Raises PiError if the agent is already answering.
    """
    handing = _Sinks(sinks, sink_failed)
    events = agent.run(prompt, cancel)
    try:
        for event in events:
            handing.take(event)
            if isinstance(event, AgentEnd):
                return event
    except BaseException as exc:
        events.close()
        handing.end(exc)
        raise
    finally:
        events.close()
    raise AssertionError("a run ended without AgentEnd")
