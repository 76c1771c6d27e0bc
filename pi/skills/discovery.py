"""Where skills are: the folders that are searched, and the files found in them.

A folder with ``SKILL.md`` is a skill and is not searched further. Flat files count at the
top of a searched folder only. Links are followed; what is reached twice is taken once.
"""

from __future__ import annotations

import os
import stat

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_DEPTH = 6
MAX_FOLDERS = 2000
SKILL_FILE = "SKILL.md"
USER_FOLDERS = ((".pi", "agent", "skills"), (".agents", "skills"))


class Place(NamedTuple):
    """A folder to search. ``managed``: pi installs there, and plain files in it count."""

    path: str
    scope: str
    managed: bool = False


class Found(NamedTuple):
    """A file that should be a skill."""

    file: str
    is_folder: bool
    place: Place


class Search(NamedTuple):
    found: tuple[Found, ...]
    warnings: tuple[str, ...]


def places(
    managed: str, cwd: str, environ: Mapping[str, str], extra: Sequence[str] = ()
) -> tuple[Place, ...]:
    """The folders to search, in the order that decides between equal names.

    ``managed`` is ``--skills-dir``; ``extra`` are paths from the settings. All are made
    absolute; none need be there.
    """
    home = environ.get("HOME") or ""
    found = [Place(os.path.join(cwd, managed), "project", True)]
    own = [os.path.join(home, *names) for names in USER_FOLDERS] if home else []
    users = set(map(os.path.realpath, own))  # on the way up from a folder at home, too
    found += [
        Place(path, "project")
        for path in project_folders(cwd)
        if os.path.realpath(path) not in users
    ]
    found += [Place(path, "user") for path in own]
    for path in extra:
        if path.startswith("~") and home:
            path = home + path[1:]
        found.append(Place(os.path.join(cwd, path), "settings"))
    seen: dict[str, Place] = {}
    for place in found:
        seen.setdefault(os.path.realpath(place.path), place)
    return tuple(seen.values())


def project_folders(cwd: str) -> Iterator[str]:
    """``.agents/skills`` here and in each parent, up to the root of the repository."""
    here = cwd
    while True:
        yield os.path.join(here, ".agents", "skills")
        parent = os.path.dirname(here)
        if parent == here or os.path.lexists(os.path.join(here, ".git")):
            return
        here = parent


def search(wanted: Sequence[Place]) -> Search:
    """The files of all places, place by place, each place's in the order of their names.

    What is not there is passed over; what cannot be read is a warning.
    """
    walk = _Walk()
    for place in wanted:
        walk.top(place)
    return Search(tuple(walk.found), tuple(walk.warnings))


class _Walk:
    def __init__(self) -> None:
        self.found: list[Found] = []
        self.warnings: list[str] = []
        self._seen: set[str] = set()
        self._folders = 0

    def top(self, place: Place) -> None:
        if not os.path.isdir(place.path):
            return
        self._folders = 0
        real = os.path.realpath(place.path)
        if not place.managed and self._skill_of(place.path, real, place):
            return
        self._search(place.path, real, place, 0)

    def _search(self, path: str, real: str, place: Place, depth: int) -> None:
        """Take the skills of a folder that is none itself, and that really is ``real``."""
        if not self._is_new(real):
            return
        folders = []
        flat = 0
        for name, is_folder, is_link in self._names(path):
            full = os.path.join(path, name)
            if is_folder:
                if name != "node_modules":
                    folders.append((full, _real(full, real, is_link)))
            elif depth == 0 and name.endswith(".md"):
                flat += 1
                if flat == MAX_FOLDERS + 1:
                    told = f"{place.path}: more than {MAX_FOLDERS} files; not all read"
                    self.warnings.append(told)
                if flat <= MAX_FOLDERS and self._is_new(_real(full, real, is_link)):
                    self.found.append(Found(full, False, place))
        for full, really in folders:
            if self._folders >= MAX_FOLDERS:
                self.warnings.append(f"{place.path}: more than {MAX_FOLDERS} folders; not all read")
                return
            self._folders += 1
            if not self._skill_of(full, really, place) and depth < MAX_DEPTH:
                self._search(full, really, place, depth + 1)

    def _skill_of(self, path: str, real: str, place: Place) -> bool:
        """Whether the folder is a skill, which is then taken."""
        for name in (SKILL_FILE, "skill.md"):
            full = os.path.join(path, name)
            try:
                mode = os.lstat(full).st_mode
            except (OSError, ValueError):
                continue
            is_link = stat.S_ISLNK(mode)
            if stat.S_ISDIR(mode) or (is_link and os.path.isdir(full)):
                continue
            if self._is_new(_real(full, real, is_link)):
                self.found.append(Found(full, True, place))
                # Where case does not count, the file may be there under the right name.
                if name != SKILL_FILE and SKILL_FILE not in os.listdir(path):
                    self.warnings.append(f"{full}: should be named {SKILL_FILE}")
            return True
        return False

    def _names(self, path: str) -> list[tuple[str, bool, bool]]:
        """The names in a folder, each with whether it leads to a folder and is a link."""
        try:
            with os.scandir(path) as entries:
                names = [(entry.name, entry.is_dir(), entry.is_symlink()) for entry in entries]
        except OSError as exc:
            self.warnings.append(f"failed to read {path}: {exc.strerror or exc}")
            return []
        return sorted(name for name in names if not name[0].startswith("."))

    def _is_new(self, real: str) -> bool:
        if real in self._seen:
            return False
        self._seen.add(real)
        return True


def _real(path: str, folder: str, is_link: bool) -> str:
    """Where ``path`` leads, in a folder that really is ``folder``: asks the file system for
    links only, since it asks about each folder above."""
    return os.path.realpath(path) if is_link else os.path.join(folder, os.path.basename(path))
