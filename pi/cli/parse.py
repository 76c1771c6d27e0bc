"""The command line and the environment against the flag table. Pure.

Rules: ``--flag value`` and ``--flag=value``; short flags stand alone; ``--`` ends the
flags; a bool may be bare, ``=VALUE`` or followed by the word true or false; lists are
comma-separated and repeatable; a single value given twice is an error. The command line
beats the environment, which beats the layers handed in (a profile, settings files) in
their order, which beat the default. An empty variable counts as unset. A value that
cannot be combined with one from further up yields to it without a word.
"""

from __future__ import annotations

from pi.base.errors import ConfigError, UsageError
from pi.base.typing import NamedTuple
from pi.cli.flags import BY_NAME, FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.cli.flag import Flag

TRUE = {"true", "1", "yes", "on"}
FALSE = {"false", "0", "no", "off"}
MAX_INT = 2**63 - 1
# Flags whose value is free text: they take the next word even if it begins with a dash.
FREE_TEXT = {"--prompt", "--system-prompt", "--append-system-prompt"}


class Layer(NamedTuple):
    """Values from a file, by flag name, already checked; ``name`` is what ``sources`` will
    say of them ("project"), ``where`` tells a person which file it was."""

    name: str
    where: str
    values: Mapping[str, object]


class Parsed(NamedTuple):
    """Every flag's value; ``sources`` says "flag", "environment", a layer's name or
    "default"; ``where`` names the variable or file of a value that is from one; ``argv``
    is the command line, so that it can be read again with other layers."""

    values: dict[str, object]
    sources: dict[str, str]
    words: tuple[str, ...]
    where: Mapping[str, str] = {}
    argv: tuple[str, ...] = ()

    def given(self, name: str) -> bool:
        """Whether the flag or its variable was set."""
        return self.sources[name] != "default"


def parse(argv: Sequence[str], environ: Mapping[str, str], layers: Sequence[Layer] = ()) -> Parsed:
    """Read a command line. Raises UsageError, or ConfigError for a bad variable."""
    raw, words = _split(argv)
    values = {name: _value(BY_NAME[name], raw[name], name, UsageError) for name in raw}
    sources = dict.fromkeys(values, "flag")
    where: dict[str, str] = {}
    typed = _said(values)
    for flag in FLAGS:
        text = environ.get(flag.variable, "") if flag.variable else ""
        if text and flag.name not in raw and not _yields(flag, typed):
            values[flag.name] = _value(flag, [text], flag.variable, ConfigError)
            sources[flag.name], where[flag.name] = "environment", flag.variable
    for layer in layers:
        above = _said(values)
        for name, value in layer.values.items():
            if name not in values and not _yields(BY_NAME[name], above):
                values[name], sources[name], where[name] = value, layer.name, layer.where
    for flag in FLAGS:
        if flag.name not in values:
            values[flag.name], sources[flag.name] = flag.default, "default"
    _check_combinations([name for name in raw if name in typed], typed)
    return Parsed(values, sources, tuple(words), where, tuple(argv))


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
        # What is behind the sign may be a secret, and of a secret all of it.
        hidden = flag.kind == "secret" and not is_flag
        shown = "what follows" if hidden else repr(following.partition("=")[0])
        raise UsageError(
            f"{flag.name} needs a value, and {shown} looks like a flag",
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


def _said(values: Mapping[str, object]) -> set[str]:
    """The flags that say something; a false one does not keep another from holding."""
    return {name for name, value in values.items() if value is not False}


def _yields(flag: Flag, above: set[str]) -> bool:
    """Whether something further up excludes this flag, whichever row says so."""
    return bool(above) and (
        any(other in above for other in flag.clashes)
        or any(flag.name in BY_NAME[other].clashes for other in above)
    )


def _check_combinations(names: Sequence[str], said: set[str]) -> None:
    for name in names:
        flag = BY_NAME[name]
        for other in flag.clashes:
            if other in said:
                # The older program's words about sessions; scripts look for them.
                words = "used together" if other == "--no-session" else "combined"
                raise UsageError(f"{name} cannot be {words} with {other}")
        for other in flag.needs:
            if other not in said:
                raise UsageError(f"{name} needs {other}")


def _suggestion(name: str) -> str:
    from difflib import get_close_matches  # only on the way to an error

    close = get_close_matches(name, BY_NAME, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else "pi --help lists all flags"
