"""The ``read`` tool: a text file or a part of it, a picture, the names in a directory."""

from __future__ import annotations

import os
import stat
from itertools import chain

from pi.agent.tool import Effect, ToolResult
from pi.base.text import redact
from pi.base.typing import Any
from pi.tools.definitions import READ
from pi.tools.excerpt import take_lines
from pi.tools.images import picture_mime
from pi.tools.outcome import ToolFailure, count_argument, failure_of, text_argument
from pi.tools.paths import touched
from pi.tools.places import Folder, read_up_to
from pi.tools.text_files import SNIFF_BYTES, binary_kind, decode, is_binary, utf16_encoding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pi.agent.tool import ToolContext
    from pi.base.cancel import Cancel
    from pi.tools.excerpt import Excerpt
    from pi.tools.places import Place
    from pi.tools.toolkit import Toolkit

# As much as a model can use at once; with offset it goes on from there.
MAX_LINES = 2000
MAX_BYTES = 50 * 1024
MAX_ENTRIES = 500
SECONDS = 20.0  # of looking for a line far down
_PIECE = 1 << 18


class ReadTool:
    definition = READ

    def __init__(self, toolkit: Toolkit) -> None:
        self._kit = toolkit
        self._max_bytes = min(MAX_BYTES, toolkit.policy.max_file_read_bytes)

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return Effect(reads=(touched(arguments, cwd),))

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        given = arguments.get("path")
        try:
            path = text_argument(arguments, "path")
            offset = count_argument(arguments, "offset")
            limit = count_argument(arguments, "limit")
            place = self._kit.paths.existing(path, context.cwd, own_files=True)
            with Folder(place) as folder:
                info = folder.info()
                if info is not None and stat.S_ISDIR(info.st_mode):
                    return self._directory(folder)
                return self._file(folder, offset, limit, context.cancel)
        except (ToolFailure, OSError) as exc:
            return failure_of(exc, {"path": given})

    def _directory(self, folder: Folder) -> ToolResult:
        from pi.tools.search.report import on_one_line  # 2 ms, and only for a directory

        names = sorted(folder.entries(), key=lambda name: (name.lower(), name))
        shown = [on_one_line(name) for name in names[:MAX_ENTRIES]]
        lines = shown or ["(empty directory)"]
        if len(names) > len(shown):
            lines.append(f"[{len(shown)} of {len(names)} entries shown]")
        text = redact("\n".join(lines), self._kit.secrets)
        return ToolResult(
            text,
            {
                "path": folder.place.absolute,
                "content": redact("\n".join(shown), self._kit.secrets),
                "entries": len(names),
                "truncated": len(names) > len(shown),
            },
        )

    def _file(
        self, folder: Folder, offset: int | None, limit: int | None, cancel: Cancel
    ) -> ToolResult:
        most = self._kit.policy.max_file_read_bytes
        in_parts = offset is not None or limit is not None
        descriptor, info = folder.open_regular()
        try:
            head = read_up_to(descriptor, SNIFF_BYTES)
            # A text may begin with "GIF89a" too.
            if picture_mime(head) and (is_binary(head) or head[0] >= 0x80):
                return self._picture(folder.place, descriptor, head, info.st_size, cancel)
            if is_binary(head):
                return _binary(folder.place, head, info.st_size)
            pieces: Iterator[bytes]
            if in_parts and not utf16_encoding(head):
                pieces = chain((head,), self._pieces(descriptor, cancel))
            else:
                data = head + read_up_to(descriptor, most + 1 - len(head))
                if len(data) > most:
                    raise too_large(max(info.st_size, len(data)), most, in_parts=not in_parts)
                pieces = iter((_as_utf8(data),))
            lines = min(limit or MAX_LINES, MAX_LINES)
            part = take_lines(pieces, offset or 1, lines, self._max_bytes)
        finally:
            os.close(descriptor)
        cancel_reason = cancel.why
        if cancel_reason is not None:
            raise ToolFailure(f"cancelled: {cancel_reason.message}")
        self._kit.seen.take(folder.place.resolved, info)
        return self._part(folder.place, part, limit)

    def _pieces(self, descriptor: int, cancel: Cancel) -> Iterator[bytes]:
        """The file piece by piece. One with a hole may be larger than any disk: not for ever."""
        deadline = self._kit.monotonic() + SECONDS
        while cancel.why is None:
            piece = os.read(descriptor, _PIECE)
            if not piece:
                return
            yield piece
            if self._kit.monotonic() > deadline:
                raise ToolFailure(
                    f"the line was not reached in {SECONDS:.0f} s: the file is too large to be "
                    "read from there"
                )

    def _picture(
        self, place: Place, descriptor: int, head: bytes, size: int, cancel: Cancel
    ) -> ToolResult:
        from pi.tools.pictures import picture_result  # rare, and much of it: not at a start
        from pi.tools.shrinking import MAX_SOURCE_BYTES

        data = head + read_up_to(descriptor, MAX_SOURCE_BYTES + 1 - len(head))
        return picture_result(self._kit, place, data, max(size, len(data)), cancel)

    def _part(self, place: Place, part: Excerpt, limit: int | None) -> ToolResult:
        if part.first > max(1, part.total):
            raise ToolFailure(
                f"offset {part.first} is past the end of the file ({_lines(part.total)})"
            )
        found = decode(part.data)
        if found is None:  # a NUL further down in a file that began as text
            return _binary(place, part.data, len(part.data))
        content = redact(found.text, self._kit.secrets)
        notice = _notice(place, part, limit, self._max_bytes)
        if found.guessed:
            notice.append("[not valid UTF-8: shown as Latin-1; it cannot be edited]")
        text = content
        if notice:
            text += ("" if not text or text.endswith("\n") else "\n") + "\n".join(notice)
        return ToolResult(
            text or "[the file is empty]",
            {
                "path": place.absolute,
                "content": content,
                "start_line": part.first,
                "end_line": part.last,
                "total_lines": part.total if part.total_is_exact else None,
                "truncated": part.last < part.total,
            },
        )


def too_large(size: int, most: int, *, in_parts: bool) -> ToolFailure:
    """The refusal of a file over the limit; ``in_parts`` tells how it can be read."""
    hint = "; give offset and limit to read it in parts" if in_parts else ""
    return ToolFailure(f"file is too large ({size} bytes), limit is {most} bytes{hint}")


def _as_utf8(data: bytes) -> bytes:
    """UTF-16 text as UTF-8, so that lines are cut the same way; other bytes as they are."""
    found = decode(data) if utf16_encoding(data) else None
    return data if found is None else found.text.encode("utf-8")


def _binary(place: Place, head: bytes, size: int) -> ToolResult:
    kind = binary_kind(head)
    return ToolResult(
        f"[{kind}, {size} bytes: content not shown]",
        {"path": place.absolute, "content": "", "binary": kind, "bytes": size},
    )


def _notice(place: Place, part: Excerpt, limit: int | None, max_bytes: int) -> list[str]:
    """What was left out, and how to get it."""
    if part.too_long:
        import shlex  # 6 ms, and only for a line that is too long

        command = f"sed -n '{part.first}p' {shlex.quote(place.given)} | head -c {max_bytes}"
        return [
            f"[line {part.first} is {part.too_long} bytes long, more than can be shown. "
            f"Use bash: {command}]"
        ]
    if part.last >= part.total:
        return []
    total = str(part.total) if part.total_is_exact else f"more than {part.total}"
    goes_on = f"Use offset={part.last + 1} to continue.]"
    shown = f"[lines {part.first}-{part.last} of {total} shown"
    if part.cut_by_bytes:
        return [f"{shown} ({max_bytes}-byte limit). {goes_on}"]
    if limit is not None and limit <= MAX_LINES:
        return [f"{shown}, {part.total - part.last} more. {goes_on}"]
    return [f"{shown} ({MAX_LINES}-line limit). {goes_on}"]


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"
