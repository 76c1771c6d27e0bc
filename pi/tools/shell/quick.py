"""The commands in a line that is as plain as most: words, quotes, and operators between.

What it reads it reads exactly as the whole grammar does (there is a law on that), for a
third of the time, and without importing it. Of everything else, wrong or only rare, it
says nothing: a line break, a comment, a reserved word, a substitution, a here-document.
"""

from __future__ import annotations

from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import (
    RESERVED,
    Assignment,
    Redirect,
    Script,
    Simple,
    Word,
    may_expand,
)

_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_])"
# What may stand behind the operator of ${x:-word} without meaning anything of its own.
_LITERAL = r"[A-Za-z0-9_./:,@%+=*?#-]*"
_PARAMETER = rf"\$(?:{_NAME}|[0-9?@*#!]|\{{{_NAME}(?:(?::?[-=?+]|[#%^,/]){_LITERAL})?\}})"
_DOUBLE = rf'"[^"$`\\]*(?:(?:\\.|{_PARAMETER})[^"$`\\]*)*"'
# One command: blanks; the plain words with which it begins; its other words and its
# redirections; the operator behind it, "" at an end, or a character that is none. Its
# last part always matches, and none can match at two lengths: nothing is tried twice.
COMMAND = pattern(
    r" *((?:[^ \t\n|&;()<>$`\"'\\*?\[{~#]+(?: +|(?=[\n;|&)]|\Z)))*)"
    rf"((?:[^\t\n|&;()<>$`\"'\\#]+|'[^']*'|{_DOUBLE}|\\.|{_PARAMETER}|[<>]+(?:&[0-9])?|&>+)*)"
    r"(&&?|\|[|&]?|;[;&]?|.?)"
)
# A part of it: a redirection; a word without quotes; all of a word in quotes; any other
# word; or what is not read here.
_PART = pattern(
    r" *(?:([0-9]?)(>&(?=[0-9](?: |\Z))|>>?|<|&>>?) *|([^ <>&$\"'\\]+)(?= |\Z)"
    r"|'([^']*)'(?= |\Z)|\"([^\"$\\]*)\"(?= |\Z)"
    rf"|((?:[^ <>&$\"'\\]+|'[^']*'|{_DOUBLE}|\\.|{_PARAMETER})+)|([^ ]))"
)
_UNUSUAL = pattern(r"[<>&$\"'\\]")  # in a part: more than words without quotes
_PIECE = pattern(rf"([^$\"'\\]+)|'([^']*)'|\"([^\"$\\]*)\"|\\(.)|({_DOUBLE})|({_PARAMETER})")
_QUOTED_PIECE = pattern(rf"([^$\\]+)|\\([$`\"\\])|(\\)|({_PARAMETER})")
_OPERATORS = frozenset(("&&", "||", "|", "|&", ";", "&", ""))
_ENDS = _OPERATORS | {")", ";;", ";&"}

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

_make = tuple.__new__
_NONE: tuple[()] = ()


def quick(text: str) -> Script | None:
    """All commands in ``text``, or None if it is not plain enough to say."""
    if not text.isprintable() or "$(" in text:
        return None
    commands: list[Simple] = []
    operator = ";"
    piped = False
    for match in COMMAND.finditer(text):
        plain, rest, follows = match.groups()
        if not (plain or rest):
            # At the end this is right behind ";" or "&", and there it is the last match.
            if follows or operator not in (";", "&") or not commands:
                return None
            operator = ""
            break
        simple = simple_command(match, piped, False) if follows in _OPERATORS else None
        if simple is None:
            return None
        commands.append(simple)
        operator = follows
        if not operator:
            break
        piped = operator in ("|", "|&")
    return None if operator else _make(Script, (tuple(commands), _NONE, _NONE, _NONE))


def simple_command(match: re.Match[str], piped: bool, nested: bool) -> Simple | None:
    """The command that ``COMMAND`` matched, if it is one and plain enough."""
    plain, rest, follows = match.groups()
    if follows not in _ENDS or not (plain or rest):
        return None
    words = [_make(Word, (raw, raw, raw, False, False)) for raw in plain.split(" ") if raw]
    if rest or "=" in words[0][0]:
        return _with_rest(words, rest, (match.start(1), piped, nested))
    if words[0][0] in RESERVED:
        return None
    return _make(Simple, (tuple(words), _NONE, _NONE, match.start(1), piped, nested))


def _with_rest(plain: list[Word], rest: str, facts: tuple[int, bool, bool]) -> Simple | None:
    """A command of ``plain`` words and what ``rest`` holds."""
    words: list[Word] = []
    assignments: list[Assignment] = []
    redirects: list[Redirect] = []
    if plain and "=" not in plain[0][0] and plain[0][0] not in RESERVED:
        words, plain = plain, words  # nothing to look at in them
    for word in plain:
        if words:
            words.append(word)
        elif not _begin(word, words, assignments):
            return None
    operator = descriptor = ""
    if _UNUSUAL.search(rest) is None:
        for text in rest.split(" "):
            if text:
                word = _make(Word, (text, text, text, may_expand(text), False))
                if words:
                    words.append(word)
                elif not _begin(word, words, assignments):
                    return None
        rest = ""
    for match in _PART.finditer(rest):
        kind = match.lastindex
        if kind == 2:
            if operator:
                return None
            descriptor, operator = match.groups("")[:2]
            if descriptor and operator[0] == "&":
                return None
            continue
        if kind == 7:
            return None
        text = match.group(kind or 0)
        if kind == 3:
            word = _make(Word, (text, text, text, may_expand(text), False))
        elif kind == 6:
            if rest[match.end() : match.end() + 1] not in ("", " "):
                return None
            if text[0] == '"' and text.find('"', 1) == len(text) - 1 and "\\" not in text:
                # All of it in double quotes: what is known ends where a parameter begins.
                word = _make(Word, (text, None, text[1 : text.index("$")], False, True))
            else:
                word = _mixed(text)
        else:
            quote = "'" if kind == 4 else '"'
            word = _make(Word, (f"{quote}{text}{quote}", text, text, False, True))
        if operator:
            redirects.append(_make(Redirect, (operator, descriptor, word)))
            operator = ""
        elif words:
            words.append(word)
        elif not _begin(word, words, assignments):
            return None
    if operator:
        return None
    return _make(
        Simple,
        (
            tuple(words),
            tuple(assignments) if assignments else _NONE,
            tuple(redirects) if redirects else _NONE,
            *facts,
        ),
    )


def _begin(word: Word, words: list[Word], assignments: list[Assignment]) -> bool:
    """Take a word that no other stands before; whether that is possible here."""
    raw = word.raw
    if raw in RESERVED:
        return False
    name, equals, value = raw.partition("=")
    if equals and name.isascii():
        if name.isidentifier():
            assignments.append(Assignment(name, _mixed(value)))
            return True
        if name[-1:] == "+" and name[:-1].isidentifier():
            return False
    if "[" in raw and raw.partition("[")[0].isidentifier():
        return False
    words.append(word)
    return True


def _mixed(raw: str) -> Word:
    """A word of any parts, or of none."""
    parts: list[str] = []
    bare: list[str] = []  # what stands outside of quotes, the rest as NUL
    prefix: str | None = None
    quoted = False
    for match in _PIECE.finditer(raw):
        kind = match.lastindex
        if kind == 1:
            parts.append(match.group())
            bare.append(match.group())
            continue
        bare.append("\0")
        quoted = quoted or kind != 6
        if kind == 6:
            prefix = "".join(parts) if prefix is None else prefix
        elif kind == 5:
            for piece in _QUOTED_PIECE.finditer(match.group()[1:-1]):
                if piece.lastindex == 4:
                    prefix = "".join(parts) if prefix is None else prefix
                else:
                    parts.append(piece.group(piece.lastindex or 0))
        else:
            parts.append(match.group(kind or 0))
    literal = "".join(parts)
    glob = may_expand("".join(bare))
    if prefix is None:
        return _make(Word, (raw, literal, literal, glob, quoted))
    return _make(Word, (raw, None, prefix, glob, quoted))
