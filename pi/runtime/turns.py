"""One prompt: pulls the agent's events and hands each to every sink."""

from __future__ import annotations

from pi.agent.events import AgentEnd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.agent.events import AgentEvent
    from pi.agent.loop import Agent
    from pi.base.cancel import Cancel

    Sink = Callable[[AgentEvent], None]


def run_prompt(
    agent: Agent,
    prompt: str,
    cancel: Cancel,
    sinks: Sequence[Sink],
    sink_failed: Callable[[Exception], None],
) -> AgentEnd:
    """Run ``prompt`` to its end. A sink that raises is reported once and dropped."""
    working = list(sinks)
    for event in agent.run(prompt, cancel):
        for sink in tuple(working):
            try:
                sink(event)
            except Exception as exc:  # the border to sinks: one must not break the run
                working.remove(sink)
                sink_failed(exc)
        if isinstance(event, AgentEnd):
            return event
    raise AssertionError("a run ended without AgentEnd")
