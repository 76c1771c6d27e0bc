"""Settings files: which there are, which count, and what they say as layers for ``parse``.

The user's is ``settings.json`` in the user's folder (see ``base/homes``), the project's is
the nearest ``.pi/settings.json`` from the working directory up to the project's root; it
counts only where the user has approved the folder. Without files this costs a few looks
at the disk and no import.
"""

from __future__ import annotations

import os

from pi.base.homes import SETTINGS, find_project, home_folder, user_folder
from pi.base.typing import NamedTuple
from pi.cli.parse import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.base.homes import Project
    from pi.base.host import Host
    from pi.cli.parse import Layer, Parsed

MAX_BYTES = 1 << 20
USER, PROJECT = "user", "project"


class Found(NamedTuple):
    """A settings file. ``state`` is "read", "missing", "ignored" (--no-config) or
    "untrusted"; ``folder`` is what relative paths in it are relative to, "" for the
    working directory."""

    level: str
    path: str
    state: str
    folder: str = ""


class Reading(NamedTuple):
    """Layers in their order, and sentences for the user about what does not count."""

    layers: tuple[Layer, ...]
    notes: tuple[str, ...]


def configured(parsed: Parsed, host: Host, more: Sequence[Layer] = ()) -> Parsed:
    """``parsed`` with the settings files as layers below ``more`` (a profile) and the
    environment. Raises ConfigError naming file, line and column."""
    if parsed.values["--profile"]:
        from pi.cli.profile_layer import profile_layers  # judged against the files below it

        more = (*profile_layers(parsed, host), *more)
    reading = Reading((), ())
    if any(found.state in ("read", "untrusted") for found in survey(parsed, host, quick=True)):
        reading = read_all(parsed, host)
    layers = (*more, *reading.layers)
    if layers:
        parsed = parse(parsed.argv, host.environ, layers)
    if reading.notes and host.stderr is not None and not parsed.values["--quiet"]:
        from pi.base.text import visible

        for sentence in reading.notes:
            print(f"[{visible(sentence)}]", file=host.stderr)
    return parsed


def read_all(parsed: Parsed, host: Host) -> Reading:
    """Read the files that count. Raises ConfigError."""
    layers: list[Layer] = []
    notes: list[str] = []
    home = home_folder(host.environ)
    for found in survey(parsed, host):
        if found.state == "read":
            from pi.cli.config_reading import read_layer  # with it come JSON and the rules

            layer, unknown = read_layer(found.path, found.level, found.folder, home)
            layers.append(layer)
            notes += unknown
        elif found.state == "untrusted":
            from pi.cli.folder_trust import left_out

            project = project_of(host)
            notes += [left_out(project)] if project is not None else []
    return Reading(tuple(layers), tuple(notes))


def survey(parsed: Parsed, host: Host, *, quick: bool = False) -> tuple[Found, ...]:
    """The settings files of this run, the project's first. ``quick`` says "untrusted" of a
    project's file without looking for an approval."""
    rows = []
    project = project_of(host)
    path = project.nearest(SETTINGS) if project is not None else ""
    if project is not None and path:
        folder = os.path.dirname(os.path.dirname(path))
        state = "ignored" if parsed.values["--no-config"] else "untrusted"
        if state == "untrusted" and not quick:
            from pi.cli.folder_trust import is_trusted

            state = "read" if is_trusted(project, parsed, host.environ) else state
        rows.append(Found(PROJECT, path, state, folder))
    path = os.path.join(user_folder(host.environ), SETTINGS)
    state = "ignored" if parsed.values["--no-config"] else "read"
    rows.append(Found(USER, path, state if os.path.lexists(path) else "missing"))
    return tuple(rows)


def project_of(host: Host) -> Project | None:
    """The project this run is in. None also where the working directory was removed."""
    try:
        return find_project(host.cwd(), host.environ)
    except OSError:
        return None
