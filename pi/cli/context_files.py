"""Instruction files for the model: the user's own, then a project's from its root down.

In each folder ``AGENTS.md``, else ``CLAUDE.md``. They are text for the model and nothing
else, so they are read without asking; but what a link in a project leads to outside of it
could be anything of the user's, and is read in a trusted folder only.
"""

from __future__ import annotations

import os

from pi.base.homes import home_folder, user_folder
from pi.base.smallfile import Unreadable, as_text, read_small
from pi.base.text import visible, whole_characters
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.homes import Project

NAMES = ("AGENTS.md", "CLAUDE.md")
MAX_BYTES = 64 << 10
MAX_TOTAL = 256 << 10


class ContextFile(NamedTuple):
    """``shown`` is the path as the model and the user see it: relative to the project."""

    path: str
    shown: str
    text: str


class ContextFiles(NamedTuple):
    """``notes`` tell what was left out or cut."""

    files: tuple[ContextFile, ...]
    notes: tuple[str, ...]


def read_context_files(
    project: Project | None, cwd: str, environ: Mapping[str, str], *, trusted: bool
) -> ContextFiles:
    """All of them in their order. Never fails: what cannot be read is a note."""
    own = user_folder(environ)
    folders = [(own, _below_home(own, environ), "")]
    if project is None:
        folders.append((os.path.realpath(cwd), "", ""))
    else:
        folders += [(folder, "", folder) for folder in project.above]
        folders += [(folder, "", project.root) for folder in project.folders]
    files: list[ContextFile] = []
    notes: list[str] = []
    left = MAX_TOTAL
    for folder, prefix, root in folders:
        found = next(filter(os.path.lexists, (os.path.join(folder, name) for name in NAMES)), "")
        if not found:
            continue
        base = project.root if project is not None else os.path.realpath(cwd)
        shown = os.path.join(prefix, os.path.basename(found)) if prefix else _relative(found, base)
        shown = visible(shown)
        try:
            text, cut = _read(found, "" if trusted else root, min(MAX_BYTES, left))
        except Unreadable as exc:
            notes.append(f"{shown} {exc.why}: left out")
            continue
        if not text.strip() and not cut:
            continue
        if cut:
            notes.append(f"{shown} is cut to {min(MAX_BYTES, left)} bytes")
            text += "\n[cut here]"
        left = max(0, left - len(text.encode("utf-8")))
        files.append(ContextFile(found, shown, text.strip()))
    return ContextFiles(tuple(files), tuple(notes))


def _read(path: str, root: str, limit: int) -> tuple[str, bool]:
    """The text, and whether there is more. With a ``root`` a link may not lead out of it."""
    if not limit:
        raise Unreadable("does not fit any more")
    if root and os.path.islink(path):
        path = os.path.realpath(path)
        if os.path.commonpath((path, root)) != root:
            raise Unreadable("is a link that leads out of the project")
    data, more = read_small(path, limit, follow=not root)
    return as_text(data[: whole_characters(data)] if more else data), more


def _relative(path: str, base: str) -> str:
    return os.path.relpath(path, base).replace(os.sep, "/")


def _below_home(folder: str, environ: Mapping[str, str]) -> str:
    """The user's folder without the name of the user in it, where that can be."""
    home = home_folder(environ)
    if home != "/" and folder.startswith(home.rstrip("/") + "/"):
        return "~" + folder[len(home.rstrip("/")) :]
    return folder
