"""May this path be touched, and which file is meant by it.

The rule: a path is resolved, component by component and through every link, missing
parts included; it is allowed if the result is a root or lies below one, compared by
whole names. The result, never the input, is what gets opened (see ``places``).
Refusals come before any other answer, so that nothing outside the roots can be probed.
"""

from __future__ import annotations

import errno
import os

from pi.base.text import visible
from pi.tools.outcome import Missing, ToolFailure
from pi.tools.places import Folder, Place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

# What the kernel shows of processes: their variables (keys among them), memory, files.
_PROCESS_SECRETS = frozenset(("environ", "mem", "fd", "kcore"))
_CREDENTIALS = "/.pi/credentials.json"  # where pi keeps keys that it was told to keep
_NEAR_NAMES = 3
_LISTED_NAMES, _COMPARED_NAMES, _COMPARED_NAME = 2000, 40, 80
# The system opens no longer path (Linux), and no longer name (nearly everywhere). Refused
# before anything is done: resolving takes the square of the length, and name by name, as
# missing directories are made, they would be made as deep as nothing can remove again.
MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255


class PathRule:
    """The allowed roots. No root at all means everything is allowed.

    ``readable`` are folders outside of them in which ``read`` may look, and single files
    (those of skills).

    With ``guards_secrets`` no tool reaches ``private_files``, a ``.pi/credentials.json``
    anywhere, or what the kernel shows of processes. ``guarded`` (resolved) is what may be
    read and not written, with all below it.
    """

    def __init__(
        self,
        roots: Sequence[str],
        *,
        enforce_regular_files: bool = True,
        guards_secrets: bool = True,
        private_files: Iterable[str] = (),
        readable: Iterable[str] = (),
        guarded: Iterable[str] = (),
    ) -> None:
        self._readable = tuple(os.path.realpath(folder) for folder in readable)
        self._roots = tuple(os.path.realpath(root) for root in roots)
        self._enforce = enforce_regular_files
        self._guards_secrets = guards_secrets
        self._private_files = frozenset(map(os.path.realpath, private_files))
        self._guarded = tuple(place.lower() for place in guarded)
        self._own_files: set[str] = set()

    def is_private(self, resolved: str) -> bool:
        """Whether no tool may show or change this file, wherever the roots are."""
        return self._guards_secrets and (
            resolved in self._private_files
            or resolved.lower().endswith(_CREDENTIALS)  # some systems take any case
            or holds_process_secrets(resolved)
        )

    def allow_reading(self, path: str) -> None:
        """Let ``read`` open this one file of ours although it is outside the roots."""
        self._own_files.add(os.path.realpath(path))

    def existing(
        self, given: str, cwd: str, *, own_files: bool = False, writes: bool = False
    ) -> Place:
        """The place of something that must be there; ``own_files`` admits ``allow_reading``,
        ``writes`` says that it is to be changed."""
        place = self._locate(given, _absolute(given, cwd), own_files=own_files)
        if not os.path.lexists(place.resolved):
            names = _entries_beside(place)
            actual = _spelled_otherwise(place, names)
            if actual is None:
                hint = _near_names(place, names)
                raise Missing(f"path '{given}' does not exist{hint}")
            beside = os.path.join(os.path.dirname(place.resolved), actual)
            place = self._locate(given, beside, own_files=own_files)
        if writes:
            self._refuse_guarded(place)
        self._refuse_link(place)
        return place

    def writable(self, given: str, cwd: str) -> Place:
        """The place of a file that is there or will be."""
        place = self._locate(given, _absolute(given, cwd), own_files=False)
        if given.endswith("/") or not place.parts:
            raise ToolFailure(f"path '{given}' names a directory, not a file")
        if max(len(os.fsencode(name)) for name in place.parts) > MAX_NAME_BYTES:
            raise ToolFailure(os.strerror(errno.ENAMETOOLONG))
        self._refuse_guarded(place)
        self._refuse_link(place)
        return place

    def _locate(self, given: str, absolute: str, *, own_files: bool) -> Place:
        resolved = os.path.realpath(absolute)
        if os.path.realpath(resolved) != resolved:
            # After a link to itself the rest is only joined, not resolved.
            raise ToolFailure(f"failed to canonicalize path '{given}': a loop of symbolic links")
        for root in self._roots or (os.path.splitdrive(resolved)[0] + os.sep,):
            parts = parts_below(root, resolved)
            if parts is not None:
                if self.is_private(resolved):
                    raise ToolFailure(f"path '{given}' is denied: it holds secrets", "secrets")
                return Place(given, absolute, root, parts)
        for folder in self._readable if own_files else ():
            parts = parts_below(folder, resolved)
            if parts is None or self.is_private(resolved):
                continue
            if not parts and not os.path.isdir(folder):
                folder, name = os.path.split(folder)
                parts = (name,)
            if parts:
                return Place(given, absolute, folder, parts)
        if own_files and resolved in self._own_files:
            folder, name = os.path.split(resolved)
            return Place(given, absolute, folder, (name,))
        raise ToolFailure(f"path '{resolved}' is outside allowed roots", "allowed_roots")

    def _refuse_guarded(self, place: Place) -> None:
        resolved = place.resolved.lower()  # some systems take any case
        if any(parts_below(guarded, resolved) is not None for guarded in self._guarded):
            raise ToolFailure(
                f"path '{place.given}' is read-only while commands are held: what is there is "
                "run, or read by pi, outside of the sandbox",
                "os_sandbox_mode",
            )

    def _refuse_link(self, place: Place) -> None:
        if self._enforce and os.path.islink(place.absolute.rstrip("/")):
            raise ToolFailure(
                f"path '{place.given}' is a symbolic link, which is denied by policy",
                "enforce_regular_files",
            )


def touched(arguments: Mapping[str, Any], cwd: str) -> str:
    """The file that the argument "path" of a call means, resolved; the rule may refuse it."""
    try:
        return os.path.realpath(_absolute(str(arguments.get("path", ".")), cwd))
    except ToolFailure:
        return ""


def parts_below(root: str, path: str) -> tuple[str, ...] | None:
    """The names that lead from ``root`` to ``path``, or None if it is not below.

    Both are absolute and normalised. Whole names: ``/a/bc`` is not below ``/a/b``.
    """
    if path == root:
        return ()
    prefix = root if root.endswith(os.sep) else root + os.sep
    if path.startswith(prefix):
        return tuple(path[len(prefix) :].split(os.sep))
    return None


def holds_process_secrets(resolved: str) -> bool:
    """Whether the kernel would show a process's variables, memory or open files there."""
    if not resolved.startswith("/proc/"):
        return False
    return not _PROCESS_SECRETS.isdisjoint(resolved.split("/")[2:])


def _absolute(given: str, cwd: str) -> str:
    """``given`` joined with ``cwd``; not normalised, since ``..`` may follow a link.

    A leading ``@`` (how people mention files in prompts) is dropped unless a file or
    directory of that name is there; ``~`` is a home directory.
    """
    if not given:
        raise ToolFailure("path must not be empty")
    if "\0" in given:
        raise ToolFailure("path must not hold a NUL character")
    try:
        size = len(given.encode("utf-8"))
    except UnicodeEncodeError:
        raise ToolFailure("path is not valid Unicode text") from None
    if size > MAX_PATH_BYTES:
        raise ToolFailure(f"path is too long ({size} bytes), limit is {MAX_PATH_BYTES} bytes")
    path = given
    if path.startswith("@") and not os.path.lexists(os.path.join(cwd, path.split("/", 1)[0])):
        path = path[1:]
    if path.startswith("~"):
        path = os.path.expanduser(path)
    return os.path.join(cwd, path)


def _entries_beside(place: Place) -> list[str]:
    """The names in the directory where the missing file should be."""
    if not place.parts:
        return []
    try:
        above = place._replace(parts=place.parts[:-1])
        with Folder(above) as folder:
            return [name.rstrip("/") for name in folder.entries()]
    except (OSError, ToolFailure):
        return []


def _spelled_otherwise(place: Place, names: list[str]) -> str | None:
    """The one name that looks the same: composed accents, odd spaces, curly apostrophes.

    Models type plain characters; screenshots and macOS file names hold others.
    """
    if not names:
        return None
    wanted = _look(place.parts[-1])
    same = [name for name in names if _look(name) == wanted]
    return same[0] if len(same) == 1 else None


def _look(name: str) -> str:
    from unicodedata import normalize  # 1 ms, and only when a file is missing

    return normalize("NFKC", name).replace("\u2019", "'")


def _near_names(place: Place, names: list[str]) -> str:
    """What stands there under a name like the missing one, as a hint.

    The comparison takes the third power of the length for names made for that, so only
    short ones are compared, and of these only those made of much the same letters.
    """
    wanted = place.parts[-1] if place.parts else ""
    if not names or len(wanted) > _COMPARED_NAME:
        return ""
    from difflib import SequenceMatcher, get_close_matches  # 5 ms, and only when a file is missing

    alike: SequenceMatcher[str] = SequenceMatcher(None, "", wanted)
    letters: list[tuple[float, str]] = []
    for name in sorted(names)[:_LISTED_NAMES]:
        if len(name) <= _COMPARED_NAME:
            alike.set_seq1(name)
            letters.append((-alike.quick_ratio(), name))
    likely = [name for _, name in sorted(letters)[:_COMPARED_NAMES]]
    near = get_close_matches(wanted, likely, _NEAR_NAMES)
    return f"; there are: {', '.join(map(visible, near))}" if near else ""
