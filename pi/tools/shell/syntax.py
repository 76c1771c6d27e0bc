"""What a shell command says, as far as a policy needs to know it.

The tree is flat: every simple command of the text is one ``Simple``, in the order in
which it stands, wherever it is nested: in a list, a pipeline, a compound command, a
function, a substitution, a here-document.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

# Words that are no command where a command begins.
# fmt: off
RESERVED = frozenset((
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
))
# fmt: on


class Word(NamedTuple):
    """One word. ``value`` is what it is after quotes are removed, or None when only the
    running shell can know: it holds a parameter, a substitution, arithmetic.

    ``glob`` says that an unquoted ``* ? [``, a leading ``~`` or a brace expansion may turn
    it into something else. ``prefix`` is the literal text before the first expansion.
    ``quoted`` says that any part stands in quotes or behind a backslash.
    """

    raw: str
    value: str | None
    prefix: str
    glob: bool = False
    quoted: bool = False


class Assignment(NamedTuple):
    """``NAME=value``, ``NAME+=value`` or ``NAME[index]=value`` before a command or alone."""

    name: str
    value: Word


class Redirect(NamedTuple):
    """``operator`` is one of ``< > >> >| <> <& >& &> &>> << <<- <<<``.

    ``descriptor`` is the number or ``{name}`` written before it, "" if none. ``target`` is
    None for a here-document.
    """

    operator: str
    descriptor: str
    target: Word | None


class Simple(NamedTuple):
    """A simple command; ``words`` may be empty when it only assigns or redirects.

    ``offset`` is where it begins in the text, in characters. ``piped`` says that the
    output of another command is its standard input. ``nested`` says that it stands in a
    substitution, so that its output becomes part of another command.
    """

    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    offset: int = 0
    piped: bool = False
    nested: bool = False


class Script(NamedTuple):
    """A whole command line.

    ``functions`` are the names it defines. ``redirects`` are those behind compound
    commands. ``words`` are words that are no part of a simple command but are expanded:
    the list of a ``for``, the subject and patterns of a ``case``.
    """

    commands: tuple[Simple, ...]
    functions: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    words: tuple[Word, ...] = ()


def may_expand(bare: str) -> bool:
    """Whether the unquoted text of a word names files, homes or several words."""
    if "*" in bare or "?" in bare:
        return True
    if "~" in bare and (bare[0] == "~" or ":~" in bare or "=~" in bare):
        return True
    opened = bare.find("[")
    if opened >= 0 and bare.rfind("]") > opened:
        return True
    opened = bare.find("{")
    if opened < 0:
        return False
    closed = bare.rfind("}")
    return closed > opened and ("," in bare[opened:closed] or ".." in bare[opened:closed])


class ShellSyntaxError(Exception):
    """Text that is no shell command, or one this reader does not understand.

    ``offset`` is where, in characters from 0. Whoever asks must treat it as unknown.
    """

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"{reason} at character {offset + 1}")
        self.reason = reason
        self.offset = offset
