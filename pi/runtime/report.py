"""What machines are told of a run's end: the shape of an error, the names of exit codes.

Pure, and small: a start that fails at once loads it too.
"""

from __future__ import annotations

import json

from pi.base.errors import CapReached, Interrupted, PiError, TimeLimit
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

SCHEMA_VERSION = 1

# The class of each exit code: a word that says the same to who reads JSON.
EXIT_CLASSES: dict[int, str] = {
    0: "done",
    1: "failed",
    2: "usage",
    3: "credential",
    4: "unreachable",
    5: "provider",
    6: "cap",
    7: "verification",
    8: "policy",
    9: "answer-cut",
    70: "bug",
    124: "time-limit",
    130: "interrupted",
}

STATUSES: tuple[tuple[type[PiError], str], ...] = (
    (CapReached, "max_turns"),
    (TimeLimit, "timed_out"),
    (Interrupted, "cancelled"),
    (PiError, "failed"),
)

# How an answer stopped that did not come to its end.
PARTIAL = ("error", "aborted")

MAX_DEPTH = 100


def exit_class(code: int) -> str:
    """The word for an exit code."""
    return EXIT_CLASSES.get(code, "failed")


def error_data(error: PiError | None) -> dict[str, Any] | None:
    """A failure as JSON data, the same wherever one is told."""
    if error is None:
        return None
    return {
        "code": error.code,
        "message": error.message,
        "cause": error.cause,
        "hint": error.hint,
        "exit_code": error.exit_code,
    }


def end_data(error: PiError | None, status: str = "") -> dict[str, Any]:
    """How a run ended: ``status``, ``exit_code``, ``exit_class``, ``error``.

    ``status`` is what the run itself said of its end. It is "completed" exactly if there is
    no error: an answer that could not be kept, say, belongs to a run that failed.
    """
    code = 0 if error is None else error.exit_code
    if error is None:
        status = "completed"
    elif status in ("", "completed"):
        status = next(word for kind, word in STATUSES if isinstance(error, kind))
    return {
        "status": status,
        "exit_code": code,
        "exit_class": exit_class(code),
        "error": error_data(error),
    }


class LineWriter:
    """Writes records on ``stdout``, a line each, flushed. One that cannot be written is the
    last: ``failure`` says why."""

    def __init__(self, stdout: TextIO | None) -> None:
        self._stdout = stdout
        self.failure: PiError | None = None

    def write(self, record: dict[str, Any]) -> None:
        if self._stdout is None:
            return
        try:
            self._stdout.write(json_line(record) + "\n")
            self._stdout.flush()
        except (OSError, ValueError) as exc:
            from pi.runtime.output import output_failure  # loaded anyway, once a run goes on

            self._stdout = None
            self.failure = output_failure(exc)


def json_line(record: dict[str, Any]) -> str:
    """``record`` as one line of strict JSON, keys in order, without its newline.

    What a model wrote may hold what JSON has no form for: half a character, NaN, a thousand
    lists in one another. It is shown as near as can be.
    """
    try:
        line = _dumps(record)
    except (ValueError, TypeError, RecursionError):
        line = _dumps(_plain(record, 0))
    return line.encode("utf-8", "replace").decode("utf-8")


def _dumps(value: Any) -> str:
    return json.dumps(
        value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        return "[nested too deeply to be shown]"
    if isinstance(value, dict):
        return {str(name): _plain(item, depth + 1) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    return str(value)
