"""Arithmetic: ``$((...))``, ``$[...]``, ``((...))``, array subscripts, substrings.

What bash evaluates a second time must not hide a command: arithmetic and subscripts are
expanded, then evaluated, and evaluation expands subscripts again. A quoted ``$(`` in them
is therefore no literal, so quotes and backslashes are refused unless plainly harmless.
"""

from __future__ import annotations

import re

from pi.tools.shell.pattern import pattern
from pi.tools.shell.substitutions import OTHER, Literal, Substitutions

_ARITHMETIC = pattern(
    r"""([^$`"'\\()\[\]{};<>]+)|('[^'$`"\\()\[\]{}]*'|\\\n)|('[^']*'|\\.|[<>]\()|(.)""", re.S
)

_PAIRS = {")": "(", "]": "[", "}": ""}


class Arithmetic(Substitutions):
    __slots__ = ()

    def checked_arithmetic(self, close: str) -> int:
        """Read arithmetic to behind ``close``; the number of semicolons in it."""
        start = self.pos
        self.enter()
        doubtful, semicolons = self.arithmetic(close)
        self.leave()
        if doubtful:
            raise self.fail(doubtful, start)
        self._check_balance(start, close)
        return semicolons

    def _check_balance(self, start: int, close: str) -> None:
        """Refuse arithmetic from ``start`` to before the position, where ``close`` stands
        alone inside of a substitution: bash counts there without looking into it."""
        opener = _PAIRS[close]
        body = self.text[start : self.pos - 1]
        if not opener or (opener not in body and close not in body):
            return
        depth = 0
        for char in body:
            if char == opener:
                depth += 1
            elif char == close:
                depth -= 1
                if depth < 0:
                    break
        if depth:
            raise self.fail("arithmetic that may be read in two ways", start)

    def parenthesis(self) -> None:
        """Read ``$(...)`` or ``$((...))``, told apart as bash does: by where they end."""
        start = self.pos
        if not self.text.startswith("((", start + 1):
            self.pos = start + 2
            self.substitution()
            return
        self.enter()
        mark = self.found.mark()
        self.pos = start + 3
        doubtful, _ = self.arithmetic(")")
        if self.text.startswith(")", self.pos):
            self._check_balance(start + 3, ")")
            self.pos += 1
            if doubtful:
                raise self.fail(doubtful, start)
            self.leave()
            return
        self.arithmetic(")")
        end = self.pos
        self.found.forget(mark)
        self.found.second_readings -= 1
        if self.found.second_readings < 0:
            raise self.fail("too many '$((' that are no arithmetic", start)
        self.pos = start + 2
        self.substitution()
        self.leave()
        if self.pos != end:
            raise self.fail("'$((' that may be read in two ways", start)

    def arithmetic(self, close: str) -> tuple[str, int]:
        """Read to behind the unmatched ``close``: why it cannot be trusted as arithmetic
        ("" if it can), and the number of semicolons."""
        text = self.text
        opened = self.pos - 1
        opener = _PAIRS[close]
        doubtful = ""
        depth = semicolons = 0
        out = Literal()
        while True:
            match = _ARITHMETIC.match(text, self.pos)
            if not match:
                raise self.fail("arithmetic without its end", opened)
            kind = match.lastindex
            char = match.group()
            if kind == 4:
                if char == "$":
                    self.dollar(out, OTHER)
                    continue
                if char == "`":
                    self.backquote(out, OTHER)
                    continue
                if char == '"':
                    start = self.pos
                    self.pos += 1
                    self.double_quotes(out)
                    if "\\" in text[start : self.pos]:
                        doubtful = doubtful or "a backslash in arithmetic"
                    continue
                if char == "'" or char == "\\":
                    raise self.fail("quote without its end")
                if char == close:
                    if depth == 0:
                        self.pos = match.end()
                        return doubtful, semicolons
                    depth -= 1
                elif char == opener:
                    depth += 1
                elif char == "}" and close == "]":
                    # In ${x[...]} this would end the expansion.
                    raise self.fail("a brace in a subscript")
                elif char == ";":
                    semicolons += 1
            elif kind == 3:
                doubtful = doubtful or "quotes or a substitution hidden in arithmetic"
                if char in ("<(", ">("):
                    self.pos += 1
                    continue
            self.pos = match.end()

    def double_quotes(self, out: Literal) -> None:
        """Read from behind a double quote to behind the one that closes it."""
        raise NotImplementedError
