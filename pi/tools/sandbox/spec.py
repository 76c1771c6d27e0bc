"""What the launcher is told, made of a plan."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pi.tools.sandbox.plan import Plan

# Machines whose system calls the launcher's filter of sockets knows (kernel.knows_calls).
FILTERED_MACHINES = ("x86_64", "aarch64", "riscv64")
SHARED_TEMP = "/tmp"  # programs write there without asking TMPDIR


def private_folders(private: str) -> dict[str, str]:
    """The folders below ``private``: what commands have as home and for temporary files."""
    return {name: os.path.join(private, name) for name in ("home", "tmp", "stage", "empty")}


def make_private_folders(private: str) -> None:
    """Make them, once: later, if they lie in a root, a command may have put links there."""
    for folder in private_folders(private).values():
        os.mkdir(folder, 0o700)


def launcher_spec(
    plan: Plan,
    private: str,
    *,
    view: bool,
    network: str,
    landlock: int = 1,
    check: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """For ``launcher.run``: paths as bytes, only types that marshal knows.

    ``landlock`` is the least version that must be there.
    """
    folders = private_folders(private)
    writable = (*plan.writable, folders["home"], folders["tmp"])
    own_temp = view and not any(_covers(root, SHARED_TEMP) for root in plan.writable)
    return {
        "view": view,
        "network": network,
        "landlock": landlock,
        "parent": os.getpid(),
        "readable": _encoded(plan.readable),
        "writable": _encoded(writable),
        "read_only": _encoded(plan.read_only),
        "held_in_place": _encoded(plan.held_in_place),
        "covered": _encoded((*plan.covered, *plan.covered_folders)),
        "links": [(os.fsencode(place), os.fsencode(target)) for place, target in plan.links],
        "elsewhere": [(SHARED_TEMP.encode(), os.fsencode(folders["tmp"]))] if own_temp else [],
        "stage": os.fsencode(folders["stage"]),
        "empty": os.fsencode(folders["empty"]),
        "check": dict(check or {}),
    }


def _covers(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _encoded(paths: Iterable[str]) -> list[bytes]:
    return [os.fsencode(path) for path in paths]
