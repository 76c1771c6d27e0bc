"""Removing installed skills that the lockfile does not know. Planned first, then done."""

from __future__ import annotations

import os
import shutil
import stat

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.skills.discovery import SKILL_FILE
from pi.skills.lockfile import unsafe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.skills.installed import Installed
    from pi.skills.lockfile import Lock


class Removed(NamedTuple):
    """``error`` is "" for a skill that was deleted."""

    file: str
    error: str


def candidates(lock: Lock, there: Sequence[Installed]) -> tuple[str, ...]:
    """Files of installed skills that are not in the lock, sorted.

    Raises PiError if any name, in the lock or on the disk, leads elsewhere.
    """
    for entry in lock.entries:
        if unsafe(entry.file):
            raise PiError(f"unsafe lockfile entry '{entry.file}'", cause=unsafe(entry.file))
    known = lock.by_file()
    return safe(sorted(one.file for one in there if one.file not in known))


def safe(files: Sequence[str]) -> tuple[str, ...]:
    """``files``, if each lies directly in the skills directory. Raises PiError."""
    for file in files:
        if unsafe(file):
            raise PiError(f"unsafe skill path '{file}'", cause=unsafe(file))
    return tuple(files)


def remove(directory: str, files: Sequence[str]) -> tuple[Removed, ...]:
    """Delete the skills at ``files``. What cannot be deleted is told, and the rest goes on."""
    return tuple(Removed(file, _remove(directory, file)) for file in files)


def _remove(directory: str, file: str) -> str:
    """Delete one skill; nothing is followed. Returns the reason if it is still there."""
    name = file.partition("/")[0]
    path = os.path.join(directory, name)
    try:
        kind = os.lstat(path).st_mode
        if "/" not in file:
            if not stat.S_ISREG(kind):
                return "not a regular file"
            os.unlink(path)
            return ""
        if not stat.S_ISDIR(kind) or not stat.S_ISREG(
            os.lstat(os.path.join(path, SKILL_FILE)).st_mode
        ):
            return f"not a folder with a {SKILL_FILE} of its own"
        shutil.rmtree(path)
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""
