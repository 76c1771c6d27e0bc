"""What a macro comes to: every command it runs, those of macros it calls among them. Pure.

``/macro run <name> [arguments]`` in a macro calls another; a circle, more than ``MAX_DEPTH``
calls within each other and more than ``MAX_STEPS`` commands are refused before anything is run.
"""

from __future__ import annotations

from pi.base.text import visible
from pi.base.typing import Any, NamedTuple
from pi.commands.macro_text import (
    BadLine,
    Values,
    check_values,
    fill,
    filled_words,
    is_fixed,
    parameters,
    substitute,
    template,
    unfilled,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.macro_text import Parameter, Template

MAX_DEPTH = 16
MAX_STEPS = 10_000


class Macro(NamedTuple):
    """A stored macro. ``level`` says whose file it is in: "project" or "user"."""

    name: str
    lines: tuple[str, ...]
    path: str
    level: str
    description: str = ""


class Step(NamedTuple):
    """One command to run: line ``number`` (from 0) of ``macro``, with the values in it."""

    macro: str
    number: int
    line: str

    def data(self) -> dict[str, Any]:
        return {"macro": self.macro, "index": self.number, "command": self.line}


class BadMacro(BadLine):
    """A line of a macro that cannot be run, and why. ``macro`` and ``index`` say where."""

    def __init__(self, macro: str, index: int, why: str, *, nested: bool = False) -> None:
        of = f" of '{visible(macro)}'" if nested else ""
        super().__init__(f"macro command #{index}{of} failed validation: {why}")
        self.macro, self.index, self.why = macro, index, why


class _Call(NamedTuple):
    """``/macro run`` in a macro: the words behind the name still hold their marks."""

    name: str
    words: tuple[str, ...]
    made: Template


def read_macro(name: str, content: Mapping[str, Any], path: str, level: str) -> Macro:
    """The macro in a file's content. Raises BadLine for what is none."""
    lines = content["macros"][name]
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise BadLine(f"macro '{name}' is damaged: it is no list of lines")
    about = content.get("descriptions")
    told = about.get(name) if isinstance(about, dict) else None
    return Macro(name, tuple(lines), path, level, told if isinstance(told, str) else "")


def check(macro: Macro, lookup: Callable[[str], Macro]) -> tuple[Macro, ...]:
    """Every macro that running this one reaches, itself first.

    ``lookup`` raises BadLine for an unknown name. Raises BadMacro for the first line that
    cannot be run; whether the values given will do is not judged.
    """
    reached: dict[str, Macro] = {}
    deepest: dict[str, int] = {}

    def visit(one: Macro, above: tuple[str, ...]) -> int:
        """How many macros stand within each other from here on."""
        if one.name in deepest:
            return deepest[one.name]
        reached[one.name] = one
        depth = 1
        for index, line in enumerate(one.lines):
            try:
                call = _call(template(line))
                if call is None:
                    continue
                line_of = (*above, one.name)
                if call.name in line_of:
                    raise BadLine(f"{visible(' -> '.join((*line_of, call.name)))} is a circle")
                if len(line_of) < MAX_DEPTH:
                    depth = max(depth, 1 + visit(lookup(call.name), line_of))
                if len(line_of) == MAX_DEPTH or len(above) + depth > MAX_DEPTH:
                    raise BadLine(f"more than {MAX_DEPTH} macros within each other")
            except BadMacro:
                raise
            except BadLine as exc:
                raise BadMacro(one.name, index, exc.message, nested=bool(above)) from None
        deepest[one.name] = depth
        return depth

    visit(macro, ())
    return tuple(reached.values())


def takes(macro: Macro) -> tuple[Parameter, ...]:
    """The parameters of a macro, each place once."""
    return tuple(one for line in macro.lines for one in parameters(line) if one.name != "$")


def expand(macro: Macro, values: Values, lookup: Callable[[str], Macro]) -> tuple[Step, ...]:
    """The commands to run, in order. The macro must have passed ``check``.

    Raises BadLine: a value that is missing or superfluous, too many commands.
    """
    steps: list[Step] = []
    seen = 0

    def add(one: Macro, given: Values, depth: int) -> None:
        nonlocal seen
        check_values(takes(one), given)
        for index, line in enumerate(one.lines):
            seen += 1  # also calls of macros without lines
            if seen > MAX_STEPS:
                raise BadMacro(one.name, index, f"more than {MAX_STEPS} commands")
            try:
                made = template(line)
                call = _call(made)
                if call is not None:
                    other = lookup(call.name)
                    add(other, _handed_on(call, takes(other), given), depth + 1)
                else:
                    steps.append(Step(one.name, index, substitute(line, given)))
            except BadMacro:
                raise
            except BadLine as exc:
                raise BadMacro(one.name, index, exc.message, nested=depth > 0) from None

    add(macro, values, 0)
    return tuple(steps)


def _call(made: Template) -> _Call | None:
    """The macro that a line calls, None for any other command. Raises BadLine."""
    if made.name.lower() != "/macro":
        return None
    words = made.arguments.words
    if words[:1] != ("run",):
        raise BadLine("of /macro only 'run' can be part of a macro")
    if made.arguments.options or made.arguments.as_json:
        raise BadLine("/macro run takes no flags inside a macro; -- stands before arguments")
    if len(words) < 2:
        raise BadLine("usage: /macro run <name> [-- <arguments>]")
    if not is_fixed(words[1]):
        raise BadLine(f"the macro to run cannot be a parameter: {unfilled(words[1], made)}")
    return _Call(words[1], words[2:], made)


def _handed_on(call: _Call, wanted: tuple[Parameter, ...], given: Values) -> Values:
    """The values of a call: what is a name or ``--`` is decided by the line as it is stored,
    never by a value."""
    names = {one.name for one in wanted if not one.name.isdigit() and one.name != "@"}
    positional: list[str] = []
    named: dict[str, str] = {}
    only_positional = False
    for word in call.words:
        name, equals, value = word.partition("=")
        if word == "--" and not only_positional:
            only_positional = True
        elif equals and name in names and not only_positional:
            named[name] = fill(value, call.made, given)
        else:
            positional += filled_words((word,), call.made, given)
    return Values(tuple(positional), named)
