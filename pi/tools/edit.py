"""The ``edit`` tool: parts of a file, found by what they say."""

from __future__ import annotations

import os

from pi.agent.tool import Effect, ToolResult
from pi.base.text import redact, well_formed
from pi.base.typing import Any
from pi.tools.definitions import EDIT
from pi.tools.nearest import nearest_lines
from pi.tools.numbered_diff import diff_spans
from pi.tools.outcome import ToolFailure, failure_of, text_argument
from pi.tools.paths import touched
from pi.tools.places import Folder, read_up_to
from pi.tools.read import too_large
from pi.tools.replacing import INDENTED, LOOKS, NOT_FOUND, Edit, apply_spans, plan_spans
from pi.tools.seen import CHANGED_NOTE
from pi.tools.text_files import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.agent.tool import ToolContext
    from pi.tools.text_files import TextFile
    from pi.tools.toolkit import Toolkit

MAX_HINT_CHARACTERS = 2000
SECONDS = 20.0  # of looking for texts: nobody waits longer for an edit
NOTES = {
    LOOKS: "[the file has other quotes, dashes, spaces, widths or blanks at line ends than the "
    "text asked for: what looks like it was replaced]",
    INDENTED: "[the file has another indentation than the text asked for: the same lines were "
    "replaced, and the new ones indented like them]",
}


class EditTool:
    definition = EDIT

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(writes=(touched(arguments, cwd),))

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        given = arguments.get("path")
        try:
            path = text_argument(arguments, "path")
            edits = wanted_edits(arguments)
            if len(edits) == 1 and not edits[0].find:
                raise ToolFailure("'find' must not be empty")  # whatever the path is
            return self._edit(path, edits, context)
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, {"path": given})

    def _edit(self, path: str, edits: Sequence[Edit], context: ToolContext) -> ToolResult:
        place = self._kit.paths.existing(path, context.cwd, writes=True)
        with self._kit.writing, Folder(place) as folder:
            data, before = self._read(folder)
            stale = self._kit.seen.is_stale(place.resolved, before)
            file = editable(path, data)
            try:
                spans = plan_spans(file.text, edits, file.line_end, self._check(context))
            except ToolFailure as failure:
                missing = failure.error.endswith(NOT_FOUND)
                hint = _hint(file.text, edits, self._kit.secrets) if missing else ""
                raise ToolFailure(redact(failure.error + hint, self._kit.secrets)) from None
            diff = diff_spans(file.text, spans, self._kit.secrets)
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
            self._kit.seen.take(place.resolved, folder.info())
        shown = redact(diff.text, self._kit.secrets)
        places = "1 place" if len(spans) == 1 else f"{len(spans)} places"
        text = f"edited {path} in {places}, first at line {diff.first_changed_line}\n{shown}"
        content: dict[str, Any] = {
            "path": place.absolute,
            "replacements": len(spans),
            "first_changed_line": diff.first_changed_line,
            "diff": shown,
        }
        ways = sorted({span.how for span in spans if span.how})
        if ways:
            content["fuzzy"] = ways
            text += "".join(f"\n{NOTES[way]}" for way in ways)
        if stale:
            content["changed_since_read"] = True
            text += f"\n{CHANGED_NOTE}"
        return ToolResult(text, content)

    def _check(self, context: ToolContext) -> Callable[[], None]:
        """Raises ToolFailure once the run was ended or the time is over."""
        deadline = self._kit.monotonic() + SECONDS

        def check() -> None:
            if context.cancel.why is not None:
                raise ToolFailure(f"cancelled: {context.cancel.why.message}; nothing was changed")
            if self._kit.monotonic() > deadline:
                raise ToolFailure(
                    f"looking for the texts took more than {SECONDS:.0f} s; nothing was changed. "
                    "Give fewer edits at once"
                )

        return check

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


def _hint(text: str, edits: Sequence[Edit], secrets: Sequence[str]) -> str:
    """Where the first text that is not there may have been meant to be. Secrets are blanked
    out before it is cut: at the cut, a part of one would be left."""
    missing = next((edit.find for edit in edits if edit.find and edit.find not in text), None)
    nearest = missing and nearest_lines(text, missing)
    if not nearest:
        return ""
    lines = f"{nearest.first}-{nearest.last}" if nearest.last > nearest.first else nearest.first
    return f"; most alike, at line {lines}:\n{redact(nearest.text, secrets)[:MAX_HINT_CHARACTERS]}"
