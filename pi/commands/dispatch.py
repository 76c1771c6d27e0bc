"""From a typed line to a result. Never raises for what was typed; never prints."""

from __future__ import annotations

from importlib import import_module

from pi.base.errors import Bug, PiError, UsageError
from pi.base.text import visible
from pi.base.typing import NamedTuple
from pi.commands.arguments import ArgumentError, Arguments, read_arguments, split_line
from pi.commands.result import Result, render_json
from pi.commands.suggest import did_you_mean
from pi.commands.table import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.commands.context import CommandContext
    from pi.commands.spec import CommandSpec

    Handler = Callable[[Arguments, CommandContext], Result]


_LONGEST = 200  # of a name that is repeated in a message


class Outcome(NamedTuple):
    """What a line came to; ``lines`` is what to print, JSON if that was asked for."""

    command: str
    result: Result
    lines: tuple[str, ...]
    as_json: bool


def find(name: str, *, prefixes: bool = False) -> CommandSpec | None:
    """The command of a typed name: exact, whatever the case, or (in the interactive loop)
    the only one that begins with it."""
    spec = BY_NAME.get(name) or BY_NAME.get(name.lower())
    if spec is not None or not prefixes or len(name) < 3:
        return spec
    found = {spec.name: spec for other, spec in BY_NAME.items() if other.startswith(name.lower())}
    return next(iter(found.values())) if len(found) == 1 else None


def is_command(line: str) -> bool:
    """Whether a typed line is a command: it begins with a slash, but is no path and not
    escaped with a second slash."""
    text = line.strip()
    if not text.startswith("/") or text.startswith("//"):
        return False
    return "/" not in split_line(text)[0][1:]


def run_line(line: str, context: CommandContext) -> Outcome:
    """Run one command line."""
    name, raw = split_line(line)
    spec = find(name)
    if spec is None:
        outcome = _from_template(name, raw, context)
        if outcome is not None:
            return outcome
        spec = find(name, prefixes=context.interactive)
    wants_json = "--json" in raw.split()
    if spec is None:
        from pi.commands.templates import template_names  # loaded for such a name already

        return _outcome(name, unknown(name, template_names(context)), wants_json)
    try:
        arguments = read_arguments(spec, raw)
    except ArgumentError as exc:
        return _outcome(spec.name, usage(spec, exc), wants_json)
    result = run(spec, arguments, context)
    if context.interactive:
        result = _hinted(result)  # a script's error, with its hint, is on stderr
    return _outcome(spec.name, result, arguments.as_json)


def _from_template(name: str, raw: str, context: CommandContext) -> Outcome | None:
    """What ``/prompt`` makes of a skill or a prompt template, None if there is none of
    that name."""
    from pi.commands.skills_call import skill_prompt  # only for names of no command
    from pi.commands.templates import template_prompt

    spec = BY_NAME["/prompt"]
    try:
        text = skill_prompt(name, raw, context) or template_prompt(name, raw, context)
    except PiError as exc:
        return _outcome(spec.name, failure(name, exc), False)
    if text is None:
        return None
    return _outcome(spec.name, run(spec, Arguments((text,), {}, False, text), context), False)


def run(spec: CommandSpec, arguments: Arguments, context: CommandContext) -> Result:
    """Run a command whose arguments were read. A failure is a result."""
    if spec.needs_session and context.store is None:
        hint = "start pi without --no-session"
        error = PiError("session is disabled", hint=hint, code="session-disabled")
        return Result(("session is disabled",), error=error)
    module, _, function = spec.handler.partition(":")
    handler: Handler = getattr(import_module(module), function)
    try:
        return handler(arguments, context)
    except ArgumentError as exc:
        return usage(spec, exc)
    except PiError as exc:
        return failure(spec.name, exc)
    except Exception as exc:  # the border to commands: a bug in one must not end the loop
        bug = Bug(
            f"{spec.name} failed in a way it should not", cause=f"{type(exc).__name__}: {exc}"
        )
        return failure(spec.name, bug)


def failure(name: str, error: PiError) -> Result:
    """The result of a command that failed."""
    cause = f" ({error.cause})" if error.cause else ""
    return Result((f"{_words(name)} error: error={error.message}{cause}",), error=error)


def usage(spec: CommandSpec, why: ArgumentError) -> Result:
    """The result of arguments the command does not take."""
    told = f"usage: {spec.usage}"
    error = UsageError(f"{spec.name}: {why}", hint=" ".join((*why.near, told)))
    if why.is_count:
        return Result((told,), error=error)
    return Result((f"{_words(spec.name)} error: error={why}", *why.near, told), error=error)


def _words(name: str) -> str:
    return name.lstrip("/").replace("-", " ")


def unknown(name: str, others: tuple[str, ...] = ()) -> Result:
    """The result of a name that is no command; ``others`` can be called beside commands."""
    shown = name if len(name) <= _LONGEST else name[:_LONGEST] + "..."
    told = (*did_you_mean(name, (*BY_NAME, *others)), "run /help for command list")
    error = UsageError(f"unknown command: {shown}", hint=" ".join(told), code="unknown-command")
    return Result((error.message, *told), error=error)


def _hinted(result: Result) -> Result:
    """``result`` with what to do next as its last line, if it failed and its lines do not
    say that already."""
    hint = result.error.hint if result.error is not None else ""
    if not hint or result.verbatim or hint in " ".join(result.text):
        return result
    return result._replace(text=(*result.text, f"hint: {hint}"))


def _outcome(name: str, result: Result, as_json: bool) -> Outcome:
    if not result.verbatim:
        result = result._replace(text=tuple(map(visible, result.text)))
    lines = (render_json(name, result),) if as_json else result.text
    return Outcome(name, result, lines, as_json)
