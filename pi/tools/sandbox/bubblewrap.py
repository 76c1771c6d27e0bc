"""Commands held by bubblewrap (``bwrap``), where it is installed and works. Source: bwrap(1)."""

from __future__ import annotations

from pi.base.typing import Any
from pi.tools.sandbox.confined import guard_facts
from pi.tools.sandbox.plan import below
from pi.tools.sandbox.probe import try_program
from pi.tools.sandbox.template import find_program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.tools.sandbox.plan import Plan

HOME = "/run/pi-home"  # made inside, gone with the command
# Versions before 0.8 do not know it; in a namespace of its own a command has more of the
# kernel to attack, but no way out that is known.
_NO_MORE_NAMESPACES = ("--unshare-user", "--disable-userns")


class BubblewrapLauncher:
    name = "bubblewrap"

    def __init__(
        self, make_plan: Callable[[], Plan], environ: Mapping[str, str], *, close_network: bool
    ) -> None:
        self._make_plan = make_plan
        self._environ = environ
        self._close_network = close_network
        self._program: tuple[str, ...] = ()

    def shortfall(self) -> str:
        program = find_program("bwrap", self._environ)
        if program is None:
            return "bwrap is not on PATH"
        plan = self._make_plan()
        if any(below(program, root) for root in plan.writable):
            return f"{program} lies where commands may write"
        for options in (_NO_MORE_NAMESPACES, ()):
            self._program = (program, *options)
            tail = ("--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "true")
            reason = try_program((*self._program, *tail))
            if not reason:
                break
        return reason

    def prepare(
        self, shell: tuple[str, ...], command: str, cwd: str
    ) -> tuple[tuple[str, ...], Mapping[str, str]]:
        argv = bubblewrap_argv(
            self._program, self._make_plan(), not self._close_network, (*shell, command), cwd
        )
        return argv, {"HOME": HOME, "TMPDIR": "/tmp"}

    def facts(self) -> Mapping[str, Any]:
        read_only, not_held = guard_facts(self._make_plan(), guards=True)
        if self._close_network:
            not_held.append("sockets that are not of the internet (vsock) are open")
        else:
            not_held.append("sockets with abstract names can be reached")
        return {
            "files": True,
            "network": "closed" if self._close_network else "open",
            "signals": True,
            "abstract_sockets": self._close_network,
            "unix_sockets": True,
            "landlock_abi": 0,
            "namespaces": True,
            "read_only": read_only,
            "not_held": not_held,
        }


def bubblewrap_argv(
    program: tuple[str, ...], plan: Plan, share_net: bool, command: tuple[str, ...], cwd: str
) -> tuple[str, ...]:
    """The command line; ``program`` comes with its first options.

    Later binds lie over earlier ones: from the outside in.
    """
    argv = [*program, "--die-with-parent", "--new-session", "--unshare-all"]
    if share_net:
        argv.append("--share-net")
    # Read-only, since root could set there, for all of the machine, what runs after a crash.
    argv += ["--cap-drop", "ALL", "--proc", "/proc", "--remount-ro", "/proc"]
    argv += ["--dev", "/dev", "--tmpfs", "/tmp"]
    argv += ["--tmpfs", HOME, "--setenv", "HOME", HOME, "--setenv", "TMPDIR", "/tmp"]
    for place, target in plan.links:
        argv += ["--symlink", target, place]
    binds = [("--ro-bind-try", place) for place in plan.readable if place != "/proc"]
    binds += [("--bind", place) for place in (*plan.writable, *plan.held_in_place)]
    binds += [("--ro-bind", place) for place in plan.read_only]
    for option, place in sorted(binds, key=lambda bind: bind[1]):
        argv += [option, place, place]
    for place in plan.covered:
        argv += ["--ro-bind", "/dev/null", place]
    for place in plan.covered_folders:
        argv += ["--tmpfs", place, "--remount-ro", place]
    return (*argv, "--chdir", cwd, "--", *command)
