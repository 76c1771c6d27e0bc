"""Commands held by the first launcher that works here; what is done if none does."""

from __future__ import annotations

import os
from threading import Lock

from pi.base.typing import Any, Protocol
from pi.tools.outcome import ToolFailure
from pi.tools.toolkit import Launch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.tools.sandbox.plan import Plan

REFUSED = "OS sandbox mode 'force' is enabled but no sandbox launcher is configured or available"


class Launcher(Protocol):
    """One way to hold commands."""

    @property
    def name(self) -> str: ...

    def shortfall(self) -> str:
        """Why this way cannot be used here, "" if it can. Tries it, once."""

    def prepare(
        self, shell: tuple[str, ...], command: str, cwd: str
    ) -> tuple[tuple[str, ...], Mapping[str, str]]:
        """The arguments that start the command held, and variables to set.

        Raises OSError if the folders it needs cannot be made.
        """

    def facts(self) -> Mapping[str, Any]:
        """What it enforces: the keys of docs/sandbox.md."""


class Confined:
    """The modes "auto" and "force". Nothing is tried before it is needed."""

    def __init__(self, mode: str, launchers: Sequence[Launcher]) -> None:
        self.mode = mode
        self._launchers = launchers
        self._chosen: Launcher | None = None
        self._reason = ""
        self._is_chosen = False
        self._lock = Lock()

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        launcher = self._choose()
        if launcher is None:
            if self.mode == "force":
                raise ToolFailure(f"{REFUSED}: {self._reason}", "os_sandbox_mode")
            return Launch((*shell, command), {}, sandboxed=False)
        try:
            argv, environ = launcher.prepare(shell, command, os.path.realpath(cwd))
        except OSError as exc:
            # It worked when it was tried: going on without it would not be what was said.
            raise ToolFailure(
                f"the sandbox cannot be set up: {exc.strerror or exc}", "os_sandbox_mode"
            ) from None
        return Launch(argv, {**environ, "PI_SANDBOXED": "1"}, sandboxed=True)

    def describe(self) -> Mapping[str, Any]:
        launcher = self._choose()
        if launcher is None:
            return {"confined": False, "launcher": "none", "reason": self._reason}
        return {
            "confined": True,
            "launcher": launcher.name,
            **launcher.facts(),
            "reason": self._reason,
        }

    def _choose(self) -> Launcher | None:
        with self._lock:
            if not self._is_chosen:
                reasons = []
                for launcher in self._launchers:
                    reason = launcher.shortfall()
                    if not reason:
                        self._chosen = launcher
                        break
                    reasons.append(f"{launcher.name}: {reason}")
                self._reason = "; ".join(dict.fromkeys(reasons))
                self._is_chosen = True
            return self._chosen


def guard_facts(plan: Plan, *, guards: bool) -> tuple[list[str], list[str]]:
    """What inside the roots is held read-only, and sentences on what is not."""
    if guards:
        return list(plan.read_only), [f"{path} is not read-only" for path in plan.unguarded]
    exposed = (*plan.read_only, *plan.unguarded)
    open_ = [f"{path} is not read-only" for path in exposed]
    hidden = (*plan.covered, *plan.covered_folders)
    return [], [*open_, *(f"{path} can be read" for path in hidden)]
