"""The ``grep`` tool: lines of files that match a pattern."""

from __future__ import annotations

import os
import stat

from pi.agent.tool import Effect, ToolResult
from pi.base.typing import Any
from pi.tools.definitions import GREP
from pi.tools.definitions import GREP_LIMIT as LIMIT
from pi.tools.outcome import ToolFailure, count_argument, failure_of, text_argument
from pi.tools.search.pattern import make_pattern
from pi.tools.search.report import Lines
from pi.tools.search.search import Job, Search
from pi.tools.search.start import (
    cancel_check,
    effect_of_reading,
    left_out,
    locate,
    path_argument,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.search.child import Outcome
    from pi.tools.search.lines import Found
    from pi.tools.search.pattern import Pattern
    from pi.tools.search.search import Narrow
    from pi.tools.toolkit import Toolkit

MAX_CONTEXT = 100
SECONDS = 10.0
RIPGREP_CORES = 4


class OutOfTime(Exception):
    """The search took longer than it may."""


class GrepTool:
    """``use_ripgrep`` says whether ``rg`` helps where it is found; the result is the same.

    By default it does from ``RIPGREP_CORES`` cores on: on two it took as long as we do.
    """

    definition = GREP

    def __init__(self, toolkit: Toolkit, *, use_ripgrep: bool | None = None) -> None:
        self._kit = toolkit
        if use_ripgrep is None:
            use_ripgrep = (os.cpu_count() or 1) >= RIPGREP_CORES
        self._use_ripgrep = use_ripgrep

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return effect_of_reading(arguments, cwd)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        asked = {"pattern": arguments.get("pattern"), "path": path_argument(arguments)}
        try:
            limit = count_argument(arguments, "limit") or LIMIT
            place, info = locate(self._kit, arguments, context.cwd)
            job = Job(
                place,
                not stat.S_ISDIR(info.st_mode),
                text_argument(arguments, "pattern"),
                bool(arguments.get("literal")),
                bool(arguments.get("ignoreCase")),
                str(arguments.get("glob") or ""),
                _context(arguments),
            )
            pattern = make_pattern(job.text, literal=job.literal, ignore_case=job.ignore_case)
            lines = Lines(limit, job.context, self._kit.secrets)
            outcome = self._search(job, pattern, context, lines)
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, asked)
        notices = left_out(outcome.unreadable, outcome.too_deep)
        if outcome.timed_out:
            notices.insert(
                0,
                f"stopped after {SECONDS:.0f} s, incomplete. Narrow path or glob, refine pattern",
            )
        if not job.literal and not lines.matches and ("\n" in job.text or r"\n" in job.text):
            notices.append("lines are matched one at a time: a pattern cannot match a line break")
        content = {
            "path": place.absolute,
            "content": lines.text,
            "matches": lines.matches,
            "files": lines.files,
            "truncated": lines.is_cut or outcome.timed_out,
        }
        return ToolResult(lines.for_model(*notices), content)

    def _search(
        self, job: Job, pattern: Pattern, context: ToolContext, lines: Lines
    ) -> Search | Outcome:
        """Fill ``lines``; gives what was left out."""

        def add(found: Found) -> bool:
            private = not job.is_file and self._is_private(job.place.resolved, found.path)
            return private or lines.add(found)

        if pattern.risky:
            # With subprocess 10 ms, and only for a pattern that may not end.
            from pi.tools.search.child import search_in_child

            return search_in_child(
                job,
                self._kit.environ,
                cancel=context.cancel,
                monotonic=self._kit.monotonic,
                seconds=SECONDS,
                add=add,
            )
        deadline = self._kit.monotonic() + SECONDS
        check = self._check(context, deadline)
        search = Search(
            job, pattern, self._kit.environ, check, self._narrow(job, context, deadline)
        )
        found = search.found()
        try:
            for each in found:
                if not add(each):
                    break
        except OutOfTime:
            search.timed_out = True
        finally:
            found.close()
        return search

    def _is_private(self, directory: str, path: str) -> bool:
        """Whether no tool may show this file, although the walk came by."""
        return self._kit.paths.is_private(os.path.join(directory, path))

    def _check(self, context: ToolContext, deadline: float) -> Callable[[], None]:
        is_cancelled = cancel_check(context)
        monotonic = self._kit.monotonic

        def check() -> None:
            is_cancelled()
            if monotonic() > deadline:
                raise OutOfTime

        return check

    def _narrow(self, job: Job, context: ToolContext, deadline: float) -> Narrow | None:
        if not self._use_ripgrep or job.is_file:
            return None
        from pi.tools.search.ripgrep import Ripgrep, find_ripgrep  # only for a tree

        path = self._kit.environ.get("PATH", os.defpath)
        program = find_ripgrep(path, job.place.root)
        if program is None:
            return None
        return Ripgrep(program, context.cancel, self._kit.monotonic, deadline)


def _context(arguments: Mapping[str, Any]) -> int:
    value = arguments.get("context")
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ToolFailure("'context' must be a whole number from 0 up")
    return int(min(value, MAX_CONTEXT))
