"""What the commands about skills share: the work on them, and how a failure is told.

A failure is one line, ``<words of the command> error: path=P ... error=<reason>``, the
whole chain of reasons in it; the path is the one the command is about.
"""

from __future__ import annotations

from pi.base.errors import PiError
from pi.commands.result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.skills.catalogue import Catalogue
    from pi.skills.stage import Stage

    Handler = Callable[[Arguments, CommandContext], Result]
    Fields = Callable[[Arguments, CommandContext], str]


def telling(
    words: str, fields: Fields, *, with_status: bool = False
) -> Callable[[Handler], Handler]:
    """A decorator: what ``words`` fails with names ``fields``. ``with_status``, for commands
    with a path only, gives the JSON form the keys that scripts of the older program read."""

    def decorate(handler: Handler) -> Handler:
        def told(arguments: Arguments, context: CommandContext) -> Result:
            try:
                return handler(arguments, context)
            except PiError as exc:
                where = _fields(fields, arguments, context)
                lines = [f"{words} error: {where} error={chain(exc)}"]
                if exc.hint and not exc.hint.startswith("usage:"):
                    lines.append(f"hint: {exc.hint}")
                legacy = {"path": where[len("path=") :], "status": "error"} if with_status else None
                return Result(tuple(lines), error=exc, legacy=legacy)

        return told

    return decorate


def chain(error: PiError) -> str:
    """The whole of a failure in one line, outermost first."""
    told = f"{error.message}: {error.cause}" if error.cause else error.message
    return f"{told}; {error.hint}" if error.hint.startswith("usage:") else told


def in_directory(arguments: Arguments, context: CommandContext) -> str:
    """For a command about the skills folder."""
    return f"path={work(context).settings.directory}"


def at_lock(arguments: Arguments, context: CommandContext) -> str:
    """For a command whose first word may name a lockfile."""
    return f"path={work(context, arguments.word()).settings.lock_path}"


def at_trust_file(index: int) -> Fields:
    """For a command whose word at ``index`` may name a file of trusted keys."""

    def fields(arguments: Arguments, context: CommandContext) -> str:
        return f"path={arguments.word(index) or work(context).settings.trust_file or 'none'}"

    return fields


def work(context: CommandContext, lock_path: str = "") -> Stage:
    """The work on skills of this run, with another lockfile if one is named."""
    changes = {"lock_path": lock_path} if lock_path else {}
    stage: Stage = service(context, "skills")(**changes)
    return stage


def catalogue(context: CommandContext) -> Catalogue:
    """Every skill that can be used here. Raises PiError."""
    found: Catalogue = service(context, "skill_catalogue")()
    return found


def service(context: CommandContext, name: str) -> Callable[..., Any]:
    """Raises PiError for a service that the run does not have."""
    found = context.services.get(name)
    if found is None:
        raise PiError("this run has nothing to do with skills", code="not-available")
    return found


def _fields(fields: Fields, arguments: Arguments, context: CommandContext) -> str:
    try:
        return fields(arguments, context)
    except PiError:  # the flags are wrong, which is what is told
        return "path=none"
