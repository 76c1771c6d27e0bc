"""The words behind a command's name: one tokenizer, one set of rules for all commands.

Shell quoting (POSIX, as ``shlex`` reads it); ``--flag value`` and ``--flag=value``; ``--``
ends the flags; an unknown flag is an error. A command that takes one path or name takes
all words as that one, so that a path with blanks needs no quotes.
"""

from __future__ import annotations

import os

from pi.base.typing import Any, NamedTuple
from pi.commands.suggest import did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.commands.spec import CommandSpec, Option


class ArgumentError(Exception):
    """Words that the command does not take, and why. ``is_count``: too many or too few,
    which the command's usage says best. ``near``: lines that tell what may be meant."""

    def __init__(self, why: str, *, is_count: bool = False, near: Sequence[str] = ()) -> None:
        super().__init__(why)
        self.is_count = is_count
        self.near = tuple(near)


class Arguments(NamedTuple):
    """``words`` are the plain ones; ``options`` maps names without dashes to True, a text
    or a number, for those that were given. ``raw`` is the text as it was typed."""

    words: tuple[str, ...]
    options: Mapping[str, Any]
    as_json: bool
    raw: str

    def word(self, index: int = 0) -> str:
        """The plain word at ``index``, "" if there is none."""
        return self.words[index] if index < len(self.words) else ""


def split_line(line: str) -> tuple[str, str]:
    """The name (everything up to the first blank) and the rest, both trimmed."""
    name, _, rest = line.strip().partition(" ")
    for index, sign in enumerate(name):
        if sign.isspace():
            return name[:index], f"{name[index + 1 :]} {rest}".strip()
    return name, rest.strip()


def read_arguments(spec: CommandSpec, raw: str) -> Arguments:
    """Judge ``raw`` by the command's row. Raises ArgumentError."""
    _check_signs(raw)
    options = {f"--{option.name}": option for option in spec.options}
    words: list[str] = []
    given: dict[str, Any] = {}
    as_json = False
    tokens = list(reversed(_tokens(raw, spec)))
    while tokens:
        token = tokens.pop()
        if token == "--":
            words.extend(reversed(tokens))
            break
        is_rest = spec.rest is not None and len(words) >= spec.rest
        is_first_json = token == "--json" and not words and not as_json
        if (is_rest and not is_first_json) or not token.startswith("--"):
            words.append(token)
            continue
        name, equals, value = token.partition("=")
        if name == "--json" and not equals:
            as_json = True
            continue
        option = options.get(name)
        if option is None:
            near = did_you_mean(name, (*options, "--json"))
            raise ArgumentError(f"unknown flag {name!r}", near=near)
        if option.kind == "switch":
            if equals:
                raise ArgumentError(f"{name} takes no value")
            given[option.name] = True
            continue
        if not equals:
            if not tokens:
                raise ArgumentError(f"missing value for {name}")
            value = tokens.pop()
        given[option.name] = _value(option, value)
    if spec.whole and len(words) > 1:
        words = [" ".join(words)]
    least, most = spec.words
    if len(words) < least:
        raise ArgumentError("something is missing", is_count=True)
    if len(words) > most:
        raise ArgumentError(f"unexpected {words[most]!r}", is_count=True)
    return Arguments(tuple(words), given, as_json, raw)


def _check_signs(raw: str) -> None:
    """No path, name or text holds these; the system's own words about them are no help."""
    if "\0" in raw:
        raise ArgumentError("a NUL character")
    try:
        os.fsencode(raw)
    except UnicodeEncodeError:
        raise ArgumentError("half a character") from None


def _tokens(raw: str, spec: CommandSpec) -> list[str]:
    if not any(sign in raw for sign in "\"'\\"):
        return raw.split()
    import shlex  # 6 ms, and only where something is quoted

    try:
        return shlex.split(raw)
    except ValueError as exc:
        if spec.whole or spec.rest is not None:
            return raw.split()  # an apostrophe in a path or in foreign words
        raise ArgumentError(f"{str(exc).lower()} in {raw!r}") from None


def _value(option: Option, text: str) -> Any:
    if option.kind == "int":
        if not (text.isascii() and text.isdigit()) or len(text) > 19:
            raise ArgumentError(f"invalid --{option.name} {text!r}; expected an integer")
        number = int(text)
        if number < option.minimum:
            raise ArgumentError(f"--{option.name} must be at least {option.minimum}")
        if number > option.maximum:
            raise ArgumentError(f"--{option.name} must be at most {option.maximum}")
        return number
    if option.choices and text.lower() not in option.choices:
        raise ArgumentError(
            f"invalid --{option.name} {text!r}; expected one of {', '.join(option.choices)}"
        )
    return text.lower() if option.choices else text
