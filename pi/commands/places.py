"""Commands about where the conversation stands, and about names for places."""

from __future__ import annotations

from pi.base.errors import PiError, UsageError
from pi.base.typing import Any
from pi.commands.arguments import ArgumentError
from pi.commands.positions import names, resolve, session, shown_path
from pi.commands.result import Result
from pi.sessions import labels
from pi.sessions.graph import tips
from pi.sessions.labels import LabelError
from pi.sessions.lineage import path_to
from pi.sessions.snapshot import as_data, row, shown, summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.commands.arguments import Arguments
    from pi.commands.context import CommandContext
    from pi.sessions.store import SessionStore


def branches(arguments: Arguments, context: CommandContext) -> Result:
    """The tips of all branches."""
    snapshot = session(context).snapshot()
    found = snapshot.some(tips(snapshot.parent_of))
    lines = tuple(
        f"id={entry.id} parent={shown(entry.parent_id)} text={summary(entry)}" for entry in found
    )
    data = {"branches": [as_data(entry) for entry in found], "active": snapshot.active}
    return Result(lines or ("no branches",), data)


def branch(arguments: Arguments, context: CommandContext) -> Result:
    """Go on from an entry."""
    store = session(context)
    before = store.head
    entry_id = resolve(arguments.word(), store)
    _switch(store, context, entry_id)
    snapshot = store.snapshot()
    data: dict[str, Any] = {"id": entry_id, "was": before}
    path = path_to(entry_id, snapshot.parent_of.__getitem__)
    data["depth"] = None if path.problem else len(path.ids)
    line = f"switched to branch id {entry_id}"
    found = snapshot.some((entry_id,))
    if not found:
        return Result((line,), {**data, "role": None, "preview": None})
    entry = found[0]
    shown_entry = f"{row('entry', entry)} depth={shown(data['depth'])} was={shown(before)}"
    return Result((line, shown_entry), {**data, **as_data(entry)})


def resume(arguments: Arguments, context: CommandContext) -> Result:
    """Go on from the last entry of the file, whoever wrote it."""
    store = session(context)
    head = store.file_head
    if head != store.head:
        _switch(store, context, head)
    return Result((f"resumed at head {shown(head)}",), {"head": head})


def undo(arguments: Arguments, context: CommandContext) -> Result:
    """Go back before the last prompts; what they led to stays in the file."""
    store = session(context)
    word = arguments.word() or "1"
    if not (word.isascii() and word.isdigit()) or len(word) > 9 or int(word) < 1:
        raise ArgumentError(f"{word!r} is not a number of prompts")
    # What an extension or a shell command said in the user's name was not typed as a prompt.
    prompts = [
        entry
        for entry in store.lineage()
        if entry.message.role == "user" and entry.extra.get("kind", "message") == "message"
    ]
    if len(prompts) < int(word):
        count = f"{len(prompts)} prompt{'' if len(prompts) == 1 else 's'}"
        raise PiError(f"the active branch has only {count}", code="nothing-to-undo")
    before = store.head
    head = prompts[-int(word)].parent_id
    _switch(store, context, head)
    line = f"undo: head={shown(head)} was={shown(before)}; go back with /branch {shown(before)}"
    return Result((line,), {"head": head, "was": before})


def alias(arguments: Arguments, context: CommandContext) -> Result:
    """Names for branches."""
    return _named(_Naming("alias", "branch alias", "aliases", arguments, context))


def bookmark(arguments: Arguments, context: CommandContext) -> Result:
    """Names for single entries."""
    return _named(_Naming("bookmark", "session bookmark", "bookmarks", arguments, context))


class _Naming:
    """A command about names of one kind: ``words`` begin its reports, ``plural`` is what
    its list counts, ``verb`` and ``name`` are its first two words."""

    def __init__(
        self, kind: str, words: str, plural: str, arguments: Arguments, context: CommandContext
    ) -> None:
        self.kind, self.words, self.plural = kind, words, plural
        self.arguments, self.context = arguments, context
        self.verb, self.name = arguments.word(0), arguments.word(1)
        self.store = session(context)
        self.path = shown_path(context)

    @property
    def force(self) -> bool:
        return "force" in self.arguments.options

    def standing(self) -> dict[str, int]:
        """The names and what they stand on. Raises LabelError."""
        return names(self.store, self.kind)

    def known(self) -> int:
        """What the given name stands on. Raises LabelError for none."""
        labels.check_name(self.name)
        standing = self.standing()
        if self.name not in standing:
            command = "/" + self.words.replace(" ", "-")
            raise LabelError(f"unknown {self.kind} '{self.name}'", hint=f"{command} list shows all")
        return standing[self.name]

    def note(self, name: str, entry_id: int | None) -> None:
        self.store.note(labels.record(self.kind, name, entry_id))

    def told(self, **data: Any) -> Result:
        """What was done, as ``name=value`` pairs."""
        pairs = " ".join(f"{name}={value}" for name, value in data.items())
        line = f"{self.words} {self.verb}: path={self.path} name={self.name} {pairs}"
        return Result((line,), {"path": self.path, "name": self.name, **data})


def _named(naming: _Naming) -> Result:
    run = _VERBS.get(naming.verb)
    if run is None:
        command = "/" + naming.words.replace(" ", "-")
        usage = f"usage: {command} <{'|'.join(_VERBS)}> [name] [id]"
        why = f"unknown subcommand '{naming.verb}'; {usage}" if naming.verb else usage
        line = f"{naming.words} error: path={naming.path} error={why}"
        return Result((line,), error=UsageError(why))
    try:
        least, most = _WORDS[naming.verb]
        if not least <= len(naming.arguments.words) - 1 <= most:
            raise UsageError(_usage(naming))
        return run(naming)
    except PiError as exc:
        name = f"name={naming.name} " if naming.name else ""
        line = f"{naming.words} error: path={naming.path} {name}error={exc.message}"
        return Result((line,), error=exc)


def _usage(naming: _Naming) -> str:
    words = {"set": "<name> [id]", "list": "", "rename": "<name> <new-name>"}
    command = "/" + naming.words.replace(" ", "-")
    return f"usage: {command} {naming.verb} {words.get(naming.verb, '<name>')}".rstrip()


def _set(naming: _Naming) -> Result:
    name = labels.check_name(naming.name)
    before = naming.standing().get(name)
    what = "branch" if naming.kind == "alias" else "bookmark"
    entry_id = resolve(naming.arguments.word(2) or "active", naming.store, what)
    if before not in (None, entry_id) and not naming.force:
        context = naming.context
        if not context.interactive:
            raise LabelError(f"{naming.kind} stands on {before}; --force moves it")
        if not context.confirm(f"{name} stands on {before}. Move it?"):
            return Result(("not done",), {"done": False})
    naming.note(name, entry_id)
    return naming.told(id=entry_id)


def _list(naming: _Naming) -> Result:
    known = naming.store.snapshot().parent_of
    rows: list[dict[str, Any]] = [
        {"name": name, "id": entry_id, "status": "ok" if entry_id in known else "stale"}
        for name, entry_id in naming.standing().items()
    ]
    lines = [f"{naming.words} list: path={naming.path} count={len(rows)}"]
    lines += [
        f"{naming.kind}: name={each['name']} id={each['id']} status={each['status']}"
        for each in rows
    ] or [f"{naming.plural}: none"]
    return Result(tuple(lines), {"path": naming.path, naming.plural: rows})


def _use(naming: _Naming) -> Result:
    entry_id = naming.known()
    if entry_id not in naming.store.snapshot().parent_of:
        raise LabelError(f"{naming.kind} points to unknown session id {entry_id}")
    _switch(naming.store, naming.context, entry_id)
    return naming.told(id=entry_id)


def _delete(naming: _Naming) -> Result:
    naming.known()
    naming.note(naming.name, None)
    return naming.told(status="deleted", remaining=len(naming.standing()))


def _rename(naming: _Naming) -> Result:
    entry_id = naming.known()
    new = labels.check_name(naming.arguments.word(2))
    if new == naming.name:
        return naming.told(new=new, id=entry_id)
    if new in naming.standing() and not naming.force:
        raise LabelError(f"{naming.kind} '{new}' is already there; --force replaces it")
    naming.note(new, entry_id)
    naming.note(naming.name, None)
    return naming.told(new=new, id=entry_id)


# How many words come after the verb.
_WORDS = {"set": (1, 2), "list": (0, 0), "use": (1, 1), "delete": (1, 1), "rename": (2, 2)}
_VERBS: dict[str, Callable[[_Naming], Result]] = {
    "set": _set,
    "list": _list,
    "use": _use,
    "delete": _delete,
    "rename": _rename,
}


def _switch(store: SessionStore, context: CommandContext, head: int | None) -> None:
    store.switch(head)
    context.reload()
