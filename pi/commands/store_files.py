"""Where files of named things lie, and how they are read and changed.

Two levels: the project's (the nearest ``.pi`` that has one, else the nearest ``.pi``, else
that of the working directory) and the user's own. A project may be somebody else's work,
so its file must be a plain file in a plain folder; the user's own may be links.

A change reads, changes and replaces under a lock, so that two processes lose nothing.
"""

from __future__ import annotations

import errno
import os

from pi.base.errors import PiError
from pi.base.filelock import FileLock
from pi.base.files import replace_file
from pi.base.homes import PI_FOLDER, find_project, user_folder
from pi.base.smallfile import Unreadable, read_small
from pi.base.typing import Any, NamedTuple
from pi.commands.store_text import MAX_BYTES, empty, encode_store, parse_store, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.commands.store_text import Kind

LOCK_WAIT_MS = 5000


class Place(NamedTuple):
    """A file that may hold named things. ``level`` is "project" or "user"."""

    path: str
    level: str

    @property
    def is_project(self) -> bool:
        return self.level == "project"


def project_place(kind: Kind, cwd: str, environ: Mapping[str, str]) -> Place:
    """The project's file, whether it is there or not."""
    project = find_project(cwd, environ)
    path = project.nearest(kind.file) if project is not None else ""
    if not path:
        folders = reversed(project.folders) if project is not None else ()
        with_pi = (each for each in folders if os.path.isdir(os.path.join(each, PI_FOLDER)))
        path = os.path.join(next(with_pi, cwd), PI_FOLDER, kind.file)
    return Place(path, "project")


def user_place(kind: Kind, environ: Mapping[str, str]) -> Place:
    """The user's file."""
    return Place(os.path.join(user_folder(environ), kind.file), "user")


def read_store(place: Place, kind: Kind) -> dict[str, Any]:
    """The content; that of an empty file if there is none. Raises ConfigError."""
    return _read(place, kind)[0]


def update_store(
    place: Place,
    kind: Kind,
    change: Callable[[dict[str, Any]], Mapping[str, Any]],
    random_bytes: Callable[[int], bytes],
) -> None:
    """Put ``change(content)`` in the place of the content; what it raises changes nothing.

    Raises ConfigError for a file that cannot be used, PiError for one that cannot be written.
    """
    path = place.path if place.is_project else os.path.realpath(place.path)
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, mode=0o755 if place.is_project else 0o700, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY) if os.name != "nt" else -1
    except OSError as exc:
        raise _unwritable(place, kind, exc) from exc
    lock = None
    try:
        lock = _locked(descriptor, path)
        content, mode = _read(place, kind)
        data = encode_store(change(content), kind)
        if len(data) > MAX_BYTES:
            raise unreadable(place.path, kind, f"it would be larger than {MAX_BYTES} bytes")
        replace_file(path, data, random_bytes=random_bytes, mode=mode)
    except OSError as exc:
        raise _unwritable(place, kind, exc) from exc
    finally:
        if lock is not None:
            lock.__exit__()
        if descriptor >= 0:
            os.close(descriptor)


def _locked(descriptor: int, path: str) -> FileLock:
    """A lock that was taken on the folder, which stays while its files are replaced. A file
    system that locks no folder gets a lock file."""

    def unlockable(descriptor: int, shared: bool) -> bool:
        raise NotImplementedError

    try:
        return FileLock(descriptor, path, wait_ms=LOCK_WAIT_MS).__enter__()
    except OSError as exc:
        if exc.errno != errno.EBADF:
            raise
    return FileLock(-1, path, wait_ms=LOCK_WAIT_MS, kernel_lock=unlockable).__enter__()


def _read(place: Place, kind: Kind) -> tuple[dict[str, Any], int]:
    """The content, and the permissions that the file has or is to get."""
    if place.is_project and os.path.islink(os.path.dirname(place.path)):
        raise unreadable(place.path, kind, "its folder is a link")
    try:
        data, is_longer = read_small(place.path, MAX_BYTES, follow=not place.is_project)
        mode = os.stat(place.path).st_mode & 0o777
    except Unreadable as exc:
        if exc.absent:
            return empty(kind), 0o644 if place.is_project else 0o600
        raise unreadable(place.path, kind, f"it {exc.why}") from exc
    except OSError as exc:
        raise unreadable(place.path, kind, exc.strerror or str(exc)) from exc
    if is_longer:
        raise unreadable(place.path, kind, f"it is larger than {MAX_BYTES} bytes")
    return parse_store(data, place.path, kind), mode


def _unwritable(place: Place, kind: Kind, exc: OSError) -> PiError:
    return PiError(
        f"failed to write {kind.words} {place.path}",
        cause=exc.strerror or str(exc),
        hint="check the folder's permissions and the space on the disk",
        code=f"{kind.noun}-file-not-written",
    )
