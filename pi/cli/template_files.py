"""The prompt templates there are: Markdown files in the folders ``prompts`` of the user and,
where the user trusts it, of the project. A project's template wins over the user's.

The folder may hold anything; what is no template is passed over with a note.
"""

from __future__ import annotations

import os

from pi.base.homes import SETTINGS, find_project, user_folder
from pi.base.smallfile import Unreadable, read_small_text
from pi.base.typing import NamedTuple
from pi.commands.expansion import Template, is_name, read_template
from pi.commands.table import BY_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.base.host import Host
    from pi.cli.parse import Parsed

FOLDER, ENDING = "prompts", ".md"
MAX_BYTES = 1 << 20
MAX_FILES = 1000


class Templates(NamedTuple):
    """By name, in alphabetical order; ``notes`` tell what was passed over."""

    by_name: dict[str, Template]
    notes: tuple[str, ...]


def load_templates(parsed: Parsed, host: Host, cwd: str) -> Templates:
    """All templates of a run. Never fails."""
    folders = [("user", os.path.join(user_folder(host.environ), FOLDER))]
    notes: list[str] = []
    project = find_project(cwd, host.environ)
    path = project.nearest(FOLDER) if project is not None else ""
    if project is not None and path:
        from pi.cli.folder_trust import is_trusted  # asked only where it matters

        if is_trusted(project, parsed, host.environ):
            folders.append(("project", path))
        elif not project.nearest(SETTINGS):  # else it was told at the start
            notes.append(f"{path} is left out: the folder is not trusted (see /trust)")
    found = read_folders(folders)
    return found._replace(notes=(*notes, *found.notes))


def template_check(parsed: Parsed, host: Host) -> Callable[[str], bool]:
    """Whether a ``/name`` is a template's; the folders are read when first asked."""
    loaded: list[Templates] = []

    def is_template(name: str) -> bool:
        if not loaded:
            loaded.append(load_templates(parsed, host, host.cwd()))
        return name[1:] in loaded[0].by_name or name[1:].lower() in loaded[0].by_name

    return is_template


def read_folders(folders: Sequence[tuple[str, str]]) -> Templates:
    """The templates in (level, folder) pairs, the later ones over the earlier."""
    found: dict[str, Template] = {}
    notes: list[str] = []
    for level, folder in folders:
        for template in _in_folder(level, folder, notes):
            found[template.name] = template
    return Templates(dict(sorted(found.items())), tuple(notes))


def _in_folder(level: str, folder: str, notes: list[str]) -> list[Template]:
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(ENDING))
    except FileNotFoundError:
        return []
    except OSError as exc:
        notes.append(f"{folder} cannot be read: {exc.strerror or exc}")
        return []
    if len(names) > MAX_FILES:
        notes.append(f"{folder} holds more than {MAX_FILES} templates: the others are left out")
    found = []
    for file in names[:MAX_FILES]:
        name = file[: -len(ENDING)]
        path = os.path.join(folder, file)
        if not is_name(name):
            notes.append(f"{path} has a name that cannot be typed as a command: left out")
        elif f"/{name.lower()}" in BY_NAME:
            notes.append(f"{path} is left out: /{name} is a command of pi")
        else:
            try:
                text = read_small_text(path, MAX_BYTES)
            except Unreadable as exc:
                notes.append(f"{path} {exc.why}: left out")
                continue
            template = read_template(name, path, level, text)
            if template.body:
                found.append(template)
            else:
                notes.append(f"{path} is empty: left out")
    return found
