"""The ``write`` tool: a whole file, made or replaced."""

from __future__ import annotations

import stat
from typing import Any

from pi.agent.tool import Effect, ToolResult
from pi.ai.types import ToolDefinition
from pi.base.text import well_formed
from pi.tools.outcome import ToolFailure, failed, os_text, text_argument
from pi.tools.paths import touched
from pi.tools.places import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.toolkit import Toolkit

DEFINITION = ToolDefinition(
    "write",
    "Write UTF-8 text to disk, creating parent directories if needed",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path to write"},
            "content": {"type": "string", "description": "The whole new content of the file"},
        },
        "required": ["path", "content"],
        "additionalProperties": False,
    },
)


class WriteTool:
    definition = DEFINITION

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
        except ToolFailure as failure:
            return failed(failure.error, {"path": given})
        except OSError as exc:
            return failed(os_text(exc), {"path": given})

    def _write(self, path: str, data: bytes, cwd: str) -> ToolResult:
        place = self._kit.paths.writable(path, cwd)
        content: dict[str, Any] = {"path": place.absolute, "bytes_written": len(data)}
        with self._kit.writing, Folder(place, create=True) as folder:
            before = folder.info()
            content["created"] = before is None
            if before is not None:
                if not stat.S_ISREG(before.st_mode):
                    raise ToolFailure(
                        f"path '{path}' must be a regular file when overwriting existing content"
                    )
                content["previous_bytes"] = before.st_size
                if before.st_size == len(data) and folder.read(len(data) + 1) == data:
                    content["unchanged"] = True
                    return ToolResult(f"{path} already has exactly this content", content)
            folder.replace(
                data, before, random_bytes=self._kit.random_bytes, new_mode=self._kit.new_mode
            )
        how = "new file" if before is None else f"replaced {before.st_size} bytes"
        return ToolResult(f"wrote {len(data)} bytes to {path} ({how})", content)
