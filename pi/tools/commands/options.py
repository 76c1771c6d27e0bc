"""Reading the options of a program as ``getopt_long`` does, by a table.

Source: POSIX utility syntax guidelines, and getopt_long(3) for long options, which may
be abbreviated as long as they are unique, and take their value behind ``=``.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple
from pi.tools.commands.words import literal, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.tools.shell.syntax import Word


class Options(NamedTuple):
    """``flags`` take no value, ``valued`` need one, ``attached`` have one only if it is
    glued on; all three are letters. ``long`` take none or one behind ``=``,
    ``long_valued`` need one.
    """

    flags: str = ""
    valued: str = ""
    attached: str = ""
    long: tuple[str, ...] = ()
    long_valued: tuple[str, ...] = ()


class Given(NamedTuple):
    """One option: its letter, or its long name in full."""

    name: str
    value: Word | None = None


class UnknownOption(Exception):
    """An option that is not in the table, or whose value cannot be known."""


def read_options(words: Sequence[Word], options: Options) -> tuple[list[Given], Sequence[Word]]:
    """The options at the beginning, and what follows them."""
    given: list[Given] = []
    at = 0
    while at < len(words):
        text = literal(words[at])
        if text is None or text == "-" or not text.startswith("-"):
            break
        at += 1
        if text == "--":
            break
        if text.startswith("--"):
            name, equals, attached = text[2:].partition("=")
            name = _full_name(name, options)
            needs = name in options.long_valued
            value = plain(attached) if equals else None
        else:
            name, attached = _cluster(text, options, given)
            needs = name in options.valued
            value = plain(attached) if attached else None
        if needs and value is None:
            if at == len(words) or literal(words[at]) is None:
                raise UnknownOption(text)
            value = words[at]
            at += 1
        given.append(Given(name, value))
    return given, words[at:]


def _full_name(name: str, options: Options) -> str:
    known = (*options.long, *options.long_valued)
    found = [each for each in known if each.startswith(name)]
    if name not in found and len(found) != 1:
        raise UnknownOption(f"--{name}")
    return name if name in found else found[0]


def _cluster(text: str, options: Options, given: list[Given]) -> tuple[str, str]:
    """The last option of ``-xvf...`` with what is glued to it; flags before go to ``given``."""
    for at in range(1, len(text)):
        letter, rest = text[at], text[at + 1 :]
        if letter in options.valued or letter in options.attached:
            return letter, rest
        if letter not in options.flags:
            raise UnknownOption(f"-{letter}")
        if rest:
            given.append(Given(letter))
    return text[-1], ""
