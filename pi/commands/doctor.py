"""``/doctor``: the checks of configuration, files and machine, as lines and as data.

The seven checks of the older program always stand there, first and in their order. The
further ones stand behind them with ``--all``; without it only those that did not pass.
"""

from __future__ import annotations

from pi.base.errors import PiError
from pi.base.text import plain_text, visible, well_formed
from pi.base.typing import Any, NamedTuple
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext

PASS, WARN, FAIL = "pass", "warn", "fail"


class Check(NamedTuple):
    """One check. ``code`` is a word, perhaps with a detail behind a colon; ``path`` and
    ``action`` (what to do about it) are "" where there is none. ``further`` says that the
    older program had no such check."""

    key: str
    status: str
    code: str
    path: str = ""
    action: str = ""
    further: bool = False


def doctor(arguments: Arguments, context: CommandContext) -> Result:
    """Run the checks. Fails where one of them does."""
    service = context.services.get("doctor")
    if service is None:
        raise PiError("this run has no doctor", code="no-doctor")
    online = "online" in arguments.options
    checks = service(online=online)
    return report(checks if "all" in arguments.options or online else selected(checks))


def selected(checks: Sequence[Check]) -> list[Check]:
    """The checks of the older program, and of the further ones what is not well."""
    return [check for check in checks if not check.further or check.status != PASS]


def report(checks: Sequence[Check], *, strict: bool = False) -> Result:
    """Checks as a result; with ``strict`` a warning is a failure."""
    counts = {
        status: sum(check.status == status for check in checks) for status in (PASS, WARN, FAIL)
    }
    summary = {"checks": len(checks), **counts}
    lines = ["doctor summary: " + " ".join(f"{name}={count}" for name, count in summary.items())]
    lines += [
        f"doctor check: key={_line(check.key).replace(' ', '_')} status={check.status} "
        f"code={_line(check.code)} path={_line(check.path) or 'none'} "
        f"action={_line(check.action) or 'none'}"
        for check in checks
    ]
    data: dict[str, Any] = {"checks": [_data(check) for check in checks], "summary": summary}
    bad = [check for check in checks if check.status == FAIL or (strict and check.status == WARN)]
    error = None
    if bad:
        keys = ", ".join(f"{check.key} ({_line(check.code)})" for check in bad)
        hint = next((check.action for check in bad if check.action), "")
        error = PiError(f"{len(bad)} of {len(checks)} checks failed", cause=keys, hint=hint,
                        code="doctor-failed")  # fmt: skip
    return Result(tuple(lines), data, error, legacy=data)


def _data(check: Check) -> dict[str, Any]:
    return {
        "key": well_formed(check.key),
        "status": check.status,
        "code": well_formed(check.code),
        "path": well_formed(check.path) or None,
        "action": well_formed(check.action) or None,
    }


def _line(text: str) -> str:
    """Foreign words that cannot forge another line or field of the report."""
    return visible(plain_text(well_formed(text)).replace("\n", " ").replace("\t", " "))
