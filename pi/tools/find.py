"""The ``find`` tool: files and directories whose names match a glob."""

from __future__ import annotations

from pi.agent.tool import Effect, ToolResult
from pi.base.typing import Any
from pi.tools.definitions import FIND
from pi.tools.definitions import FIND_LIMIT as LIMIT
from pi.tools.outcome import ToolFailure, count_argument, failure_of, text_argument
from pi.tools.search.git_files import GitFiles
from pi.tools.search.names import NameFilter
from pi.tools.search.report import names_within, with_notices
from pi.tools.search.start import (
    cancel_check,
    directory,
    effect_of_reading,
    left_out,
    path_argument,
)
from pi.tools.search.walk import Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.toolkit import Toolkit


class FindTool:
    definition = FIND

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return effect_of_reading(arguments, cwd)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        asked = {"pattern": arguments.get("pattern"), "path": path_argument(arguments)}
        try:
            wanted = NameFilter(text_argument(arguments, "pattern"))
            limit = count_argument(arguments, "limit") or LIMIT
            place = directory(self._kit, arguments, context.cwd)
            check = cancel_check(context)
            walk = Walk(place, GitFiles(self._kit.environ), check, listing=True)
            names = _matching(walk, wanted, limit + 1)
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, asked)
        text, notices = names_within(names, limit, self._kit.secrets)
        if len(names) > limit:
            notices.insert(
                0,
                f"{limit} results limit reached. Use limit={limit * 2} for more, or refine pattern",
            )
        content = {
            "path": place.absolute,
            "content": text,
            "results": min(len(names), limit),
            "truncated": bool(notices),
        }
        notices += left_out(walk.unreadable, walk.too_deep)
        return ToolResult(with_notices(text or "No files found matching pattern", notices), content)


def _matching(walk: Walk, wanted: NameFilter, most: int) -> list[str]:
    """The first ``most`` matching paths, in order."""
    names: list[str] = []
    runs = walk.runs()
    for run in runs:
        prefix = run.prefix
        names += [prefix + name for name in wanted.among(prefix, run.names)]
        if len(names) >= most:
            runs.close()
            break
    return names[:most]
