"""The commands in a line that is as plain as most: plain commands, what they substitute of
such lines, and operators, loops and conditions between them.

What it reads it reads exactly as the whole grammar does (there is a law on that), for a
quarter of the time, and without importing it. Of everything else, wrong or only rare, it
says nothing: a line break, a comment, a subshell, ``case``, a here-document.
"""

from __future__ import annotations

from pi.tools.shell.pattern import pattern
from pi.tools.shell.plain import COMMAND, DOUBLE, NOTHING_KNOWN, OPERATORS, OUTPUT, read_command
from pi.tools.shell.syntax import RESERVED, Script, Simple, Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

    from pi.tools.shell.plain import Known
    from pi.tools.shell.syntax import Redirect

_FOR = pattern(r"for +[A-Za-z_][A-Za-z0-9_]* +in(?: +|\Z)")
_DO = pattern(r" *do ")
# Where commands may be substituted: single quotes and backslashes hide them.
_OUTPUTS = pattern(rf"({OUTPUT})|({DOUBLE})|'[^']*'|\\.")
_OUTPUTS_QUOTED = pattern(rf"({OUTPUT})|\\.")
_PIPES = ("|", "|&")
_SEPARATORS = (";", "&")
# The words that begin something, or go on with it, and those that may come then.
_DO_AWAITED = ("do",)
_BEGIN = {"if": ("then",), "while": _DO_AWAITED, "until": _DO_AWAITED}
_GO_ON = {
    "then": ("elif", "else", "fi"),
    "elif": ("then",),
    "else": ("fi",),
    "do": ("done",),
}
_END = ("fi", "done")
_DEEPEST = 20
_NONE: tuple[()] = ()

_make = tuple.__new__


def quick(text: str, known: Known = NOTHING_KNOWN) -> Script | None:
    """All commands in ``text``, or None if it is not plain enough to say.

    ``known`` is as in ``reader.parse``.
    """
    if not text.isprintable():
        return None
    found = _Found(text, known)
    if not _List(found, False, False).read(0, len(text)):
        return None
    return _make(Script, (tuple(found.commands), _NONE, tuple(found.redirects), tuple(found.words)))


class _Found:
    """What is gathered, in the order in which it stands."""

    __slots__ = ("commands", "known", "redirects", "text", "words")

    def __init__(self, text: str, known: Known) -> None:
        self.text = text
        self.known = known
        self.commands: list[Simple] = []
        self.redirects: list[Redirect] = []
        self.words: list[Word] = []


class _List:
    """Where reading stands in the commands up to an end.

    ``around`` holds, of each compound command that is open, the words that may come and
    what ``outer`` was. ``outer`` and ``piped`` say whether the first command of a pipeline
    here, and the next one, have the output of another for input. ``begun``: no command yet
    behind an opening word, so that nothing may end.
    """

    __slots__ = ("around", "begun", "ended", "found", "nested", "operator", "outer", "piped")

    def __init__(self, found: _Found, piped: bool, nested: bool) -> None:
        self.found = found
        self.around: list[tuple[tuple[str, ...], bool]] = []
        self.outer = self.piped = piped
        self.nested = nested
        self.operator = ";"
        self.begun = True
        self.ended = False

    def read(self, pos: int, end: int) -> bool:
        """Read from ``pos`` to ``end``; whether all of it could be."""
        found, nested = self.found, self.nested
        known, commands = found.known, found.commands
        for match in COMMAND.finditer(found.text, pos, end):
            plain, rest, follows = match.groups()
            if follows not in OPERATORS:
                return False
            words = known.get(plain.partition(" ")[0])
            if words is not None and ">" not in rest and "<" not in rest:
                facts = (words, _NONE, _NONE, match.start(1), self.piped, nested)
                commands.append(_make(Simple, facts))
                self.begun = False
            elif not (plain or rest):
                # Behind a separator, and then this is the last match.
                return not follows and self.operator in _SEPARATORS and self._is_over()
            elif not self._command(plain, rest, match):
                return False
            if rest and ("$(" in rest or "`" in rest) and not self._outputs(*match.span(2)):
                return False
            if not follows:
                break
            self.operator = follows
            self.piped = follows in _PIPES or self.outer
        return self._is_over()

    def _command(self, plain: str, rest: str, match: re.Match[str]) -> bool:
        """Take a command of any kind; whether that was possible."""
        first = plain.partition(" ")[0]
        words = None
        if first in RESERVED:
            left = self._reserved(plain, rest, match.end())
            if left is None:
                return False
            if self.ended:
                self.ended = False
                return True
            plain = left
            words = self.found.known.get(plain.partition(" ")[0])
        start = match.end(1) - len(plain)
        if words is not None and ">" not in rest and "<" not in rest:
            facts = (words, _NONE, _NONE, start, self.piped, self.nested)
            simple: Simple | None = _make(Simple, facts)
        elif plain or rest:
            simple = read_command(plain, rest, (start, self.piped, self.nested))
        else:
            simple = None
        if simple is None:
            return False
        self.found.commands.append(simple)
        self.begun = False
        return True

    def _is_over(self) -> bool:
        return not (self.begun or self.around)

    def _reserved(self, plain: str, rest: str, pos: int) -> str | None:
        """Take the reserved words with which a command begins.

        What is left of its ``plain`` words, or None if that cannot be said. ``ended`` is set
        if it was no command at all, but the end of a compound one or the list of a loop.
        """
        around = self.around
        while True:
            first, _, left = plain.partition(" ")
            if first in _BEGIN:
                around.append((_BEGIN[first], self.outer))
                self.outer = self.piped
            elif first in _GO_ON or first in _END:
                if self.begun or self.operator not in _SEPARATORS or not around:
                    return None
                awaited, outer = around.pop()
                if first not in awaited:
                    return None
                if first in _END:
                    self.outer, self.ended = outer, True
                    return None if left or not self._redirected(rest) else ""
                around.append((_GO_ON[first], outer))
            elif first == "for":
                around.append((_DO_AWAITED, self.outer))
                self.outer, self.begun, self.ended = self.piped, False, True
                return "" if self._listed(plain, rest, pos) else None
            elif first != "!" or self.operator in _PIPES:
                return None if first in RESERVED else plain
            if len(around) > _DEEPEST:
                return None
            self.operator = ""
            self.begun = True
            plain = left.lstrip(" ")

    def _redirected(self, rest: str) -> bool:
        """Take the redirections behind a compound command; whether there is nothing else."""
        if not rest:
            return True
        simple = read_command("", rest, (0, False, False))
        if simple is None or simple.words or simple.assignments:
            return False
        self.found.redirects += simple.redirects
        return True

    def _listed(self, plain: str, rest: str, pos: int) -> bool:
        """Take the words of a ``for``, behind which its body must begin, at ``pos``."""
        text = self.found.text
        head = _FOR.match(plain)
        if head is None or text[pos - 1] != ";" or not _DO.match(text, pos):
            return False
        # Any name before them makes arguments of them.
        simple = read_command("for_ " + plain[head.end() :], rest, (0, False, False))
        if simple is None or simple.redirects:
            return False
        self.found.words += simple.words[1:]
        return True

    def _outputs(self, start: int, end: int) -> bool:
        """Read the commands that are substituted in this part of the text."""
        text = self.found.text
        for match in _OUTPUTS.finditer(text, start, end):
            if match.lastindex == 1:
                if not self._output(*match.span()):
                    return False
            elif match.lastindex == 2:
                for inner in _OUTPUTS_QUOTED.finditer(text, match.start() + 1, match.end() - 1):
                    if inner.lastindex == 1 and not self._output(*inner.span()):
                        return False
        return True

    def _output(self, start: int, end: int) -> bool:
        begin = start + (1 if self.found.text[start] == "`" else 2)
        return _List(self.found, self.piped, True).read(begin, end - 1)
