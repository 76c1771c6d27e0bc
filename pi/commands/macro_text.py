"""The lines of a macro: which may be stored, and how parameters are put into them. Pure.

``$1`` to ``$9``, ``${10}``, ``$@`` (all of them), ``${name}``, each as ``${x:-default}`` too;
``$$`` is a dollar sign, and any other ``$`` stays as it is. A value is data: the line is cut
into words before the values are put in, so a value is never cut again, and it is handed on
behind ``--`` or as ``--flag=value``, so it never is a flag or a command. Free text (that of
``/prompt``) has no flags; there it is put in as it is.

Invariants (each has a property test):
  * whatever the values are, a line calls its own command, with its own flags, and the value
    arrives whole;
  * a line without parameters is run as it is stored.
"""

from __future__ import annotations

import re

from pi.base.errors import UsageError
from pi.base.text import visible
from pi.base.typing import NamedTuple
from pi.commands.arguments import ArgumentError, Arguments, read_arguments, split_line
from pi.commands.table import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.commands.spec import CommandSpec

_PARAMETER = re.compile(
    r"\$(?:\$|(?P<plain>@|[1-9])|\{(?P<name>@|[1-9][0-9]?|[A-Za-z_][A-Za-z0-9_]*)"
    r"(?::-(?P<default>[^}]*))?\})"
)
# A stored line holds no control characters, so these can stand for a parameter in it.
_MARK = re.compile("\x01([0-9]+)\x02")
_ALL = "@"
_ANY = (0, 10**9)
NOT_STORABLE = ("/quit",)


class Parameter(NamedTuple):
    """``name`` is "1", "@" or a word; ``default`` is None where a value is needed. ``sign``
    is what stands in the line."""

    name: str
    default: str | None
    sign: str


class Values(NamedTuple):
    """What a macro is run with."""

    positional: tuple[str, ...] = ()
    named: Mapping[str, str] = {}


class Template(NamedTuple):
    """A line cut into words, with marks where parameters stand: the n-th mark is the n-th
    of ``parameters``."""

    name: str
    arguments: Arguments
    parameters: tuple[Parameter, ...]


class BadLine(UsageError):
    """Why a line cannot be part of a macro."""

    code = "bad-macro-line"


def find(name: str) -> CommandSpec | None:
    """The command of a stored name: exact, whatever the case."""
    return BY_NAME.get(name) or BY_NAME.get(name.lower())


def parameters(line: str) -> tuple[Parameter, ...]:
    """The parameters in a line, one for each place. Raises BadLine."""
    return _masked(line)[1]


def template(line: str) -> Template:
    """``line`` cut into words. Raises BadLine for what cannot be part of a macro."""
    if not line.startswith("/"):
        raise BadLine("command must start with '/'")
    if any((sign < " " and sign != "\t") or sign == "\x7f" for sign in line):
        raise BadLine("it holds a line break or another control character")
    masked, found = _masked(line)
    name, raw = split_line(masked)
    spec = find(name)
    if spec is None:
        raise BadLine(f"unknown command: {visible(_MARK.sub('$', name))}")
    if spec.name in NOT_STORABLE:
        raise BadLine(f"{spec.name} cannot be part of a macro")
    try:
        if not found:
            return Template(name, read_arguments(spec, raw), ())
        arguments = read_arguments(_lenient(spec), raw)
        if not all(is_fixed(word) for word in arguments.words[: spec.rest or 0]):
            raise BadLine(f"a parameter can stand from word {(spec.rest or 0) + 1} on only")
        return Template(name, arguments, found)
    except ArgumentError as exc:
        if exc.is_count:
            raise BadLine(f"usage: {spec.usage}") from None
        is_marked = "\\x01" in str(exc)  # quoted there
        raise BadLine("a parameter cannot be a flag" if is_marked else str(exc)) from None


def substitute(line: str, values: Values) -> str:
    """The command line to run. Raises BadLine: a value that is missing."""
    made = template(line)
    if not made.parameters:
        return line
    arguments = made.arguments
    spec = find(made.name)
    if spec is not None and spec.rest is not None:  # free text: nothing in it is a flag
        return f"{made.name} {fill(arguments.raw, made, values)}"
    parts = [made.name]
    for name, value in arguments.options.items():
        given = value if isinstance(value, (list, tuple)) else (value,)
        parts += [
            f"--{name}" if one is True else f"--{name}={fill(str(one), made, values)}"
            for one in given
        ]
    if arguments.as_json:
        parts.append("--json")
    words = filled_words(arguments.words, made, values)
    if words:
        parts += ["--", *words]
    from shlex import quote  # 6 ms, and only where something is put in

    return " ".join([parts[0], *map(quote, parts[1:])])


def filled_words(words: Sequence[str], made: Template, values: Values) -> list[str]:
    """Words with the values in them; ``$@`` that stands alone is as many words as values."""
    found: list[str] = []
    for word in words:
        alone = _MARK.fullmatch(word)
        if alone and made.parameters[int(alone[1])].name == _ALL:
            default = made.parameters[int(alone[1])].default
            found += values.positional or ([] if default is None else [default])
        else:
            found.append(fill(word, made, values))
    return found


def fill(text: str, made: Template, values: Values) -> str:
    """``text`` with the values in the place of its marks. Raises BadLine."""
    return _MARK.sub(lambda mark: _value(made.parameters[int(mark[1])], values), text)


def unfilled(text: str, made: Template) -> str:
    """``text`` as it stands in the line."""
    return _MARK.sub(lambda mark: made.parameters[int(mark[1])].sign, text)


def is_fixed(text: str) -> bool:
    """Whether no value can change ``text``."""
    return _MARK.search(text) is None


def check_values(found: Sequence[Parameter], values: Values) -> None:
    """Refuse values that no parameter takes: they were meant for something. Raises BadLine."""
    names = {parameter.name for parameter in found}
    if _ALL in names:
        return
    taken = max((int(name) for name in names if name.isdigit()), default=0)
    if len(values.positional) > taken:
        raise BadLine(
            f"unexpected argument {visible(values.positional[taken])!r}: "
            f"the macro takes {taken or 'none'}"
        )


def read_values(words: Sequence[str], found: Sequence[Parameter]) -> Values:
    """Typed words as values: ``name=value`` for a name that the macro uses, else the next
    positional one; all are positional behind a second ``--``."""
    names = {parameter.name for parameter in found if not parameter.name.isdigit()} - {_ALL}
    positional: list[str] = []
    named: dict[str, str] = {}
    for index, word in enumerate(words):
        if word == "--":
            positional += words[index + 1 :]
            break
        name, equals, value = word.partition("=")
        if equals and name in names:
            named[name] = value
        else:
            positional.append(word)
    return Values(tuple(positional), named)


def _masked(line: str) -> tuple[str, tuple[Parameter, ...]]:
    found: list[Parameter] = []

    def mask(match: re.Match[str]) -> str:
        name = match["plain"] or match["name"] or "$"
        found.append(Parameter(name, match["default"], match[0]))
        return f"\x01{len(found) - 1}\x02"

    masked = _PARAMETER.sub(mask, line)
    if "${" in masked:
        wrong = visible(masked[masked.index("${") :][:20])
        raise BadLine(f"{wrong!r} is no parameter; $$ is a dollar sign")
    return masked, tuple(found)


def _value(parameter: Parameter, values: Values) -> str:
    name = parameter.name
    if name == "$":
        return "$"
    given: str | None = values.named.get(name)
    if name == _ALL:
        given = " ".join(values.positional) if values.positional else None
        given = "" if given is None and parameter.default is None else given
    elif name.isdigit() and int(name) <= len(values.positional):
        given = values.positional[int(name) - 1]
    if given is None or (given == "" and parameter.default):
        given = parameter.default
    if given is None:
        shape = f"-- {name}=<value>" if not name.isdigit() else "behind --"
        raise BadLine(f"no value for {parameter.sign}; give it {shape}")
    return given


def _lenient(spec: CommandSpec) -> CommandSpec:
    """The command's row with any text as a value: what comes is judged when it is there."""
    options = tuple(
        option if option.kind == "switch" else option._replace(kind="text", choices=())
        for option in spec.options
    )
    return spec._replace(options=options, words=_ANY)
