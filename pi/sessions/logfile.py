"""One append-only file of lines: what is new in it, and adding to it. Knows no meaning.

Invariants:
  * what was read once is not read again, unless the file turns out to be another one
    (replaced, shrunk, or different where reading stopped);
  * what was appended here is not read at all, unless somebody wrote in between;
  * appending costs the same whatever the file's size;
  * a failed append leaves the file as it was; bytes already in it are never changed.

The caller holds the lock around ``read_new`` and ``append``; reading alone needs none.
"""

from __future__ import annotations

import errno
import os
import stat

from pi.base.jsonl import Damaged, JsonlReader, Record
from pi.sessions.errors import NamedWrong, SessionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.base.jsonl import Line

_CHUNK_BYTES = 1024 * 1024
# Long enough to hold an entry's last fields, so that another entry does not look the same.
_SEAM_BYTES = 256
# O_BINARY: Windows would translate line ends.
_EXTRA_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_APPEND = os.O_RDWR | os.O_APPEND | _EXTRA_FLAGS
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class LogFile:
    """``tail`` is an unfinished last line that is no record: torn, or being written now."""

    def __init__(self, path: str, *, max_line_bytes: int) -> None:
        self._shown = path
        # Resolved once: two names of one file must share one lock.
        try:
            self.path = os.path.realpath(path)
        except (OSError, ValueError) as exc:
            raise self._failed("read", exc) from exc
        self._folder = os.path.dirname(self.path)
        self.max_line_bytes = max_line_bytes
        self._is_new = False  # its name may not be on the disk yet
        self._is_made = False  # by the last opening
        self._is_dirty = False
        self.forget()

    def forget(self) -> None:
        """Start over at the beginning of the file."""
        self._identity: tuple[int, int] | None = None
        self._reader = JsonlReader(max_line_bytes=self.max_line_bytes)
        self._end = 0  # bytes read
        self._seam = b""  # the last of them
        self._left: tuple[int, ...] = ()  # how the file looked after the last append here
        self.tail: Damaged | None = None

    def open_to_read(self) -> int:
        """A descriptor, or -1 if there is no file. Opens nothing but a regular file."""
        try:
            return self._open(os.O_RDONLY)
        except FileNotFoundError:
            return -1
        except (OSError, ValueError) as exc:
            raise self._failed("read", exc) from exc

    def open_to_append(self) -> int:
        """A descriptor to read and append with; creates the file, for its owner only."""
        self._is_made = False
        try:
            try:
                return self._open(_APPEND)
            except FileNotFoundError:
                descriptor = os.open(self.path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as exc:
            raise self._failed("write", exc) from exc
        self._is_new = self._is_made = True
        return descriptor

    def discard_if_empty(self, descriptor: int) -> None:
        """Remove the file again if it was made here and nothing came into it."""
        if self._is_made and not os.fstat(descriptor).st_size:
            try:
                os.unlink(self.path)
            except OSError:
                pass  # an empty file is a session too
            self.forget()

    def make_folder(self) -> None:
        """Create the missing folders above the file, for the owner only."""
        missing = []
        folder = self._folder
        while not os.path.isdir(folder) and folder != os.path.dirname(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for folder in reversed(missing):
            try:
                os.mkdir(folder, 0o700)
            except OSError as exc:
                if os.path.isdir(folder):
                    continue  # another process was faster
                kind = NamedWrong if _is_of_the_name(exc) else SessionError
                raise kind(
                    f"failed to create session directory '{folder}'",
                    cause=exc.strerror or str(exc),
                    hint="name another file with --session, or use --no-session",
                ) from exc

    def is_as_left(self, descriptor: int) -> bool:
        """Whether the last append here was the last change to this file: nothing is new."""
        return bool(self._left) and _looks(os.fstat(descriptor)) == self._left

    def is_other(self, descriptor: int) -> bool:
        """Whether this is not the file that was read so far."""
        if self._identity is None:
            return False
        state = os.fstat(descriptor)
        if (state.st_dev, state.st_ino) != self._identity or state.st_size < self._end:
            return True
        # A new file can get the old one's number, and a failed append may have been
        # taken back after it was read: what was read last must still stand there.
        os.lseek(descriptor, self._end - len(self._seam), os.SEEK_SET)
        return self._read(descriptor, len(self._seam)) != self._seam

    def unread(self, descriptor: int) -> int:
        """How many bytes are new."""
        return os.fstat(descriptor).st_size - self._end

    def read_new(self, descriptor: int) -> Iterator[list[Line]]:
        """The lines that were not there before, in pieces."""
        state = os.fstat(descriptor)
        self._identity = (state.st_dev, state.st_ino)
        if state.st_size == self._end:
            return
        self._left = ()
        os.lseek(descriptor, self._end, os.SEEK_SET)
        # To the end as it was: what comes meanwhile is for the next time.
        while self._end < state.st_size:
            chunk = self._read(descriptor, min(_CHUNK_BYTES, state.st_size - self._end))
            if not chunk:
                break
            self._end += len(chunk)
            self._seam = (self._seam + chunk[-_SEAM_BYTES:])[-_SEAM_BYTES:]
            yield self._reader.feed(chunk)
        last = self._reader.finish()
        self.tail = last if isinstance(last, Damaged) else None
        if isinstance(last, Record):
            # Taken now; its newline, when it comes, ends a blank line of the same number.
            self._reader = JsonlReader(
                max_line_bytes=self.max_line_bytes, number=last.number, offset=self._end
            )
            yield [last]

    def append(self, descriptor: int, data: bytes, *, fsync: bool) -> list[Line] | None:
        """Add ``data`` (whole lines) in one write, at the end of what was read.

        A torn last line is ended first, so that nothing is destroyed and nothing is glued
        to it. Raises SessionError, with the file as it was. Returns the lines as a reader
        gets them; None if they must be read to know, since somebody else wrote too.
        """
        if self._seam[-1:] not in (b"", b"\n"):
            data = b"\n" + data
        before = os.fstat(descriptor).st_size
        self._left = ()
        try:
            view = memoryview(data)
            while view:  # a second round only after a short write: it tells why
                view = view[os.write(descriptor, view) :]
            if fsync:
                _fsync(descriptor)
                self._sync_folder()
        except BaseException as exc:
            self._take_back(descriptor, before, before + len(data))
            if isinstance(exc, OSError):
                raise self._failed("write", exc) from exc
            raise
        self._is_dirty = not fsync
        return self._take_own(os.fstat(descriptor), data)

    def _take_own(self, state: os.stat_result, data: bytes) -> list[Line] | None:
        """What reading ``data`` back would give, if it is all that was added."""
        if state.st_size != self._end + len(data):
            return None
        self._identity = (state.st_dev, state.st_ino)
        self._end = state.st_size
        self._seam = (self._seam + data[-_SEAM_BYTES:])[-_SEAM_BYTES:]
        self._left = _looks(state)
        self.tail = None
        return self._reader.feed(data)

    def sync(self) -> None:
        """Ask the disk to keep what was appended; nothing to do if it already did."""
        if not self._is_dirty:
            return
        try:
            descriptor = self._open(_APPEND)
            try:
                _fsync(descriptor)
            finally:
                os.close(descriptor)
            self._sync_folder()
        except OSError as exc:
            raise self._failed("sync", exc) from exc
        self._is_dirty = False

    def starts_with_part_of(self, descriptor: int, start: bytes) -> bool:
        """Whether the file begins with ``start``, or is shorter and begins like it."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        return start.startswith(self._read(descriptor, len(start)))

    def _open(self, flags: int) -> int:
        # Looked at before it is opened (opening a device may act on it) and after
        # (O_NONBLOCK keeps a pipe that came in between from blocking).
        self._check_kind(os.stat(self.path).st_mode)
        descriptor = os.open(self.path, flags | _EXTRA_FLAGS)
        try:
            self._check_kind(os.fstat(descriptor).st_mode)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _check_kind(self, mode: int) -> None:
        if not stat.S_ISREG(mode):
            kind = next((words for test, words in _KINDS if test(mode)), "not a regular file")
            raise NamedWrong(
                f"cannot use '{self._shown}' as a session file",
                cause=f"it is {kind}",
                hint="name a regular file with --session, or use --no-session",
                code="session-unreadable",
            )

    def _read(self, descriptor: int, size: int) -> bytes:
        try:
            return os.read(descriptor, size)
        except OSError as exc:
            raise self._failed("read", exc) from exc

    def _take_back(self, descriptor: int, before: int, after: int) -> None:
        try:
            # Not when somebody wrote in between (possible only where there is no flock).
            if os.fstat(descriptor).st_size <= after:
                os.ftruncate(descriptor, before)
        except OSError:
            pass  # the torn line stays; every reader steps over it

    def _sync_folder(self) -> None:
        """Make the name of a new file as durable as its content."""
        if not self._is_new or os.name == "nt":
            return
        try:
            descriptor = os.open(self._folder, os.O_RDONLY)
        except OSError:
            return  # a folder may be open for writing and closed for reading
        try:
            _fsync(descriptor)
        finally:
            os.close(descriptor)
        self._is_new = False

    def _failed(self, what: str, exc: Exception) -> SessionError:
        number = getattr(exc, "errno", None)
        code = "session-unreadable" if what == "read" else "session-failed"
        message = f"failed to {what} session file '{self._shown}'"
        cause = getattr(exc, "strerror", None) or str(exc)
        if what == "read" and _is_of_the_name(exc):
            return NamedWrong(message, cause=cause, code="session-unreadable")
        return SessionError(message, cause=cause, code="session-full" if number in _FULL else code)


def _is_of_the_name(exc: Exception) -> bool:
    from pi.base.given_file import is_of_the_name  # only on the way to an error

    return is_of_the_name(exc)


def _looks(state: os.stat_result) -> tuple[int, ...]:
    """What no change to a file, and no other file of its name, leaves as it was."""
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


def _fsync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as exc:
        if exc.errno not in _CANNOT_SYNC:
            raise
