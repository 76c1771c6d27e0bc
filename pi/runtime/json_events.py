"""A run as JSON lines on stdout: one compact object per event, keys in order, flushed.

The last line of every run is "prompt_end" with the status of ``AgentEnd``, whatever
happened. Kinds: message_added, agent_start, turn_start, message_delta,
tool_execution_start, tool_execution_end, turn_end, agent_end, provider_fallback,
auto_retry_start, auto_retry_end, prompt_end.
"""

from __future__ import annotations

import json

from pi.agent.events import (
    AgentEnd,
    AgentStart,
    AutoRetry,
    AutoRetryEnd,
    MessageAdded,
    ToolEnd,
    ToolStart,
    TurnEnd,
    TurnStart,
)
from pi.ai.events import Fallback, TextDelta
from pi.runtime.output import output_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from pi.agent.events import AgentEvent
    from pi.ai.types import Usage
    from pi.base.cancel import Cancel

SCHEMA_VERSION = 1


class JsonEvents:
    """A sink that writes JSON lines. A stdout that fails sets ``cancel``.

    ``totals`` gives further fields of the last line, when the run has ended.
    """

    def __init__(
        self,
        stdout: TextIO | None,
        cancel: Cancel,
        totals: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        self._stdout = stdout
        self._totals = totals
        self._cancel = cancel

    def __call__(self, event: AgentEvent) -> None:
        render = RENDERERS.get(type(event))
        if render is not None:
            self._write(render(event))
        if isinstance(event, AgentEnd):
            error = event.error
            told = None if error is None else {"code": error.code, "message": error.message}
            end = {"type": "prompt_end", "status": event.status, "error": told}
            self._write({**end, **self._totals()})

    def _write(self, record: dict[str, Any]) -> None:
        if self._stdout is None:
            return
        line = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        # Half a character can be in a tool's arguments; a line must be UTF-8 all the same.
        line = line.encode("utf-8", "replace").decode("utf-8")
        try:
            self._stdout.write(line + "\n")
            self._stdout.flush()
        except (OSError, ValueError) as exc:
            self._stdout = None
            self._cancel.set(output_failure(exc))


def _message(event: Any) -> dict[str, Any]:
    calls = event.message.tool_calls()
    record = {
        "type": "message_added",
        "role": event.message.role,
        "text": event.message.text(),
        "tool_calls": len(calls),
    }
    if calls:
        record["calls"] = [{"id": call.id, "name": call.name} for call in calls]
    return record


def _tool(kind: str, event: Any, **more: Any) -> dict[str, Any]:
    return {"type": kind, "tool_call_id": event.call.id, "tool_name": event.call.name, **more}


def _turn_end(event: Any) -> dict[str, Any]:
    return {
        "type": "turn_end",
        "turn": event.turn,
        "tool_results": event.tool_results,
        "request_duration_ms": event.request_duration_ms,
        "usage": _usage(event.usage),
        "finish_reason": event.stop_reason or None,
    }


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.total
    return {
        "input_tokens": total - usage.output,
        "output_tokens": usage.output,
        "total_tokens": total,
    }


RENDERERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    MessageAdded: _message,
    AgentStart: lambda event: {"type": "agent_start", "schema_version": SCHEMA_VERSION},
    TurnStart: lambda event: {"type": "turn_start", "turn": event.turn},
    TextDelta: lambda event: {"type": "message_delta", "text": event.text},
    ToolStart: lambda event: _tool(
        "tool_execution_start", event, arguments=dict(event.call.arguments)
    ),
    ToolEnd: lambda event: _tool(
        "tool_execution_end", event, is_error=event.result.is_error, content=event.result.content
    ),
    TurnEnd: _turn_end,
    AgentEnd: lambda event: {"type": "agent_end", "new_messages": event.new_messages},
    Fallback: lambda event: {"type": "provider_fallback", **event._asdict()},
    AutoRetry: lambda event: {"type": "auto_retry_start", **event._asdict()},
    AutoRetryEnd: lambda event: {"type": "auto_retry_end", **event._asdict()},
}
