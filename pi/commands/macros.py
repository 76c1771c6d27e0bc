"""``/macro``: lists of commands under a name, kept in files."""

from __future__ import annotations

import os

from pi.base.errors import PiError, UsageError
from pi.base.smallfile import Unreadable, read_small
from pi.base.text import visible
from pi.base.typing import Any
from pi.commands.approvals import Answers, digest
from pi.commands.macro_plan import BadMacro, Macro, check, takes
from pi.commands.macro_run import run, unapproved
from pi.commands.macro_shelf import Shelf
from pi.commands.macro_text import BadLine
from pi.commands.result import Result
from pi.commands.script import read_script
from pi.commands.store_text import MACROS, valid_name
from pi.commands.subcommands import SUBCOMMANDS
from pi.commands.subcommands import usage as written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.commands.script import ScriptLine

MAX_FILE_BYTES = 1 << 20
USAGE = "usage: /macro <save|run|list|show|delete> ..."
_WORDS = {"save": (2, 2), "run": (1, 999), "list": (0, 0), "show": (1, 1), "delete": (1, 1)}
_WORDS["edit"] = (2, 999)
_OPTIONS = {
    "save": ("user", "description"),
    "run": ("user", "dry-run", "keep-going", "trust-project"),
    "edit": ("user", "insert", "remove"),
}


def macro(arguments: Arguments, context: CommandContext) -> Result:
    """Do what the first word says. A failure says where and with which macro."""
    verb, name = arguments.word(0), arguments.word(1)
    shelf = Shelf(context, only_user="user" in arguments.options)
    path = shelf.place.path
    try:
        _check_words(verb, arguments)
        if verb == "save":
            valid_name(name, MACROS)
        return _VERBS[verb](shelf, arguments, context)
    except PiError as exc:
        return failed(path, name, exc)


def failed(path: str, name: str, error: PiError) -> Result:
    """The result of a command that did not get to run anything."""
    named = f"name={visible(name)} " if name else ""
    cause = f" ({visible(error.cause)})" if error.cause else ""
    line = f"macro error: path={visible(path)} {named}error={error.message}{cause}"
    return Result((line,), error=error)


def usage(verb: str) -> str:
    """How a subcommand is written."""
    rows = SUBCOMMANDS["/macro"]
    return "usage: " + written("/macro", next(row for row in rows if row.name == verb))


def _check_words(verb: str, arguments: Arguments) -> None:
    if verb not in _VERBS:
        raise UsageError(f"unknown subcommand '{visible(verb)}'; {USAGE}" if verb else USAGE)
    least, most = _WORDS[verb]
    if not least <= len(arguments.words) - 1 <= most:
        raise UsageError(usage(verb))
    for option in arguments.options:
        if option not in _OPTIONS.get(verb, ("user",)):
            raise UsageError(f"/macro {verb} takes no --{option}; {usage(verb)}")


def _save(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    name, source = arguments.word(1), arguments.word(2)
    found = _read(source, context)
    lines = tuple(line.wish + line.text for line in found)
    place = shelf.place
    made = Macro(name, lines, place.path, place.level)
    _judge(made, shelf, found, source)
    description = arguments.options.get("description")
    shelf.put(name, lines, description)
    head = f"macro save: path={place.path} name={name} source={source} commands={len(lines)}"
    data: dict[str, Any] = {"path": place.path, "name": name, "source": source}
    data.update(commands=list(lines), level=place.level)
    return Result((head, *_own(made, context)), data)


def _read(source: str, context: CommandContext) -> tuple[ScriptLine, ...]:
    """The lines of a commands file. Raises UsageError."""
    message = f"failed to read commands file {visible(source)}"
    try:
        path = os.path.join(context.cwd, os.path.expanduser(source))
        data, is_longer = read_small(path, MAX_FILE_BYTES)
    except Unreadable as exc:
        raise UsageError(message, cause=f"it {exc.why}") from exc
    if is_longer:
        raise UsageError(message, cause=f"it is larger than {MAX_FILE_BYTES} bytes")
    try:
        found = read_script(data, source)
    except UsageError as exc:
        raise UsageError(message, cause=exc.cause or exc.message) from None
    if not found:
        raise UsageError(f"commands file {visible(source)} does not contain runnable commands")
    return found


def _judge(made: Macro, shelf: Shelf, found: tuple[ScriptLine, ...] = (), source: str = "") -> None:
    """Refuse a macro that could not run, naming its line in the file. Raises BadLine."""

    def lookup(name: str) -> Macro:
        return made if name == made.name else shelf.find(name)

    try:
        check(made, lookup)
    except BadMacro as exc:
        if exc.macro != made.name or not found:
            raise
        line = found[exc.index]
        where = f"(line {line.number} of {visible(source)}: {visible(line.wish + line.text)})"
        raise BadLine(f"{exc.message} {where}") from None


def _own(made: Macro, context: CommandContext) -> tuple[str, ...]:
    """Approve what the user wrote himself. Returns what he should know if that failed."""
    if made.level != "project":
        return ()
    try:
        answers = Answers(context.environ, context.random_bytes)
        answers.approve(made.path, {f"macro:{made.name}": digest(made.lines)})
    except PiError as exc:
        return (f"macro note: name={made.name} note=asks before it runs: {exc.message}",)
    return ()


def _list(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    rows: list[dict[str, Any]] = []
    for name, place in shelf.names():
        row: dict[str, Any] = {"name": name, "level": place.level, "status": "ok"}
        try:
            found = shelf.find(name)
            row.update(commands=len(found.lines), description=found.description)
        except BadLine as exc:
            row.update(commands=0, status="damaged", error=exc.message)
        rows.append(row)
    path = shelf.place.path
    lines = [f"macro list: path={path} count={len(rows)}"]
    lines += [_row(row) for row in rows] or ["macros: none"]
    data: dict[str, Any] = {"path": path, "macros": rows}
    if shelf.trouble is not None:
        lines.append(f"macro note: {shelf.trouble.message} ({shelf.trouble.cause})")
        data["trouble"] = shelf.trouble.message
    return Result(tuple(lines), data)


def _row(row: dict[str, Any]) -> str:
    line = f"macro: name={visible(row['name'])} commands={row['commands']}"
    if row["level"] == "user":
        line += " level=user"
    if row["status"] != "ok":
        line += f" status={row['status']}"
    if row.get("description"):
        line += f" description={visible(row['description'])}"
    return line


def _show(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    found = shelf.find(arguments.word(1))
    head = f"macro show: path={found.path} name={found.name} commands={len(found.lines)}"
    lines = [head]
    lines += [
        f"command: index={index} value={visible(line)}" for index, line in enumerate(found.lines)
    ]
    if found.description:
        lines.append(f"description: {visible(found.description)}")
    data: dict[str, Any] = {"path": found.path, "name": found.name, "level": found.level}
    data.update(commands=list(found.lines), description=found.description)
    try:
        check(found, shelf.find)
        data["parameters"] = sorted({parameter.sign for parameter in takes(found)})
    except BadLine as exc:
        lines.append(f"broken: {exc.message}")
        data["broken"] = exc.message
    return Result(tuple(lines), data)


def _delete(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    name, place = arguments.word(1), shelf.place
    left = shelf.take(name)
    if place.is_project:
        try:
            answers = Answers(context.environ, context.random_bytes)
            answers.approve(place.path, {f"macro:{name}": None})
        except PiError:
            pass  # an approval of what is gone approves nothing
    data = {"path": place.path, "name": name, "status": "deleted", "remaining": left}
    line = f"macro delete: path={place.path} name={visible(name)} status=deleted remaining={left}"
    return Result((line,), data)


def _edit(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    """Replace, insert or remove one line; the command is what stands behind ``--``."""
    name, word = arguments.word(1), arguments.word(2)
    before = shelf.find(name)
    if before.path != shelf.place.path:
        raise UsageError(f"'{name}' is the user's own", hint="add --user")
    command = arguments.raw.partition(" -- ")[2].strip()
    remove, insert = ("remove" in arguments.options, "insert" in arguments.options)
    count = len(before.lines) + (1 if insert else 0)
    index = int(word) if word.isascii() and word.isdigit() and len(word) < 9 else count
    if index >= count:
        raise UsageError(f"'{visible(word)}' is no index; the last one is {count - 1}")
    if bool(command) == remove or (insert and remove):
        raise UsageError(usage("edit"))
    lines = list(before.lines)
    lines[index : index if insert else index + 1] = [command] if command else []
    if not lines:
        raise UsageError("a macro has at least one command", hint=f"/macro delete {name}")
    made = before._replace(lines=tuple(lines))
    _judge(made, shelf)
    mine = not unapproved((before,), context)  # what came with the folder is asked about
    shelf.put(name, lines, None, before.lines)
    data = {"path": made.path, "name": name, "commands": lines, "level": made.level}
    head = f"macro edit: path={made.path} name={name} index={index} commands={len(lines)}"
    return Result((head, *(_own(made, context) if mine else ())), data)


_VERBS: dict[str, Callable[[Shelf, Arguments, CommandContext], Result]] = {
    "save": _save,
    "run": run,
    "list": _list,
    "show": _show,
    "delete": _delete,
    "edit": _edit,
}
