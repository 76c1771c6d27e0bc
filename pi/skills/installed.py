"""What is installed in the managed directory, with its digests, as it is on the disk."""

from __future__ import annotations

import hashlib
import os

from pi.base.errors import PiError
from pi.base.typing import NamedTuple
from pi.skills.discovery import SKILL_FILE
from pi.skills.plain_files import read_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_FILES = 1000
MAX_BYTES = 50 * 1024 * 1024
SKIPPED_FOLDER = "__pycache__"


class Installed(NamedTuple):
    """A skill as it is on the disk; the fields are those of a lock entry."""

    name: str
    file: str
    sha256: str
    files: tuple[tuple[str, str], ...] = ()


def is_kept(name: str) -> bool:
    """Whether a file or folder of this name belongs to a skill."""
    return not (name.startswith(".") or name == SKIPPED_FOLDER or name.endswith(".pyc"))


def tree_digest(files: Iterable[tuple[str, str]]) -> str:
    """One digest for a tree: that of what ``sha256sum`` would print of its files.

    ``files`` are pairs of path (with ``/``) and hex digest.
    """
    lines = sorted((path.encode("utf-8", "surrogateescape"), digest) for path, digest in files)
    text = b"".join(digest.encode() + b"  " + path + b"\n" for path, digest in lines)
    return hashlib.sha256(text).hexdigest()


def tree_of(folder: str) -> tuple[tuple[str, str], ...]:
    """The regular files below ``folder`` with their digests, sorted.

    Raises PiError for links, special files, and more than a skill may have.
    """
    found: list[tuple[str, str]] = []
    total = 0
    for path, size in _walk(folder, ""):
        total += size
        if len(found) >= MAX_FILES or total > MAX_BYTES:
            raise PiError(
                f"{folder} is too large for a skill",
                cause=f"more than {MAX_FILES} files or {MAX_BYTES} bytes",
            )
        found.append((path, digest_of(os.path.join(folder, path))))
    return tuple(sorted(found, key=lambda pair: os.fsencode(pair[0])))


def digest_of(path: str) -> str:
    """SHA-256 of a regular file. Raises PiError."""
    try:
        data, _ = read_plain(path, MAX_BYTES)
    except OSError as exc:
        raise PiError(f"failed to read {path}", cause=exc.strerror or str(exc)) from exc
    return hashlib.sha256(data).hexdigest()


def installed(directory: str) -> tuple[Installed, ...]:
    """All skills directly in ``directory``, flat files and folders, by file. A directory
    that is not there has none. Raises PiError for what cannot be read."""
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries)
    except FileNotFoundError:
        return ()
    except OSError as exc:
        raise PiError(f"failed to read {directory}", cause=exc.strerror or str(exc)) from exc
    found = []
    for name in names:
        path = os.path.join(directory, name)
        if not is_kept(name):
            continue
        if os.path.isfile(os.path.join(path, SKILL_FILE)):
            files = tree_of(path)
            found.append(Installed(name, f"{name}/{SKILL_FILE}", tree_digest(files), files))
        elif name.endswith(".md") and not os.path.isdir(path):
            found.append(Installed(name[: -len(".md")], name, digest_of(path)))
    return tuple(sorted(found, key=lambda one: one.file.encode("utf-8", "surrogateescape")))


def _walk(folder: str, below: str) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(os.path.join(folder, below)) as entries:
            for entry in entries:
                if not is_kept(entry.name):
                    continue
                path = f"{below}/{entry.name}" if below else entry.name
                if entry.is_symlink():
                    raise PiError(f"failed to read {folder}", cause=f"{path} is a link")
                if entry.is_dir():
                    yield from _walk(folder, path)
                else:
                    yield path, entry.stat().st_size
    except OSError as exc:
        raise PiError(f"failed to read {folder}", cause=exc.strerror or str(exc)) from exc
