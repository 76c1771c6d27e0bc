"""Whether a program for ``sed`` or ``awk`` only turns text into text.

Both languages can run commands and write files. What is not certainly harmless is not
harmless: a text that implementations may read in two ways counts as dangerous.
Sources: the POSIX pages of sed and awk, the manuals of GNU sed 4.9 and gawk 5.
"""

from __future__ import annotations

import re

from pi.tools.shell.pattern import pattern

# A regular expression between two slashes (below: between two ``D``). The delimiter must
# not stand in a bracket expression, where some versions of sed see it and some do not.
_REGEX = r"(?:\\[^\n]|\[\^?\]?(?:\[:[a-z]+:\]|\\(?![\]D])|[^\]\[\\D\n])*\]|[^\\\[D\n])*"
_ADDRESS = r"(?:\d+(?:~\d+)?|\$|/" + _REGEX.replace("D", "/") + r"/[IM]*)"
_ADDRESSES = pattern(rf"(?:{_ADDRESS}(?:\s*,\s*(?:{_ADDRESS}|[+~]\d+))?)?\s*(?:!\s*)?")
_SED_COMMAND = pattern(
    r"[{}=dDgGhHnNpPxzF]"
    r"|[lqQ]\s*\d*"
    r"|:\s*[\w.-]+"
    r"|[btT][ \t]*[\w.-]*"
    r"|[aic](?:\\\n|\\[^\n]|[^\\\n])*\\?"
    r"|[rR][^\n]*"
    r"|#[^\n]*"
)
_SED_GAP = pattern(r"[\s;]*")
_SED_END = pattern(r"[ \t]*(?:[;\n#}]|$)")
_FLAGS = pattern(r"[0-9gpiImM]*")


def sed_is_harmless(program: str) -> bool:
    """Whether the script neither runs a command (``e``) nor writes a file (``w``)."""
    at = _skip(program, 0)
    while at < len(program):
        found = _ADDRESSES.match(program, at)
        at = found.end() if found else at
        command = program[at : at + 1]
        end = _after_pair(program, at) if command in ("s", "y") else _after_other(program, at)
        if end < 0:
            return False
        if command not in ("{", "}") and not _SED_END.match(program, end):
            return False
        at = _skip(program, end)
    return True


def _skip(program: str, at: int) -> int:
    found = _SED_GAP.match(program, at)
    return found.end() if found else at


def _after_other(program: str, at: int) -> int:
    found = _SED_COMMAND.match(program, at)
    return found.end() if found and found.end() > at else -1


def _after_pair(program: str, at: int) -> int:
    """Behind ``s/regex/replacement/flags`` or ``y/from/to/``, -1 if it cannot be told."""
    delimiter = program[at + 1 : at + 2]
    if not delimiter or delimiter in "\\\n[]DIM" or delimiter.isalnum():
        return -1
    mark = re.escape(delimiter)
    regex = _REGEX.replace("D", mark)
    pair = re.compile(rf"{mark}{regex}{mark}(?:\\(?:.|\n)|[^\\{mark}\n])*{mark}")
    found = pair.match(program, at + 1)
    if found is None:
        return -1
    flags = _FLAGS.match(program, found.end()) if program[at] == "s" else None
    return flags.end() if flags else found.end()


# Commands run by ``system`` and pipes; files written by print; code loaded with "@".
_AWK_DANGER = pattern(
    r"\bsystem\b|\bgetline\b|(?<!\|)\|(?!\|)|\|&|@\s*[A-Za-z_]|\bprint.*>|\\\n", re.DOTALL
)


def awk_is_harmless(program: str) -> bool:
    """Whether the program certainly runs nothing, writes nothing and loads nothing.

    A single ``|`` counts even inside a regular expression or a string: what is a regular
    expression cannot be told without parsing the whole language.
    """
    return _AWK_DANGER.search(program) is None
