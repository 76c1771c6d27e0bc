"""Where in a session somebody means: a number, a name, ``active``, ``latest``, ``~2``."""

from __future__ import annotations

import os
import stat

from pi.base.errors import UsageError
from pi.sessions.labels import KINDS, LabelError, fold, parse_sidecar, sidecars
from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.commands.context import CommandContext
    from pi.sessions.store import SessionStore

MAX_SIDECAR_BYTES = 16 << 20


def session(context: CommandContext) -> SessionStore:
    """The session of the run, with what others wrote since; the table says that a command
    needs one."""
    assert context.store is not None
    context.store.refresh()
    return context.store


def shown_path(context: CommandContext) -> str:
    """The session's path as the user gave it."""
    assert context.store is not None
    return str(context.settings.get("session") or context.store.path)


def names(store: SessionStore, kind: str) -> dict[str, int]:
    """The names of a kind, those in the older program's file first. Raises LabelError."""
    before: dict[str, int] = {}
    for path in reversed(sidecars(store.path, kind)):
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                raise LabelError(f"failed to read {KINDS[kind].words} {path}: not a regular file")
            with open(path, "rb") as file:
                data = file.read(MAX_SIDECAR_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as exc:
            why = exc.strerror or str(exc)
            raise LabelError(f"failed to read {KINDS[kind].words} {path}: {why}") from exc
        if len(data) > MAX_SIDECAR_BYTES:
            raise LabelError(f"failed to read {KINDS[kind].words} {path}: too large")
        before.update(parse_sidecar(data, path, kind))
    return fold(store.notes, kind, before)


def resolve(text: str, store: SessionStore, what: str = "branch") -> int:
    """The entry that ``text`` means. Raises UsageError for none."""
    known = store.snapshot().parent_of
    if text.isascii() and text.isdigit() and len(text) <= 19:
        found: int | None = int(text)
    elif text in ("active", "latest"):
        found = store.head if text == "active" else store.file_head
    elif text.startswith("~") and text.isascii() and text[1:].isdigit() and len(text) < 12:
        if store.head is None:
            raise UsageError("active head is not set", code="unknown-session-id")
        ids = path_to(store.head, known.__getitem__).ids
        steps = int(text[1:])
        if steps >= len(ids):
            raise UsageError(
                f"{text}: the active branch has only {len(ids)} entries",
                code="unknown-session-id",
            )
        found = ids[-1 - steps]
    else:
        found = _named(text, store)
        if found is None:
            raise UsageError(
                f"invalid {what} id '{text}'; expected an integer", hint="or a name, or active"
            )
    if found is None:
        raise UsageError(f"{text} head is not set", code="unknown-session-id")
    if found not in known:
        raise UsageError(
            f"unknown session id {found}",
            hint="/session-graph-export - shows all, /branches the ends",
            code="unknown-session-id",
        )
    return found


def _named(text: str, store: SessionStore) -> int | None:
    for kind in KINDS:
        try:
            found = names(store, kind).get(text)
        except LabelError:
            continue
        if found is not None:
            return found
    return None


def _owned(full: str, context: CommandContext) -> str:
    """What the target is to a session, in words; "" for nothing."""
    from pi.sessions.owned import owned  # nobody else needs it

    if context.store is None:
        return ""
    return owned(os.path.realpath(full), os.path.realpath(context.store.path), context.cwd)


def write_new(
    path: str, data: bytes | Iterable[bytes], context: CommandContext, *, force: bool
) -> str:
    """Write a file that must not be there yet, unless ``force``. Returns its path.

    ``data`` may come in pieces that are made while they are written. Parents are made.
    Raises UsageError for a name that will not do, PiError for what else keeps it from being
    written; then nothing was.
    """
    if not path:
        raise UsageError("destination path cannot be empty")
    # The folder is resolved first: below one that is not there, ".." would hide what is.
    folder, name = os.path.split(os.path.join(context.cwd, os.path.expanduser(path)))
    full = os.path.join(os.path.realpath(folder), name)
    if os.path.isdir(full):
        raise UsageError(f"destination path '{path}' is a directory", hint="name a file in it")
    owned = _owned(full, context)
    if os.path.lexists(full) and not force:
        hint = "choose another name" if owned else "--force overwrites it"
        raise UsageError(f"'{path}' is already there", hint=hint)
    if os.path.exists(full) and not os.path.isfile(full):
        # A device or a pipe would be replaced by a file, for everybody who uses it.
        raise UsageError(f"destination path '{path}' is not a regular file", hint="- prints it")
    if owned:
        raise UsageError(f"destination path '{path}' is {owned}", hint="choose another name")
    from pi.base.files import replace_file

    try:
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        replace_file(os.path.realpath(full), data, random_bytes=context.random_bytes, sync=True)
    except (OSError, ValueError) as exc:
        from pi.base.given_file import not_taken  # only on the way to an error

        is_under_file = isinstance(exc, (FileExistsError, NotADirectoryError))
        hint = "a part of this path is a file, not a folder" if is_under_file else ""
        raise not_taken(f"failed to write '{path}'", exc, hint=hint) from exc
    return path
