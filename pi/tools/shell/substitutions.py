"""Commands inside of words: substitutions, backquotes, the text of here-documents."""

from __future__ import annotations

import re

from pi.tools.shell.fragment import Fragment, without_backslashes
from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import ShellSyntaxError
from pi.tools.shell.tape import MAX_BACKQUOTE_NESTING, Tape

_BACKQUOTED = pattern(r"`([^`\\]*(?:\\.[^`\\]*)*)`", re.S)
_DOCUMENT = pattern(r"([^$`\\]+)|(\\.)|(.)", re.S)

# What surrounds an expansion: no quotes, double quotes, or what is like them but not quite.
BARE, DOUBLE, OTHER = "bare", "double", "other"


class Literal:
    """A word being put together: its text, and what was known before the first expansion."""

    __slots__ = ("known", "parts", "prefix")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.prefix = ""
        self.known = True

    def unknown(self) -> None:
        """From here on only the running shell knows."""
        if self.known:
            self.prefix = "".join(self.parts)
            self.known = False


class Substitutions(Tape):
    __slots__ = ()

    def expand_document(self, body: Fragment, piped: bool) -> None:
        """Read the substitutions in the text of a here-document."""
        inner = self.inside(body, piped)
        try:
            inner.document()
        except ShellSyntaxError as error:
            raise self.fail(error.reason, body.where(error.offset)) from None
        self._adopt(inner, body)

    def document(self) -> None:
        """Read this whole text as the expanded text of a here-document."""
        text = self.text
        out = Literal()
        while self.pos < len(text):
            match = _DOCUMENT.match(text, self.pos)
            if match is None:
                return
            if match.lastindex == 3:
                char = match.group()
                if char == "$":
                    # Like DOUBLE, except that quotes are ordinary here.
                    self.dollar(out, DOUBLE)
                    continue
                if char == "`":
                    self.backquote(out, OTHER)
                    continue
            self.pos = match.end()

    def inside(self, fragment: Fragment, piped: bool) -> Substitutions:
        """A reader for a piece of this text that stands in a substitution."""
        inner = type(self)(fragment.text, self.found.part(), self.depth, self.backquotes)
        inner.enter()
        inner.nested = True
        inner.piped = piped
        return inner

    def _adopt(self, inner: Substitutions, fragment: Fragment) -> None:
        mine = self.found
        mine.commands += [
            command._replace(offset=fragment.where(command.offset))
            for command in inner.found.commands
        ]
        mine.second_readings = inner.found.second_readings

    def backquote(self, out: Literal, context: str) -> None:
        """Read the command between backquotes, the first of which is at the position."""
        out.unknown()
        match = _BACKQUOTED.match(self.text, self.pos)
        if not match:
            raise self.fail("backquote without its end")
        body = match.group(1)
        if "\\\n" in body:
            raise self.fail("a line continuation between backquotes")
        if '\\"' in body and context == OTHER:
            raise self.fail("an escaped quote between backquotes where shells differ")
        if context == DOUBLE and "'" in body and '"' in body.replace('\\"', ""):
            raise self.fail("both kinds of quotes between backquotes inside double quotes")
        if self.backquotes >= MAX_BACKQUOTE_NESTING:
            raise self.fail("backquotes nested too deep")
        escaped = '$`\\"' if context == DOUBLE else "$`\\"
        fragment = without_backslashes(self.text, match.start(1), match.end(1), escaped)
        inner = self.inside(fragment, self.piped)
        inner.backquotes += 1
        try:
            inner.whole()
        except ShellSyntaxError as error:
            raise self.fail(error.reason, fragment.where(error.offset)) from None
        self._adopt(inner, fragment)
        self.pos = match.end()

    def substitution(self, piped: bool = False) -> None:
        """Read commands from behind an opening parenthesis to behind the closing one."""
        opened = self.pos - 1
        self.check_whole("(")
        self.enter()
        kept = self.pending, self.blocked, self.nested, self.piped
        self.blocked = self.blocked or bool(self.pending)
        self.pending = []
        self.nested = True
        self.piped = self.piped or piped
        if self.listing() != ")":
            raise self.fail("substitution without its end", opened)
        if self.pending:
            raise self.fail("here-document without its text in a substitution", opened)
        self.pending, self.blocked, self.nested, self.piped = kept
        self.leave()

    def dollar(self, out: Literal, context: str) -> None:
        """Read from the ``$`` at the position. ``context`` is BARE outside of quotes."""
        raise NotImplementedError

    def listing(self, may_be_empty: bool = True) -> str:
        """Read commands up to a token that ends a list, and that token."""
        raise NotImplementedError

    def whole(self) -> None:
        """Read the text to its end."""
        raise NotImplementedError
