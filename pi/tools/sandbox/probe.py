"""What really holds on this machine, found out by trying it in a child process.

Each way is tried once per process; nothing is concluded from version numbers alone.
"""

from __future__ import annotations

import os
import sys
from threading import Lock

from pi.base.typing import NamedTuple
from pi.tools.orphans import starting
from pi.tools.sandbox.payload import interpreter, launcher_argv
from pi.tools.sandbox.plan import make_plan
from pi.tools.sandbox.spec import launcher_spec, make_private_folders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT_S = 10.0


class Facts(NamedTuple):
    """What the Landlock launcher can enforce here; ``reason`` says why something is missing.

    files:            places outside the plan can be neither read nor written
    network:          how the network is closed: "namespace" (there is only a loopback
                      device), "filter" (only local sockets can be made), "landlock" (no
                      TCP; UDP is open), "" (cannot be closed, or need not be)
    signals:          processes outside cannot be signalled
    abstract_sockets: sockets with abstract names outside cannot be reached
    unix_sockets:     nor those with a path outside the plan
    landlock_abi:     version of Landlock's interface, 0 without it
    namespaces:       user and mount namespaces can be had: commands get their own file tree
    """

    files: bool = False
    network: str = ""
    signals: bool = False
    abstract_sockets: bool = False
    unix_sockets: bool = False
    landlock_abi: int = 0
    namespaces: bool = False
    reason: str = ""


_lock = Lock()
_known: dict[tuple[object, ...], Facts] = {}
_tried: dict[tuple[str, ...], str] = {}


def probe(temp_dir: str, *, close_network: bool = True) -> Facts:
    """What can be enforced here, the best way that works. Raises OSError.

    ``temp_dir`` gets a folder for a moment.
    """
    if not sys.platform.startswith("linux"):
        return Facts(reason="Landlock is a part of Linux")
    if not interpreter():
        return Facts(reason="the interpreter's own path is not known")
    key = (close_network,)
    with _lock:
        if key not in _known:
            _known[key] = _probe(temp_dir, close_network)
        return _known[key]


def try_program(argv: Sequence[str]) -> str:
    """Why a launcher that should run ``true`` does not, "" if it does. Tried once."""
    key = tuple(argv)
    with _lock:
        if key not in _tried:
            code, _, said = _run(key)
            _tried[key] = "" if code == 0 else said or f"it ended with status {code}"
        return _tried[key]


def _probe(temp_dir: str, close_network: bool) -> Facts:
    ways = [(True, "namespace"), (False, "namespace"), (False, "filter"), (False, "landlock")]
    if not close_network:
        ways = [(True, "open"), (False, "open")]
    reasons: list[str] = []
    best = Facts()
    folder = make_folder(temp_dir, "pi-probe")
    try:
        for view, network in ways:
            found = _attempt(folder, view, network)
            if found.reason:
                reasons.append(found.reason)
            if found.files and (found.network or not close_network):
                return found._replace(reason="; ".join(dict.fromkeys(reasons)))
            best = max(best, found)
    finally:
        remove_folder(folder)
    return best._replace(reason="; ".join(dict.fromkeys(reasons)))


def _attempt(folder: str, view: bool, network: str) -> Facts:
    inside, secret = os.path.join(folder, "in"), os.path.join(folder, "secret")
    if not os.path.isdir(inside):
        os.mkdir(inside)
        make_private_folders(inside)
    os.close(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600))
    check = {
        "secret": os.fsencode(secret),
        "network": os.readlink("/proc/self/ns/net"),
    }
    spec = launcher_spec(
        make_plan((inside,), strict=True), inside, view=view, network=network, check=check
    )
    try:
        code, said, complaint = _run((*launcher_argv(spec), inside))
    except OSError as exc:
        return Facts(reason=str(exc))
    held = dict(word.partition("=")[::2] for word in said.split())
    if code or not held:
        return Facts(reason=complaint or f"the launcher ended with status {code}")
    version = int(held.get("landlock", "0"))
    has_network = network in ("namespace", "filter") and "network" in held
    if network == "landlock":
        has_network = version >= 4
    has_files = "files" in held and not os.path.exists(f"{secret}.new")
    return Facts(
        files=has_files,
        network=network if has_network else "",
        signals="signals" in held,
        abstract_sockets=version >= 6 or (network == "namespace" and has_network),
        unix_sockets=view,
        landlock_abi=version,
        namespaces=view,
        reason="" if has_files else "files outside could still be read or written",
    )


def _run(argv: Sequence[str]) -> tuple[int, str, str]:
    """Exit code, output, and the last line of complaint."""
    import subprocess  # 5-8 ms, and only when commands are held

    try:
        with starting:  # or it might be taken for what a command has left
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
                start_new_session=True,
                check=False,
            )
    except (OSError, subprocess.TimeoutExpired) as exc:
        return -1, "", str(exc)
    complaint = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1]
    return done.returncode, done.stdout.decode("ascii", "replace"), complaint.strip()


def make_folder(temp_dir: str, name: str) -> str:
    """A new folder that only this user may enter. Raises OSError."""
    number = 0
    while True:
        path = os.path.join(os.path.realpath(temp_dir), f"{name}-{os.getpid()}-{number}")
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            number += 1
        else:
            return path


def remove_folder(path: str) -> None:
    from shutil import rmtree  # 10 ms, and only when commands were held

    rmtree(path, ignore_errors=True)
