"""Lists and pipelines (bash(1), section SHELL GRAMMAR)."""

from __future__ import annotations

from pi.tools.shell.conditions import Conditions
from pi.tools.shell.pattern import pattern

# A word that may be reserved. The next characters must end it.
HEAD = pattern(r"(?:\{|\}|!|\[\[|\]\]|[a-z]+)(?=[ \t\n;|&()]|[<>](?!\()|\Z)")
_OPERATOR = pattern(r";;&|;;|;&|;|&&|\|\||&|\)|\n")
_PIPE = pattern(r"\|&?(?!\|)")
_TIME_OPTION = pattern(r"[ \t]+(?:-p|--)(?=[ \t])")
# The words that close a list, and the operators that do.
_CLOSING = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}"))
CLAUSE_ENDS = (";;", ";&", ";;&")


class Lists(Conditions):
    __slots__ = ()

    def listing(self, may_be_empty: bool = True) -> str:
        """Read commands up to a token that ends a list and step over it.

        The token: ``)``, ``;;`` and its like, a closing word, or "" for the end of text.
        """
        empty = True
        while True:
            self.newlines()
            closing = self._closing()
            if closing is not None:
                if empty and not may_be_empty:
                    raise self.fail("a command expected")
                return closing
            empty = False
            operator = self._and_or()
            if operator not in (";", "&", "\n"):
                return operator

    def whole(self) -> None:
        """Read the text to its end."""
        token = self.listing()
        if token:
            raise self.fail(f"unexpected {token!r}", self.pos - len(token))
        if self.pending:
            raise self.fail("here-document without its text")

    def _closing(self) -> str | None:
        """The token that ends a list at the position, stepped over; None if there is none."""
        text = self.text
        char = text[self.pos : self.pos + 1]
        if not char:
            return ""
        if char == ")":
            self.pos += 1
            return char
        if char == ";":
            match = _OPERATOR.match(text, self.pos)
            if match and match.group() in CLAUSE_ENDS:
                self.pos = match.end()
                return match.group()
            return None
        return self._closing_word()

    def _closing_word(self) -> str | None:
        if self.text[self.pos] not in "tefd}":
            return None
        match = HEAD.match(self.text, self.pos)
        if match and match.group() in _CLOSING:
            self.pos = match.end()
            return match.group()
        return None

    def _and_or(self) -> str:
        """Read pipelines joined by ``&&`` and ``||``; the operator behind them."""
        while True:
            self._pipeline()
            text = self.text
            if text.startswith("#", self.pos):
                self.comment()
            match = _OPERATOR.match(text, self.pos)
            if not match:
                if self.pos == len(text):
                    return ""
                # Behind a compound command a closing word needs no separator.
                closing = self._closing_word() if self.compound_end >= 0 else None
                if closing is None:
                    raise self.unexpected()
                return closing
            operator = match.group()
            if operator == "\n":
                self.line_break()
                return operator
            self.pos = match.end()
            self.check_whole(operator)
            if operator not in ("&&", "||"):
                return operator
            self.newlines()

    def _pipeline(self) -> None:
        """Read commands joined by ``|``."""
        text = self.text
        outer = self.piped
        self._prefixes()
        self.command()
        while True:
            self.blanks()
            match = _PIPE.match(text, self.pos) if text.startswith("|", self.pos) else None
            if not match:
                break
            self.pos = match.end()
            self.check_whole("|")
            self.newlines()
            self.piped = True
            head = HEAD.match(text, self.pos)
            if head and head.group() == "time":
                self.simple()  # not the reserved word here
                self.compound_end = -1
            else:
                self.command()
        self.piped = outer

    def _prefixes(self) -> None:
        """Step over ``!`` and ``time``."""
        while self.text.startswith(("!", "time"), self.pos):
            match = HEAD.match(self.text, self.pos)
            if not match or match.group() not in ("!", "time"):
                return
            self.pos = match.end()
            if match.group() == "time":
                if self.text.startswith("(", self.pos):
                    raise self.unexpected()
                option = _TIME_OPTION.match(self.text, self.pos)
                while option:
                    self.pos = option.end()
                    ended = option.group().endswith("--")
                    option = None if ended else _TIME_OPTION.match(self.text, self.pos)
                self.blanks()
                if self.text.startswith(("-\\\n", "-p\\\n"), self.pos):
                    raise self.fail("a line continuation inside an option of 'time'")
            self.blanks()

    def command(self) -> None:
        """Read a command of any kind."""
        raise NotImplementedError
