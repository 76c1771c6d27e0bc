"""Lists and pipelines (bash(1), section SHELL GRAMMAR)."""

from __future__ import annotations

from pi.tools.shell.conditions import Conditions
from pi.tools.shell.pattern import pattern
from pi.tools.shell.plain import COMMAND, simple_command

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
        text = self.text
        outer = self.piped
        while True:
            operator = self.plain_commands()
            if operator is not None and operator != "|":
                return operator
            self._pipeline(operator == "|")
            self.piped = outer
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

    def plain_commands(self) -> str | None:
        """Read commands as long as they are as plain as most, and what stands between.

        The operator behind them, as ``_and_or`` gives it. Else None where a pipeline begins
        that must be read by all the rules, or "|" where such a command of a pipeline does.
        """
        text, commands, known = self.text, self.found.commands, self.found.known
        outer = piped = self.piped
        pos = self.pos
        operator = ""
        while True:
            match = COMMAND.match(text, pos)
            simple = simple_command(match, piped, self.nested, known) if match else None
            if match is None or simple is None:
                break
            commands.append(simple)
            operator = match.group(3)
            pos = match.end()
            if operator in ("|", "|&"):
                piped = True
            elif operator in ("&&", "||"):
                piped = outer
            else:
                self.pos = match.start(3)
                return self._separator()
        self.pos = pos
        if not operator:
            return None
        if piped and operator in ("|", "|&"):
            self.check_whole("|")
            return "|"
        self.check_whole(operator)
        self.newlines()
        return None

    def _separator(self) -> str:
        """Step over what stands behind a simple command and joins it to none."""
        self.compound_end = -1
        match = _OPERATOR.match(self.text, self.pos)
        if not match:
            return ""
        operator = match.group()
        if operator == "\n":
            self.line_break()
            return operator
        self.pos = match.end()
        self.check_whole(operator)
        return operator

    def _pipeline(self, begun: bool) -> None:
        """Read commands joined by ``|``; ``begun`` says that the first of them were read.

        Leaves ``piped`` as the last of them had it.
        """
        text = self.text
        if begun:
            self._piped_command(False)
        else:
            start = self.pos
            self._prefixes()
            self.command(self.pos != start)
        while True:
            self.blanks()
            match = _PIPE.match(text, self.pos) if text.startswith("|", self.pos) else None
            if not match:
                break
            self.pos = match.end()
            self.check_whole("|")
            self._piped_command(True)

    def _piped_command(self, maybe_plain: bool) -> None:
        """Read a command behind ``|``."""
        start = self.pos
        self.newlines()
        self.piped = True
        head = HEAD.match(self.text, self.pos)
        if head and head.group() == "time":
            self.simple()  # not the reserved word here
            self.compound_end = -1
        else:
            self.command(maybe_plain or self.pos != start)

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

    def command(self, maybe_plain: bool = True) -> None:
        """Read a command of any kind."""
        raise NotImplementedError
