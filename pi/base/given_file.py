"""A file that the user named on the command line: read whole, and never waited for in vain."""

from __future__ import annotations

import errno
import os
import stat

from pi.base.errors import PiError, UsageError

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_FIRST = 65536
# What the system answers where the name is wrong, rather than the machine.
_OF_THE_NAME = frozenset(
    getattr(errno, name, -1)
    for name in (
        *("ENOENT", "ENOTDIR", "EISDIR", "EEXIST", "ELOOP", "ENAMETOOLONG", "EINVAL", "ENXIO"),
        *("EACCES", "EPERM", "EROFS"),
    )
)


def is_of_the_name(exc: Exception) -> bool:
    """Whether another name would have done: nothing is there, it is a folder, it is closed
    to us. False for a full disk or a broken medium. What has no number is our own refusal."""
    return not (isinstance(exc, OSError) and exc.errno) or exc.errno in _OF_THE_NAME


def not_taken(message: str, exc: Exception, *, hint: str = "", code: str = "") -> PiError:
    """The failure of a file that the user named: exit 2 where the name is what is wrong,
    as for everything else on a command line, else 1."""
    kind = UsageError if is_of_the_name(exc) else PiError
    cause = getattr(exc, "strerror", None) or str(exc)
    return kind(message, cause=cause, hint=hint, code=code)


def read_given(path: str, most: int) -> bytes:
    """At most ``most`` bytes of the file at ``path``.

    A pipe is read to its end if somebody writes to it, as in ``--command-file <(make it)``;
    one that nobody has open for writing would be waited for without end, and is refused.
    Raises OSError, also for a folder; its ``strerror`` says why.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        first = b""
        if stat.S_ISFIFO(mode):
            try:
                first = os.read(descriptor, min(_FIRST, most))
                if not first:
                    raise OSError(errno.ENXIO, "it is a pipe, and nobody writes to it", path)
            except BlockingIOError:
                pass  # there is a writer, and it has not written yet
        if hasattr(os, "set_blocking"):
            os.set_blocking(descriptor, True)
        with open(descriptor, "rb", closefd=False) as file:
            return first + file.read(most - len(first))
    finally:
        os.close(descriptor)
