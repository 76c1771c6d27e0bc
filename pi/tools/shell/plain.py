"""One simple command that is as plain as most: words, quotes, parameters, redirections.

What is read here is read exactly as the whole grammar does; of all else nothing is said.
"""

from __future__ import annotations

from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import (
    RESERVED,
    Assignment,
    Redirect,
    Simple,
    Word,
    may_expand,
)

_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_])"
# What may stand behind the operator of ${x:-word} without meaning anything of its own.
_LITERAL = r"[A-Za-z0-9_./:,@%+=*?#-]*"
_PARAMETER = rf"\$(?:{_NAME}|[0-9?@*#!]|\{{{_NAME}(?:(?::?[-=?+]|[#%^,/]){_LITERAL})?\}})"
# What stands inside must prove to be commands: then it ends where it seems to.
OUTPUT = (
    r"""\$\((?!\()[^()`\\"'\t\n]*(?:(?:'[^'\n]*'|"[^"`\\(\n]*")[^()`\\"'\t\n]*)*\)"""
    r"""|`[^()`\\"'\t\n]*`"""
)
_EXPANSION = f"{_PARAMETER}|{OUTPUT}"
DOUBLE = rf'"[^"$`\\]*(?:(?:\\.|{_EXPANSION})[^"$`\\]*)*"'
# One command: blanks; the plain words with which it begins; its other words and its
# redirections; the operator behind it, "" at an end, or a character that is none. Its
# last part always matches, and none can match at two lengths: nothing is tried twice.
COMMAND = pattern(
    r" *((?:[^ \t\n|&;()<>$`\"'\\*?\[{~#]+(?: +|(?=[\n;|&)]|\Z)))*)"
    rf"((?:[^\t\n|&;()<>$`\"'\\#]+|'[^']*'|{DOUBLE}|\\.|{_EXPANSION}|[<>]+(?:&[0-9])?|&>+)*)"
    r"(&&?|\|[|&]?|;[;&]?|.?)"
)
# A part of it: a redirection, with its target if that is one word without quotes; a word
# without quotes; all of a word in quotes; any other word; or what is not read here.
_BARE = r"([^ <>&$`\"'\\]+)"
_PART = pattern(
    rf" *(?:([0-9]?)(>&(?=[0-9](?: |\Z))|>>?|<|&>>?) *(?:{_BARE}(?= |\Z))?|{_BARE}(?= |\Z)"
    r"|'([^']*)'(?= |\Z)|\"([^\"$`\\]*)\"(?= |\Z)"
    rf"|((?:[^ <>&$`\"'\\]+|'[^']*'|{DOUBLE}|\\.|{_EXPANSION})+)|([^ ]))"
)
_UNUSUAL = pattern(r"[<>&$`\"'\\]")  # in a part: more than words without quotes
_PIECE = pattern(rf"([^$`\"'\\]+)|'([^']*)'|\"([^\"$`\\]*)\"|\\(.)|({DOUBLE})|({_EXPANSION})")
_ONLY_ASSIGNMENT = pattern(rf"({_NAME})=({_EXPANSION})")
_ONLY_EXPANSION = pattern(_EXPANSION)
_QUOTED_PIECE = pattern(rf"([^$`\\]+)|\\([$`\"\\])|(\\)|({_EXPANSION})")
OPERATORS = frozenset(("&&", "||", "|", "|&", ";", "&", ""))
_ENDS = OPERATORS | {")", ";;", ";&"}

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping

    # What stands for the words of a command, by its name: see ``reader.parse``.
    Known = Mapping[str, tuple[Word, ...]]

_make = tuple.__new__
_NONE: tuple[()] = ()
NOTHING_KNOWN: dict[str, tuple[Word, ...]] = {}


def simple_command(match: re.Match[str], piped: bool, nested: bool, known: Known) -> Simple | None:
    """The command that ``COMMAND`` matched, if it is one, plain enough, and the only one."""
    plain, rest, follows = match.groups()
    if follows not in _ENDS or not (plain or rest) or "$(" in rest or "`" in rest:
        return None
    words = known.get(plain.partition(" ")[0])
    if words is not None and ">" not in rest and "<" not in rest:
        return _make(Simple, (words, _NONE, _NONE, match.start(1), piped, nested))
    return read_command(plain, rest, (match.start(1), piped, nested))


def read_command(plain: str, rest: str, facts: tuple[int, bool, bool]) -> Simple | None:
    """The command of these two groups of ``COMMAND``, without those of its substitutions.

    ``facts`` are its offset and whether it is piped and nested. One of the two is not empty.
    """
    if not plain:
        only = _ONLY_ASSIGNMENT.fullmatch(rest)
        if only is not None:
            name, value = only.groups()
            assignment = _make(Assignment, (name, _make(Word, (value, None, "", False, False))))
            return _make(Simple, (_NONE, (assignment,), _NONE, *facts))
    words = [_make(Word, (raw, raw, raw, False, False)) for raw in plain.split(" ") if raw]
    if rest or "=" in words[0][0]:
        return _with_rest(words, rest, facts)
    if words[0][0] in RESERVED:
        return None
    return _make(Simple, (tuple(words), _NONE, _NONE, *facts))


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
        if kind == 8:
            return None
        if kind == 2 or kind == 3:
            if operator:
                return None
            descriptor, operator = match.group(1, 2)
            if descriptor and operator[0] == "&":
                return None
            if kind == 2:
                continue
        text = match.group(kind or 0)
        if kind == 4 or kind == 3:
            word = _make(Word, (text, text, text, may_expand(text), False))
        elif kind == 7:
            if rest[match.end() : match.end() + 1] not in ("", " "):
                return None
            simple = "\\" not in text and "`" not in text
            if simple and text[0] == '"' and text.find('"', 1) == len(text) - 1:
                # All of it in double quotes: what is known ends where a parameter begins.
                word = _make(Word, (text, None, text[1 : text.index("$")], False, True))
            else:
                word = _mixed(text)
        else:
            quote = "'" if kind == 5 else '"'
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
    if _UNUSUAL.search(raw) is None:
        return _make(Word, (raw, raw, raw, may_expand(raw), False))
    if raw[0] == "$" and _ONLY_EXPANSION.fullmatch(raw) is not None:
        return _make(Word, (raw, None, "", False, False))
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
