"""The lines of a head, taken one after the other, and the errors that name them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMENT = re.compile(r"(?:^|[ \t]+)#.*$")
REFUSED = {
    "&": "anchors are not supported",
    "*": "aliases are not supported; put the text in quotes",
    "!": "tags are not supported; put the text in quotes",
    "{": "maps in braces are not supported; write 'key: value' lines",
    "@": "a value cannot begin with '@'; put it in quotes",
    "`": "a value cannot begin with '`'; put it in quotes",
    "%": "a value cannot begin with '%'; put it in quotes",
}


class FrontmatterError(ValueError):
    """What cannot be read, and the line of the file it stands in (from 1)."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(f"{why} at line {line}")
        self.why = why
        self.line = line


class Lines:
    """``next`` is the line to take next, from 0; line 1 of the file is the fence before."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self.next = 0

    def peek(self) -> str | None:
        """The next line that says something, without taking it."""
        while self.next < len(self.lines):
            line = self.lines[self.next]
            if line.strip() and not line.lstrip().startswith("#"):
                self.no_tabs(line)
                return line
            self.next += 1
        return None

    def go_on(self, begin: int, why: str) -> str:
        """The next line, of something that goes over several."""
        if self.next >= len(self.lines):
            raise FrontmatterError(why, begin + 1)
        self.next += 1
        return self.lines[self.next - 1]

    def only_comment(self, rest: str, what: str) -> None:
        if COMMENT.sub("", rest).strip():
            raise self.error(f"unexpected {rest.strip()[:20]!r} after {what}")

    def refuse(self, text: str) -> None:
        why = REFUSED.get(text[0])
        if why is not None:
            raise self.error(why)

    def no_tabs(self, line: str) -> None:
        if "\t" in line[: len(line) - len(line.lstrip())]:
            raise FrontmatterError("a tab as indentation", self.next + 2)

    def error(self, why: str) -> FrontmatterError:
        """An error in the line taken last. Line 1 of the file is the fence."""
        return FrontmatterError(why, self.next + 1)
