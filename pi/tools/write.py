"""The ``write`` tool: a whole file, made or replaced."""

from __future__ import annotations

import stat

from pi.agent.tool import Effect, ToolResult
from pi.base.text import well_formed
from pi.base.typing import Any
from pi.tools.definitions import WRITE
from pi.tools.outcome import ToolFailure, failure_of, text_argument
from pi.tools.paths import touched
from pi.tools.places import Folder
from pi.tools.seen import CHANGED_NOTE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.toolkit import Toolkit


class WriteTool:
    definition = WRITE

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(writes=(touched(arguments, cwd),))

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        given = arguments.get("path")
        try:
            path = text_argument(arguments, "path")
            data = well_formed(text_argument(arguments, "content")).encode("utf-8")
            most = self._kit.policy.max_file_write_bytes
            if len(data) > most:
                raise ToolFailure(
                    f"content is too large ({len(data)} bytes), limit is {most} bytes"
                )
            return self._write(path, data, context.cwd)
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, {"path": given})

    def _write(self, path: str, data: bytes, cwd: str) -> ToolResult:
        place = self._kit.paths.writable(path, cwd)
        seen, stale = self._kit.seen, False
        content: dict[str, Any] = {"path": place.absolute, "bytes_written": len(data)}
        with self._kit.writing, Folder(place, create=True) as folder:
            before = folder.info()
            content["created"] = before is None
            if before is not None:
                if not stat.S_ISREG(before.st_mode):
                    raise ToolFailure(
                        f"path '{path}' must be a regular file when overwriting existing content",
                        "enforce_regular_files",
                    )
                content["previous_bytes"] = before.st_size
                stale = seen.is_stale(place.resolved, before)
                if before.st_size == len(data) and folder.read(len(data) + 1) == data:
                    content["unchanged"] = True
                    seen.take(place.resolved, before)
                    return ToolResult(f"{path} already has exactly this content", content)
            folder.replace(
                data, before, random_bytes=self._kit.random_bytes, new_mode=self._kit.new_mode
            )
            seen.take(place.resolved, folder.info())
        how = "new file" if before is None else f"replaced {before.st_size} bytes"
        text = f"wrote {len(data)} bytes to {path} ({how})"
        if stale:
            content["changed_since_read"] = True
            text += f"\n{CHANGED_NOTE}"
        return ToolResult(text, content)
