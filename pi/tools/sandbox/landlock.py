"""The launcher that needs nothing installed: Landlock, and namespaces where they can be had."""

from __future__ import annotations

import os
import sys
from threading import Lock

from pi.base.typing import Any
from pi.tools.guarded import links_within, own_code
from pi.tools.sandbox.confined import guard_facts
from pi.tools.sandbox.payload import interpreter, launcher_argv
from pi.tools.sandbox.plan import below
from pi.tools.sandbox.probe import make_folder, probe, remove_folder
from pi.tools.sandbox.spec import (
    FILTERED_MACHINES,
    launcher_spec,
    make_private_folders,
    private_folders,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.tools.sandbox.plan import Plan
    from pi.tools.sandbox.probe import Facts


class LandlockLauncher:
    """Starts commands by ``launcher``, in a process of this interpreter.

    ``needs_view`` asks for a file tree of its own, else another launcher may be better.
    ``must_close`` refuses where a network that is to be closed cannot be, or commands could
    change the code of pi that is yet to be loaded.
    """

    name = "landlock"

    def __init__(
        self,
        make_plan: Callable[[], Plan],
        temp_dir: str,
        *,
        close_network: bool,
        needs_view: bool = False,
        must_close: bool = False,
    ) -> None:
        self._make_plan = make_plan
        self._temp_dir = temp_dir
        self._close_network = close_network
        self._needs_view = needs_view
        self._must_close = must_close
        self._private = ""
        self._making = Lock()

    def shortfall(self) -> str:
        try:
            facts = self._probe()
        except OSError as exc:
            return f"{exc.strerror or exc}: {self._temp_dir}"
        if not facts.files:
            return facts.reason or "the kernel has no Landlock"
        if self._close_network and self._must_close and not facts.network:
            return "the network cannot be closed here"
        plan = self._make_plan()
        view = self._has_view(facts, plan)
        if self._needs_view and not view:
            return facts.reason or "no file tree of its own"
        held = plan.read_only if view else ()
        for own in (interpreter(), os.path.realpath(sys.base_prefix)):
            exposed = any(below(own, root) for root in plan.writable)
            if exposed and not any(below(own, place) for place in held):
                return "the interpreter that starts commands lies where commands may write"
        if self._must_close:
            own = os.path.realpath(own_code())
            exposed = any(below(own, root) for root in plan.writable)
            linked = links_within(own_code(), plan.writable)
            if linked or (exposed and not any(below(own, place) for place in held)):
                return "pi itself lies where commands may write: start it from elsewhere"
        return ""

    def prepare(
        self, shell: tuple[str, ...], command: str, cwd: str
    ) -> tuple[tuple[str, ...], Mapping[str, str]]:
        with self._making:
            if not self._private:
                self._private = _own_folder(self._temp_dir)
        facts = self._probe()
        plan = self._make_plan()  # anew each time: a command may have made a repository
        network = facts.network if self._close_network else "open"
        spec = launcher_spec(
            plan,
            self._private,
            view=self._has_view(facts, plan),
            network=network or "open",
            landlock=facts.landlock_abi,
        )
        folders = private_folders(self._private)
        environ = {"HOME": folders["home"], "TMPDIR": folders["tmp"]}
        return (*launcher_argv(spec), cwd, *shell, command), environ

    def facts(self) -> Mapping[str, Any]:
        facts = self._probe()
        plan = self._make_plan()
        view = self._has_view(facts, plan)
        read_only, not_held = guard_facts(plan, guards=view)
        closed = {"namespace": "closed", "filter": "closed", "landlock": "no TCP"}
        network = closed.get(facts.network, "open") if self._close_network else "open"
        return {
            "files": facts.files,
            "network": network,
            "signals": facts.signals,
            "abstract_sockets": facts.abstract_sockets,
            "unix_sockets": view,
            "landlock_abi": facts.landlock_abi,
            "namespaces": view,
            "read_only": read_only,
            "not_held": [*_not_held(facts, view, network, self._close_network), *not_held],
        }

    def _probe(self) -> Facts:
        return probe(self._temp_dir, close_network=self._close_network)

    def _has_view(self, facts: Facts, plan: Plan) -> bool:
        return facts.namespaces and "/" not in plan.writable


def _own_folder(temp_dir: str) -> str:
    """A folder for all commands of this run, removed when pi leaves."""
    import atexit  # built in; here so that importing this module registers nothing

    folder = make_folder(temp_dir, "pi-sandbox")
    make_private_folders(folder)
    atexit.register(remove_folder, folder)
    return folder


def _not_held(facts: Facts, view: bool, network: str, close: bool) -> list[str]:
    sentences = ["names, arguments and connections of other processes can be seen"]
    if close and network == "no TCP":
        sentences.append("UDP and other sockets that are not TCP are open")
    if facts.network == "namespace" and os.uname().machine not in FILTERED_MACHINES:
        sentences.append("sockets that are not of the internet (vsock) are open")
    if close and network == "open":
        sentences.append("the network is open")
    if not facts.signals:
        sentences.append("processes of the same user can be signalled")
    if not facts.abstract_sockets:
        sentences.append("sockets with abstract names can be reached")
    if not view:
        sentences.append("sockets with a path can be reached anywhere")
        sentences.append("files outside can be looked up, and their modes and times changed")
        if facts.landlock_abi < 3:
            sentences.append("files outside can be cut off (truncate)")
    return sentences
