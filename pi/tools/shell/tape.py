"""The place in a shell text where reading stands, and what has been found so far.

Each layer adds a part of the grammar: ``substitutions``, ``arithmetic``, ``expansions``,
``words``, ``commands``, ``conditions``, ``lists``, ``compounds``. The door is ``reader.parse``.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.shell.fragment import Fragment
from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import ShellSyntaxError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.tools.shell.plain import Known
    from pi.tools.shell.syntax import Redirect, Simple, Word

MAX_NESTING = 40
MAX_BACKQUOTE_NESTING = 3
# "$((" that turns out to be "$( (" is read twice. Nested in one another such readings
# would multiply, so a text may hold only a few of them.
MAX_SECOND_READINGS = 8

_BLANKS = pattern(r"(?:[ \t]|\\\n)*")
_BLANK_STARTS = (" ", "\t", "\\")
_COMMENT = pattern(r"#[^\n]*")

# What a line continuation may not stand before: "&\<newline>&" is one operator to bash.
_LONGER = {
    ";": ";&",
    ";;": "&",
    "&": "&>",
    "|": "|&",
    "(": "(",
    "<": "<>&(",
    ">": ">&|(",
    "<<": "-<",
    "&>": ">",
}


class Found:
    """What the text and its fragments hold in common, gathered while reading.

    ``second_readings`` is what is left of ``MAX_SECOND_READINGS``; ``known`` is as in
    ``reader.parse``.
    """

    __slots__ = ("commands", "functions", "known", "redirects", "second_readings", "words")

    def __init__(self, known: Known) -> None:
        self.known = known
        self.commands: list[Simple] = []
        self.functions: list[str] = []
        self.redirects: list[Redirect] = []
        self.words: list[Word] = []
        self.second_readings = MAX_SECOND_READINGS

    def part(self) -> Found:
        """The same, with a list of commands of its own: a fragment counts its own offsets."""
        part = Found(self.known)
        part.functions, part.redirects, part.words = self.functions, self.redirects, self.words
        part.second_readings = self.second_readings
        return part

    def mark(self) -> tuple[int, int, int, int]:
        return len(self.commands), len(self.functions), len(self.redirects), len(self.words)

    def forget(self, mark: tuple[int, int, int, int]) -> None:
        """Drop everything found since ``mark()`` gave this mark."""
        del self.commands[mark[0] :]
        del self.functions[mark[1] :]
        del self.redirects[mark[2] :]
        del self.words[mark[3] :]


class HereDocument(NamedTuple):
    """A here-document whose text begins after the next line break."""

    delimiter: str
    literal: bool  # the delimiter was quoted: nothing in the text is expanded
    strip_tabs: bool
    piped: bool


class Tape:
    """The text, the position in it, and the state that nested constructs put aside.

    ``nested`` and ``piped`` are what the next simple command will carry. ``blocked`` says
    that a line break here would begin a here-document announced outside of the construct
    being read; shells differ on that, so it is refused. ``compound_end`` is where the compound
    command just read ends, -1 behind anything else; ``documents`` counts here-documents.
    """

    __slots__ = (
        "backquotes",
        "blocked",
        "compound_end",
        "depth",
        "documents",
        "found",
        "nested",
        "pending",
        "piped",
        "pos",
        "text",
    )

    def __init__(self, text: str, found: Found, depth: int = 0, backquotes: int = 0) -> None:
        self.text = text
        self.pos = 0
        self.found = found
        self.depth = depth
        self.backquotes = backquotes
        self.nested = False
        self.piped = False
        self.blocked = False
        self.pending: list[HereDocument] = []
        self.compound_end = -1
        self.documents = 0

    def fail(self, reason: str, at: int | None = None) -> ShellSyntaxError:
        """The error to raise, at ``at`` or where reading stands."""
        return ShellSyntaxError(reason, self.pos if at is None else at)

    def unexpected(self) -> ShellSyntaxError:
        seen = self.text[self.pos : self.pos + 1]
        if not seen:
            return self.fail("the text ends too early")
        return self.fail("unexpected line break" if seen == "\n" else f"unexpected {seen!r}")

    def enter(self) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.fail("nested too deep")

    def leave(self) -> None:
        self.depth -= 1

    def blanks(self) -> None:
        """Step over blanks and line continuations."""
        text, pos = self.text, self.pos
        if not text.startswith(_BLANK_STARTS, pos):
            return
        if text[pos] == " " and not text.startswith(_BLANK_STARTS, pos + 1):
            self.pos = pos + 1
            return
        match = _BLANKS.match(self.text, self.pos)
        if match:
            self.pos = match.end()

    def newlines(self) -> None:
        """Step over blanks, comments and line breaks, reading here-documents due."""
        text = self.text
        while True:
            self.blanks()
            char = text[self.pos : self.pos + 1]
            if char == "#":
                self.comment()
            elif char == "\n":
                self.line_break()
            else:
                return

    def comment(self) -> None:
        match = _COMMENT.match(self.text, self.pos)
        if match:
            self.pos = match.end()

    def check_whole(self, operator: str) -> None:
        """Refuse a line continuation behind which ``operator`` would go on."""
        text = self.text
        if not text.startswith("\\\n", self.pos):
            return
        at = self.pos
        while text.startswith("\\\n", at):
            at += 2
        if text[at : at + 1] and text[at] in _LONGER.get(operator, ""):
            raise self.fail("a line continuation inside an operator")

    def line_break(self) -> None:
        """Step over the line break at the position and the here-documents behind it."""
        if self.blocked:
            raise self.fail("a line break between << and its text inside a nested construct")
        self.pos += 1
        if self.pending:
            due, self.pending = self.pending, []
            for document in due:
                self._here_document(document)

    def _here_document(self, document: HereDocument) -> None:
        text = self.text
        marks: list[tuple[int, int]] = []
        lines: list[str] = []
        length = 0
        while True:
            if self.pos >= len(text):
                raise self.fail(f"here-document without its end {document.delimiter!r}")
            start = self.pos
            line = self._document_line(joined=not document.literal)
            if document.strip_tabs:
                stripped = line.lstrip("\t")
                start += len(line) - len(stripped)
                line = stripped
            if line == document.delimiter:
                break
            # Inside $( ) bash takes "END)" for the end as well; inside a body no shell
            # would write that, so it is not worth following.
            if self.nested and line.startswith(document.delimiter):
                raise self.fail("a here-document in a substitution ends in a doubtful way", start)
            marks.append((length, start))
            lines.append(line)
            length += len(line) + 1
        if not document.literal:
            body = Fragment("".join(line + "\n" for line in lines), marks or [(0, self.pos)])
            self.expand_document(body, document.piped)

    def _document_line(self, joined: bool) -> str:
        """The next line; with ``joined`` those that end in a lone backslash are put together."""
        text = self.text
        parts: list[str] = []
        while True:
            end = text.find("\n", self.pos)
            end = len(text) if end < 0 else end
            part = text[self.pos : end]
            self.pos = min(end + 1, len(text))
            if not joined or (len(part) - len(part.rstrip("\\"))) % 2 == 0:
                parts.append(part)
                return "".join(parts)
            if end == len(text):
                raise self.fail("here-document cut off")
            parts.append(part[:-1])

    def expand_document(self, body: Fragment, piped: bool) -> None:
        """Read the substitutions in the text of a here-document."""
        raise NotImplementedError
