"""One record per prompt, at its end, whatever became of it: figures, no words of anybody."""

from __future__ import annotations

from pi.agent.events import AgentEnd, AgentStart, MessageAdded, ToolEnd, TurnEnd, TurnStart
from pi.ai.providers import BY_NAME
from pi.ai.types import Usage
from pi.audit.steady import Steady
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.agent.events import AgentEvent
    from pi.audit.log import PlainLog
    from pi.audit.sink import Place

RECORD_TYPE = "prompt_telemetry_v1"
SCHEMA_VERSION = 1
REDACTION = {
    "prompt_content": "omitted",
    "tool_arguments": "omitted",
    "tool_results": "bytes_only",
}


def provider_kind(provider: str) -> str:
    """What telemetry calls a provider: the vendor whose wire format it speaks, as "openai"
    for all that are compatible with it."""
    spec = BY_NAME.get(provider)
    if spec is None or spec.transport:  # the demo speaks a format, but is nobody's
        return provider
    return spec.api.partition("-")[0]


class TelemetrySink:
    """A sink of agent events that writes ``prompt_telemetry_v1`` records.

    ``status`` is that of ``AgentEnd``, "completed_with_tool_errors" for a completed prompt
    with a failed call, or "interrupted" for one whose end was never told: written when the
    next prompt starts, or on ``close``. ``provider`` is the kind of the model asked first
    (see ``provider_kind``), ``served_by`` is "provider/model" of the last whole answer.
    ``prompts_before`` had other sinks of this process.
    """

    def __init__(
        self,
        log: PlainLog,
        place: Place,
        *,
        provider: str,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
        warn: Callable[[str], None],
        secrets: Sequence[str] = (),
        prompts_before: int = 0,
    ) -> None:
        self._steady = Steady(log.append, warn, "telemetry logger", secrets)
        self._place = place._asdict()
        self._provider = provider
        self._now_ms = now_ms
        self._monotonic = monotonic
        self.prompt_id = prompts_before
        self._run: _Run | None = None

    def __call__(self, event: AgentEvent) -> None:
        if isinstance(event, TurnStart) and self._run is not None:
            self._run.asked = self._monotonic()
        elif isinstance(event, AgentStart):
            self.close()
            self.prompt_id += 1
            self._run = _Run(event.model, self._now_ms(), self._monotonic())
        elif self._run is None:
            return
        elif isinstance(event, AgentEnd):
            self._run.usage = event.usage  # with what answers that broke off have used
            error = event.error.code if event.error is not None else None
            self._write(self._run, event.status, error)
        else:
            self._run.see(event)

    def close(self) -> None:
        """Record the prompt that runs, if one does, as interrupted."""
        if self._run is not None:
            self._write(self._run, "interrupted", None)

    def _write(self, run: _Run, status: str, error_code: str | None) -> None:
        self._run = None
        if status == "completed" and run.tool_errors:
            status = "completed_with_tool_errors"
        now = self._monotonic()
        if run.asked is not None and status != "interrupted":  # the request that failed
            run.request_ms += int((now - run.asked) * 1000)
        total = run.usage.total
        self._steady.write(
            {
                **self._place,
                "record_type": RECORD_TYPE,
                "schema_version": SCHEMA_VERSION,
                "timestamp_unix_ms": self._now_ms(),
                "prompt_id": self.prompt_id,
                "provider": self._provider,
                "model": run.model,
                "served_by": run.served_by,
                "status": status,
                "success": status == "completed",
                "error_code": error_code,
                "started_unix_ms": run.started_ms,
                "duration_ms": int((now - run.began) * 1000),
                "turn_count": run.turns,
                "request_duration_ms_total": run.request_ms,
                "finish_reason": run.finish_reason,
                "token_usage": {
                    "input_tokens": total - run.usage.output,
                    "output_tokens": run.usage.output,
                    "total_tokens": total,
                },
                "tool_calls": run.tool_calls,
                "tool_errors": run.tool_errors,
                "redaction_policy": REDACTION,
            }
        )


class _Run:
    """What one prompt has come to."""

    def __init__(self, model: str, started_ms: int, began: float) -> None:
        self.model = model
        self.started_ms = started_ms
        self.began = began
        self.served_by: str | None = None
        self.asked: float | None = None  # when the turn began that has not ended
        self.turns = 0
        self.request_ms = 0
        self.finish_reason: str | None = None
        self.usage = Usage()
        self.tool_calls = 0
        self.tool_errors = 0

    def see(self, event: Any) -> None:
        if isinstance(event, MessageAdded):
            reply = event.reply
            if reply is not None and reply.error is None and reply.message.origin is not None:
                origin = reply.message.origin
                self.served_by = f"{origin.provider}/{origin.model}"
        elif isinstance(event, ToolEnd):
            self.tool_calls += 1
            self.tool_errors += event.result.is_error
        elif isinstance(event, TurnEnd):
            self.asked = None
            self.turns += 1
            self.request_ms += event.request_duration_ms
            self.finish_reason = event.stop_reason or None
            self.usage = self.usage.plus(event.usage)
