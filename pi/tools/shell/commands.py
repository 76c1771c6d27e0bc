"""Simple commands: assignments, words, redirections; and function definitions."""

from __future__ import annotations

import re

from pi.tools.shell.expansions import NAME
from pi.tools.shell.pattern import pattern
from pi.tools.shell.plain import COMMAND, simple_command
from pi.tools.shell.syntax import RESERVED, Assignment, Redirect, Simple, Word
from pi.tools.shell.tape import HereDocument
from pi.tools.shell.words import Words

REDIRECT = pattern(
    rf"([0-9]{{1,9}}|\{{{NAME}\}})?(<<<|<<-|<<|<>|<&|<(?!\()|>>|>\||>&|>(?!\())|(&>>|&>)"
)
_ASSIGN = pattern(rf"({NAME})(?:(\+?=)|\[)")
_EQUALS = pattern(r"\+?=")
# What may follow a compound word or command without a blank.
ENDS = ("", " ", "\t", "\n", ";", "&", "|", ")", "<", ">")
# The commands whose arguments bash reads as assignments, arrays included.
_DECLARING = frozenset(("declare", "typeset", "local", "export", "readonly"))
_FUNCTION = pattern(r"[A-Za-z0-9_.:/,%^-]+")
_NONE: tuple[()] = ()


class Commands(Words):
    __slots__ = ()

    def plain_simple(self) -> bool:
        """Read a command as plain as most; whether there was one."""
        plain = COMMAND.match(self.text, self.pos)
        found = self.found
        simple = simple_command(plain, self.piped, self.nested, found.known) if plain else None
        if plain is None or simple is None:
            return False
        self.pos = plain.end(2)
        found.commands.append(simple)
        return True

    def simple(self) -> None:
        """Read a simple command, or the definition of a function by ``name()``."""
        text = self.text
        start = self.pos
        words = self.plain_command()
        assignments: list[Assignment] = []
        redirects: list[Redirect] = []
        while True:
            self.blanks()
            char = text[self.pos : self.pos + 1]
            if not char or char in "\n;|)#":
                break
            if char in "<>&{0123456789":
                redirect = REDIRECT.match(text, self.pos)
                if redirect:
                    redirects.append(self.redirect(redirect))
                    if words:
                        self.plain_words(words)
                    continue
                if char == "&":
                    break
            if char == "(":
                if len(words) == 1 and not assignments and not redirects:
                    self._function(words[0])
                    return
                raise self.unexpected()
            assigned = None if words else _ASSIGN.match(text, self.pos)
            if assigned:
                assignments.append(self._assignment(assigned, plain_only=bool(redirects)))
            else:
                words.append(self._argument(words[0]) if words else self._first())
                if text.startswith(("<", ">"), self.pos):
                    self._check_descriptor(words[-1])
                self.plain_words(words)
        if not (words or assignments or redirects):
            raise self.unexpected()
        self.found.commands.append(
            Simple(
                tuple(words),
                tuple(assignments) if assignments else _NONE,
                tuple(redirects) if redirects else _NONE,
                start,
                self.piped,
                self.nested,
            )
        )

    def _first(self) -> Word:
        """Read a command's name."""
        word = self.word()
        if "\n" in word.raw:
            joined = word.raw.replace("\\\n", "")
            if joined in RESERVED or _ASSIGN.match(joined):
                raise self.fail("a line continuation inside a word the shell must know")
        return word

    def _argument(self, command: Word) -> Word:
        """Read an argument; those of ``declare`` and its like may be arrays."""
        if command.raw in _DECLARING:
            assigned = _ASSIGN.match(self.text, self.pos)
            if assigned and assigned[2] and self.text.startswith("(", assigned.end()):
                start = self.pos
                self.pos = assigned.end()
                self._array()
                return Word(self.text[start : self.pos], None, assigned.group())
        return self.word()

    def _check_descriptor(self, word: Word) -> None:
        """Refuse what bash takes for a descriptor and ``REDIRECT`` does not."""
        raw = word.raw.replace("\\\n", "")
        if raw.isdigit() or (raw.startswith("{") and raw.endswith("}")):
            raise self.fail("a descriptor that is not understood")

    def _assignment(self, match: re.Match[str], plain_only: bool) -> Assignment:
        """Read an assignment whose beginning is matched.

        ``plain_only``: behind a redirection, bash reads subscripts and arrays only sometimes.
        """
        self.pos = match.end()
        subscript = not match[2]
        if plain_only and (subscript or self.text.startswith("(", self.pos)):
            raise self.fail("an array behind a redirection")
        if subscript:
            self.checked_arithmetic("]")
            equals = _EQUALS.match(self.text, self.pos)
            if not equals:
                raise self.fail("a subscript without '='")
            self.pos = equals.end()
        start = self.pos
        if not self.text.startswith("(", start):
            return Assignment(match[1], self.word_tail())
        if subscript:
            raise self.unexpected()
        self._array()
        return Assignment(match[1], Word(self.text[start : self.pos], None, ""))

    def _array(self) -> None:
        """Read ``(word ...)`` behind ``NAME=``."""
        self.enter()
        opened = self.pos
        documents = self.documents
        self.pos += 1
        self.check_whole("(")
        blocked, self.blocked = self.blocked, self.blocked or bool(self.pending)
        while True:
            self.newlines()
            char = self.text[self.pos : self.pos + 1]
            if char == ")":
                break
            if not char:
                raise self.fail("array without its end", opened)
            if char == "[":
                self.pos += 1
                self.checked_arithmetic("]")
                self.word_tail()
            else:
                self.word()
        self.blocked = blocked
        self.pos += 1
        self.leave()
        if self.text[self.pos : self.pos + 1] not in ENDS:
            raise self.fail("text behind an array")
        if self.documents != documents:
            # bash writes the array out and reads it again, here-documents not faithfully.
            raise self.fail("a here-document inside an array", opened)

    def redirect(self, match: re.Match[str]) -> Redirect:
        """Read a redirection whose operator is matched."""
        operator = match[2] or match[3]
        descriptor = match[1] or ""
        self.pos = match.end()
        self.check_whole(operator)
        self.blanks()
        if operator in ("<<", "<<-"):
            self._announce(strip_tabs=operator == "<<-")
            return Redirect(operator, descriptor, None)
        target = self.word()
        copies = operator in (">&", "<&")
        if self.text.startswith(("<", ">"), self.pos) and not (copies and target.raw.isdigit()):
            self._check_descriptor(target)
        if copies and target.raw[0] == "-" and target.raw != "-":
            raise self.fail("text behind '&-'")
        return Redirect(operator, descriptor, target)

    def _announce(self, strip_tabs: bool) -> None:
        """Read the delimiter of a here-document, whose text is due at the next line."""
        start = self.pos
        word = self.word()
        delimiter = word.value
        if not delimiter or "\n" in word.raw or "$" in word.raw or delimiter.startswith("\t"):
            raise self.fail("a here-document delimiter that is not understood", start)
        self.documents += 1
        self.pending.append(HereDocument(delimiter, word.quoted, strip_tabs, self.piped))

    def _function(self, name: Word) -> None:
        """Read the definition of the function ``name`` from its parentheses on."""
        if not _FUNCTION.fullmatch(name.raw):
            raise self.unexpected()
        self.pos += 1
        self.blanks()
        if not self.text.startswith(")", self.pos):
            raise self.unexpected()
        self.pos += 1
        self.function_body(name.raw)

    def function_body(self, name: str) -> None:
        """Read the compound command that is the body of a function."""
        raise NotImplementedError
