"""``/skills-verify``: digests and signatures of everything installed."""

from __future__ import annotations

from pi.base.errors import VerificationFailed
from pi.commands.result import Result
from pi.commands.skills_told import at_lock, telling, work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.stage import Stage
    from pi.skills.verify import Report


@telling("skills verify", at_lock, with_status=True)
def verify(arguments: Arguments, context: CommandContext) -> Result:
    """``/skills-verify [lockfile] [trust root file]``."""
    stage = work(context, arguments.word())
    if arguments.word(1):
        stage.settings = stage.settings._replace(trust_file=arguments.word(1))
    return verified(stage, strict=bool(arguments.options.get("strict")))


def verified(stage: Stage, *, strict: bool = False) -> Result:
    """Judge the installed skills. Raises PiError if there is nothing to judge by."""
    report = stage.verify()
    settings = stage.settings
    data = as_json(report, settings.lock_path, settings.trust_file or None)
    lines = text_lines(report, settings.lock_path, settings.trust_file or "none")
    failing = ("fail", "warn") if strict or settings.strict else ("fail",)
    error = None
    if report.status in failing:
        error = VerificationFailed(
            f"skills verification failed: path={settings.lock_path} "
            f"warn={report.count('warn')} fail={report.count('fail')}",
            code="skills-verification",
        )
    return Result(lines, data, error, legacy=data)


def text_lines(report: Report, lock_path: str, trust_path: str) -> tuple[str, ...]:
    """The report for people."""
    counts = " ".join(f"{word}={report.count(word)}" for word in ("pass", "warn", "fail"))
    trust = report.trust
    told = "none" if trust is None else " ".join(f"{name}={n}" for name, n in trust.items())
    lines = [
        f"skills verify: status={report.status} lock_path={lock_path} "
        f"trust_root_path={trust_path} entries={len(report.entries)} {counts}",
        f"sync: {report.drift.detail()}",
        f"trust: {told}",
    ]
    lines += [
        f"entry: file={one.file} name={one.name} status={one.status} checks={';'.join(one.checks)}"
        for one in report.entries
    ]
    return tuple(lines if report.entries else [*lines, "entry: none"])


def as_json(report: Report, lock_path: str, trust_path: str | None) -> dict[str, Any]:
    """The report as data, with the members of the older program."""
    return {
        "lock_path": lock_path,
        "trust_root_path": trust_path,
        **report.drift.as_json(),
        "trust": report.trust,
        "summary": {
            "entries": len(report.entries),
            **{word: report.count(word) for word in ("pass", "warn", "fail")},
            "status": report.status,
        },
        "entries": [
            {"file": o.file, "name": o.name, "status": o.status, "checks": list(o.checks)}
            for o in report.entries
        ],
    }
