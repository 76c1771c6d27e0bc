"""Lines and names as the model reads them, within limits that it is told about."""

from __future__ import annotations

import re

from pi.base.text import redact, well_formed
from pi.tools.search.lines import BEFORE, MATCH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.tools.search.lines import Found

MAX_BYTES = 50 * 1024
MAX_LINE = 500
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Lines:
    """Gathers lines up to the limits. After ``add`` said False nothing more fits."""

    def __init__(self, limit: int, context: int, secrets: Sequence[str]) -> None:
        self._limit = limit
        self._context = context
        self._secrets = secrets
        self._lines: list[str] = []
        self._bytes = 0
        self._waiting: list[Found] = []  # context before a match that may not be shown
        self._last = ("", 0)
        self._files: set[str] = set()
        self.matches = 0
        self.notices: list[str] = []
        self._cut = False

    def add(self, found: Found) -> bool:
        """Take one line more; False if it, and what follows, is left out."""
        if found.kind == BEFORE:
            self._waiting.append(found)
            return True
        if found.kind == MATCH:
            if self.matches == self._limit:
                self.notices.append(
                    f"{self._limit} matches limit reached. "
                    f"Use limit={self._limit * 2} for more, or refine pattern"
                )
                return False
            self.matches += 1
            self._files.add(found.path)
        waiting, self._waiting = self._waiting, []
        return all(map(self._show, (*waiting, found)))

    def _show(self, found: Found) -> bool:
        mark = ":" if found.kind == MATCH else "-"
        text = redact(found.text, self._secrets)
        if len(text) > MAX_LINE:
            text = f"{text[:MAX_LINE]}... [truncated]"
            self._cut = True
        path = on_one_line(found.path)
        lines = [f"{path}{mark}{found.number}{mark} {text}"]
        if self._context and self._lines and self._last != (found.path, found.number - 1):
            lines.insert(0, "--")
        self._last = (found.path, found.number)
        size = sum(len(line.encode("utf-8", "replace")) + 1 for line in lines)
        if self._bytes + size > MAX_BYTES:
            if not self._bytes > MAX_BYTES:
                self.notices.append("50.0KB limit reached. Refine pattern or narrow path or glob")
            self._bytes = MAX_BYTES + 1  # nothing may come after what was left out
            return False
        self._bytes += size
        self._lines += lines
        return True

    @property
    def files(self) -> int:
        return len(self._files)

    @property
    def is_cut(self) -> bool:
        return bool(self.notices)

    @property
    def text(self) -> str:
        return redact("\n".join(self._lines), self._secrets)

    def for_model(self, *more: str) -> str:
        """The lines with the notices behind."""
        notices = [*self.notices, *more]
        if self._cut:
            notices.append(
                f"Some lines truncated to {MAX_LINE} chars. Use read tool to see full lines"
            )
        return with_notices(self.text or "No matches found", notices)


def with_notices(text: str, notices: Sequence[str]) -> str:
    return f"{text}\n\n[{'. '.join(notices)}]" if notices else text


def on_one_line(name: str) -> str:
    """A file name for showing: control characters by their code, what is no text as U+FFFD."""
    if name.isprintable():
        return name
    return _CONTROL.sub(_code, well_formed(name))


def _code(match: re.Match[str]) -> str:
    char = match.group()
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(char, f"\\x{ord(char):02x}")


def names_within(names: Sequence[str], limit: int, secrets: Sequence[str]) -> tuple[str, list[str]]:
    """The first ``limit`` names, one a line, in 50 KiB; what limits were reached."""
    shown: list[str] = []
    size = 0
    notices: list[str] = []
    for name in names[:limit]:
        line = on_one_line(name)
        size += len(line.encode("utf-8", "replace")) + 1
        if size > MAX_BYTES:
            notices.append("50.0KB limit reached. Refine pattern or narrow path")
            break
        shown.append(line)
    return redact("\n".join(shown), secrets), notices
