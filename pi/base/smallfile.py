"""Small files that somebody else may have put there: settings, instructions, templates.

A pipe must not make pi wait, a device must not be read without end, a file must not fill
the memory: only regular files, up to a size, as UTF-8 text.
"""

from __future__ import annotations

import errno
import os
import stat

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


class Unreadable(Exception):
    """Why a file gives no text: "is a folder", "is not UTF-8 text (...)"; ``absent`` where
    there is none."""

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.absent = absent


def read_small(path: str, limit: int, *, follow: bool = True) -> tuple[bytes, bool]:
    """The first ``limit`` bytes of a regular file, and whether there are more.

    Without ``follow`` a link is refused. Raises Unreadable.
    """
    try:
        handle = os.open(path, _FLAGS | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    except OSError as exc:
        if exc.errno in _ABSENT:
            raise Unreadable("is not there", absent=True) from exc
        if exc.errno == errno.ELOOP:
            raise Unreadable("is a link" if not follow else "is a link to itself") from exc
        if exc.errno == errno.ENXIO:
            raise Unreadable("is not a regular file") from exc
        raise Unreadable(f"cannot be read: {exc.strerror or exc}") from exc
    except ValueError as exc:
        raise Unreadable("has a name that cannot be one") from exc
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise Unreadable("is a folder")
        if not stat.S_ISREG(mode):
            raise Unreadable("is not a regular file")
        data = bytearray()
        while len(data) <= limit:
            piece = os.read(handle, limit + 1 - len(data))
            if not piece:
                break
            data += piece
    except OSError as exc:
        raise Unreadable(f"cannot be read: {exc.strerror or exc}") from exc
    finally:
        os.close(handle)
    return bytes(data[:limit]), len(data) > limit


def read_small_text(path: str, limit: int, *, follow: bool = True) -> str:
    """The text of a file of at most ``limit`` bytes. Raises Unreadable."""
    data, is_longer = read_small(path, limit, follow=follow)
    if is_longer:
        raise Unreadable(f"is larger than {limit} bytes")
    return as_text(data)


def as_text(data: bytes) -> str:
    """``data`` as UTF-8 text, without a byte-order mark. Raises Unreadable."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise Unreadable(f"is not UTF-8 text ({exc.reason} at byte {exc.start})") from exc
    if "\0" in text:
        raise Unreadable("holds a NUL character")
    return text
