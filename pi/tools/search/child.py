"""A search in a process of its own, which can be ended whatever its pattern does.

The child is the same interpreter and the same code, in isolated mode. It gets the job as
one JSON argument and answers with one JSON array per line to show, then an object with
what the search counted.
"""

from __future__ import annotations

import json
import os
import sys

import pi
from pi.tools.outcome import ToolFailure, os_text
from pi.tools.places import Place
from pi.tools.process import CANCELLED, TIMED_OUT, run_command
from pi.tools.search.lines import Found
from pi.tools.search.pattern import make_pattern
from pi.tools.search.search import Job, Search

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pi.base.cancel import Cancel

_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from pi.tools.search.child import main; main()"
)
_GIT_VARIABLES = ("HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")


class _Enough(Exception):
    """No more lines are wanted."""


class Outcome:
    """What a child told of its search, apart from the lines."""

    def __init__(self) -> None:
        self.unreadable = 0
        self.too_deep = 0
        self.timed_out = False


def search_in_child(
    job: Job,
    environ: Mapping[str, str],
    *,
    cancel: Cancel,
    monotonic: Callable[[], float],
    seconds: float,
    add: Callable[[Found], bool],
) -> Outcome:
    """Give each line found to ``add`` until it says False, the end, or ``seconds`` are over.

    Raises ToolFailure if the run was cancelled or the child failed.
    """
    if not sys.executable:
        raise ToolFailure("this pattern could run for ever, and no process can be started for it")
    outcome = Outcome()
    reader = _Reader(add, outcome)
    try:
        ended = run_command(
            _command(job),
            cwd=os.sep,
            environ={name: environ[name] for name in _GIT_VARIABLES if name in environ},
            timeout_ms=int(seconds * 1000),
            cancel=cancel,
            monotonic=monotonic,
            on_output=reader.take,
            on_pause=lambda: None,
        )
    except _Enough:
        return outcome
    except OSError as exc:
        raise ToolFailure(f"cannot start a process for this pattern: {os_text(exc)}") from exc
    if ended.stopped == CANCELLED and cancel.why is not None:
        raise ToolFailure(f"cancelled: {cancel.why.message}")
    outcome.timed_out = ended.stopped == TIMED_OUT
    if not reader.is_complete and not outcome.timed_out:
        raise ToolFailure(reader.failure or f"the search ended badly (exit status {ended.code})")
    return outcome


def _command(job: Job) -> list[str]:
    code = os.path.dirname(os.path.abspath(next(iter(pi.__path__))))
    return [sys.executable, "-I", "-S", "-B", "-X", "utf8", "-c", _START, code, json.dumps(job)]


class _Reader:
    """Takes the child's output apart."""

    def __init__(self, add: Callable[[Found], bool], outcome: Outcome) -> None:
        self._add = add
        self._outcome = outcome
        self._rest = b""
        self.is_complete = False
        self.failure = ""

    def take(self, stream: str, piece: bytes) -> None:
        if stream == "stderr":
            return
        lines = (self._rest + piece).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            message = json.loads(line)
            if isinstance(message, list):
                if not self._add(Found(*message)):
                    raise _Enough
            elif "error" in message:
                self.failure = message["error"]
            else:
                self._outcome.unreadable = message["unreadable"]
                self._outcome.too_deep = message["too_deep"]
                self.is_complete = True


def main() -> None:
    """The child's side. Its parent ends it when it has had enough."""
    given = json.loads(sys.argv[2])
    where, absolute, root, parts = given[0]
    job = Job(Place(where, absolute, root, tuple(parts)), *given[1:])
    try:
        pattern = make_pattern(job.text, literal=job.literal, ignore_case=job.ignore_case)
        search = Search(job, pattern, os.environ, lambda: None)
        for found in search.found():
            _say(found)
        _say({"unreadable": search.unreadable, "too_deep": search.too_deep})
    except ToolFailure as failure:
        _say({"error": failure.error})
    except OSError as exc:
        _say({"error": os_text(exc)})


def _say(message: Any) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()
