"""What may be known of a word before the shell has expanded it."""

from __future__ import annotations

from pi.tools.shell.pattern import pattern
from pi.tools.shell.syntax import Word

_GLOB_STARTS = ("*", "?", "[", "{", "@(", "!(", "+(")

# Quoted expansions, with plain text around; "$@" is many words.
_QUOTED = pattern(r'[\w=./:,+-]*"[^"@]*"[\w=./:,+-]*')


def literal(word: Word) -> str | None:
    """The word's text if the shell can make nothing else of it."""
    return None if word.glob else word.value


def plain(text: str) -> Word:
    return Word(text, text, text)


def unknown(raw: str) -> Word:
    """A word (or several) of which nothing is known."""
    return Word(raw, None, "")


def one_word(word: Word) -> bool:
    """Whether it certainly stays one word: literal, or its expansions in double quotes."""
    if word.value is not None:
        return not word.glob
    return _QUOTED.fullmatch(word.raw) is not None


def may_be_option(word: Word) -> bool:
    """Whether the running shell may make an option of a word that does not spell one."""
    if word.value is not None and not word.glob:
        return False
    start = word.prefix if word.value is None else word.value
    return start[:1] in ("", "-", "+") or (word.glob and word.raw.startswith(_GLOB_STARTS))
