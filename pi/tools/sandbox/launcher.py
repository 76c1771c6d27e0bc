"""Becomes a command that is held by the kernel. Runs in a process of its own.

The process is started by pi as leader of its group and ends as the command itself
(``execve``), so whoever ends the group ends the command. Nothing of pi can be imported
here but what ``payload`` sends along: the files of pi may lie where commands can write.

Fails closed: if any step fails that was promised, the command is not run; one line on
stderr says which, and the exit status is ``FAILED`` (126, as shells use it).

Order: namespaces and file tree need capabilities; dropping them and no-new-privileges
come next, since Landlock and seccomp ask for the latter; Landlock is the last to close.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the public module makes enums: 5 ms
import os
import resource
import sys

from pi.tools.sandbox import kernel, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

FAILED = 126
GIB = 1 << 30
# No core dumps (they hold memory); the rest only ends what has gone wild.
LARGEST_FILE = 64 * GIB
MOST_PROCESSES = 16_384  # threads count too


def run(spec: dict[str, Any], argv: Sequence[str]) -> None:
    """Hold this process as ``spec`` says, then become ``argv[1:]`` in directory ``argv[0]``."""
    at = "start"
    try:
        environ = _environment()
        for name, step in _STEPS:
            at = name
            step(spec)
        if spec["check"]:
            _tell_what_holds(spec["check"])
            return
        at = "the working directory"
        os.chdir(argv[0])
        at = "start of the shell"
        for number in (_signal.SIGPIPE, _signal.SIGXFSZ):  # what the interpreter has ignored
            _signal.signal(number, _signal.SIG_DFL)
        os.execvpe(argv[1], list(argv[1:]), environ)
    except OSError as exc:
        words = f"pi: the sandbox cannot be set up ({at}): {exc.strerror or exc}"
        print(words, exc.filename or "", file=sys.stderr)
        sys.stderr.flush()
        os._exit(FAILED)


def _environment() -> dict[bytes, bytes]:
    """The variables as they were given: in the C locale the interpreter has set LC_CTYPE."""
    with open("/proc/self/environ", "rb") as file:
        rows = (row.partition(b"=") for row in file.read().split(b"\0"))
        return {name: value for name, _, value in rows if name}


def _limit(spec: dict[str, Any]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, most in (
        (resource.RLIMIT_FSIZE, LARGEST_FILE),
        (resource.RLIMIT_NPROC, MOST_PROCESSES),
    ):
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def _separate(spec: dict[str, Any]) -> None:
    own_network = spec["network"] == "namespace"
    if spec["view"] or own_network:
        view.enter_namespaces(mounts=spec["view"], network=own_network)


def _build_view(spec: dict[str, Any]) -> None:
    if spec["view"]:
        view.build(spec)


def _drop(spec: dict[str, Any]) -> None:
    kernel.leave_keyring(os.uname().machine)
    kernel.drop_capabilities()
    kernel.no_new_privileges()
    machine = os.uname().machine
    kernel.leave_limits(machine)
    if spec["network"] == "filter":
        kernel.allow_sockets(machine, kernel.LOCAL)
    elif spec["network"] == "namespace" and kernel.knows_calls(machine):
        kernel.allow_sockets(machine, kernel.NAMESPACED)


def _confine(spec: dict[str, Any]) -> None:
    version = kernel.landlock_version()
    if version < spec["landlock"]:
        raise OSError(f"Landlock has version {version} here")
    rules = kernel.Ruleset(version, no_tcp=spec["network"] == "landlock")
    for path in (*spec["readable"], *spec["read_only"]):
        rules.grant(path, kernel.READ)
    for path in (*spec["writable"], *(path for path, _ in spec["elsewhere"])):
        rules.grant(path, kernel.WRITE)
    for name in view.DEVICES:
        # Executing, making or removing there is not among the rights of a file.
        rules.grant(b"/dev/" + name.encode(), kernel.WRITE & ~kernel.EXECUTE)
    if spec["view"]:
        rules.grant(b"/dev/pts", kernel.WRITE & ~kernel.EXECUTE)
        rules.grant(b"/dev/shm", kernel.WRITE)
        rules.grant(b"/", kernel.READ_DIR)  # it has only what may be read anyway
    rules.enforce()


def _stay_with_parent(spec: dict[str, Any]) -> None:
    # Last: a change of capabilities would take it back.
    kernel.die_with(spec["parent"])


_STEPS = (
    ("limits", _limit),
    ("namespaces", _separate),
    ("file tree", _build_view),
    ("privileges", _drop),
    ("Landlock", _confine),
    ("end with pi", _stay_with_parent),
)


def _tell_what_holds(check: dict[str, Any]) -> None:
    """Try what must fail now, and print the names of what did fail, with the version.

    Whoever asked looks whether "secret.new" was made: here, a private /tmp may hold it.
    """
    held = [f"landlock={kernel.landlock_version()}"]
    if not _works(os.open, check["secret"], os.O_RDONLY):
        held.append("files")
    _works(os.open, check["secret"] + b".new", os.O_WRONLY | os.O_CREAT)
    if not _works(os.kill, os.getppid(), 0):
        held.append("signals")
    if os.readlink("/proc/self/ns/net") != check["network"] or not _works(
        kernel.call, "socket", 2, 2, 0
    ):
        held.append("network")
    print(" ".join(held), flush=True)


def _works(function: Any, *arguments: object) -> bool:
    try:
        function(*arguments)
    except OSError:
        return False
    return True
