"""Command files: lines to run one after the other, and what came of them.

UTF-8 text; lines are trimmed; blank lines and lines that begin with ``#`` are skipped;
numbers count all lines from 1. Before a command ``-`` says that it may fail, ``!`` that
it must. ``problems`` checks a whole file without running it.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from pi.base.errors import PiError, UsageError
from pi.commands.arguments import ArgumentError, read_arguments, split_line
from pi.commands.dispatch import find, run_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from pi.commands.context import CommandContext
    from pi.commands.dispatch import Outcome

MAX_BYTES = 64 << 20
FAIL_FAST = "fail-fast"
MODES = (FAIL_FAST, "continue-on-error")


class ScriptLine(NamedTuple):
    """One command. ``wish`` is "" (must work), "-" (may fail) or "!" (must fail)."""

    number: int
    text: str
    wish: str = ""


class Summary(NamedTuple):
    """``failure`` is the first failure that counts, None if there was none."""

    total: int
    executed: int
    succeeded: int
    failed: int
    halted_early: bool
    failure: PiError | None


def read_script(data: bytes, path: str) -> tuple[ScriptLine, ...]:
    """The commands of a file. Raises UsageError for what cannot be one."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"command file {path} is larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UsageError(
            f"command file {path} is not UTF-8 text", cause=f"{exc.reason} at byte {exc.start}"
        ) from exc
    found = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if "\0" in line:
            raise UsageError(f"command file {path}: line {number} holds a NUL character")
        if not line or line.startswith("#"):
            continue
        wish = line[0] if line[0] in "-!" else ""
        found.append(ScriptLine(number, line[len(wish) :].strip(), wish))
    return tuple(found)


def problems(lines: Sequence[ScriptLine]) -> tuple[tuple[ScriptLine, str], ...]:
    """What can be seen to be wrong without running anything."""
    found = []
    for line in lines:
        name, raw = split_line(line.text)
        spec = find(name)
        if not name.startswith("/"):
            found.append((line, "command must start with '/'"))
        elif spec is None:
            found.append((line, f"unknown command: {name}"))
        else:
            try:
                read_arguments(spec, raw)
            except ArgumentError as exc:
                found.append((line, str(exc)))
    return tuple(found)


def run_script(
    lines: Sequence[ScriptLine],
    path: str,
    mode: str,
    context: CommandContext,
    say: Callable[[str], None],
    *,
    as_json: bool = False,
) -> Summary:
    """Run the lines; ``say`` gets what to print, line by line. With ``as_json`` that is one
    object for each command, the summary last."""
    executed = succeeded = failed = 0
    halted = False
    failure: PiError | None = None
    for line in lines:
        executed += 1
        outcome = _run(line, context)
        error = _judged(line, outcome.result.error if outcome else _not_a_command(line))
        if as_json:
            say(_json_line(line, outcome, error))
        else:
            for text in outcome.lines if outcome else ():
                say(text)
        if error is not None:
            failed += 1
            failure = failure or error
            if not as_json:
                say(
                    f"command file error: path={path} line={line.number} command={line.text} "
                    f"error={error.message}"
                )
            if mode == FAIL_FAST:
                halted = executed < len(lines)
                break
            continue
        succeeded += 1
        if outcome is not None and outcome.result.leave:
            if not as_json:
                say(
                    f"command file notice: path={path} line={line.number} "
                    f"command={line.text} action=exit"
                )
            halted = True
            break
    halted = halted or (mode == FAIL_FAST and failed > 0)
    summary = Summary(len(lines), executed, succeeded, failed, halted, failure)
    say(_summary_json(summary, path, mode) if as_json else _summary_line(summary, path, mode))
    return summary


def _run(line: ScriptLine, context: CommandContext) -> Outcome | None:
    return run_line(line.text, context) if line.text.startswith("/") else None


def _not_a_command(line: ScriptLine) -> PiError:
    return UsageError("command must start with '/'")


def _judged(line: ScriptLine, error: PiError | None) -> PiError | None:
    """The failure that counts: none where it was allowed, one where it was expected."""
    if line.wish == "-":
        return None
    if line.wish == "!":
        return PiError("the command was to fail, and did not") if error is None else None
    return error


def _json_line(line: ScriptLine, outcome: Outcome | None, error: PiError | None) -> str:
    data: dict[str, Any] = {"line": line.number, "command": line.text, "ok": error is None}
    if outcome is not None:
        data["data"] = outcome.result.data
        data["text"] = list(outcome.result.text)
    if error is not None:
        data["error"] = {
            "code": error.code,
            "message": error.message,
            "exit_code": error.exit_code,
            "cause": error.cause,
            "hint": error.hint,
        }
    return _compact(data)


def _summary_json(summary: Summary, path: str, mode: str) -> str:
    counts = summary._asdict()
    del counts["failure"]
    return _compact({"summary": {"path": path, "mode": mode, **counts}})


def _compact(data: dict[str, Any]) -> str:
    line = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return line.encode("utf-8", "replace").decode("utf-8")


def _summary_line(summary: Summary, path: str, mode: str) -> str:
    return (
        f"command file summary: path={path} mode={mode} total={summary.total} "
        f"executed={summary.executed} succeeded={summary.succeeded} failed={summary.failed} "
        f"halted_early={str(summary.halted_early).lower()}"
    )
