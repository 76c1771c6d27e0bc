"""Words: literal text, quotes and expansions up to a blank or an operator."""

from __future__ import annotations

import re

from pi.tools.shell.expansions import Expansions
from pi.tools.shell.pattern import pattern
from pi.tools.shell.substitutions import BARE, Literal
from pi.tools.shell.syntax import Word, may_expand

# A word of ordinary characters only; what follows must end it.
_ORDINARY = r"[^ \t\n|&;()<>$`\"'\\*?\[{~#][^ \t\n|&;()<>$`\"'\\*?\[{~]*"
_PLAIN = pattern(_ORDINARY + r"(?=[ \t\n;|&()]|[<>](?!\()|\Z)")
# As many of them as there are, each behind a blank. "<" and ">" do not end one here: a
# number before them is a descriptor.
_RUN = rf"(?:[ \t]+{_ORDINARY}(?=[ \t\n;|&)]|\Z))*"
_PLAIN_RUN = pattern(_RUN)
# The same from the beginning of a command, where "=" may make an assignment.
_PLAIN_COMMAND = pattern(
    r"[^ \t\n|&;()<>$`\"'\\*?\[{~#=0-9][^ \t\n|&;()<>$`\"'\\*?\[{~=]*(?=[ \t\n;|&)]|\Z)"
    + _RUN
    + r"[ \t]*"
)
_PIECE = pattern(
    r"""([^ \t\n|&;()<>$`"'\\]+)|'([^']*)'|"([^"$`\\]*)"|\\(.)|([<>]\()|(["'$`\\])""", re.S
)

make = tuple.__new__


class Words(Expansions):
    __slots__ = ()

    def plain_command(self) -> list[Word]:
        """The words of ordinary characters with which a command begins, perhaps none."""
        match = _PLAIN_COMMAND.match(self.text, self.pos)
        if not match:
            return []
        self.pos = match.end()
        return _split(match.group())

    def plain_words(self, into: list[Word]) -> None:
        """Add the words of ordinary characters that follow, each behind a blank."""
        match = _PLAIN_RUN.match(self.text, self.pos)
        if match and match.end() > self.pos:
            self.pos = match.end()
            into += _split(match.group())

    def word(self) -> Word:
        """Read the word at the position; ShellSyntaxError when there is none."""
        start = self.pos
        match = _PLAIN.match(self.text, start)
        if match:
            self.pos = match.end()
            raw = match.group()
            return Word(raw, raw, raw)
        if self.text.startswith("#", start):
            raise self.fail("a word expected, not a comment")
        word = self.word_tail()
        if self.pos == start:
            raise self.unexpected()
        return word

    def word_tail(self) -> Word:
        """Read what is left of a word, perhaps nothing."""
        text = self.text
        start = self.pos
        out = Literal()
        parts = out.parts
        bare: list[str] = []  # what stands outside of quotes, the rest as NUL
        quoted = False
        while True:
            match = _PIECE.match(text, self.pos)
            if not match:
                break
            kind = match.lastindex
            if kind == 1:
                piece = match.group()
                parts.append(piece)
                bare.append(piece)
            elif kind == 2 or kind == 3:
                quoted = True
                parts.append(match.group(kind))
                bare.append("\0")
            elif kind == 4:
                char = match.group(4)
                if char != "\n":
                    quoted = True
                    parts.append(char)
                    bare.append("\0")
            else:
                bare.append("\0")
                quoted = self._begin(match.group(), out) or quoted
                continue
            self.pos = match.end()
        raw = text[start : self.pos]
        glob = may_expand("".join(bare)) if bare else False
        literal = "".join(parts)
        if out.known:
            return Word(raw, literal, literal, glob, quoted)
        return Word(raw, None, out.prefix, glob, quoted)

    def _begin(self, opening: str, out: Literal) -> bool:
        """Read a part of a word that must be taken apart; whether it is quoted."""
        if opening == "$":
            follows = self.text[self.pos + 1 : self.pos + 2]
            self.dollar(out, BARE)
            return bool(follows) and follows in "'\""
        if opening == "`":
            self.backquote(out, BARE)
            return False
        if opening == '"':
            self.pos += 1
            self.double_quotes(out)
            return True
        if opening == "'":
            raise self.fail("quote without its end")
        if opening == "\\":
            raise self.fail("a backslash ends the text")
        out.unknown()
        self.pos += 2
        self.substitution(piped=opening == ">(")
        return False


def _split(run: str) -> list[Word]:
    # Not split(): it would also cut at carriage returns and at blanks beyond ASCII.
    if "\t" in run:
        run = run.replace("\t", " ")
    return [make(Word, (raw, raw, raw, False, False)) for raw in run.split(" ") if raw]
