"""Builtins of the shell that need not be on the list: with what words they may be used.

Which those are says ``registry``. Source: bash(1), SHELL BUILTIN COMMANDS.
"""

from __future__ import annotations

from pi.tools.commands.names import is_guarded, is_name
from pi.tools.commands.refusal import refuse, shown
from pi.tools.commands.words import literal, may_be_option, one_word
from pi.tools.shell.pattern import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.tools.shell.syntax import Word

# What stands behind -v in a test is a variable, and its index is evaluated.
_OPERATORS_ON_NAMES = ("-v", "-R")
_SET_WORD = pattern(r"[-+][euxfC]*o?")
_SET_OPTIONS = frozenset(("errexit", "nounset", "xtrace", "pipefail", "noglob", "noclobber"))
_READ_VALUED = "dinNptu"


def judge_test(name: str, words: Sequence[Word], strict: bool) -> None:
    for at, word in enumerate(words):
        if strict and not one_word(word):
            refuse(name, f"'{shown(word.raw)}' may become several words")
        if literal(word) in _OPERATORS_ON_NAMES and at + 1 < len(words):
            variable = literal(words[at + 1])
            if variable is None or not is_name(variable):
                refuse(name, f"'{shown(words[at + 1].raw)}' is evaluated, not just looked up")
    if strict and len(words) > 1 and literal(words[0]) is None and len(words) - (name == "[") < 3:
        refuse(name, f"'{shown(words[0].raw)}' may become an operator")


def judge_declare(name: str, words: Sequence[Word], strict: bool) -> None:
    options = True
    for word in words:
        text = literal(word)
        if options and text is not None and text[:1] in ("-", "+") and len(text) > 1:
            if text[1:].strip("aAglnprux" if name in ("export", "readonly") else "aAgluprx"):
                refuse(name, f"its option '{shown(text)}' cannot be judged")
            if text == "--":
                options = False
            continue
        set_variable(name, word)


def set_variable(name: str, word: Word) -> None:
    """Judge a word ``NAME`` or ``NAME=value`` that sets a variable."""
    text = literal(word)
    start = text if text is not None else word.prefix
    variable, equals, value = start.partition("=")
    if text is None and not equals:
        refuse(name, f"which variable '{shown(word.raw)}' sets is known only when it runs")
    variable = variable[:-1] if equals and variable.endswith("+") else variable
    judge_name(name, variable)
    judge_value(name, value)


def judge_name(name: str, variable: str) -> None:
    if is_guarded(variable):
        refuse(name, f"setting {shown(variable)} may change what runs")


def judge_value(name: str, value: str) -> None:
    """A text that the shell would run if the variable were used in arithmetic or ``@P``."""
    if "$(" in value or "`" in value or "${" in value:
        refuse(name, "the value is text that the shell may run later")


def judge_read(name: str, words: Sequence[Word], strict: bool) -> None:
    at = 0
    while at < len(words):
        text = literal(words[at])
        if text is None:
            refuse(name, f"which variable '{shown(words[at].raw)}' sets is known only when it runs")
        at += 1
        if text[:1] != "-":
            judge_name(name, text)
            continue
        for position, letter in enumerate(text[1:], 2):
            if letter == "a":  # the name of an array, here or in the next word
                if text[position:]:
                    judge_name(name, text[position:])
                break
            if letter in _READ_VALUED:
                if not text[position:]:
                    _judge_value_word(name, words, at)
                    at += 1
                break
            if letter not in "ersE-":
                refuse(name, f"its option '{shown(text)}' cannot be judged")


def _judge_value_word(name: str, words: Sequence[Word], at: int) -> None:
    if at < len(words) and not one_word(words[at]):
        refuse(name, f"'{shown(words[at].raw)}' may become several words")


def judge_printf(name: str, words: Sequence[Word], strict: bool) -> None:
    if not words:
        return
    first = literal(words[0])
    if strict and first is None and may_be_option(words[0]):
        refuse(name, f"'{shown(words[0].raw)}' may become an option")
    if first is None or not first.startswith("-v"):
        return
    variable = first[2:] or (literal(words[1]) if len(words) > 1 else None)
    if variable is None:
        refuse(name, "which variable it sets is known only when it runs")
    judge_name(name, variable)


def judge_set(name: str, words: Sequence[Word], strict: bool) -> None:
    named = False
    for word in words:
        text = literal(word)
        if text == "--":
            return
        if text is None or not (text in _SET_OPTIONS if named else _is_switch(text)):
            refuse(name, f"'{shown(word.raw)}' may change how the shell works")
        named = not named and text.endswith("o")


def _is_switch(text: str) -> bool:
    return len(text) > 1 and _SET_WORD.fullmatch(text) is not None


def judge_unset(name: str, words: Sequence[Word], strict: bool) -> None:
    for word in words:
        text = literal(word)
        if text is None:
            refuse(name, f"which variable '{shown(word.raw)}' removes is known only when it runs")
        if text not in ("-v", "-f", "--"):
            judge_name(name, text)


def judge_wait(name: str, words: Sequence[Word], strict: bool) -> None:
    for word in words:
        if (literal(word) or word.prefix or "").startswith("-p"):
            refuse(name, "its option '-p' sets a variable")
