"""A run as one JSON object: the answer, how it ended, what it took and what it changed.

A sink that collects; the object is made when the run is over. A run that never began has
one too, with nothing in it but why.
"""

from __future__ import annotations

import os

from pi.agent.events import AgentEnd, AutoCompactionEnd, MessageAdded, ToolEnd, TurnEnd
from pi.ai.types import Usage
from pi.base.typing import Any, NamedTuple
from pi.runtime.report import PARTIAL, SCHEMA_VERSION, end_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.events import AgentEvent
    from pi.ai.types import ToolCall
    from pi.base.errors import PiError

WRITING = ("write", "edit")


class Place(NamedTuple):
    """Where a run works: its directory, its model, its session's path and head."""

    cwd: str
    model: str
    session: str | None = None
    head: Callable[[], int | None] = lambda: None


class RunReport:
    """A sink of agent events. It comes after the recorder, whose entries it counts."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._head = place.head()
        self._entries: list[int] = []  # the first and the last one written
        self._answer: str | None = None
        self._is_partial = False
        self._served_by: str | None = None
        self._status = ""
        self._usage = Usage()
        self._turns = self._calls = self._failed_calls = 0
        self._changed: dict[str, None] = {}  # in the order of their first change
        self._denials: list[dict[str, Any]] = []

    def __call__(self, event: AgentEvent) -> None:
        take = TAKE.get(type(event))
        if take is not None:
            take(self, event)

    def record(self, error: PiError | None, totals: Mapping[str, Any]) -> dict[str, Any]:
        """The object. ``error`` is why the process fails, ``totals`` what the meter says:
        requests, cost_usd."""
        return {
            "type": "result",
            "schema_version": SCHEMA_VERSION,
            **end_data(error, self._status),
            "answer": self._answer,
            "answer_is_partial": self._is_partial,
            "model": self._place.model or None,
            "served_by": self._served_by,
            "requests": totals.get("requests", 0),
            "turns": self._turns,
            "tool_calls": self._calls,
            "tool_errors": self._failed_calls,
            "usage": usage_data(self._usage),
            "cost_usd": totals.get("cost_usd", 0.0),
            "changed_files": list(self._changed),
            "denials": self._denials,
            "session": self._session(),
        }

    def _session(self) -> dict[str, Any] | None:
        if self._place.session is None:
            return None
        first, last = (self._entries[0], self._entries[-1]) if self._entries else (None, None)
        return {"path": self._place.session, "first_entry": first, "last_entry": last}

    def _message(self, event: MessageAdded) -> None:
        self._stored()
        message, reply = event.message, event.reply
        if message.role != "assistant":
            return
        self._answer = message.text()
        self._is_partial = message.stop_reason in PARTIAL
        if reply is None:
            return
        self._usage = self._usage.plus(reply.usage)
        if reply.error is None and message.origin is not None:
            self._served_by = f"{message.origin.provider}/{message.origin.model}"

    def _stored(self) -> None:
        """Note where the session stands, if something was written."""
        head = self._place.head()
        if head is not None and head != self._head:
            self._head = head
            self._entries.append(head)

    def _tool(self, event: ToolEnd) -> None:
        call, result = event.call, event.result
        self._calls += 1
        self._failed_calls += result.is_error
        content = result.content if isinstance(result.content, dict) else {}
        denied = denial(call, content)
        if denied is not None:
            self._denials.append(denied)
        path = content.get("path")
        is_change = call.name in WRITING and not result.is_error and not content.get("unchanged")
        if is_change and isinstance(path, str):
            self._changed[shown_path(path, self._place.cwd)] = None

    def _turn(self, event: TurnEnd) -> None:
        self._turns += 1

    def _end(self, event: AgentEnd) -> None:
        self._status = event.status
        self._usage = event.usage  # with summaries and what broke off


TAKE: dict[type, Callable[[RunReport, Any], None]] = {
    MessageAdded: RunReport._message,
    AutoCompactionEnd: lambda report, event: report._stored(),
    ToolEnd: RunReport._tool,
    TurnEnd: RunReport._turn,
    AgentEnd: RunReport._end,
}


def denial(call: ToolCall, content: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the policy refused and why; None for a call it did not refuse."""
    rule = content.get("policy_rule")
    rule = rule if isinstance(rule, str) and rule else None
    if rule is None and content.get("policy_decision") != "deny":
        return None
    reason = content.get("error")
    return {
        "tool": call.name,
        "tool_call_id": call.id,
        "rule": rule,
        "reason": reason if isinstance(reason, str) else "",
    }


def shown_path(path: str, cwd: str) -> str:
    """``path`` from ``cwd``, or whole if it lies elsewhere."""
    inside = cwd.rstrip(os.sep) + os.sep
    return path[len(inside) :] if path.startswith(inside) and path != inside else path


def usage_data(usage: Usage) -> dict[str, int]:
    """Tokens as machines are told: what was cached is part of the input, what was thought
    part of the output, and the total is the sum of these two."""
    total = usage.total
    return {
        "input_tokens": total - usage.output,
        "cached_tokens": usage.cache_read,
        "output_tokens": usage.output,
        "reasoning_tokens": usage.reasoning,
        "total_tokens": total,
    }
