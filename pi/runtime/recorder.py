"""Writes a run to its session as it happens.

Each message is on disk before the next thing that depends on it: the user's at submit,
an assistant's when its stream ended, a tool's result at once; the start of a tool is
noted before the tool runs. If the session cannot be written the run goes on; the first
failure is kept in ``failure`` and told to ``warn`` once.
"""

from __future__ import annotations

from pi.agent.events import AgentEnd, MessageAdded, ToolStart
from pi.base.errors import PiError
from pi.sessions.entry import reply_extra

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.agent.events import AgentEvent
    from pi.sessions.store import SessionStore


class Recorder:
    """A sink of agent events that appends to a session store."""

    def __init__(self, store: SessionStore, warn: Callable[[PiError], None]) -> None:
        self._store = store
        self._warn = warn
        self.failure: PiError | None = None

    def __call__(self, event: AgentEvent) -> None:
        if self.failure is not None:
            return
        try:
            self._record(event)
        except PiError as error:
            self.failure = error
            self._warn(error)

    def _record(self, event: AgentEvent) -> None:
        if isinstance(event, MessageAdded):
            self._store.append(
                [event.message], [{} if event.reply is None else reply_extra(event.reply)]
            )
        elif isinstance(event, ToolStart):
            self._store.note(
                {
                    "record_type": "tool_start",
                    "tool_call_id": event.call.id,
                    "tool_name": event.call.name,
                }
            )
        elif isinstance(event, AgentEnd):
            self._store.sync()
