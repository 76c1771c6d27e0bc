"""Which ignore files are in force at a directory, and what they say.

Read are, from the weakest to the strongest: the user's excludes file, the repository's
``info/exclude``, the ``.gitignore`` of each directory from the top of the repository
down. Outside a repository the allowed root counts as the top. Nothing runs git; of its
configuration only ``core.excludesFile`` is looked at, without ``include`` and ``-c``.

git also lists files that are tracked although a rule names them; the index is not read
here, so such a file counts as ignored.
Source: gitignore(5), git-config(1).
"""

from __future__ import annotations

import os
import re
import stat

from pi.tools.places import read_up_to
from pi.tools.search.ignore import as_bytes, parse_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.tools.places import Place
    from pi.tools.search.ignore import Rule

MAX_BYTES = 1 << 20  # of one ignore or configuration file
_FLAGS: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
_SECTION = re.compile(r"\[\s*core\s*\]", re.IGNORECASE)
_SETTING = re.compile(r"\s*excludesfile\s*=\s*(.*)", re.IGNORECASE)
_VALUE = re.compile(r'"((?:\\.|[^"\\])*)"|\\(.)|[#;].*|([^"\\#;]+)')


class GitFiles:
    """Reads ignore files for one search; ``environ`` tells where the user's are."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._home = environ.get("HOME", "")
        config = environ.get("XDG_CONFIG_HOME") or os.path.join(self._home, ".config")
        self._user_excludes = os.path.join(config, "git", "ignore")
        named = environ.get("GIT_CONFIG_GLOBAL")
        self._user_configs = (
            ("/etc/gitconfig", os.path.join(config, "git", "config"), self._in_home(".gitconfig"))
            if named is None
            else ("/etc/gitconfig", named)
        )

    def above(self, place: Place) -> tuple[tuple[Rule, ...], str]:
        """What is in force at a directory, its own ``.gitignore`` apart.

        With it the directory's path from where the rules count, "" or with a slash
        behind, to be put before every path that is asked about.
        """
        directory = place.resolved
        top = _top_of_repository(directory)
        rules: tuple[Rule, ...]
        if top is not None:
            rules = self.of_repository(top, 0)
        else:
            top, rules = place.root, self._excludes(place.root, "", 0)
        below = os.path.relpath(directory, top)
        parts = [] if below == "." else below.split(os.sep)
        path = ""
        for part in parts:
            rules += self.of_directory(os.path.join(top, path), path)
            path += part + "/"
        return rules, path

    def of_repository(self, top: str, skip: int) -> tuple[Rule, ...]:
        """The rules that a repository begins with; its paths start at ``skip``."""
        common = _common_directory(top)
        config = os.path.join(common, "config")
        own = parse_rules(read_file(os.path.join(common, "info", "exclude")), skip)
        return self._excludes(top, config, skip) + own

    def of_directory(self, directory: str, path: str) -> tuple[Rule, ...]:
        """The rules of a directory's own ``.gitignore``; a link is not followed."""
        data = read_file(os.path.join(directory, ".gitignore"), follow=False)
        return parse_rules(data, len(as_bytes(path)))

    def _excludes(self, top: str, config: str, skip: int) -> tuple[Rule, ...]:
        file = self._user_excludes
        for each in (*self._user_configs, config):
            named = _excludes_file(read_file(each)) if each else None
            if named is not None:
                file = self._in_home(named[2:]) if named.startswith("~/") else named
                file = os.path.join(top, file) if file else ""
        return parse_rules(read_file(file), skip) if file else ()

    def _in_home(self, name: str) -> str:
        return os.path.join(self._home, name) if self._home else ""


def read_file(name: str, *, folder: int | None = None, follow: bool = True) -> bytes:
    """The beginning of a regular file; nothing if there is none or it cannot be read."""
    try:
        # A repository may name any file as its excludes. Opening a device can do something.
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=follow).st_mode):
            return b""
        descriptor = os.open(name, _FLAGS | (0 if follow else _NO_FOLLOW), dir_fd=folder)
    except (OSError, ValueError):
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return read_up_to(descriptor, MAX_BYTES)
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _top_of_repository(directory: str) -> str | None:
    while True:
        if os.path.lexists(os.path.join(directory, ".git")):
            return directory
        above = os.path.dirname(directory)
        if above == directory:
            return None
        directory = above


def _common_directory(top: str) -> str:
    """Where the repository's ``info`` is: work trees and submodules keep a file ``.git``."""
    git = os.path.join(top, ".git")
    pointer = read_file(git)
    if pointer.startswith(b"gitdir:"):
        git = os.path.join(top, os.fsdecode(pointer[len(b"gitdir:") :].strip()))
        shared = os.fsdecode(read_file(os.path.join(git, "commondir")).strip())
        git = os.path.join(git, shared) if shared else git
    return git


def _excludes_file(config: bytes) -> str | None:
    """The value of ``core.excludesFile`` in a configuration file, or None."""
    found = None
    in_core = False
    for line in config.decode("utf-8", "surrogateescape").replace("\\\n", "").split("\n"):
        text = line.strip()
        if text.startswith("["):
            header, _, text = text.partition("]")
            in_core = _SECTION.fullmatch(header + "]") is not None
        setting = _SETTING.fullmatch(text) if in_core else None
        if setting is not None:
            parts = _VALUE.finditer(setting.group(1))
            found = "".join(
                re.sub(r"\\(.)", r"\1", quoted) if quoted else escaped or plain or ""
                for quoted, escaped, plain in (part.groups() for part in parts)
            ).strip()
    return found
