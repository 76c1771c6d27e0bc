"""Writes a run to its session as it happens.

Each message is on disk before the next thing that depends on it: the user's at submit,
an assistant's when its stream ended, a tool's result at once; the start of a tool is
noted before the tool runs. If the session cannot be written the run goes on: what is
missing waits in memory, is tried again with each next event, and goes into a rescue file
at the end of the run. The first failure is told to ``warn``; ``failure`` is why something is
not in the session now, None if all is.

What was summarised stays in the file, before an entry of kind "compaction" that says how the
conversation goes on (``pi.sessions.compacted``).

A run that was discarded stays in the file, as a branch that nothing follows: a head record
says from which entry the conversation goes on, and so does the store.
"""

from __future__ import annotations

from pi.agent.events import AgentEnd, AutoCompactionEnd, MessageAdded, ToolStart
from pi.sessions.entry import reply_extra
from pi.sessions.unsaved import Unsaved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.events import AgentEvent
    from pi.ai.types import Message
    from pi.base.errors import PiError
    from pi.sessions.store import SessionStore
    from pi.sessions.unsaved import Mark


class Recorder:
    """A sink of agent events that appends to a session store. ``tell`` gets what else the
    user should know: that the session was rewritten meanwhile, where a rescue file is.
    ``about_next`` are fields to store once, with the next message of the user."""

    def __init__(
        self,
        store: SessionStore,
        warn: Callable[[PiError], None],
        tell: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._store = store
        self._unsaved = Unsaved(store)
        self._warn = warn
        self._tell = tell
        self._start: Mark | None = None  # of the run that goes on
        self._warned: PiError | None = None
        self.about_next: Mapping[str, object] = {}

    @property
    def failure(self) -> PiError | None:
        return self._unsaved.loss or self._unsaved.obstacle

    def __call__(self, event: AgentEvent) -> None:
        if isinstance(event, AutoCompactionEnd):
            self._compacted(event)
            return
        if not isinstance(event, (MessageAdded, ToolStart, AgentEnd)):
            return
        if self._start is None:
            self._start = self._unsaved.mark()
        if isinstance(event, MessageAdded):
            extra = {} if event.reply is None else reply_extra(event.reply)
            if event.message.role == "user" and self.about_next:
                extra, self.about_next = dict(self.about_next), {}
            self._unsaved.append(event.message, extra)
        elif isinstance(event, ToolStart):
            self._unsaved.note(
                {
                    "record_type": "tool_start",
                    "tool_call_id": event.call.id,
                    "tool_name": event.call.name,
                }
            )
        else:
            if event.discarded:
                self._unsaved.go_back(self._start)
            self._start = None
            self._finish()
        self._report()

    def add(self, message: Message, kind: str) -> None:
        """Store, between two runs, what joins the conversation otherwise than by one."""
        self._unsaved.append(message, {"kind": kind})
        self._finish()
        self._report()

    def _finish(self) -> None:
        rescue = self._unsaved.finish()
        if rescue:
            self._tell(f"the conversation is in {rescue}; /session-import reads it")

    def _report(self) -> None:
        """Say once that something could not be saved, and once that it was after all."""
        for text in self._store.news():
            self._tell(text)
        failure = self.failure
        if failure is not None and self._warned is None:
            self._warn(failure)
        elif failure is None and self._warned is not None:
            self._tell("saved after all")
        self._warned = failure

    def _compacted(self, event: AutoCompactionEnd) -> None:
        """Store a compaction: of a run, or between two of them."""
        done = event.result
        if done is None:
            if event.whole is not None:
                self._unsaved.append_waypoint({"kind": "pruning", "kept": event.whole})
                self._report()
            return
        self._unsaved.append_waypoint(
            {
                "kind": "compaction",
                "summary": done.summary,
                "kept": done.kept,
                "tokens_before": done.tokens_before,
                "tokens_after": done.tokens_after,
                "files": {"read": list(done.read), "modified": list(done.modified)},
                "usage": event.usage._asdict(),
            }
        )
        if self._start is None:
            self._finish()
        self._report()
