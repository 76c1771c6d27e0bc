"""What every tool is built from: the policy, the roots, and the world handed in."""

from __future__ import annotations

from threading import Lock

from pi.base.typing import Any, NamedTuple, Protocol
from pi.tools.decision import Decision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.tools.paths import PathRule
    from pi.tools.policy import Policy
    from pi.tools.seen import Seen


class Launch(NamedTuple):
    """How to start one command: the program with its arguments, variables to set."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    sandboxed: bool


class Sandbox(Protocol):
    """Puts a command under what the operating system enforces.

    ``mode`` is "off", "auto" or "force".
    """

    @property
    def mode(self) -> str: ...

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        """How to run ``command`` by ``shell`` (its path and options) in the directory ``cwd``.

        Raises ToolFailure (rule "os_sandbox_mode") if it must be held and cannot be.
        """

    def describe(self) -> Mapping[str, Any]:
        """What is enforced on this machine, for people and scripts."""


class Unconfined:
    """No sandbox: the command runs as pi does."""

    mode = "off"

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        return Launch((*shell, command), {}, sandboxed=False)

    def describe(self) -> Mapping[str, Any]:
        return {"confined": False}


def allow_every_command(command: str, cwd: str) -> Decision:
    """The command check of a run without a command policy."""
    return Decision()


class Toolkit(NamedTuple):
    """Shared by all tools of a run.

    environ:         the variables of pi
    command_environ: what commands get to see of them
    bash_login:      whether commands run in a login shell
    secrets:         values that no result may show, longest first
    check_command:   the policy's word on a command in a directory
    sandbox:         what holds commands
    temp_dir:        where output that is too long to show is kept
    keeps_output:    whether it stays there after the run (for a week)
    new_mode:        permission bits of files made by ``write``
    seen:            which state of each file the model knows
    writing:         held while a file is changed, so that two edits of one file, run at
                     the same time, both happen
    """

    policy: Policy
    paths: PathRule
    environ: Mapping[str, str]
    command_environ: Mapping[str, str]
    bash_login: bool
    secrets: tuple[str, ...]
    random_bytes: Callable[[int], bytes]
    monotonic: Callable[[], float]
    check_command: Callable[[str, str], Decision]
    sandbox: Sandbox
    temp_dir: str
    keeps_output: bool
    new_mode: int
    seen: Seen
    writing: Lock
