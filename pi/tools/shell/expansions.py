"""Parameters and quotes: what begins with ``$`` or ``"``, told apart."""

from __future__ import annotations

import re

from pi.tools.shell import ansi
from pi.tools.shell.arithmetic import Arithmetic
from pi.tools.shell.pattern import pattern
from pi.tools.shell.substitutions import BARE, DOUBLE, OTHER, Literal

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PARAMETER = pattern(rf"\$(?:{NAME}|[0-9@*#?$!-]|\{{{NAME}\}})")
_BRACE = pattern(
    rf"""
    (?P<simple>\#?(?:{NAME}|[0-9]+|[@*#?$!-])?\}})   # ${{x}}, ${{#x}}, ${{#}}
    | (?P<names>!{NAME}[*@]\}})                      # ${{!x*}}
    | !(?P<keys>{NAME})(?=\[[*@]\]\}})               # ${{!x[@]}}
    | \#(?P<counted>{NAME})(?=\[)                    # ${{#x[...]}}
    | (?P<name>{NAME}|[0-9]+|[@*?$!-])               # ${{x...
    """,
    re.VERBOSE,
)
_OPERATOR = pattern(r"(?P<word>:?[-=?+]|[#%^,/]|~~?)|(?P<close>@[UuLQEAKak]\})|(?P<slice>:)")
_BRACED = pattern(r"""([^}$`"'\\<>]+)|(\\.)|('[^'$`"\\{}()]*')|('[^']*')|([<>]\()|(.)""", re.S)
_DOUBLE = pattern(r"""([^"$`\\]+)|\\([$`"\\])|(\\\n)|(.)""", re.S)
_ANSI = pattern(r"\$'([^'\\]*(?:\\.[^'\\]*)*)'", re.S)

_AFTER_PID = ("(", "{", "[", "'", '"')


class Expansions(Arithmetic):
    __slots__ = ()

    def dollar(self, out: Literal, context: str) -> None:
        """Read from the ``$`` at the position. ``context`` is BARE outside of quotes."""
        text = self.text
        match = _PARAMETER.match(text, self.pos)
        if match:
            self.pos = match.end()
            out.unknown()
            if match.group() == "$$" and text[self.pos : self.pos + 1] in _AFTER_PID:
                raise self.fail("'$$' before an opening character")
            return
        follows = text[self.pos + 1 : self.pos + 2]
        if follows == "(":
            out.unknown()
            self.parenthesis()
        elif follows == "{":
            out.unknown()
            self._brace(context)
        elif follows == "[":
            out.unknown()
            self.pos += 2
            self.checked_arithmetic("]")
        elif follows and follows in "'\"" and context != DOUBLE:
            self._dollar_quote(out, follows, context)
        elif follows == "\\" and text.startswith("\n", self.pos + 2):
            raise self.fail("a line continuation behind $")
        else:
            self.pos += 1
            out.parts.append("$")

    def _dollar_quote(self, out: Literal, quote: str, context: str) -> None:
        if context != BARE:
            raise self.fail("$ before a quote where shells differ")
        if quote == '"':
            # $"..." is looked up in the message catalogue of the locale.
            out.unknown()
            self.pos += 2
            self.double_quotes(out)
            return
        match = _ANSI.match(self.text, self.pos)
        if not match:
            raise self.fail("quote without its end")
        self.pos = match.end()
        decoded = ansi.decode(match.group(1))
        if decoded is None:
            out.unknown()
        else:
            out.parts.append(decoded)

    def double_quotes(self, out: Literal) -> None:
        """Read from behind a double quote to behind the one that closes it."""
        text = self.text
        opened = self.pos - 1
        while True:
            match = _DOUBLE.match(text, self.pos)
            if not match:
                raise self.fail("quote without its end", opened)
            kind = match.lastindex
            if kind == 1 or kind == 2:
                out.parts.append(match.group(kind))
            elif kind == 4:
                char = match.group()
                if char == "$":
                    self.dollar(out, DOUBLE)
                    continue
                if char == "`":
                    self.backquote(out, DOUBLE)
                    continue
                if char == '"':
                    self.pos = match.end()
                    return
                out.parts.append(char)
            self.pos = match.end()

    def _brace(self, context: str) -> None:
        """Read ``${...}``."""
        opened = self.pos
        match = _BRACE.match(self.text, self.pos + 2)
        if not match or match.group() == "}":
            raise self.fail("a parameter expansion that is not understood")
        self.pos = match.end()
        kind = match.lastgroup
        if kind == "simple" or kind == "names":
            return
        name = match.group(kind or "")
        if self.text.startswith("[", self.pos) and (name[0].isalpha() or name[0] == "_"):
            self.pos += 1
            self.checked_arithmetic("]")
            if self.text.startswith("}", self.pos):
                self.pos += 1
                return
        operator = _OPERATOR.match(self.text, self.pos)
        if not operator or kind != "name":
            raise self.fail("a parameter expansion that is not understood", opened)
        self.pos = operator.end()
        if operator.lastgroup == "slice":
            if self.text.startswith("\\", self.pos):
                raise self.fail("a line continuation in a parameter expansion")
            self.checked_arithmetic("}")
        elif operator.lastgroup == "word":
            self.enter()
            self._braced_word(opened, context)
            self.leave()

    def _braced_word(self, opened: int, context: str) -> None:
        """Read the word behind the operator of ``${x:-word}``, and the closing brace."""
        text = self.text
        out = Literal()
        bare = context == BARE
        while True:
            match = _BRACED.match(text, self.pos)
            if not match:
                raise self.fail("'${' without its end", opened)
            kind = match.lastindex
            if kind == 4 and not bare:
                # Single quotes are ordinary to one half of bash here and quotes to the other.
                raise self.fail("single quotes inside '${' inside double quotes")
            if kind == 5:
                if not bare:
                    raise self.fail("'<(' inside '${' inside double quotes")
                self.pos = match.end()
                self.substitution(piped=match.group() == ">(")
                continue
            self.pos = match.end()
            if kind != 6:
                continue
            char = match.group()
            if char == "}":
                return
            if char == "$":
                self.pos -= 1
                self.dollar(out, BARE if bare else OTHER)
            elif char == "`":
                self.pos -= 1
                self.backquote(out, BARE if bare else OTHER)
            elif char == '"':
                self.double_quotes(out)
            elif char == "'" or char == "\\":
                raise self.fail("quote without its end", self.pos - 1)
