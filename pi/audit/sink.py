"""Writes the start and the end of every tool call to the audit log: sizes, never contents.

Fields of both records: ``schema_version``, ``event``, ``timestamp_unix_ms``,
``tool_call_id``, ``tool_name``, ``prompt_id`` (from 1 per process), ``pid``, ``cwd``,
``session``; the chain adds ``seq``, ``prev`` and ``hash``.
"""

from __future__ import annotations

import json
from hashlib import sha256

from pi.agent.events import AgentStart, ToolEnd, ToolStart
from pi.audit.steady import Steady
from pi.base.text import well_formed
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.agent.events import AgentEvent
    from pi.agent.tool import ToolResult
    from pi.ai.types import ToolCall
    from pi.audit.log import AuditLog

SCHEMA_VERSION = 1


class Place(NamedTuple):
    """Where a run works; ``session`` is its path or id, None if nothing is kept."""

    cwd: str
    session: str | None
    pid: int


class AuditSink:
    """A sink of agent events; calls that run at the same time may interleave.

    A log that cannot be written goes to ``warn`` once, as one line. ``prompts_before`` had
    other sinks of this process.
    """

    def __init__(
        self,
        log: AuditLog,
        place: Place,
        *,
        now_ms: Callable[[], int],
        warn: Callable[[str], None],
        secrets: Sequence[str] = (),
        prompts_before: int = 0,
    ) -> None:
        self._steady = Steady(log.append, warn, "tool audit logger", secrets)
        self._now_ms = now_ms
        self._place = place._asdict()
        self.prompt_id = prompts_before
        self._open: dict[str, int] = {}  # call ids; a model may use one twice

    def __call__(self, event: AgentEvent) -> None:
        if isinstance(event, AgentStart):
            self.prompt_id += 1
            self._open.clear()
        elif isinstance(event, ToolStart):
            self._open[event.call.id] = self._open.get(event.call.id, 0) + 1
            self._write("tool_execution_start", event.call, start_fields(event.call))
        elif isinstance(event, ToolEnd):
            started = self._open.get(event.call.id, 0)
            self._open[event.call.id] = max(0, started - 1)
            took = event.duration_ms if started else None
            fields = end_fields(event.call, event.result)
            self._write("tool_execution_end", event.call, {**fields, "duration_ms": took})

    def _write(self, event: str, call: ToolCall, fields: Mapping[str, Any]) -> None:
        self._steady.write(
            {
                **self._place,
                **fields,
                "schema_version": SCHEMA_VERSION,
                "timestamp_unix_ms": self._now_ms(),
                "event": event,
                "tool_call_id": call.id,
                "tool_name": call.name,
                "prompt_id": self.prompt_id,
            }
        )


def start_fields(call: ToolCall) -> dict[str, Any]:
    """What is recorded of a call before it runs: ``arguments_bytes`` (of compact JSON) and,
    for a command, its digest."""
    return {"arguments_bytes": arguments_bytes(call), **_command_digest(call)}


def end_fields(call: ToolCall, result: ToolResult) -> dict[str, Any]:
    """What is recorded of its outcome: sizes, the policy's word, how a command ended."""
    content = result.content if isinstance(result.content, dict) else {}
    rule = content.get("policy_rule")
    rule = rule if isinstance(rule, str) and rule else None
    denied = rule is not None or content.get("policy_decision") == "deny"
    fields = {
        "is_error": result.is_error,
        "result_bytes": len(well_formed(result.text).encode("utf-8")),
        "policy_decision": "deny" if denied else "allow",
        "policy_rule": rule,
    }
    if call.name == "bash":
        status = content.get("status")
        # Of a tool's own data only numbers and flags are taken: words could be contents.
        fields["status"] = status if type(status) is int and abs(status) < 1 << 31 else None
        for flag in ("timed_out", "cancelled", "sandboxed", "dry_run"):
            fields[flag] = content.get(flag) is True
        fields.update(_command_digest(call))
    return fields


def arguments_bytes(call: ToolCall) -> int | None:
    """The size of the arguments as compact JSON, or of what came instead; None if unknown."""
    if call.raw_arguments is not None:
        return len(well_formed(call.raw_arguments).encode("utf-8"))
    try:
        text = json.dumps(dict(call.arguments), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return None
    return len(well_formed(text).encode("utf-8"))


def _command_digest(call: ToolCall) -> dict[str, str]:
    command = call.arguments.get("command") if call.name == "bash" else None
    if not isinstance(command, str):
        return {}
    return {"command_sha256": sha256(well_formed(command).encode("utf-8")).hexdigest()}
