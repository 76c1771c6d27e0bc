"""Command files: lines to run one after the other, and what came of them.

UTF-8 text; lines are trimmed; blank lines and lines that begin with ``#`` are skipped;
numbers count all lines from 1. Before a command ``-`` says that it may fail, ``!`` that
it must. ``problems`` checks a whole file without running it.
"""

from __future__ import annotations

from pi.base.errors import Interrupted, PiError, UsageError
from pi.base.typing import NamedTuple
from pi.commands.arguments import ArgumentError, read_arguments, split_line
from pi.commands.credentials import repeatable
from pi.commands.dispatch import find, run_line
from pi.runtime.report import error_data, json_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
        if "\r" in line:
            raise UsageError(
                f"command file {path}: line {number} holds a carriage return",
                hint="lines end with a line feed",
            )
        if not line or line.startswith("#"):
            continue
        wish = line[0] if line[0] in "-!" else ""
        found.append(ScriptLine(number, line[len(wish) :].strip(), wish))
    return tuple(found)


def problems(
    lines: Sequence[ScriptLine], is_template: Callable[[str], bool] = lambda name: False
) -> tuple[tuple[ScriptLine, str], ...]:
    """What can be seen to be wrong without running anything."""
    found = []
    for line in lines:
        name, raw = split_line(line.text)
        spec = find(name)
        if not name.startswith("/"):
            found.append((line, "command must start with '/'"))
        elif spec is None:
            if not is_template(name):
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
    context: CommandContext | Callable[[], CommandContext],
    say: Callable[[str], None],
    *,
    as_json: bool = False,
    time_is_up: Callable[[], PiError | None] = lambda: None,
) -> Summary:
    """Run the lines; ``say`` gets what to print, line by line. With ``as_json`` that is one
    object for each command, the summary last. A ``context`` that is made is made for each
    line. ``time_is_up`` says why no further line is begun."""
    executed = succeeded = failed = 0
    halted = False
    failure: PiError | None = None
    for line in lines:
        late = time_is_up()
        if late is not None:
            halted, failure = True, failure or late
            break
        executed += 1
        outcome = _run(line, context() if callable(context) else context)
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
                    f"command file error: path={path} line={line.number} "
                    f"command={repeatable(line.text)} error={error.message}"
                )
            if mode == FAIL_FAST or isinstance(error, Interrupted):
                halted = executed < len(lines)
                break
            continue
        succeeded += 1
        if outcome is not None and outcome.result.leave:
            if not as_json:
                say(
                    f"command file notice: path={path} line={line.number} "
                    f"command={repeatable(line.text)} action=exit"
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
    """The failure that counts: none where it was allowed, one where it was expected. That
    somebody ended it counts always."""
    if isinstance(error, Interrupted):
        return error
    if line.wish == "-":
        return None
    if line.wish == "!" and line.text.startswith("/"):
        return PiError("the command was to fail, and did not") if error is None else None
    return error


def _json_line(line: ScriptLine, outcome: Outcome | None, error: PiError | None) -> str:
    data: dict[str, Any] = {
        "type": "command",
        "line": line.number,
        "command": repeatable(line.text),
        "ok": error is None,
    }
    if outcome is not None:
        data["data"] = outcome.result.data
        data["text"] = list(outcome.result.text)
    if error is not None:
        data["error"] = error_data(error)
    return json_line(data)


def _summary_json(summary: Summary, path: str, mode: str) -> str:
    counts = summary._asdict()
    del counts["failure"]
    return summary_line({"path": path, "mode": mode, **counts}, summary.failure)


def summary_line(summary: Mapping[str, Any] | None, error: PiError | None) -> str:
    """The last JSON line of a command file; without a summary it did not come to its end."""
    told = {"type": "command_file_summary", "summary": summary, "error": error_data(error)}
    return json_line(told)


def _summary_line(summary: Summary, path: str, mode: str) -> str:
    return (
        f"command file summary: path={path} mode={mode} total={summary.total} "
        f"executed={summary.executed} succeeded={summary.succeeded} failed={summary.failed} "
        f"halted_early={str(summary.halted_early).lower()}"
    )
