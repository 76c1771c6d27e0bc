"""Adds lines to a log file that other pi processes write too. Knows no meaning.

Each append is one write at the end of the file, under a lock, at a cost that does not
depend on the file's size. A write that fails half-way is taken back. A log that was moved
away or removed while pi runs is begun anew under its name.
"""

from __future__ import annotations

import os
import stat
from threading import Lock

from pi.base.errors import ConfigError
from pi.base.filelock import FileLock
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_MS = 5000
# O_NONBLOCK: a pipe that came in between must not block. O_BINARY: Windows would
# translate line ends.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
_FLAGS |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a named pipe"),
    (stat.S_ISCHR, "it is a device"),
    (stat.S_ISBLK, "it is a device"),
    (stat.S_ISSOCK, "it is a socket"),
)


class State(NamedTuple):
    """Tells one state of a log from another: nobody shortens it while the lock is held."""

    device: int
    inode: int
    size: int


class Appender:
    """Opens ``path`` at once, creating it (0600) and the folders above it (0700).

    ``what`` names the log in messages. Raises ConfigError if it cannot be opened.
    """

    def __init__(
        self,
        path: str,
        what: str,
        *,
        wait_ms: int = WAIT_MS,
        make_lock: Callable[..., FileLock] = FileLock,
    ) -> None:
        self.path = path
        self._wait_ms = wait_ms
        self._make_lock = make_lock
        self._patient = True
        self._threads = Lock()  # a lock of the process does not exclude its own threads
        self._descriptor = -1
        try:
            self.path = os.path.abspath(path)  # a later chdir must not lead elsewhere
            self._open()
        except (OSError, ValueError) as exc:
            raise ConfigError(
                f"{what} '{path}' cannot be opened",
                cause=getattr(exc, "strerror", None) or str(exc),
                code="log-not-opened",
            ) from exc

    def append(self, compose: Callable[[State], bytes]) -> State:
        """Add the bytes that ``compose`` makes of the file's state; the state after it.

        ``compose`` may call ``read_end``. Raises OSError, with the file as it was; after
        a lock that was not to be had, the next call does not wait for it again.
        """
        with self._threads:
            self._reopen_if_moved()
            wait_ms = self._wait_ms if self._patient else 0
            self._patient = False
            with self._make_lock(self._descriptor, self.path, wait_ms=wait_ms):
                self._patient = True
                before = self._state()
                data = compose(before)
                self._write(data, before.size)
                return before._replace(size=before.size + len(data))

    def read_end(self, size: int) -> bytes:
        """The last ``size`` bytes of the file, or all of a shorter one."""
        os.lseek(self._descriptor, max(0, self._state().size - size), os.SEEK_SET)
        parts, wanted = [], size
        while wanted > 0:
            part = os.read(self._descriptor, wanted)
            if not part:
                break
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        # Looked at before it is opened (opening a device may act on it) and after.
        try:
            _check_kind(os.stat(self.path).st_mode)
        except FileNotFoundError:
            _make_folders(os.path.dirname(os.path.realpath(self.path)))
        descriptor = os.open(self.path, _FLAGS, 0o600)
        try:
            _check_kind(os.fstat(descriptor).st_mode)
        except BaseException:
            os.close(descriptor)
            raise
        self.close()
        self._descriptor = descriptor

    def _reopen_if_moved(self) -> None:
        if self._descriptor >= 0:
            try:
                there = os.stat(self.path)
                if (there.st_dev, there.st_ino) == self._state()[:2]:
                    return
            except FileNotFoundError:
                pass
        self._open()

    def _state(self) -> State:
        state = os.fstat(self._descriptor)
        return State(state.st_dev, state.st_ino, state.st_size)

    def _write(self, data: bytes, before: int) -> None:
        try:
            view = memoryview(data)
            while view:  # a second round only after a short write: it tells why
                view = view[os.write(self._descriptor, view) :]
        except BaseException:
            try:
                os.ftruncate(self._descriptor, before)
            except OSError:
                pass  # an append-only file: the torn line is accounted for by the next record
            raise


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(0, next((why for test, why in _KINDS if test(mode)), "it is no file"))


def _make_folders(folder: str) -> None:
    if os.path.isdir(folder):
        return
    parent = os.path.dirname(folder)
    if parent != folder:
        _make_folders(parent)
    try:
        os.mkdir(folder, 0o700)
    except FileExistsError:
        if not os.path.isdir(folder):
            raise NotADirectoryError(20, "a part of its path is no folder") from None
