"""Where a user's and a project's files are: the rules by which folders are chosen.

The user's folder is ``~/.pi/agent`` where that is present, else ``pi`` in the folder for
configuration (XDG). A project is the git work tree that holds the working directory; outside
of one it is the nearest folder upwards with ``.pi/settings.json``, else with ``.pi``, else
the working directory itself. The home folder and ``/`` are never a project, nor is what
lies above the home folder: files there are for everything and not for one piece of work.
"""

from __future__ import annotations

import os

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

PI_FOLDER = ".pi"
SETTINGS = "settings.json"


class Project(NamedTuple):
    """``root`` is what a user trusts; ``folders`` lead from the root, ``above`` from the
    home folder to it, down to the working directory. All paths are real ones."""

    root: str
    folders: tuple[str, ...]
    above: tuple[str, ...] = ()

    def nearest(self, name: str) -> str:
        """The path of ``.pi/<name>`` that is nearest to the working directory, "" for none.

        A link counts even where it leads nowhere: what stands there is to be told.
        """
        for folder in reversed(self.folders):
            path = os.path.join(folder, PI_FOLDER, name)
            if os.path.lexists(path):
                return path
        return ""


def home_folder(environ: Mapping[str, str]) -> str:
    """The user's home folder; ``/`` for a user without one. Never a relative path: that
    would make a folder of the project's the user's own."""
    home = environ.get("HOME") or os.path.expanduser("~")
    return home if os.path.isabs(home) else os.sep


def user_folder(environ: Mapping[str, str]) -> str:
    """The folder of the user's own settings, instructions, templates, approvals."""
    own = os.path.join(home_folder(environ), ".pi", "agent")
    if os.path.isdir(own):
        return own
    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):  # the rule says that a relative one is not to be used
        base = os.path.join(home_folder(environ), ".config")
    return os.path.join(base, "pi")


def find_project(cwd: str, environ: Mapping[str, str]) -> Project | None:
    """The project of a working directory, None for the home folder and for ``/``."""
    home = os.path.realpath(home_folder(environ))
    upwards: list[str] = []
    here, with_folder = os.path.realpath(cwd), ""
    while here != home:
        parent = os.path.dirname(here)
        if parent == here or (upwards and _owner(here) != _owner(upwards[0])):
            break  # what is in somebody else's folder above says nothing about this one
        upwards.append(here)
        if os.path.lexists(os.path.join(here, ".git")):
            return _project(upwards, here)
        here = parent
    if not upwards:
        return None
    in_home = here == home and os.path.dirname(home) != home  # all is below "/"
    for folder in upwards:
        if os.path.lexists(os.path.join(folder, PI_FOLDER, SETTINGS)):
            with_folder = folder
            break
        if not with_folder and os.path.isdir(os.path.join(folder, PI_FOLDER)):
            with_folder = folder
    found = _project(upwards, with_folder or upwards[0])
    above = upwards[len(found.folders) :] if in_home else []
    return found._replace(above=tuple(reversed(above)))


def _owner(folder: str) -> int:
    try:
        return os.stat(folder).st_uid
    except OSError:
        return -1


def _project(upwards: list[str], root: str) -> Project:
    return Project(root, tuple(reversed(upwards[: upwards.index(root) + 1])))
