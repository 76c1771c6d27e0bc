"""A run as JSON lines on stdout: one compact object per event, keys in order, flushed.

The last line of every prompt is "prompt_end", whatever happened, also where the prompt was
never sent. Kinds: message_added, agent_start, turn_start, message_delta,
tool_execution_start, tool_execution_end, turn_end, agent_end, provider_fallback,
auto_retry_start, auto_retry_end, auto_compaction_start, auto_compaction_end, prompt_end.

On request also what happens within a message and a tool: message_start, message_update
(in place of message_delta), message_end, tool_execution_update. An answer of the model is
then message_start, its updates, message_end, message_added; each update has the kind of
its block ("text", "thinking", "tool_call") and the block's number, from 0.
"""

from __future__ import annotations

from pi.agent.events import (
    AgentEnd,
    AgentStart,
    AutoCompactionEnd,
    AutoCompactionStart,
    AutoRetry,
    AutoRetryEnd,
    MessageAdded,
    ToolEnd,
    ToolStart,
    ToolUpdate,
    TurnEnd,
    TurnStart,
)
from pi.ai.events import CallDelta, Fallback, TextDelta, ThinkingDelta
from pi.runtime.report import PARTIAL, SCHEMA_VERSION, LineWriter, end_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO

    from pi.agent.events import AgentEvent
    from pi.ai.types import Usage
    from pi.base.cancel import Cancel
    from pi.base.errors import PiError


class JsonEvents:
    """A sink that writes JSON lines. A stdout that fails sets ``cancel``.

    ``totals`` gives further fields of the last line, when the prompt has ended; ``full`` asks
    for the kinds that come on request. With ``is_open`` the last line is left to ``end``,
    for who learns only later how it all ended.
    """

    def __init__(
        self,
        stdout: TextIO | None,
        cancel: Cancel,
        totals: Callable[[], dict[str, Any]] = dict,
        *,
        full: bool = False,
        is_open: bool = False,
    ) -> None:
        self._writer = LineWriter(stdout)
        self._inside = Inside() if full else None
        self._totals = totals
        self._cancel = cancel
        self._is_open = is_open
        self._status = ""

    @property
    def failure(self) -> PiError | None:
        """Why stdout takes no more."""
        return self._writer.failure

    def __call__(self, event: AgentEvent) -> None:
        if self._inside is not None:
            for record in self._inside.records(event):
                self._write(record)
        render = RENDERERS.get(type(event))
        if render is not None and not (self._inside is not None and isinstance(event, TextDelta)):
            self._write(render(event))
        if isinstance(event, AgentEnd):
            self._status = event.status
            if not self._is_open:
                self.end(event.error)

    def end(self, error: PiError | None) -> None:
        """The last line: how the prompt ended."""
        end = {"type": "prompt_end", **end_data(error, self._status)}
        self._write({**end, **self._totals()})

    def _write(self, record: dict[str, Any]) -> None:
        self._writer.write(record)
        if self._writer.failure is not None:
            self._cancel.set(self._writer.failure)


class Inside:
    """What happens within messages and tools, as records."""

    def __init__(self) -> None:
        self._is_open = False
        self._block: tuple[str, int] | None = None  # the kind that goes on, which call
        self._index = -1

    def records(self, event: AgentEvent) -> Iterator[dict[str, Any]]:
        if isinstance(event, ToolUpdate):
            yield _tool("tool_execution_update", event, text=event.text)
        elif isinstance(event, CallDelta):
            yield from self._update("tool_call", event.json_piece, event.position)
        elif isinstance(event, (TextDelta, ThinkingDelta)):
            kind = "text" if isinstance(event, TextDelta) else "thinking"
            yield from self._update(kind, event.text)
        elif isinstance(event, MessageAdded) and event.message.role == "assistant":
            yield from self._open()
            self._is_open, self._block, self._index = False, None, -1
            reason = event.message.stop_reason or None
            yield {"type": "message_end", "role": "assistant", "stop_reason": reason}

    def _open(self) -> Iterator[dict[str, Any]]:
        if not self._is_open:
            self._is_open = True
            yield {"type": "message_start", "role": "assistant"}

    def _update(self, kind: str, delta: str, call: int = 0) -> Iterator[dict[str, Any]]:
        yield from self._open()
        if self._block != (kind, call):
            self._block = (kind, call)
            self._index += 1
        yield {"type": "message_update", "kind": kind, "delta": delta, "index": self._index}


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
    if event.message.stop_reason in PARTIAL:
        record["partial"] = True
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


def _compaction_end(event: Any) -> dict[str, Any]:
    done = event.result
    result = None
    if done is not None:
        result = {
            "summary": done.summary,
            "kept_messages": done.kept,
            "tokens_before": done.tokens_before,
            "tokens_after": done.tokens_after,
            "files": {"read": list(done.read), "modified": list(done.modified)},
        }
    return {
        "type": "auto_compaction_end",
        "result": result,
        "aborted": event.aborted,
        "will_retry": event.will_retry,
        "shortened": event.whole is not None,
        "error": None if event.error is None else event.error.message,
        "usage": _usage(event.usage),
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
    AgentEnd: lambda event: {
        "type": "agent_end",
        "new_messages": event.new_messages,
        "status": event.status,
    },
    Fallback: lambda event: {"type": "provider_fallback", **event._asdict()},
    AutoRetry: lambda event: {"type": "auto_retry_start", **event._asdict()},
    AutoRetryEnd: lambda event: {"type": "auto_retry_end", **event._asdict()},
    AutoCompactionStart: lambda event: {"type": "auto_compaction_start", **event._asdict()},
    AutoCompactionEnd: _compaction_end,
}
