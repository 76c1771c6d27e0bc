"""Commands held by macOS's ``sandbox-exec`` with a generated profile.

Source: the profiles in /System/Library/Sandbox/Profiles; the last rule that fits wins.
"""

from __future__ import annotations

import os
import sys

from pi.base.typing import Any
from pi.tools.sandbox.confined import guard_facts
from pi.tools.sandbox.probe import make_folder, remove_folder, try_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pi.tools.sandbox.plan import Plan

PROGRAM = "/usr/bin/sandbox-exec"
# Where people keep what is theirs; programs and settings lie elsewhere.
_HOMES = ("/Users", "/private/var/root", "/Volumes")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/ptmx", "/dev/dtracehelper")


class SeatbeltLauncher:
    name = "sandbox-exec"

    def __init__(
        self, make_plan: Callable[[], Plan], temp_dir: str, *, close_network: bool
    ) -> None:
        self._make_plan = make_plan
        self._temp_dir = temp_dir
        self._close_network = close_network
        self._private = ""

    def shortfall(self) -> str:
        if sys.platform != "darwin":
            return "sandbox-exec is a part of macOS"
        return try_program((PROGRAM, "-p", "(version 1)(allow default)", "/usr/bin/true"))

    def prepare(
        self, shell: tuple[str, ...], command: str, cwd: str
    ) -> tuple[tuple[str, ...], Mapping[str, str]]:
        import atexit  # built in; here so that importing this module registers nothing

        if not self._private:
            self._private = make_folder(self._temp_dir, "pi-sandbox")
            atexit.register(remove_folder, self._private)
        text = profile(self._make_plan(), self._private, share_net=not self._close_network)
        environ = {"HOME": self._private, "TMPDIR": self._private}
        return (PROGRAM, "-p", text, *shell, command), environ

    def facts(self) -> Mapping[str, Any]:
        plan = self._make_plan()
        read_only, not_held = guard_facts(plan, guards=True)
        return {
            "files": True,
            "network": "closed" if self._close_network else "open",
            "signals": False,
            "abstract_sockets": True,
            "unix_sockets": self._close_network,
            "landlock_abi": 0,
            "namespaces": False,
            "read_only": read_only,
            "not_held": ["processes of the same user can be signalled", *not_held],
        }


def profile(plan: Plan, private: str, *, share_net: bool) -> str:
    """Writing only in the plan's writable places, no reading in people's homes but there."""
    mine = (*plan.writable, private)
    lines = ["(version 1)", "(allow default)"]
    if not share_net:
        lines.append("(deny network*)")
    lines.append(_rule("deny", "file-read*", _HOMES))
    lines.append(_rule("allow", "file-read-metadata", _HOMES))  # paths must be walkable
    lines.append(_rule("allow", "file-read*", (*mine, *plan.readable)))
    lines.append("(deny file-write*)")
    devices = " ".join(f"(literal {_quoted(device)})" for device in _DEVICES)
    lines.append(f'(allow file-write* {devices} (regex #"^/dev/ttys[0-9]+$"))')
    lines.append(_rule("allow", "file-write*", mine))
    if plan.read_only or plan.unguarded:
        lines.append(_rule("deny", "file-write*", (*plan.read_only, *plan.unguarded)))
    if plan.held_in_place:
        places = " ".join(f"(literal {_quoted(place)})" for place in plan.held_in_place)
        lines.append(f"(deny file-write-unlink {places})")
    hidden = (*plan.covered, *plan.covered_folders)
    if hidden:
        lines.append(_rule("deny", "file-read* file-write*", hidden))
    return "\n".join(lines)


def _rule(verdict: str, what: str, places: Iterable[str]) -> str:
    return f"({verdict} {what} {' '.join(f'(subpath {_quoted(place)})' for place in places)})"


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{os.fsencode(escaped).decode("utf-8", "replace")}"'
