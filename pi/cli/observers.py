"""The logs of a run, opened before anything is asked; and the check of an audit log."""

from __future__ import annotations

import os

from pi.base.errors import UsageError
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.audit.sink import AuditSink
    from pi.audit.telemetry import TelemetrySink
    from pi.base.host import Host
    from pi.cli.json_answer import JsonAnswer
    from pi.cli.parse import Parsed
    from pi.cli.settings import Settings


class Observers:
    """The sinks that were asked for; ``prompts_before`` had those of the same run before
    them. Raises ConfigError for a log that cannot be opened."""

    def __init__(
        self,
        settings: Settings,
        host: Host,
        cwd: str,
        secrets: tuple[str, ...],
        warn: Callable[[str], None],
        prompts_before: int = 0,
    ) -> None:
        self.sinks: list[AuditSink | TelemetrySink] = []
        self._before = prompts_before
        self._closing: list[Callable[[], None]] = []
        tools = settings.tools
        if not (tools.audit_log or tools.telemetry_log):
            return
        if tools.audit_log and same_file(tools.audit_log, tools.telemetry_log):
            raise UsageError("--tool-audit-log and --telemetry-log name the same file")
        from pi.audit.log import AuditLog, PlainLog
        from pi.audit.sink import AuditSink, Place

        place = Place(cwd, settings.session.path, os.getpid())
        if tools.audit_log:
            log = AuditLog(tools.audit_log, now_ms=host.now_ms)
            self.sinks.append(
                AuditSink(
                    log,
                    place,
                    now_ms=host.now_ms,
                    warn=warn,
                    secrets=secrets,
                    prompts_before=prompts_before,
                )
            )
            self._closing.append(log.close)
        if tools.telemetry_log:
            from pi.audit.telemetry import TelemetrySink, provider_kind

            plain = PlainLog(tools.telemetry_log, "telemetry log")
            telemetry = TelemetrySink(
                plain,
                place,
                provider=provider_kind(settings.model.ref.provider),
                now_ms=host.now_ms,
                monotonic=host.monotonic,
                warn=warn,
                secrets=secrets,
                prompts_before=prompts_before,
            )
            self.sinks.append(telemetry)
            self._closing += [telemetry.close, plain.close]

    @property
    def prompts(self) -> int:
        """How many prompts of this process began so far."""
        return max((sink.prompt_id for sink in self.sinks), default=self._before)

    def close(self) -> None:
        """End of the run: write down what was open."""
        for close in self._closing:
            close()


def same_file(one: str, other: str) -> bool:
    return bool(other) and os.path.realpath(one) == os.path.realpath(other)


def verify_audit(parsed: Parsed, host: Host) -> int:
    """Check an audit log. Returns 0; raises VerificationFailed (7), ConfigError (2)."""
    from pi.cli.json_answer import JsonAnswer

    with JsonAnswer("audit-verify", parsed, host) as answer:
        return _verify_audit(parsed, host, answer)


def _verify_audit(parsed: Parsed, host: Host, answer: JsonAnswer) -> int:
    from pi.audit.chain import parse_head
    from pi.audit.verify import verify_file

    value: dict[str, Any] = parsed.values
    if parsed.words:  # other logs, by a wildcard: they must not seem to be checked
        raise UsageError(f"--audit-verify takes one file, and {parsed.words[0]!r} is another word")
    head = parse_head(value["--audit-head"]) if value["--audit-head"] else None
    report = verify_file(value["--audit-verify"], head)
    if value["--json"]:
        import json  # loaded anyway

        text = json.dumps(report.as_json(), sort_keys=True, separators=(",", ":"))
    else:
        text = report.text()
    print(text, file=host.stdout)
    answer.is_told = True
    failure = report.failure()
    if failure is not None:
        raise failure
    return 0
