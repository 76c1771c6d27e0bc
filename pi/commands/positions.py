"""Where in a session somebody means: a number, a name, ``active``, ``latest``, ``~2``."""

from __future__ import annotations

import os
import stat

from pi.base.errors import PiError, UsageError
from pi.sessions.labels import KINDS, LabelError, fold, parse_sidecar, sidecars
from pi.sessions.lineage import path_to

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    """The entry that ``text`` means. Raises PiError for none."""
    known = store.snapshot().parent_of
    if text.isascii() and text.isdigit() and len(text) <= 19:
        found: int | None = int(text)
    elif text in ("active", "latest"):
        found = store.head if text == "active" else store.file_head
    elif text.startswith("~") and text.isascii() and text[1:].isdigit() and len(text) < 12:
        if store.head is None:
            raise PiError("active head is not set", code="unknown-session-id")
        ids = path_to(store.head, known.__getitem__).ids
        steps = int(text[1:])
        if steps >= len(ids):
            raise PiError(
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
        raise PiError(f"{text} head is not set", code="unknown-session-id")
    if found not in known:
        raise PiError(f"unknown session id {found}", code="unknown-session-id")
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


def write_new(path: str, data: bytes, context: CommandContext, *, force: bool) -> str:
    """Write a file that must not be there yet, unless ``force``. Returns its path.

    Parents are made. Raises PiError saying why it cannot be; then nothing was written.
    """
    if not path:
        raise PiError("destination path cannot be empty")
    # The folder is resolved first: below one that is not there, ".." would hide what is.
    folder, name = os.path.split(os.path.join(context.cwd, os.path.expanduser(path)))
    full = os.path.join(os.path.realpath(folder), name)
    if os.path.isdir(full):
        raise PiError(f"destination path '{path}' is a directory")
    if os.path.lexists(full) and not force:
        raise PiError(f"'{path}' is already there", hint="--force overwrites it")
    if os.path.exists(full) and not os.path.isfile(full):
        # A device or a pipe would be replaced by a file, for everybody who uses it.
        raise PiError(f"destination path '{path}' is not a regular file", hint="- prints it")
    if context.store is not None and os.path.realpath(full) == f"{context.store.path}.lock":
        raise PiError(f"destination path '{path}' is the lock of the session")
    from pi.base.files import replace_file

    try:
        os.makedirs(os.path.dirname(full) or ".", exist_ok=True)
        replace_file(os.path.realpath(full), data, random_bytes=context.random_bytes, sync=True)
    except (OSError, ValueError) as exc:
        why = getattr(exc, "strerror", None) or str(exc)
        raise PiError(f"failed to write '{path}'", cause=why) from exc
    return path
