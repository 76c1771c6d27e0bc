"""A file that the user named on the command line: read whole, and never waited for in vain."""

from __future__ import annotations

import errno
import os
import stat

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_FLAGS |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
_FIRST = 65536


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
