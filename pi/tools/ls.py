"""The ``ls`` tool: the names in one directory."""

from __future__ import annotations

from pi.agent.tool import Effect, ToolResult
from pi.base.typing import Any
from pi.tools.definitions import LS
from pi.tools.definitions import LS_LIMIT as LIMIT
from pi.tools.outcome import ToolFailure, count_argument, failure_of
from pi.tools.places import Folder
from pi.tools.search.report import names_within, with_notices
from pi.tools.search.start import directory, effect_of_reading, path_argument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.toolkit import Toolkit


class LsTool:
    definition = LS

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return effect_of_reading(arguments, cwd)

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        try:
            limit = count_argument(arguments, "limit") or LIMIT
            place = directory(self._kit, arguments, context.cwd)
            with Folder(place) as folder:
                entries = folder.entries()
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, {"path": path_argument(arguments)})
        names = sorted(entries, key=lambda name: (name.lower(), name))
        text, notices = names_within(names, limit, self._kit.secrets)
        if len(names) > limit:
            notices.insert(0, f"{limit} entries limit reached. Use limit={limit * 2} for more")
        content = {
            "path": place.absolute,
            "content": text,
            "entries": len(names),
            "truncated": bool(notices),
        }
        return ToolResult(with_notices(text or "(empty directory)", notices), content)
