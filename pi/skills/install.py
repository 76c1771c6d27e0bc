"""Putting skills into the managed directory: first everything is judged, then written.

A plan is made of items whose bytes were read and verified, and of what is there. Nothing
is written before the whole plan stands; then all is staged beside its place, and renamed.
"""

from __future__ import annotations

import contextlib
import os

from pi.base.errors import ConfigError, PiError, UsageError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pi.skills.archive import File
    from pi.skills.installed import Installed
    from pi.skills.items import Item
    from pi.skills.lockfile import LockEntry

INSTALLED, UPDATED, SKIPPED = "installed", "updated", "skipped"
IDENTITY = ("kind", "path", "url", "registry_url", "name")


class Write(NamedTuple):
    """``restores``: it is put back to what the lockfile says, over whatever is left of it."""

    item: Item
    action: str
    restores: bool = False


def plan(
    items: Sequence[Item],
    there: Mapping[str, Installed],
    locked: Mapping[str, LockEntry],
    *,
    overwrite: bool,
    restored: Collection[str] = (),
) -> tuple[Write, ...]:
    """What to do with each item. ``there`` and ``locked`` are by file; ``restored`` are the
    files that are put back to what the lockfile says, whatever they are now.

    Raises UsageError for two items of one name, PiError for one that would overwrite
    something else than an older version of itself.
    """
    claimed: dict[str, Item] = {}
    writes = []
    for item in items:
        before = claimed.setdefault(item.name.lower(), item)
        if before is not item:
            raise UsageError(
                f"two sources install the skill '{item.name}'",
                cause=f"{before.label} and {item.label}",
            )
        now = there.get(item.file)
        if now is None:
            writes.append(Write(item, INSTALLED, item.file in restored))
        elif now.sha256 == item.entry().sha256:
            writes.append(Write(item, SKIPPED))
        else:
            why = _clash(item, now, locked.get(item.file))
            if why and not overwrite and item.file not in restored:
                raise PiError(
                    f"{item.label}: the skill '{item.name}' is not overwritten",
                    cause=why,
                    hint="--skills-overwrite does it",
                    code="would-overwrite",
                )
            writes.append(Write(item, UPDATED))
    return tuple(writes)


def counts(writes: Sequence[Write], step: str) -> str:
    """The line about one step: ``installed=N updated=N skipped=N``."""
    actions = [write.action for write in writes if write.item.step == step]
    return " ".join(f"{word}={actions.count(word)}" for word in (INSTALLED, UPDATED, SKIPPED))


def apply(writes: Sequence[Write], directory: str, *, random_bytes: Callable[[int], bytes]) -> None:
    """Write what the plan says: everything is staged first, then renamed.

    Raises PiError; then the skills in the directory are as they were.
    """
    todo = [write for write in writes if write.action != SKIPPED]
    if not todo:
        return
    if os.path.lexists(directory) and not os.path.isdir(directory):
        raise ConfigError(f"{directory} is not a directory", hint="choose another --skills-dir")
    staged: list[str] = []
    undo: list[Callable[[], None]] = []
    doing = todo[0]
    try:
        os.makedirs(directory, exist_ok=True)
        for doing in todo:
            _refuse_others(_target(directory, doing.item), doing)
            name = f".{doing.item.name[:60]}.{random_bytes(6).hex()}"
            staged.append(os.path.join(directory, name))
            _stage(doing.item, staged[-1])
        for temporary, doing in zip(staged, todo):
            target = _target(directory, doing.item)
            _refuse_others(target, doing)  # staging took its time
            undo.append(_put(temporary, target))
    except BaseException as exc:
        for take_back in reversed(undo):
            with contextlib.suppress(OSError):
                take_back()
        if not isinstance(exc, OSError):
            raise
        verb = "update" if doing.action == UPDATED else "install"
        raise PiError(
            f"failed to {verb} skill {os.path.join(directory, doing.item.file)}",
            cause=exc.strerror or str(exc),
        ) from exc
    finally:
        for temporary in staged:
            for path in (temporary, _aside(temporary)):
                _remove(path)


def _target(directory: str, item: Item) -> str:
    return os.path.join(directory, item.name + ("" if item.is_folder else ".md"))


def _clash(item: Item, now: Installed, entry: LockEntry | None) -> str:
    """Why what is there is not an older version of ``item``."""
    if entry is None:
        return ""
    if now.sha256 != entry.sha256:
        return "the installed one was edited: it is not as the lockfile says"
    before, after = (
        [source.get(field) for field in IDENTITY] for source in (entry.source, item.source)
    )
    if before != after and entry.source.get("kind") != "unknown":
        return "the installed one comes from another source"
    return ""


def _refuse_others(target: str, write: Write) -> None:
    """Nothing is written through links, or over what is no older version of the skill."""
    if os.path.islink(target):
        raise OSError(0, "it is a link, and nothing is written through links")
    is_there = os.path.lexists(target)
    if not is_there and write.action == UPDATED:
        raise OSError(0, "it is gone")
    may_be_there = write.action == UPDATED or write.restores
    if is_there and not (may_be_there and os.path.isdir(target) == write.item.is_folder):
        raise OSError(0, "something else is there")


def _stage(item: Item, temporary: str) -> None:
    if not item.is_folder:
        _create(temporary, item.files[""])
        return
    os.mkdir(temporary, 0o755)
    for path, file in item.files.items():
        full = os.path.join(temporary, *path.split("/"))
        os.makedirs(os.path.dirname(full), exist_ok=True)
        _create(full, file)


def _create(path: str, file: File) -> None:
    mode = 0o755 if file.is_executable else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags, mode), "wb") as out:
        out.write(file.data)
        out.flush()
        os.fsync(out.fileno())


def _put(temporary: str, target: str) -> Callable[[], None]:
    """Move what was staged into its place. Returns what takes that back.

    What was there stays aside until all is done. A folder cannot replace another, so there
    is a moment without one; a file is replaced in one step.
    """
    aside = _aside(temporary)
    if not os.path.lexists(target):
        os.rename(temporary, target)
        return lambda: os.rename(target, temporary)
    if os.path.isdir(target):
        os.rename(target, aside)
        try:
            os.rename(temporary, target)
        except OSError:
            os.rename(aside, target)
            raise

        def restore() -> None:
            os.rename(target, temporary)
            os.rename(aside, target)

        return restore
    try:
        os.link(target, aside, follow_symlinks=False)
    except (OSError, NotImplementedError):  # a file system without hard links
        import shutil  # only where something is replaced

        shutil.copy2(target, aside, follow_symlinks=False)
    os.replace(temporary, target)
    return lambda: os.replace(aside, target)


def _aside(temporary: str) -> str:
    return f"{temporary}.old"


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        import shutil

        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)
