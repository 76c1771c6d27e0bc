"""Compound commands (bash(1), section SHELL GRAMMAR)."""

from __future__ import annotations

from pi.tools.shell.commands import REDIRECT
from pi.tools.shell.expansions import NAME
from pi.tools.shell.lists import CLAUSE_ENDS, HEAD, Lists
from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import RESERVED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE = pattern(rf"{NAME}(?=[ \t\n;]|\Z)")
_IN = pattern(r"in(?=[ \t\n;]|\Z)")
_COPROC_NAME = pattern(rf"({NAME})[ \t]+(?=[{{(])")
_FUNCTION_NAME = pattern(r"([A-Za-z0-9_.:/,%^-]+)[ \t]*(\([ \t]*\)|(?=[ \t\n(]))")


class Compounds(Lists):
    __slots__ = ()

    def command(self, maybe_plain: bool = True) -> None:
        """Read a command of any kind."""
        self.compound_end = -1
        if maybe_plain and self.plain_simple():
            return
        match = HEAD.match(self.text, self.pos)
        if not match or match.group() not in RESERVED:
            if self.text.startswith("(", self.pos):
                self._compound()
            else:
                self.simple()
            return
        word = match.group()
        if word == "coproc":
            self._coproc()
        elif word == "function":
            self._keyword_function()
        elif word in _COMPOUNDS:
            self._compound()
        else:
            raise self.fail(f"unexpected {word!r}")

    def _compound(self) -> None:
        """Read a compound command and the redirections behind it."""
        text = self.text
        self.enter()
        if text.startswith("((", self.pos):
            self.pos += 2
            self._double_parenthesis()
        elif text.startswith("(", self.pos):
            self.pos += 1
            self.check_whole("(")
            self._until(")")
        else:
            match = HEAD.match(text, self.pos)
            reader = _COMPOUNDS.get(match.group()) if match else None
            if match is None or reader is None:
                raise self.fail("a compound command expected")
            self.pos = match.end()
            self.blanks()
            reader(self)
        self.leave()
        end = self.pos
        redirected = False
        while True:
            self.blanks()
            redirect = REDIRECT.match(text, self.pos)
            if not redirect:
                break
            redirected = True
            self.found.redirects.append(self.redirect(redirect))
        self.compound_end = -1 if redirected else end

    def _until(self, *closing: str) -> str:
        """Read a list that is not empty and ends with one of ``closing``."""
        token = self.listing(may_be_empty=False)
        if token not in closing:
            self.pos -= len(token)
            raise self.fail(f"{closing[0]!r} expected")
        return token

    def _group(self) -> None:
        self._until("}")

    def _if(self) -> None:
        self._until("then")
        while True:
            token = self._until("fi", "elif", "else")
            if token == "fi":
                return
            self._until("then" if token == "elif" else "fi")
            if token == "else":
                return

    def _loop(self) -> None:
        self._until("do")
        self._until("done")

    def _for(self) -> None:
        text = self.text
        if text.startswith("((", self.pos):
            self.pos += 2
            if self._double_parenthesis() != 2:
                raise self.fail("two semicolons expected in 'for (( ))'")
            self.blanks()
            if text.startswith(";", self.pos):
                self.pos += 1
            self.newlines()
            self._body()
            return
        match = _VARIABLE.match(text, self.pos)
        if not match:
            raise self.fail("the name of a variable expected")
        self.pos = match.end()
        self.blanks()
        if text.startswith(";", self.pos):
            self.pos += 1
            self.newlines()
            self._body()
            return
        self.newlines()
        match = _IN.match(text, self.pos)
        if match:
            self.pos = match.end()
            self._values()
        self._body()

    def _values(self) -> None:
        """Read the words a ``for`` goes through, to behind what ends them."""
        while True:
            self.blanks()
            char = self.text[self.pos : self.pos + 1]
            if char == ";":
                self.pos += 1
                break
            if char == "#":
                self.comment()
                char = "\n"
            if char == "\n":
                break
            self.found.words.append(self.word())
        self.newlines()

    def _body(self) -> None:
        """Read ``do ...; done`` or ``{ ...; }``."""
        match = HEAD.match(self.text, self.pos)
        word = match.group() if match else ""
        if match is None or word not in ("do", "{"):
            raise self.fail("'do' expected")
        self.pos = match.end()
        self._until("done" if word == "do" else "}")

    def _case(self) -> None:
        text = self.text
        self.found.words.append(self.word())
        self.newlines()
        match = _IN.match(text, self.pos)
        if not match:
            raise self.fail("'in' expected")
        self.pos = match.end()
        while True:
            self.newlines()
            match = HEAD.match(text, self.pos)
            if match and match.group() == "esac":
                self.pos = match.end()
                return
            self._patterns()
            token = self.listing()
            if token == "esac":
                return
            if token not in CLAUSE_ENDS:
                self.pos -= len(token)
                raise self.fail("';;' expected")

    def _patterns(self) -> None:
        """Read ``(pattern | pattern)``, the first parenthesis being optional."""
        text = self.text
        if text.startswith("(", self.pos):
            self.pos += 1
            self.blanks()
        while True:
            word = self.word()
            if word.raw == "esac" or "\\\n" in word.raw:
                raise self.fail("a pattern that is not understood")
            self.found.words.append(word)
            self.blanks()
            char = text[self.pos : self.pos + 1]
            if char not in ("|", ")"):
                raise self.unexpected()
            self.pos += 1
            if char == ")":
                return
            self.blanks()

    def _double_parenthesis(self) -> int:
        """Read from behind ``((`` to behind ``))``; the number of semicolons between."""
        semicolons = self.checked_arithmetic(")")
        if not self.text.startswith(")", self.pos):
            raise self.fail("'((' that is no arithmetic")
        self.pos += 1
        return semicolons

    def _condition(self) -> None:
        self.condition()

    def _coproc(self) -> None:
        if self.nested:
            # bash writes substitutions out and reads them again, coprocesses not faithfully.
            raise self.fail("a coprocess in a substitution")
        self.pos += len("coproc")
        self.blanks()
        match = _COPROC_NAME.match(self.text, self.pos)
        if match and match[1] not in RESERVED:
            self.pos = match.end()
            outer, self.piped = self.piped, True
            self._compound()
        else:
            outer, self.piped = self.piped, True
            head = HEAD.match(self.text, self.pos)
            if (head and head.group() in _COMPOUNDS) or self.text.startswith("(", self.pos):
                self._compound()
            else:
                self._coproc_simple()
        self.piped = outer

    def _coproc_simple(self) -> None:
        count = len(self.found.commands)
        functions = len(self.found.functions)
        self.simple()
        if len(self.found.functions) > functions:
            raise self.fail("a function as a coprocess")
        words = self.found.commands[-1].words if len(self.found.commands) > count else ()
        if not words or words[0].raw in RESERVED or (len(words) > 1 and words[1].raw in RESERVED):
            raise self.fail("a coprocess that is not understood")

    def _keyword_function(self) -> None:
        self.pos += len("function")
        self.blanks()
        match = _FUNCTION_NAME.match(self.text, self.pos)
        if not match or match[1] in RESERVED:
            raise self.fail("the name of a function expected")
        self.pos = match.end()
        self.function_body(match[1])

    def function_body(self, name: str) -> None:
        """Read the compound command that is the body of a function.

        Where it will be called is not known here, so its commands count as piped.
        """
        self.newlines()
        self.found.functions.append(name)
        outer, self.piped = self.piped, True
        self._compound()
        self.piped = outer


_COMPOUNDS: dict[str, Callable[[Compounds], object]] = {
    "{": Compounds._group,
    "if": Compounds._if,
    "while": Compounds._loop,
    "until": Compounds._loop,
    "for": Compounds._for,
    "select": Compounds._for,
    "case": Compounds._case,
    "[[": Compounds._condition,
}
