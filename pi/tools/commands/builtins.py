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
_WAIT_WORD = pattern(r"-[nf]+|--|\d+|%[\w%+-]*")
# A format that stores how much was printed so far in the variable it is given.
_COUNTS = pattern(r"%[^A-Za-z%\\]*[hlLjzt]*n")
# The end of a word that can be no end of a variable's name or index.
_NO_NAME = pattern(r"""(?:\\\w|[^\w\]})$`"'])"$""")


def judge_test(name: str, words: Sequence[Word], strict: bool) -> None:
    for at, word in enumerate(words):
        if strict and not one_word(word):
            refuse(name, f"'{shown(word.raw)}' may become several words")
        if literal(word) in _OPERATORS_ON_NAMES and at + 1 < len(words):
            variable = literal(words[at + 1])
            if variable is None or not is_name(variable):
                refuse(name, f"'{shown(words[at + 1].raw)}' is evaluated, not just looked up")
        if literal(word) is None and at + 1 < len(words):
            # It may become -v.
            variable = literal(words[at + 1])
            if strict if variable is None else "[" in variable:
                refuse(name, f"'{shown(words[at + 1].raw)}' may be evaluated")
    if strict and len(words) > 1 and literal(words[0]) is None and len(words) - (name == "[") < 3:
        refuse(name, f"'{shown(words[0].raw)}' may become an operator")


def judge_declare(name: str, words: Sequence[Word], strict: bool) -> None:
    options = True
    arrays = name in ("declare", "typeset", "local")  # of a variable that is one
    for word in words:
        text = literal(word)
        if options and text is not None and text[:1] in ("-", "+") and len(text) > 1:
            if text[1:].strip("aAglnprux" if name in ("export", "readonly") else "aAgluprx"):
                refuse(name, f"its option '{shown(text)}' cannot be judged")
            if text == "--":
                options = False
            arrays = arrays or "a" in text or "A" in text
            continue
        set_variable(name, word)
        if arrays:
            _judge_array(name, word)


def _judge_array(name: str, word: Word) -> None:
    """``NAME=value`` where a value in parentheses is read as shell text once more."""
    start = word.prefix if word.value is None else word.value
    value = start.partition("=")[2]
    if word.raw.partition("=")[2][:1] == "(":
        return  # not quoted: what stands in it was read, and is expanded but once
    if value[:1] == "(" or (word.value is None and not value):
        refuse(name, "the value of an array is text that the shell may run")


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
    at = 0
    text: str | None = ""
    while at < len(words):
        text = literal(words[at])
        if text is None or not text.startswith("-v"):
            break
        at += 1
        variable: str | None = text[2:]
        if not variable:
            variable = literal(words[at]) if at < len(words) else None
            at += 1
        if variable is None:
            refuse(name, "which variable it sets is known only when it runs")
        judge_name(name, variable)
    if text == "--":
        at += 1
    elif text is None and may_be_option(words[at]):
        more = len(words) > at + 1 and _NO_NAME.search(words[at].raw) is None
        if strict or more or not one_word(words[at]):
            refuse(name, f"'{shown(words[at].raw)}' may become an option")
    _judge_format(name, words[at:], strict)


def _judge_format(name: str, words: Sequence[Word], strict: bool) -> None:
    text = literal(words[0]) if words else ""
    if text is not None and _COUNTS.search(text.replace("%%", "")) is None:
        return
    for word in words[1:]:
        variable = literal(word)
        if variable is None:
            if text is not None or strict:
                refuse(name, f"which variable '{shown(word.raw)}' sets is known only when it runs")
        elif is_name(variable):
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
    options = True
    for word in words:
        text = literal(word)
        if text is None:
            if strict and options and word.raw not in ("$!", '"$!"'):
                refuse(name, f"'{shown(word.raw)}' may become an option that sets a variable")
        elif _WAIT_WORD.fullmatch(text) is None:
            refuse(name, f"'{shown(text)}' may set a variable")
        elif text == "--" or text[0] != "-":
            options = False
