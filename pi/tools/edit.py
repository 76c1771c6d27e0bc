"""The ``edit`` tool: parts of a file, found by what they say."""

from __future__ import annotations

import os
from typing import Any

from pi.agent.tool import Effect, ToolResult
from pi.ai.types import ToolDefinition
from pi.base.text import redact, well_formed
from pi.tools.nearest import nearest_lines
from pi.tools.numbered_diff import diff_spans
from pi.tools.outcome import ToolFailure, failed, os_text, text_argument
from pi.tools.paths import touched
from pi.tools.places import Folder, read_up_to
from pi.tools.read import too_large
from pi.tools.replacing import NOT_FOUND, Edit, apply_spans, plan_spans
from pi.tools.text_files import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.agent.tool import ToolContext
    from pi.tools.text_files import TextFile
    from pi.tools.toolkit import Toolkit

MAX_HINT_CHARACTERS = 2000

_FIND = {"type": "string", "description": "Text to replace, exactly as it is in the file"}
_REPLACE = {"type": "string", "description": "Text to put in its place"}
_ALL = {"type": "boolean", "default": False, "description": "Replace every match"}

DEFINITION = ToolDefinition(
    "edit",
    "Edit a file by replacing an existing string, which must be in the file exactly once "
    "unless all is set. Several changes of one file go into edits; all are applied or none",
    {
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": "Path to edit"},
            "find": _FIND,
            "replace": _REPLACE,
            "all": _ALL,
            "edits": {
                "type": "array",
                "description": "Several replacements instead of find and replace; "
                "each is matched against the file as it is now",
                "items": {
                    "type": "object",
                    "properties": {"find": _FIND, "replace": _REPLACE, "all": _ALL},
                    "required": ["find", "replace"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["path"],
        "additionalProperties": False,
    },
)


class EditTool:
    definition = DEFINITION

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(writes=(touched(arguments, cwd),))

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        given = arguments.get("path")
        try:
            path = text_argument(arguments, "path")
            edits = wanted_edits(arguments)
            return self._edit(path, edits, context.cwd)
        except ToolFailure as failure:
            return failed(redact(failure.error, self._kit.secrets), {"path": given})
        except OSError as exc:
            return failed(os_text(exc), {"path": given})

    def _edit(self, path: str, edits: Sequence[Edit], cwd: str) -> ToolResult:
        place = self._kit.paths.existing(path, cwd)
        with self._kit.writing, Folder(place) as folder:
            data, before = self._read(folder)
            file = editable(path, data)
            try:
                spans = plan_spans(file.text, edits, file.line_end)
            except ToolFailure as failure:
                missing = failure.error.endswith(NOT_FOUND)
                hint = _hint(file.text, edits) if missing else ""
                raise ToolFailure(failure.error + hint) from None
            diff = diff_spans(file.text, spans)
            changed = file.encode(apply_spans(file.text, spans))
            most = self._kit.policy.max_file_write_bytes
            if len(changed) > most:
                raise ToolFailure(
                    f"edited content is too large ({len(changed)} bytes), limit is {most} bytes"
                )
            now = folder.info()
            if (
                now is None
                or now.st_mtime_ns != before.st_mtime_ns
                or now.st_size != before.st_size
            ):
                raise ToolFailure(f"path '{path}' changed while it was being edited: read it again")
            folder.replace(
                changed, now, random_bytes=self._kit.random_bytes, new_mode=self._kit.new_mode
            )
        shown = redact(diff.text, self._kit.secrets)
        places = "1 place" if len(spans) == 1 else f"{len(spans)} places"
        return ToolResult(
            f"edited {path} in {places}, first at line {diff.first_changed_line}\n{shown}",
            {
                "path": place.absolute,
                "replacements": len(spans),
                "first_changed_line": diff.first_changed_line,
                "diff": shown,
            },
        )

    def _read(self, folder: Folder) -> tuple[bytes, os.stat_result]:
        most = self._kit.policy.max_file_read_bytes
        descriptor, info = folder.open_regular()
        try:
            data = read_up_to(descriptor, most + 1)
        finally:
            os.close(descriptor)
        if len(data) > most:
            raise too_large(max(info.st_size, len(data)), most, in_parts=False)
        return data, info


def wanted_edits(arguments: Mapping[str, Any]) -> list[Edit]:
    """The edits asked for: ``edits``, else the one of ``find`` and ``replace``.

    Models that always send every property send empty ones beside ``edits``.
    """
    several = arguments.get("edits") or []
    if not isinstance(several, list) or not all(isinstance(one, dict) for one in several):
        raise ToolFailure("'edits' must be a list of objects with 'find' and 'replace'")
    rows = [*([arguments] if arguments.get("find") or not several else []), *several]
    return [
        Edit(
            well_formed(text_argument(row, "find")),
            well_formed(text_argument(row, "replace")),
            row.get("all") is True,
        )
        for row in rows
    ]


def editable(path: str, data: bytes) -> TextFile:
    """The file's text, if it can be written back without changing what it meant."""
    file = decode(data)
    if file is None:
        raise ToolFailure(f"path '{path}' is a binary file, which cannot be edited as text")
    if file.guessed:
        raise ToolFailure(f"path '{path}' is not valid UTF-8, so it cannot be edited as text")
    return file


def _hint(text: str, edits: Sequence[Edit]) -> str:
    """Where the first text that is not there may have been meant to be."""
    missing = next((edit.find for edit in edits if edit.find and edit.find not in text), None)
    nearest = missing and nearest_lines(text, missing)
    if not nearest:
        return ""
    lines = f"{nearest.first}-{nearest.last}" if nearest.last > nearest.first else nearest.first
    return f"; most alike, at line {lines}:\n{nearest.text[:MAX_HINT_CHARACTERS]}"
