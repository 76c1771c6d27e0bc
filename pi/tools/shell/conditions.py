"""The inside of ``[[ ]]`` (bash(1), "Compound Commands" and "CONDITIONAL EXPRESSIONS").

Only what is expanded matters to the caller, so nothing is built: the expression is checked
and the substitutions in its words are found.
"""

from __future__ import annotations

from pi.tools.shell.commands import Commands
from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import Word

_UNARY = pattern(r"-[abcdefghknoprstuvwxzGLNORS](?=[ \t])")
_LONE_UNARY = pattern(r"-[A-Za-z]")
_BINARY = pattern(r"(==|!=|=~|=|<(?!\()|>(?!\()|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef))(?=[ \t])")
_ARITHMETIC = frozenset(("-eq", "-ne", "-lt", "-le", "-gt", "-ge"))
_END = pattern(r"\]\](?=[ \t\n;|&()<>]|\Z)")
_GROUP = pattern(r"[?*+@!]\(")
_EDGE = frozenset(("", " ", "\t", "\n"))


class Conditions(Commands):
    __slots__ = ()

    def condition(self) -> None:
        """Read from behind ``[[`` to behind ``]]``."""
        blocked, self.blocked = self.blocked, self.blocked or bool(self.pending)
        self._alternatives()
        self.newlines()
        match = _END.match(self.text, self.pos)
        if not match:
            raise self.fail("']]' expected")
        self.pos = match.end()
        self.blocked = blocked

    def _alternatives(self) -> None:
        """Read terms joined by ``&&`` and ``||``."""
        self.enter()
        while True:
            self.newlines()
            self._term()
            self.newlines()
            if not self.text.startswith(("&&", "||"), self.pos):
                break
            self.pos += 2
        self.leave()

    def _term(self) -> None:
        text = self.text
        while text.startswith("!", self.pos) and text[self.pos + 1 : self.pos + 2] in (" ", "\t"):
            self.pos += 1
            self.blanks()
        if text.startswith("(", self.pos):
            self.pos += 1
            self.check_whole("(")
            self._alternatives()
            if not text.startswith(")", self.pos):
                raise self.unexpected()
            self.pos += 1
            return
        unary = _UNARY.match(text, self.pos)
        if unary:
            self.pos = unary.end()
            self.blanks()
            operand = self._operand()
            if unary.group() in ("-v", "-R"):
                self._check_evaluated(operand)
            return
        left = self._operand()
        if _LONE_UNARY.fullmatch(left.raw):
            raise self.fail("an operator without its operand")
        self.blanks()
        binary = _BINARY.match(text, self.pos)
        if not binary:
            if text[self.pos : self.pos + 1] in ("\n", "#"):
                raise self.fail("an operator expected before the line break")
            return
        operator = binary.group()
        self.pos = binary.end()
        self.blanks()
        if operator in ("==", "!=", "=", "=~"):
            self._pattern(regex=operator == "=~")
            return
        right = self._operand()
        if operator in _ARITHMETIC:
            self._check_evaluated(left)
            self._check_evaluated(right)

    def _operand(self) -> Word:
        if _END.match(self.text, self.pos):
            raise self.fail("a word expected before ']]'")
        word = self.word()
        self._check_edge(word.raw)
        return word

    def _check_edge(self, raw: str) -> None:
        """Operands stand between blanks: where else they may stand, shells differ."""
        if "\\\n" in raw:
            raise self.fail("a line continuation inside a condition")
        char = self.text[self.pos : self.pos + 1]
        if char not in _EDGE and char not in "&|)":
            raise self.unexpected()

    def _check_evaluated(self, word: Word) -> None:
        """Refuse quotes in what bash evaluates once more: they may hide a substitution."""
        if word.quoted and "[" in word.raw and ("'" in word.raw or "\\" in word.raw):
            raise self.fail("quotes in an operand that is evaluated")

    def _pattern(self, regex: bool) -> None:
        """Read the right side of ``==`` (with extended patterns) or ``=~`` (with groups)."""
        text = self.text
        start = self.pos
        if _END.match(text, start):
            raise self.fail("a pattern expected before ']]'")
        if text.startswith("#", start):
            raise self.fail("a pattern expected, not a comment")
        depth = 0
        while True:
            self.word_tail()
            char = text[self.pos : self.pos + 1]
            if char == "(" and (regex or _GROUP.match(text, self.pos - 1)):
                depth += 1
            elif char == ")" and depth:
                depth -= 1
            elif char != "|" or not depth:
                break
            self.pos += 1
        if depth or self.pos == start:
            raise self.fail("a pattern that is not understood", start)
        self._check_edge(text[start : self.pos])
