"""Compaction on demand: pulls its events and hands each to every sink."""

from __future__ import annotations

from pi.agent.events import AutoCompactionEnd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.agent.events import AgentEvent
    from pi.agent.loop import Agent
    from pi.base.cancel import Cancel

    Sink = Callable[[AgentEvent], None]


def compact_now(
    agent: Agent,
    focus: str,
    cancel: Cancel,
    sinks: Sequence[Sink],
    sink_failed: Callable[[Exception], None],
) -> AutoCompactionEnd:
    """Summarise the older part of the conversation between two runs.

    Raises PiError if the agent is answering. A sink that raises is reported and dropped.
    """
    left = list(sinks)
    end = AutoCompactionEnd()
    events = agent.compact(focus, cancel)
    try:
        for event in events:
            for sink in tuple(left):
                try:
                    sink(event)
                except Exception as exc:  # the border to sinks: one must not stop the others
                    left.remove(sink)
                    sink_failed(exc)
            if isinstance(event, AutoCompactionEnd):
                end = event
    finally:
        events.close()
    return end
