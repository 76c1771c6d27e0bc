"""``/profile``: what a run was started with, kept under a name and taken up again."""

from __future__ import annotations

from pi.base.errors import PiError, PolicyRefused, UsageError
from pi.base.text import visible
from pi.base.typing import Any, NamedTuple
from pi.commands.profile_fields import differences, worded
from pi.commands.profile_shelf import Shelf
from pi.commands.result import Result
from pi.commands.store_text import PROFILES, valid_name
from pi.commands.subcommands import SUBCOMMANDS
from pi.commands.subcommands import usage as written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.commands.profile_shelf import Found

USAGE = "usage: /profile <save|load|list|show|delete> ..."


class Change(NamedTuple):
    """What became of one field or flag of a profile that was loaded. ``state`` is "applied",
    "restart" (it holds from the next start on), "refused", "ignored", or "kept" for a field
    that the profile does not set."""

    state: str
    name: str
    value: Any
    why: str = ""


def profile(arguments: Arguments, context: CommandContext) -> Result:
    """Do what the first word says. A failure says where and with which profile.

    Needs the services "profile_values": () -> the value in force of each field;
    "profile_given": () -> (names of fields that were given, other flags that were given);
    "apply_profile": (found, allow, trusted) -> Changes, see ``pi.cli.profile_services``.
    """
    verb, name = arguments.word(0), arguments.word(1)
    only_user = "user" in arguments.options
    shelf = Shelf(context.cwd, context.environ, context.random_bytes, only_user=only_user)
    try:
        _check_words(verb, arguments)
        if verb == "save":
            valid_name(name, PROFILES)
        return _VERBS[verb](shelf, arguments, context)
    except PiError as exc:
        named = f"name={visible(name)} " if name else ""
        cause = f" ({visible(exc.cause)})" if exc.cause else ""
        where = f"path={visible(shelf.place.path)} {named}"
        return Result((f"profile error: {where}error={exc.message}{cause}",), error=exc)


def _check_words(verb: str, arguments: Arguments) -> None:
    row = next((row for row in SUBCOMMANDS["/profile"] if row.name == verb), None)
    if row is None:
        raise UsageError(f"unknown subcommand '{visible(verb)}'; {USAGE}" if verb else USAGE)
    words = 0 if verb == "list" else 1
    if len(arguments.words) - 1 != words:
        raise UsageError(f"usage: {written('/profile', row)}")
    for option in arguments.options:
        if f"--{option}" not in row.arguments:
            raise UsageError(f"/profile {verb} takes no --{option}")


def _service(context: CommandContext, name: str) -> Callable[..., Any]:
    service = context.services.get(name)
    if service is None:
        raise PiError("there are no settings here that a profile could be about")
    return service


def _save(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    name = arguments.word(1)
    values = _service(context, "profile_values")()
    sets, flags, left_out = _service(context, "profile_given")()
    trouble = shelf.put(name, values, sets, flags)
    lines = [f"profile save: path={shelf.place.path} name={name} status=saved"]
    lines += [f"profile note: name={name} note={why}" for why in left_out]
    if trouble is not None:
        lines.append(f"profile note: name={name} note=counts as not approved: {trouble.message}")
    data = {"path": shelf.place.path, "name": name, "status": "saved", "set": list(sets)}
    return Result(tuple(lines), {**data, "flags": flags, "level": shelf.place.level})


def _list(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    rows: list[dict[str, Any]] = []
    lines = []
    for name, place in shelf.names():
        row = {"name": name, "level": place.level, "status": "ok"}
        line = f"profile: name={visible(name)}" + (" level=user" if not place.is_project else "")
        try:
            shelf.find(name)
        except PiError as exc:
            row.update(status="damaged", error=exc.message)
            line += f" status=damaged error={exc.message}"
        rows.append(row)
        lines.append(line)
    path = shelf.place.path
    head = f"profile list: path={path} profiles={len(rows)}"
    data: dict[str, Any] = {"path": path, "profiles": rows}
    if shelf.trouble is not None:
        lines.append(f"profile note: {shelf.trouble.message} ({shelf.trouble.cause})")
        data["trouble"] = shelf.trouble.message
    return Result((head if rows else f"{head} names=none", *lines), data)


def _show(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    found = shelf.find(arguments.word(1))
    values, flags = found.profile.effective(), found.profile.flags
    lines = [f"profile show: path={found.place.path} name={found.name} status=found"]
    lines += [f"value: {name}={worded(value)}" for name, value in values.items()]
    lines += [f"flag: {visible(name)}={worded(value)}" for name, value in sorted(flags.items())]
    lines.append(f"set: {worded(found.profile.sets)}")
    data = {**_about(found), "status": "found", "values": _plain(values), "flags": dict(flags)}
    return Result(tuple(lines), {**data, "set": list(found.profile.sets)})


def _delete(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    name = arguments.word(1)
    left = shelf.take(name)
    path = shelf.place.path
    line = f"profile delete: path={path} name={visible(name)} status=deleted remaining={left}"
    return Result((line,), {"path": path, "name": name, "status": "deleted", "remaining": left})


def _diff(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    found = shelf.find(arguments.word(1))
    lines, data = _compared("diff", found, context)
    return Result(tuple(lines), data)


def _load(shelf: Shelf, arguments: Arguments, context: CommandContext) -> Result:
    """Take up what can be taken up now, and say what became of the rest."""
    service = context.services.get("trusted")
    trusted = service is not None and bool(service())
    found = shelf.find(arguments.word(1), trusted=trusted)
    lines, data = _compared("load", found, context)

    def allow(what: tuple[str, ...]) -> bool:
        if "yes" in arguments.options:
            return True
        question = f"Profile '{found.name}' allows tools more: {', '.join(what)}. Load it?"
        return context.interactive and context.confirm(question)

    apply = _service(context, "apply_profile")
    changes: list[Change] = apply(found, allow, found.approved or trusted)
    changes += _kept(found, context, changes)
    lines += [_change_line(change) for change in changes]
    data["changes"] = [{**change._asdict(), "value": _json(change.value)} for change in changes]
    refused = [change for change in changes if change.state == "refused"]
    if not refused:
        return Result(tuple(lines), data)
    names = ", ".join(visible(change.name) for change in refused)
    error = PolicyRefused(
        f"profile '{found.name}': not taken up: {names}",
        cause=refused[0].why,
        hint=f"/profile show {found.name}, then /profile load {found.name} --yes",
        code="profile-refused",
    )
    return Result(tuple(lines), data, error)


def _kept(found: Found, context: CommandContext, changes: list[Change]) -> list[Change]:
    """What is in force otherwise than the profile had it, because it does not set that."""
    told = {change.name for change in changes}
    current = _service(context, "profile_values")()
    return [
        Change("kept", name, now, "the profile does not set it")
        for name, now, _ in differences(current, found.profile.effective())
        if name not in told and name not in found.profile.sets
    ]


def _change_line(change: Change) -> str:
    kind = "flag" if change.name.startswith("--") else "field"
    why = f" reason={change.why}" if change.why else ""
    return f"{change.state}: {kind}={visible(change.name)} value={worded(change.value)}{why}"


def _compared(verb: str, found: Found, context: CommandContext) -> tuple[list[str], dict[str, Any]]:
    """How the profile differs from what is in force, as lines and as data."""
    current = _service(context, "profile_values")()
    found_differences = differences(current, found.profile.effective())
    status = "diff" if found_differences else "in_sync"
    where = f"path={found.place.path} name={found.name}"
    lines = [f"profile {verb}: {where} status={status} diffs={len(found_differences)}"]
    lines += [
        f"diff: field={name} current={worded(before)} loaded={worded(after)}"
        for name, before, after in found_differences
    ]
    rows = [
        {"field": name, "current": _json(before), "loaded": _json(after)}
        for name, before, after in found_differences
    ]
    return lines, {**_about(found), "status": status, "diffs": rows}


def _about(found: Found) -> dict[str, Any]:
    return {"path": found.place.path, "name": found.name, "level": found.place.level}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _json(value) for name, value in values.items()}


def _json(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


_VERBS: dict[str, Callable[[Shelf, Arguments, CommandContext], Result]] = {
    "save": _save,
    "load": _load,
    "list": _list,
    "show": _show,
    "delete": _delete,
    "diff": _diff,
}
