"""A file tree of its own for one command: what is not in it does not exist for the command.

Needs user namespaces. Runs in the launcher's process; a failure is an OSError and the
command is not run. Sources: user_namespaces(7), mount_namespaces(7), pivot_root(2),
open_tree(2), move_mount(2), mount_setattr(2).
"""

from __future__ import annotations

import os
import sys

from pi.tools.sandbox.kernel import (
    AT_FDCWD,
    MOUNT_SETATTR,
    MOVE_MOUNT,
    OPEN_TREE,
    call,
    open_exactly,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NEWNS, _NEWIPC, _NEWUSER, _NEWNET = 0x00020000, 0x08000000, 0x10000000, 0x40000000
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REC, _MS_PRIVATE = 2, 4, 8, 16384, 1 << 18
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_AT_EMPTY_PATH, _AT_RECURSIVE = 0x1000, 0x8000
_CLONE = 1 | os.O_CLOEXEC | _AT_RECURSIVE | _AT_EMPTY_PATH  # open_tree: a copy of a handle
_FROM_AND_TO_HANDLES = 0x04 | 0x40  # move_mount: the handles themselves, no paths
_MNT_DETACH = 2
_SIOCSIFFLAGS, _IFF_UP_RUNNING = 0x8914, 0x41

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}


def enter_namespaces(*, mounts: bool, network: bool) -> None:
    """Be in namespaces of our own, as the same user, with every capability over them.

    Always with a user namespace, so that root, too, has no power over the old ones. With
    ``network`` there is only a loopback device, which is switched on.
    """
    user, group = os.geteuid(), os.getegid()
    flags = _NEWUSER | _NEWIPC
    call("unshare", flags | (_NEWNS if mounts else 0) | (_NEWNET if network else 0))
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    # No namespaces inside: in one of its own, a command would have every capability again.
    _write("/proc/sys/user/max_user_namespaces", "0")
    if network:
        _switch_on_loopback()


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _switch_on_loopback() -> None:
    fd = call("socket", 2, 2, 0)  # AF_INET, SOCK_DGRAM: any socket will do
    try:
        request = b"lo".ljust(16, b"\0") + _IFF_UP_RUNNING.to_bytes(2, sys.byteorder) + bytes(22)
        call("ioctl", fd, _SIOCSIFFLAGS, request)
    finally:
        os.close(fd)


def build(spec: dict[str, Any]) -> None:
    """Make the tree that ``spec`` describes and enter it; the old one is out of reach.

    Every source is picked up before anything is mounted, so that neither order nor
    nesting of the places can show what should be hidden.
    """
    call("mount", None, b"/", None, _MS_REC | _MS_PRIVATE, None)
    trees = sorted(_trees(spec))
    tmpfs = _MS_NOSUID | _MS_NODEV
    call("mount", b"pi", spec["stage"], b"tmpfs", tmpfs, b"mode=755,size=1m")
    os.chdir(spec["stage"])
    for path, target in spec["links"]:
        os.makedirs(os.path.dirname(path[1:]) or b".", 0o755, exist_ok=True)
        os.symlink(target, path[1:])
    for path, fd in trees:
        _attach(fd, path[1:])
    _make_devices()
    call("pivot_root", b".", b".")
    call("umount2", b".", _MNT_DETACH)
    os.chdir("/")
    _restrict(AT_FDCWD, b"/", _ATTR_RDONLY, 0)


def _trees(spec: dict[str, Any]) -> Iterable[tuple[bytes, int]]:
    """(where it will be, handle of a copy of what is there now)."""
    for path in spec["writable"]:
        yield path, _copy(path, _ATTR_NOSUID | _ATTR_NODEV)
    for path in spec["held_in_place"]:
        # A directory that something is mounted on cannot be renamed, its parents can.
        yield path, _copy(path, _ATTR_NOSUID | _ATTR_NODEV)
    for path in (*spec["read_only"], *spec["readable"]):
        yield path, _copy(path, _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV)
    for path, source in spec["elsewhere"]:
        yield path, _copy(source, _ATTR_NOSUID | _ATTR_NODEV)
    for path in spec["covered"]:
        yield path, _copy(spec["empty"] if os.path.isdir(path) else b"/dev/null", _ATTR_RDONLY)
    for name in DEVICES:
        device = b"/dev/" + name.encode()
        if os.path.exists(device):
            yield device, _copy(device, _ATTR_NOSUID)


def _copy(path: bytes, attributes: int) -> int:
    found = open_exactly(path)
    fd = call("syscall", OPEN_TREE, found, b"", _CLONE)
    os.close(found)
    _restrict(fd, b"", attributes, _AT_EMPTY_PATH | _AT_RECURSIVE)
    return fd


def _restrict(fd: int, path: bytes, attributes: int, flags: int) -> None:
    packed = attributes.to_bytes(8, sys.byteorder) + bytes(24)
    call("syscall", MOUNT_SETATTR, fd, path, flags, packed, len(packed))


def _attach(fd: int, path: bytes) -> None:
    """Mount the copy at ``path`` (relative), made first if it is not there."""
    try:
        target = open_exactly(path)
    except FileNotFoundError:
        target = _make_place(path, is_folder=os.fstat(fd).st_mode & 0o170000 == 0o040000)
    call("syscall", MOVE_MOUNT, fd, b"", target, b"", _FROM_AND_TO_HANDLES)
    os.close(target)
    os.close(fd)


def _make_place(path: bytes, *, is_folder: bool) -> int:
    """A handle of a new folder or empty file, name by name: the private /tmp, in which it may
    be, can hold links that a command left there."""
    here = open_exactly(b".")
    names = path.split(b"/")
    for number, name in enumerate(names, 1):
        try:
            below = open_exactly(name, here)
        except FileNotFoundError:
            if is_folder or number < len(names):
                os.mkdir(name, 0o755, dir_fd=here)
            else:
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
                os.close(os.open(name, flags, 0o644, dir_fd=here))
            below = open_exactly(name, here)
        os.close(here)
        here = below
    return here


def _make_devices() -> None:
    """Terminals and shared memory of its own: nobody else's can be seen."""
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"dev/{name}")
    flags = _MS_NOSUID | _MS_NOEXEC
    os.mkdir("dev/pts")
    call("mount", b"devpts", b"dev/pts", b"devpts", flags, b"newinstance,ptmxmode=0666,mode=620")
    os.mkdir("dev/shm")
    call("mount", b"pi", b"dev/shm", b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=1777")
