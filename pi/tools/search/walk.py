"""The files of a tree in the order of their paths, ignored ones left out.

Each directory is opened relative to the one above and never through a link, so a
directory swapped for a link during the walk is left out instead of leading elsewhere.
Where there are no directory handles (Windows) paths are used, and links are left out as
they are seen.
"""

from __future__ import annotations

import os

from pi.base.typing import NamedTuple
from pi.tools.places import HAS_HANDLES
from pi.tools.search.git_files import read_file
from pi.tools.search.ignore import as_bytes, ignored, parse_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pi.tools.places import Place
    from pi.tools.search.git_files import GitFiles
    from pi.tools.search.ignore import Rule

MAX_DEPTH = 100  # a handle is held for each level, and some systems give 256 in all
MAX_RULES_IN_FORCE = 50_000  # of ignore files nested in each other
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_FOLDER: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NO_FOLLOW
# O_PATH passes directories that may be entered but not listed.
_STEP: int = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
_FILE: int = (
    os.O_RDONLY
    | _NO_FOLLOW
    | getattr(os, "O_NONBLOCK", 0)  # a FIFO put there meanwhile must not block
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)


class Run(NamedTuple):
    """Some names of one directory, next to each other in the order of paths.

    A directory has a slash behind. ``prefix`` is the directory's path from the start of
    the walk, "" or with a slash behind. The handle is open until the walk goes on.
    """

    handle: int | None
    directory: str
    prefix: str
    names: list[str]

    def open(self, name: str) -> int:
        """A descriptor of a file of the run, without following a link. Raises OSError."""
        if self.handle is None:
            return os.open(os.path.join(self.directory, name), _FILE)
        return os.open(name, _FILE, dir_fd=self.handle)


class _Level:
    """A directory of which some names are still to come."""

    def __init__(
        self, handle: int | None, directory: str, prefix: str, rules: tuple[Rule, ...]
    ) -> None:
        self.handle = handle
        self.directory = directory
        self.prefix = prefix
        self.rules = rules
        self.names: list[str] = []
        self.has_directories = False
        self.at = 0

    def next_names(self) -> tuple[list[str], str]:
        """The names up to the next directory, and that directory ("" at the end)."""
        if self.has_directories:
            for at in range(self.at, len(self.names)):
                if self.names[at][-1] == "/":
                    names = self.names[self.at : at]
                    self.at = at + 1
                    return names, self.names[at]
        names = self.names[self.at :]
        self.at = len(self.names)
        return names, ""


class Walk:
    """One walk below ``place``, a directory.

    ``check`` is called once per directory and may raise. With ``listing`` the runs hold
    directories and links too, else only regular files. ``unreadable`` counts directories
    that could not be opened, ``too_deep`` those below ``MAX_DEPTH``.
    """

    def __init__(
        self,
        place: Place,
        files: GitFiles,
        check: Callable[[], None],
        *,
        listing: bool,
        use_handles: bool = HAS_HANDLES and os.scandir in os.supports_fd,
    ) -> None:
        self._place = place
        self._files = files
        self._check = check
        self._listing = listing
        self._use_handles = use_handles
        self._above = ""  # the path of the place from where the rules count
        self.unreadable = 0
        self.too_deep = 0

    def runs(self) -> Generator[Run, None, None]:
        """Raises ToolFailure or OSError if the place itself cannot be listed."""
        rules, self._above = self._files.above(self._place)
        levels = [_Level(self._top(), self._place.resolved, "", rules)]
        try:
            self._list(levels[0], is_top=True)
            while levels:
                level = levels[-1]
                names, directory = level.next_names()
                if directory and self._listing:
                    names.append(directory)
                if names:
                    yield Run(level.handle, level.directory, level.prefix, names)
                if directory:
                    self._enter(levels, directory)
                elif level.at == len(level.names):
                    levels.pop()
                    _close(level)
        finally:
            for level in levels:
                _close(level)

    def _top(self) -> int | None:
        return _open_directory(self._place) if self._use_handles else None

    def _enter(self, levels: list[_Level], name: str) -> None:
        if len(levels) == MAX_DEPTH:
            self.too_deep += 1
            return
        above = levels[-1]
        handle = None
        try:
            if above.handle is not None:
                handle = os.open(name[:-1], _FOLDER, dir_fd=above.handle)
            directory = os.path.join(above.directory, name[:-1])
            level = _Level(handle, directory, above.prefix + name, above.rules)
            levels.append(level)
            self._list(level, is_top=False)
        except OSError:  # not allowed, gone, or a link by now
            self.unreadable += 1

    def _list(self, level: _Level, *, is_top: bool) -> None:
        self._check()
        files: list[str] = []
        directories: list[str] = []
        source = level.directory if level.handle is None else level.handle
        with os.scandir(source) as found:
            for entry in found:
                # Asked in this order most entries need one question.
                if entry.is_file(follow_symlinks=False):
                    files.append(entry.name)
                elif entry.is_dir(follow_symlinks=False):
                    directories.append(entry.name)
                elif self._listing and entry.is_symlink():
                    files.append(entry.name)
        self._leave_out(level, files, directories, is_top=is_top)
        level.names = files + [f"{name}/" for name in directories]
        level.has_directories = bool(directories)
        level.names.sort()

    def _leave_out(
        self, level: _Level, files: list[str], directories: list[str], *, is_top: bool
    ) -> None:
        """Take out what is ignored, after taking up the directory's own rules."""
        path = self._above + level.prefix
        for group in (files, directories):
            if ".git" in group:
                group.remove(".git")
                if not is_top:  # a repository within one: nothing from outside counts there
                    skip = len(as_bytes(path))
                    level.rules = self._files.of_repository(level.directory, skip)
        if ".gitignore" in files and len(level.rules) < MAX_RULES_IN_FORCE:
            if level.handle is None:
                level.rules += self._files.of_directory(level.directory, path)
            else:
                data = read_file(".gitignore", folder=level.handle, follow=False)
                level.rules += parse_rules(data, len(as_bytes(path)))
        if level.rules:
            gone = ignored(level.rules, path, files, directories)
            if gone:
                files[:] = [name for name in files if name not in gone]
                directories[:] = [name for name in directories if name not in gone]


def _open_directory(place: Place) -> int:
    """A handle of the directory at the place, reached through no link."""
    handle = os.open(place.root, _STEP if place.parts else _FOLDER & ~_NO_FOLLOW)
    for at, name in enumerate(place.parts, 1):
        flags = _FOLDER if at == len(place.parts) else _STEP | _NO_FOLLOW
        try:
            below = os.open(name, flags, dir_fd=handle)
        finally:
            os.close(handle)
        handle = below
    return handle


def _close(level: _Level) -> None:
    if level.handle is not None:
        os.close(level.handle)
        level.handle = None
