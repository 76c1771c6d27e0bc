"""Writing the lockfile: what this run installed, what was known before, what else is there."""

from __future__ import annotations

import os

from pi.base.errors import ConfigError, PiError, VerificationFailed
from pi.base.files import replace_file
from pi.skills.lockfile import (
    MAX_BYTES,
    Lock,
    LockEntry,
    make_lock,
    make_source,
    parse_lock,
    render,
)
from pi.skills.plain_files import read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from pi.skills.installed import Installed


def read_lock(path: str) -> Lock:
    """The lockfile at ``path``. Raises ConfigError if it cannot be read (``code`` is
    "no-lockfile" if it is not there), VerificationFailed if it is not a good one."""
    lock = read_lock_if_any(path)
    if lock is None:
        raise ConfigError(
            f"failed to read skills lockfile {path}",
            cause="there is no such file",
            hint="pi --skills-lock-write makes it",
            code="no-lockfile",
        )
    return lock


def read_lock_if_any(path: str) -> Lock | None:
    """The lockfile at ``path``, None if there is none. Raises as ``read_lock``."""
    try:
        data, _ = read_plain(path, MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise ConfigError(
            f"failed to read skills lockfile {path}",
            cause=exc.strerror or str(exc),
            hint="--skills-lock-file names the file",
        ) from exc
    return parse_lock(data, path)


def next_lock(
    there: Sequence[Installed],
    before: Lock | None,
    installed_now: Mapping[str, LockEntry],
    accept: Collection[str] = (),
) -> Lock:
    """The lock of what is ``there``. ``installed_now`` are entries of this run by file.

    A skill keeps its recorded source while its bytes are as recorded. Raises
    VerificationFailed for one that was edited, unless ``accept`` names its file or name:
    then it is recorded anew as a local one, without its signature.
    """
    known = before.by_file() if before is not None else {}
    entries = []
    for one in there:
        fresh = installed_now.get(one.file)
        old = known.get(one.file)
        if fresh is not None and fresh.sha256 == one.sha256:
            source = fresh.source
        elif old is None:
            source = make_source("unknown", {})
        elif old.sha256 == one.sha256:
            source = old.source
        elif one.file in accept or one.name in accept:
            source = make_source("local", {})
        else:
            raise VerificationFailed(
                f"'{one.file}' is not as the lockfile says, and was not installed now",
                cause=f"expected sha256 {old.sha256}, actual {one.sha256}",
                hint=f"--skills-lock-accept {one.file} records it as it is",
                code="edited-skill",
            )
        entries.append(LockEntry(one.name, one.file, one.sha256, source, one.files))
    return make_lock(entries)


def changed_lock(
    before: Lock, fresh: Mapping[str, LockEntry], dropped: Collection[str] = ()
) -> Lock:
    """``before`` with the entries ``fresh`` in the place of those of their files, and without
    those of the files in ``dropped``. What else is installed is not looked at."""
    known = {**before.by_file(), **fresh}
    return make_lock(entry for file, entry in known.items() if file not in dropped)


def write_lock(lock: Lock, path: str, *, random_bytes: Callable[[int], bytes]) -> None:
    """Write the lockfile, whole or not at all. Raises PiError."""
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        replace_file(path, render(lock), random_bytes=random_bytes, mode=0o644, sync=True)
    except OSError as exc:
        raise PiError(
            f"failed to write skills lockfile {path}", cause=exc.strerror or str(exc)
        ) from exc


def recorded_path(source: str, lock_path: str, project: str) -> str:
    """How the lockfile names a local source: relative to its own folder if both lie in
    ``project``, so that the file is the same on every machine; else as it was given."""
    full = os.path.realpath(source)
    root = os.path.realpath(project)
    folder = os.path.dirname(os.path.realpath(lock_path))
    if os.path.commonpath([full, root]) == root and os.path.commonpath([folder, root]) == root:
        return os.path.relpath(full, folder).replace(os.sep, "/")
    return source
