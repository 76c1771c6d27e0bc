"""The tool loop as a state machine: no model, no tool, no clock inside.

Rule: every change of state goes through ``TRANSITIONS``. The driver in ``loop`` asks
what is needed, does it, and reports back.
"""

from __future__ import annotations

from enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class State(Enum):
    NEEDS_REPLY = "needs-reply"
    NEEDS_TOOLS = "needs-tools"
    DONE = "done"
    EXHAUSTED = "exhausted"


class Input(Enum):
    REPLY_PLAIN = "reply without tool calls"
    REPLY_WITH_CALLS = "reply with tool calls"
    TOOLS_ANSWERED = "last tool result arrived"
    NO_TURNS_LEFT = "turn limit reached"
    NEW_MESSAGE = "the user sent a message"


TRANSITIONS: dict[tuple[State, Input], State] = {
    (State.NEEDS_REPLY, Input.REPLY_PLAIN): State.DONE,
    (State.NEEDS_REPLY, Input.REPLY_WITH_CALLS): State.NEEDS_TOOLS,
    (State.NEEDS_REPLY, Input.NO_TURNS_LEFT): State.EXHAUSTED,
    (State.NEEDS_TOOLS, Input.TOOLS_ANSWERED): State.NEEDS_REPLY,
    (State.NEEDS_TOOLS, Input.NO_TURNS_LEFT): State.EXHAUSTED,
    (State.NEEDS_REPLY, Input.NEW_MESSAGE): State.NEEDS_REPLY,
    (State.DONE, Input.NEW_MESSAGE): State.NEEDS_REPLY,
}


class Turn:
    """One prompt's turns. ``max_turns`` None means no limit; 0 is exhausted at once."""

    def __init__(self, max_turns: int | None) -> None:
        self.state = State.NEEDS_REPLY
        self._left = max_turns
        self._open: list[str] = []
        if max_turns == 0:
            self._move(Input.NO_TURNS_LEFT)

    @property
    def open_calls(self) -> tuple[str, ...]:
        """Ids of the calls of this turn that have no answer yet, in order."""
        return tuple(self._open)

    @property
    def may_ask(self) -> bool:
        """Whether a message added now would be answered within the limit."""
        allowed = (self.state, Input.NEW_MESSAGE) in TRANSITIONS
        return allowed and (self._left is None or self._left > 0)

    def replied(self, call_ids: Sequence[str]) -> None:
        """The model answered, wanting these calls. Ids must be unique within the turn."""
        if len(set(call_ids)) != len(call_ids):
            raise ValueError("two calls of one turn share an id")
        self._move(Input.REPLY_WITH_CALLS if call_ids else Input.REPLY_PLAIN)
        if self._left is not None:
            self._left -= 1
        self._open = list(call_ids)

    def answered(self, call_id: str) -> None:
        """A tool call has its result."""
        if call_id not in self._open:
            raise ValueError(f"no open tool call {call_id!r}")
        self._open.remove(call_id)
        if not self._open:
            out = self._left is not None and self._left <= 0
            self._move(Input.NO_TURNS_LEFT if out else Input.TOOLS_ANSWERED)

    def asked(self) -> None:
        """The user said more; ask ``may_ask`` first."""
        self._move(Input.NEW_MESSAGE)

    def _move(self, what: Input) -> None:
        try:
            self.state = TRANSITIONS[self.state, what]
        except KeyError:
            raise ValueError(f"{what.value!r} while {self.state.value}") from None
