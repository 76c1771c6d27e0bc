"""The command line and the environment against the flag table. Pure.

Rules: ``--flag value`` and ``--flag=value``; short flags stand alone; ``--`` ends the
flags; a bool may be bare, ``=VALUE`` or followed by the word true or false; lists are
comma-separated and repeatable; a single value given twice is an error. The command line
beats the environment, which beats the default. An empty variable counts as unset.
"""

from __future__ import annotations

from typing import NamedTuple

from pi.base.errors import ConfigError, UsageError
from pi.cli.flags import BY_NAME, FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.cli.flags import Flag

TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off"}
MAX_INT = 2**63 - 1
# Flags whose value is free text: they take the next word even if it begins with a dash.
FREE_TEXT = {"--prompt", "--system-prompt"}


class Parsed(NamedTuple):
    """Every flag's value; ``sources`` says "flag", "environment" or "default"."""

    values: dict[str, object]
    sources: dict[str, str]
    words: tuple[str, ...]

    def given(self, name: str) -> bool:
        """Whether the flag or its variable was set."""
        return self.sources[name] != "default"


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> Parsed:
    """Read a command line. Raises UsageError, or ConfigError for a bad variable."""
    raw, words = _split(argv)
    values: dict[str, object] = {}
    sources: dict[str, str] = {}
    for flag in FLAGS:
        if flag.name in raw:
            values[flag.name] = _value(flag, raw[flag.name], flag.name, UsageError)
            sources[flag.name] = "flag"
            continue
        text = environ.get(flag.variable, "") if flag.variable else ""
        if text and not any(clash in raw for clash in _clashes(flag)):
            values[flag.name] = _value(flag, [text], flag.variable, ConfigError)
            sources[flag.name] = "environment"
        else:
            values[flag.name] = flag.default
            sources[flag.name] = "default"
    _check_combinations(raw)
    return Parsed(values, sources, tuple(words))


def _split(argv: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
    """Sort words into flags with their raw values and the rest."""
    raw: dict[str, list[str]] = {}
    words: list[str] = []
    rest = list(reversed(argv))
    while rest:
        word = rest.pop()
        if word == "--":
            words.extend(reversed(rest))
            break
        if len(word) < 2 or not word.startswith("-"):
            words.append(word)
            continue
        name, equals, value = word.partition("=")
        flag = BY_NAME.get(name)
        if flag is None:
            raise UsageError(f"unknown flag {name!r}", hint=_suggestion(name))
        if not equals:
            value = _next_value(flag, rest)
        if flag.name in raw and flag.kind not in ("list", "repeat", "bool"):
            raise UsageError(f"{flag.name} is given twice")
        raw.setdefault(flag.name, []).append(value)
    return raw, words


def _next_value(flag: Flag, rest: list[str]) -> str:
    """Take the value of ``flag`` from the words that follow it."""
    following = rest[-1] if rest else None
    if flag.kind == "bool":
        if following in ("true", "false"):
            return rest.pop()
        return "true"
    if following is None:
        raise UsageError(f"{flag.name} needs a value", hint=f"{flag.name} {flag.metavar}")
    is_flag = following == "--" or following.partition("=")[0] in BY_NAME
    dashed = following.startswith("-") and following != "-"
    if is_flag or (dashed and flag.name not in FREE_TEXT):
        shown = following.partition("=")[0]  # what is behind it may be a secret
        raise UsageError(
            f"{flag.name} needs a value, and {shown!r} looks like a flag",
            hint=f"write {flag.name}=... if it is the value",
        )
    return rest.pop()


def _value(
    flag: Flag, given: list[str], source: str, error: type[UsageError | ConfigError]
) -> object:
    """Turn raw text into the flag's kind. A secret is never repeated in an error."""
    text = given[-1]
    if flag.kind == "list":
        items = [item.strip() for one in given for item in one.split(",")]
        return tuple(item for item in items if item)
    if flag.kind == "repeat":
        return tuple(given)
    if flag.kind == "bool":
        word = text.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        if word in flag.choices:
            return word
        more = "".join(f" nor {choice}" for choice in flag.choices)
        raise error(f"{source}: {text!r} is neither true nor false{more}")
    if flag.kind == "int":
        if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > MAX_INT:
            raise error(f"{source}: {text!r} is not a whole number", hint="digits only")
        # Below the floor a limit would make every tool fail; the floor is what is meant.
        return max(int(text), flag.minimum)
    if flag.kind == "choice" and text not in flag.choices:
        raise error(f"{source}: {text!r} is not one of {', '.join(flag.choices)}")
    if "\0" in text:
        raise error(f"{source} holds a NUL character")
    return text


def _clashes(flag: Flag) -> list[str]:
    """Flags that exclude this one, whichever row says so."""
    others = [other.name for other in FLAGS if flag.name in other.clashes]
    return [*flag.clashes, *others]


def _check_combinations(raw: Mapping[str, list[str]]) -> None:
    for name in raw:
        flag = BY_NAME[name]
        for other in flag.clashes:
            if other in raw:
                raise UsageError(f"{name} cannot be combined with {other}")
        for other in flag.needs:
            if other not in raw:
                raise UsageError(f"{name} needs {other}")


def _suggestion(name: str) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name, BY_NAME, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "pi --help lists all flags"
