"""Files: how one is replaced safely, and how the package finds its own data."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_BATCH_BYTES = 1 << 18


def replace_file(
    name: str,
    data: bytes | Iterable[bytes],
    *,
    random_bytes: Callable[[int], bytes],
    mode: int = 0o600,
    dir_fd: int | None = None,
    sync: bool = False,
) -> None:
    """Put ``data`` at ``name`` so that a reader sees the old content or the new, never a part.

    ``data`` may come in pieces that are made while they are written. A temporary file in
    the same directory (relative to ``dir_fd`` if given) is renamed over the name; it is
    removed if anything fails. Raises OSError, or what making a piece raises, with ``name``
    untouched.
    """
    folder, base = os.path.split(name)
    start = os.fsdecode(os.fsencode(base)[:100])  # a name has at most 255 bytes
    temporary = os.path.join(folder, f".{start}.{random_bytes(6).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o600, dir_fd=dir_fd)
    try:
        try:
            for batch in (data,) if isinstance(data, bytes) else _batches(data):
                view = memoryview(batch)
                while view:
                    view = view[os.write(descriptor, view) :]
            if mode != 0o600:
                os.fchmod(descriptor, mode)
            if sync:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        os.unlink(temporary, dir_fd=dir_fd)
        raise


def _batches(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """``pieces`` put together, so that small ones do not each cost a call."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _BATCH_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def resource(name: str) -> bytes | None:
    """The package's own data file ``pi/<name>``, or None if this build has none.

    Works from a checkout and from inside the archive, whichever byte-code tree is in
    front; nothing else looks for files of the package.
    """
    loader: Any = globals().get("__loader__")
    archive = getattr(loader, "archive", None)
    try:
        if archive is not None:
            content: bytes = loader.get_data(os.path.join(archive, "pi", *name.split("/")))
            return content
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with open(os.path.join(root, *name.split("/")), "rb") as file:
            return file.read()
    except OSError:
        return None
