"""A prompt, or a compaction, from its start to its end: signals and time limits cancel it."""

from __future__ import annotations

from pi.base.cancel import Cancel
from pi.base.errors import TimeLimit
from pi.cli.signals import CancelOnSignals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.agent.events import AgentEnd, AutoCompactionEnd
    from pi.base.errors import PiError
    from pi.cli.conversation import Conversation


def ask_now(run: Conversation, prompt: str, *, shown: bool) -> AgentEnd:
    """Run one prompt; without ``shown`` the answer is not printed. Raises PiError for what
    fails before anything is sent."""
    cancel = Cancel()
    with _limited(run, cancel):
        return run.ask(prompt, cancel, shown=shown)


def compact_now(run: Conversation, focus: str) -> AutoCompactionEnd:
    """Summarise the older part of the conversation and store that.

    Raises PiError: no key, no model, or a summary that could not be stored.
    """
    cancel = Cancel()
    with _limited(run, cancel):
        return run.compact(focus, cancel)


class Deadline:
    """When a command file must be done: ``seconds`` from now."""

    def __init__(self, run: Conversation, seconds: int) -> None:
        self._monotonic = run.host.monotonic
        self._seconds = seconds
        self._ends = run.host.monotonic() + seconds

    def left_ms(self) -> int:
        """The time that is left, at least a millisecond."""
        return max(1, int((self._ends - self._monotonic()) * 1000))

    def passed(self) -> PiError | None:
        """Why nothing more is to be begun, if the time is over."""
        return self.limit() if self._monotonic() >= self._ends else None

    def limit(self) -> TimeLimit:
        """What is told of it."""
        return TimeLimit(
            f"the time limit of {self._seconds} s for the command file passed",
            hint="what was finished is kept; raise --command-file-timeout",
        )


def _limited(run: Conversation, cancel: Cancel) -> CancelOnSignals:
    usual, deadline = run.settings.turn_timeout_ms, run.deadline
    if deadline is None or 0 < usual < deadline.left_ms():
        return CancelOnSignals(cancel, usual)
    return CancelOnSignals(cancel, deadline.left_ms(), deadline.limit())
