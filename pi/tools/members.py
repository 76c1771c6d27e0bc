"""Who is left in a process group, where the kernel tells (Linux).

A signal to a group succeeds while it has a dead member that nobody has collected yet,
and in containers such ones can stay for long: only the state in /proc tells them apart.
"""

from __future__ import annotations

import os
from typing import NamedTuple

_DEAD = ("Z", "X", "x")


class Member(NamedTuple):
    pid: int
    name: str


def living_members(group: int) -> list[Member] | None:
    """The processes of ``group`` that still run; None if this system does not tell."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return None
    numbers = [name for name in names if name.isdigit()]
    if not numbers:
        return None
    found = (_member(int(number), group) for number in numbers)
    return [member for member in found if member is not None]


def _member(pid: int, group: int) -> Member | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            head, _, tail = file.read(1024).rpartition(b")")
    except OSError:
        return None  # ended just now
    # "pid (name) state parent group ..."; the name may hold anything, brackets too.
    fields = tail.split(None, 3)
    if len(fields) < 4 or int(fields[2]) != group or fields[0].decode() in _DEAD:
        return None
    return Member(pid, head.partition(b"(")[2].decode("utf-8", "replace"))
