"""Reading a whole file that somebody else may have put there: regular, and not too large."""

from __future__ import annotations

import os
import stat

# A FIFO must not block and a terminal must not become ours.
_READ: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_READ |= getattr(os, "O_BINARY", 0)


class NotPlain(OSError):
    """The path leads to something that is not read; ``strerror`` says why."""


def read_plain(path: str, max_bytes: int) -> tuple[bytes, os.stat_result]:
    """The content and the state of the regular file at ``path``, links followed.

    Raises OSError: NotPlain for a folder, a FIFO, a device, or more than ``max_bytes``.
    """
    try:
        descriptor = os.open(path, _READ)
    except ValueError as exc:  # a NUL, or half a character
        raise NotPlain(0, f"no file can be called that ({exc})") from None
    try:
        state = os.fstat(descriptor)
        if stat.S_ISDIR(state.st_mode):
            raise NotPlain(0, "it is a folder")
        if not stat.S_ISREG(state.st_mode):
            raise NotPlain(0, "it is not a regular file")
        pieces, left = [], max_bytes + 1
        # No more than there should be: room for a megabyte costs more than a short file.
        size = min(max(state.st_size + 1, 4096), 1 << 20)
        while left > 0:
            piece = os.read(descriptor, min(left, size))
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(descriptor)
    if left <= 0:
        raise NotPlain(0, f"it is larger than {max_bytes} bytes")
    return b"".join(pieces), state
