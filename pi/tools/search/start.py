"""What the three tools do first: find the place they are asked about."""

from __future__ import annotations

import os
import stat

from pi.agent.tool import Effect
from pi.base.typing import Any
from pi.tools.outcome import Missing, ToolFailure
from pi.tools.paths import touched
from pi.tools.places import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.agent.tool import ToolContext
    from pi.tools.places import Place
    from pi.tools.toolkit import Toolkit


def locate(kit: Toolkit, arguments: Mapping[str, Any], cwd: str) -> tuple[Place, os.stat_result]:
    """The place that the argument "path" names, by default ``cwd``, and what is there.

    Raises ToolFailure if the path rule refuses it or nothing is there.
    """
    given = path_argument(arguments)
    try:
        place = kit.paths.existing(given, cwd)
    except Missing as failure:
        hint = failure.error[len(f"path '{given}' does not exist") :]
        raise Missing(f"Path not found: {given}{hint}") from None
    with Folder(place) as folder:
        info = folder.info()
    if info is None:
        raise ToolFailure(f"Path not found: {given}")
    return place, info


def directory(kit: Toolkit, arguments: Mapping[str, Any], cwd: str) -> Place:
    """The same for a tool that only takes directories."""
    place, info = locate(kit, arguments, cwd)
    if not stat.S_ISDIR(info.st_mode):
        raise ToolFailure(f"Not a directory: {place.given}")
    return place


def path_argument(arguments: Mapping[str, Any]) -> str:
    value = arguments.get("path")
    return value if isinstance(value, str) and value else "."


def effect_of_reading(arguments: Mapping[str, Any], cwd: str) -> Effect:
    return Effect(reads=(touched({"path": path_argument(arguments)}, cwd),))


def cancel_check(context: ToolContext) -> Callable[[], None]:
    """A function that raises ToolFailure once the run was ended."""

    def check() -> None:
        why = context.cancel.why
        if why is not None:
            raise ToolFailure(f"cancelled: {why.message}")

    return check


def left_out(unreadable: int, too_deep: int) -> list[str]:
    """Notices on what a walk could not reach."""
    notices = []
    if unreadable:
        what = "file or directory" if unreadable == 1 else "files or directories"
        notices.append(f"{unreadable} {what} could not be read")
    if too_deep:
        what = "directory" if too_deep == 1 else "directories"
        notices.append(f"{too_deep} {what} too deep to look into")
    return notices
