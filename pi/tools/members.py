"""Who is left in a process group, and who came from whom, where the kernel tells (Linux).

A signal to a group succeeds while it has a dead member that nobody has collected yet,
and in containers such ones can stay for long: only the state in /proc tells them apart.
"""

from __future__ import annotations

import os

from pi.base.typing import NamedTuple

_DEAD = ("Z", "X", "x")
_START = 19  # where the start time is among the fields behind the name


class Member(NamedTuple):
    pid: int
    name: str


class Process(NamedTuple):
    """One process. ``started`` (clock ticks since boot) tells it from a later one of its number."""

    pid: int
    name: str
    is_dead: bool
    parent: int
    group: int
    session: int
    started: int


def living_members(group: int) -> list[Member] | None:
    """The processes of ``group`` that still run; None if this system does not tell."""
    found = every_process()
    if found is None:
        return None
    return [Member(one.pid, one.name) for one in found if one.group == group and not one.is_dead]


def every_process() -> list[Process] | None:
    """All processes, the dead that nobody has collected too; None if this system does not tell."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return None
    numbers = [name for name in names if name.isdigit()]
    if not numbers:
        return None
    found = (process(int(number)) for number in numbers)
    return [one for one in found if one is not None]


def process(pid: int) -> Process | None:
    """What the kernel tells of one process; None if it has ended, or is not told of."""
    try:
        # Unbuffered and by the system calls themselves: half the time for each process.
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
        try:
            head, _, tail = os.read(descriptor, 1024).rpartition(b")")
        finally:
            os.close(descriptor)
    except OSError:
        return None  # ended just now
    # "pid (name) state parent group ..."; the name may hold anything, brackets too.
    fields = tail.split(None, _START + 1)
    if len(fields) <= _START:
        return None
    name = head.partition(b"(")[2].decode("utf-8", "replace")
    is_dead = fields[0].decode() in _DEAD
    parent, group, session = (int(field) for field in fields[1:4])
    return Process(pid, name, is_dead, parent, group, session, int(fields[_START]))


def descendants(roots: set[int], everybody: list[Process]) -> list[Process]:
    """Who comes from ``roots``, these not included, parents before their children."""
    children: dict[int, list[Process]] = {}
    for one in everybody:
        children.setdefault(one.parent, []).append(one)
    found: list[Process] = []
    seen = set(roots)
    waiting = list(roots)
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child.pid not in seen:
                seen.add(child.pid)
                found.append(child)
                waiting.append(child.pid)
    return found
