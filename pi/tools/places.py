"""Files reached without following a link that was not checked.

The path rule resolves a path once and hands over a ``Place``: a root and the names
below it. Here the names are walked from a handle of the root, each opened relative to
the one before and never through a link, so a directory swapped for a link between the
check and the use makes the call fail instead of landing elsewhere.

Systems without directory handles (Windows) get the resolved path and a second look at
where it leads.
"""

from __future__ import annotations

import errno
import os
import stat

from pi.base.files import replace_file
from pi.base.typing import NamedTuple
from pi.tools.outcome import ToolFailure, os_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HAS_HANDLES = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY: int = getattr(os, "O_BINARY", 0)
# Non-blocking: opening a FIFO that has no writer would wait for ever.
_READ: int = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | _BINARY
_WRITE: int = os.O_WRONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | _BINARY
# O_PATH passes directories that may be entered but not listed.
_ROOT: int = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_FOLDER: int = _ROOT | _NO_FOLLOW


class Place(NamedTuple):
    """A checked path: ``parts`` below ``root``, both free of links when checked.

    ``given`` is what the model wrote, ``absolute`` that joined with the working
    directory and otherwise untouched.
    """

    given: str
    absolute: str
    root: str
    parts: tuple[str, ...]

    @property
    def resolved(self) -> str:
        return os.path.join(self.root, *self.parts)


class Folder:
    """The open directory that holds a place. Close it, or use it in a ``with``.

    Raises ToolFailure or OSError; with ``create`` missing directories are made.
    """

    def __init__(
        self, place: Place, *, create: bool = False, use_handles: bool = HAS_HANDLES
    ) -> None:
        self.place = place
        self._handle: int | None = None
        self._name = place.resolved
        if use_handles:
            self._handle = _walk(place.root, place.parts[:-1], create=create)
            self._name = place.parts[-1] if place.parts else "."
        elif create:
            _make_parents(place)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def info(self) -> os.stat_result | None:
        """What is at the place now, the link itself if it is one; None if nothing."""
        try:
            return os.stat(self._name, dir_fd=self._handle, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def open_regular(self) -> tuple[int, os.stat_result]:
        """Open the file for reading: a descriptor to close, and what it leads to.

        Only a regular file is ever opened; reading a device or a FIFO could block or act.
        """
        refusal = f"path '{self.place.given}' must be a regular file for this operation"
        before = self.info()
        if before is not None and not stat.S_ISREG(before.st_mode):
            raise ToolFailure(refusal, "enforce_regular_files")
        descriptor = os.open(self._name, _READ, dir_fd=self._handle)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise ToolFailure(refusal, "enforce_regular_files")
            self._look_again()
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor, info

    def read(self, max_bytes: int) -> bytes:
        """The file's content, at most ``max_bytes`` of it."""
        descriptor, _ = self.open_regular()
        try:
            return read_up_to(descriptor, max_bytes)
        finally:
            os.close(descriptor)

    def entries(self) -> list[str]:
        """The names in the directory at the place, directories with a slash behind."""
        if self._handle is None:
            self._look_again()
            return _names(self._name)
        flags = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_FOLLOW
        descriptor = os.open(self._name, flags, dir_fd=self._handle)
        try:
            return _names(descriptor)
        finally:
            os.close(descriptor)

    def replace(
        self,
        data: bytes,
        before: os.stat_result | None,
        *,
        random_bytes: Callable[[int], bytes],
        new_mode: int,
    ) -> None:
        """Make ``data`` the content: whole or not at all wherever that is possible.

        ``before`` is the regular file that is there now, or None. It keeps its mode and
        owner. A file with several hard links, of another owner, or in a directory we may
        not write to is written in place: a new file under its name would not be the same.
        """
        self._look_again()
        if before is None:
            mode = new_mode
        else:
            mode = stat.S_IMODE(before.st_mode)
            if before.st_nlink > 1 or (hasattr(os, "geteuid") and before.st_uid != os.geteuid()):
                self._overwrite(data, before)
                return
        try:
            replace_file(
                self._name,
                data,
                random_bytes=random_bytes,
                mode=mode if hasattr(os, "fchmod") else 0o600,
                dir_fd=self._handle,
            )
        except PermissionError:
            if before is None:
                raise
            self._overwrite(data, before)
            return
        if before is not None:
            self._keep_group(before)

    def _keep_group(self, before: os.stat_result) -> None:
        now = self.info()
        if now is not None and now.st_gid != before.st_gid:
            try:
                os.chown(self._name, -1, before.st_gid, dir_fd=self._handle, follow_symlinks=False)
            except OSError:
                pass  # not a member of that group: the content is what matters

    def _overwrite(self, data: bytes, before: os.stat_result) -> None:
        """Write in place; what needs more room first, so a full disk leaves the old content."""
        descriptor = os.open(self._name, _WRITE, dir_fd=self._handle)
        try:
            now = os.fstat(descriptor)
            if (now.st_dev, now.st_ino) != (before.st_dev, before.st_ino):
                raise ToolFailure(f"path '{self.place.given}' changed while it was being written")
            size = now.st_size
            try:
                _write_at(descriptor, size, memoryview(data)[size:])
            except OSError:
                os.ftruncate(descriptor, size)
                raise
            _write_at(descriptor, 0, memoryview(data)[:size])
            os.ftruncate(descriptor, len(data))
        finally:
            os.close(descriptor)

    def _look_again(self) -> None:
        """Without handles all that can be done: see whether the path still leads there."""
        if self._handle is None and os.path.realpath(self._name) != self.place.resolved:
            raise ToolFailure(f"path '{self.place.given}' changed while it was being opened")


def read_up_to(descriptor: int, max_bytes: int) -> bytes:
    """Read until the end or ``max_bytes``: sizes told beforehand are not to be trusted."""
    pieces = []
    while max_bytes > 0:
        piece = os.read(descriptor, min(max_bytes, 1 << 20))
        if not piece:
            break
        pieces.append(piece)
        max_bytes -= len(piece)
    return b"".join(pieces)


def _write_at(descriptor: int, offset: int, data: memoryview) -> None:
    os.lseek(descriptor, offset, os.SEEK_SET)
    while data:
        data = data[os.write(descriptor, data) :]


def _walk(root: str, names: tuple[str, ...], *, create: bool) -> int:
    """A handle of the directory ``names`` below ``root``, reached through no link."""
    try:
        handle = os.open(root, _ROOT)
    except OSError as exc:
        raise ToolFailure(f"invalid allowed root '{root}': {os_text(exc)}") from exc
    for name in names:
        try:
            below = _step(handle, name, create=create)
        finally:
            os.close(handle)
        handle = below
    return handle


def _step(handle: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=handle)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as exc:
        if create and exc.errno in (errno.ENOTDIR, errno.ELOOP):
            raise ToolFailure(f"failed to create parent directory: {os_text(exc)}") from exc
        raise
    try:
        os.mkdir(name, dir_fd=handle)
    except FileExistsError:
        pass  # somebody else made it just now; what it is shows when it is opened
    except OSError as exc:
        raise ToolFailure(f"failed to create parent directory: {os_text(exc)}") from exc
    return os.open(name, _FOLDER, dir_fd=handle)


def _make_parents(place: Place) -> None:
    try:
        os.makedirs(os.path.dirname(place.resolved), exist_ok=True)
    except OSError as exc:
        raise ToolFailure(f"failed to create parent directory: {os_text(exc)}") from exc


def _names(folder: int | str) -> list[str]:
    with os.scandir(folder) as found:
        return [
            entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "") for entry in found
        ]
