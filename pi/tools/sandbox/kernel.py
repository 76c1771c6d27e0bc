"""The system calls that hold a command, by ctypes: the standard library has none of them.

Loaded only in the launcher's process, which becomes the command a moment later. Sources:
landlock(7), landlock_create_ruleset(2), landlock_add_rule(2), landlock_restrict_self(2),
include/uapi/linux/landlock.h; seccomp(2); capabilities(7); prctl(2).
"""

from __future__ import annotations

import ctypes
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# System calls that glibc does not name; the numbers are the same on every architecture
# that Landlock was ported to.
OPEN_TREE, MOVE_MOUNT, _OPENAT2, MOUNT_SETATTR = 428, 429, 437, 442
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446

# Landlock's rights over files, by the version of its interface that brought them.
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_FILE_RIGHTS_SINCE = {1: (1 << 13) - 1, 2: 1 << 13, 3: _TRUNCATE, 5: _IOCTL_DEV}
_OF_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEV
READ = EXECUTE | READ_FILE | READ_DIR
# Devices must not be made, whoever owns the directory.
WRITE = ((1 << 16) - 1) & ~(_MAKE_CHAR | _MAKE_BLOCK)
_TCP = 0b11  # bind and connect, since 4
_SCOPES = 0b11  # abstract sockets and signals, since 6
_VERSION_FLAG = 1

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 22, 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522

# Machine: (audit name of the architecture, numbers of ``socket``, ``keyctl`` and ``prlimit64``,
# and the last one's for programs of the 32-bit architecture that the machine runs as well).
_MACHINES = {
    "x86_64": (0xC000003E, 41, 250, 302, 340),
    "aarch64": (0xC00000B7, 198, 219, 261, 369),
    "riscv64": (0xC00000F3, 198, 219, 261, 261),
}
_JOIN_SESSION_KEYRING = 1
_X32_BIT, _IO_URING_SETUP = 0x40000000, 425
# Address families: what runs on one machine, and what a network namespace holds too. Others,
# such as the one to the host of a virtual machine (vsock), no namespace holds.
LOCAL = (1,)  # AF_UNIX
NAMESPACED = (1, 2, 10, 16)  # and AF_INET, AF_INET6, AF_NETLINK
AT_FDCWD = -100
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EPERM = 1

_libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """Call a function of the C library; raises OSError with ``name`` if it returns -1."""
    passed = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    ctypes.set_errno(0)
    result: int = getattr(_libc, name)(*passed)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def open_exactly(path: bytes, folder: int = AT_FDCWD) -> int:
    """A handle (O_PATH) of ``path``, in which nothing may be a symbolic link.

    The paths of a plan are resolved. A link found there now was put there since, by a
    command that wants what it points to.
    """
    how = (os.O_PATH | os.O_CLOEXEC, 0, 0b110)  # RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS
    packed = b"".join(field.to_bytes(8, sys.byteorder) for field in how)
    return call("syscall", _OPENAT2, folder, path, packed, len(packed))


def landlock_version() -> int:
    """The version of Landlock's interface here, 0 if it is not there or not switched on."""
    try:
        return call("syscall", _CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def file_rights(version: int) -> int:
    """Every right over files that this version can take away."""
    known = (bits for since, bits in _FILE_RIGHTS_SINCE.items() if since <= version)
    return sum(known)


class Ruleset:
    """What may be done to files; everything that is not granted is denied."""

    def __init__(self, version: int, *, no_tcp: bool) -> None:
        self._rights = file_rights(version)
        fields = [self._rights]
        if version >= 4:
            fields.append(_TCP if no_tcp else 0)
        if version >= 6:
            fields.append(_SCOPES)
        packed = b"".join(field.to_bytes(8, sys.byteorder) for field in fields)
        self._fd = call("syscall", _CREATE_RULESET, packed, len(packed), 0)

    def grant(self, path: bytes, rights: int) -> None:
        """Allow ``rights`` at ``path`` and below it. What is not there needs no rule."""
        try:
            fd = open_exactly(path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return
        try:
            rights &= self._rights
            if not _is_folder(fd):
                rights &= _OF_A_FILE
            packed = rights.to_bytes(8, sys.byteorder) + fd.to_bytes(4, sys.byteorder)
            call("syscall", _ADD_RULE, self._fd, 1, packed, 0)
        finally:
            os.close(fd)

    def enforce(self) -> None:
        """From here on, for this process and all it starts. There is no way back.

        No flags: refusals are not written to the kernel's audit log once the command runs.
        """
        call("syscall", _RESTRICT_SELF, self._fd, 0)
        os.close(self._fd)


def _is_folder(fd: int) -> bool:
    return os.fstat(fd).st_mode & 0o170000 == 0o040000


def no_new_privileges() -> None:
    """From here on set-user-ID programs and file capabilities give nothing."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, and for good where this process may (root, or its own namespace).

    An ordinary user without a namespace has none to drop, and cannot get any.
    """
    for number in range(64):
        try:
            call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)
        except OSError:
            break  # past the last one, or not ours to drop
    call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = _CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4)
    call("capset", header, bytes(24))


def die_with(parent: int) -> None:
    """Be killed when the process that started us is."""
    call("prctl", _PR_SET_PDEATHSIG, 9, 0, 0, 0)
    if os.getppid() != parent:
        raise OSError("the process that asked for this command is gone")


def leave_keyring(machine: str) -> None:
    """Have an empty session keyring: the one of pi may hold tickets and keys (keyrings(7))."""
    if machine in _MACHINES:
        try:
            call("syscall", _MACHINES[machine][2], _JOIN_SESSION_KEYRING, None)
        except OSError:
            pass  # a kernel without keyrings, or a container that does not let anyone use them


def knows_calls(machine: str) -> bool:
    """Whether ``allow_sockets`` can be used on this machine."""
    return machine in _MACHINES


def allow_sockets(machine: str, families: Sequence[int]) -> None:
    """Let ``socket`` make sockets of these address families only; the rest fail with EPERM.

    A filter in classic BPF, needing ``no_new_privileges``. System calls of another
    architecture and io_uring, which opens sockets too, are denied with it.
    """
    if machine not in _MACHINES:
        raise OSError(f"the system calls of {machine} are not known")
    architecture, socket_call = _MACHINES[machine][:2]
    # (load field at offset) or (jump if equal / greater-or-equal: then, else) or (return)
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    deny, allow = 7 + len(families), 8 + len(families)
    filter_calls(
        (
            (load, 0, 0, 4),
            (equal, 0, deny - 2, architecture),
            (load, 0, 0, 0),
            (at_least, deny - 4, 0, _X32_BIT),
            (equal, deny - 5, 0, _IO_URING_SETUP),
            (equal, 0, allow - 6, socket_call),
            (load, 0, 0, 16),
            *((equal, allow - 8 - i, 0, family) for i, family in enumerate(families)),
            (answer, 0, 0, _ERRNO | _EPERM),
            (answer, 0, 0, _ALLOW),
        )
    )


def leave_limits(machine: str) -> None:
    """Deny ``prlimit`` of other processes (by number; 0 is the caller itself).

    Any process of the same user may set the limits of another one, and a limit kills: the
    kernel does not count that among the signals that Landlock keeps from others.
    """
    if machine not in _MACHINES:
        return
    architecture, _, _, number, of_32_bits = _MACHINES[machine]
    load, equal, answer = 0x20, 0x15, 0x06
    filter_calls(
        (
            (load, 0, 0, 4),
            (equal, 0, 3, architecture),
            (load, 0, 0, 0),
            (equal, 3, 0, number),
            (equal, 2, 5, number | _X32_BIT),
            (load, 0, 0, 0),
            (equal, 0, 3, of_32_bits),
            (load, 0, 0, 16),
            (equal, 1, 0, 0),
            (answer, 0, 0, _ERRNO | _EPERM),
            (answer, 0, 0, _ALLOW),
        )
    )


def filter_calls(program: Iterable[tuple[int, int, int, int]]) -> None:
    """Put a seccomp filter in place: rows of (code, jump if true, jump if false, value)."""

    class Instruction(ctypes.Structure):
        _fields_ = (
            ("code", ctypes.c_uint16),
            ("then", ctypes.c_uint8),
            ("otherwise", ctypes.c_uint8),
            ("value", ctypes.c_uint32),
        )

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_uint16), ("first", ctypes.c_void_p))

    rows = tuple(program)
    packed = (Instruction * len(rows))(*(Instruction(*row) for row in rows))
    whole = Program(len(rows), ctypes.addressof(packed))
    call("prctl", _PR_SET_SECCOMP, 2, ctypes.byref(whole), 0, 0)
