"""Which calls of one answer may run at the same time. Pure.

Two calls clash when one writes what the other reads or writes (a directory stands for
all that is below it), when both run a command, and when one runs a command while the
other writes, because a command may touch anything. A command beside a read is no clash:
calls of one answer were made without knowing each other's results.

Laws (each has a property test): every call is in exactly one group; the groups, one
after the other, hold the calls in their order; no two calls of a group clash; a call
stands in a new group only if it clashes with one of the group before.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pi.agent.tool import Effect


def plan(effects: Sequence[Effect], *, sequential: bool = False) -> list[list[int]]:
    """Positions of ``effects`` in groups: run a group together, then the next one.

    ``sequential`` puts each into a group of its own.
    """
    groups: list[list[int]] = []
    claims = _Claims()
    for position, effect in enumerate(effects):
        if not groups or sequential or claims.clash(effect):
            claims = _Claims()
            groups.append([])
        claims.add(effect)
        groups[-1].append(position)
    return groups


class _Claims:
    """What the calls of one group touch, so that a further one costs its own paths only."""

    def __init__(self) -> None:
        self._runs = False
        self._reads: set[str] = set()
        self._writes: set[str] = set()
        self._above_reads: set[str] = set()  # the directories that hold them, up to the root
        self._above_writes: set[str] = set()

    def add(self, effect: Effect) -> None:
        self._runs = self._runs or effect.runs
        self._reads.update(effect.reads)
        self._writes.update(effect.writes)
        self._above_reads.update(up for path in effect.reads for up in _parents(path))
        self._above_writes.update(up for path in effect.writes for up in _parents(path))

    def clash(self, effect: Effect) -> bool:
        if effect.runs and (self._runs or self._writes):
            return True
        if self._runs and effect.writes:
            return True
        touched = (*effect.reads, *effect.writes)
        return any(_meets(path, self._writes, self._above_writes) for path in touched) or any(
            _meets(path, self._reads, self._above_reads) for path in effect.writes
        )


def _meets(path: str, taken: set[str], above: set[str]) -> bool:
    """Whether ``path`` is one of ``taken``, holds one, or lies below one."""
    return path in taken or path in above or any(up in taken for up in _parents(path))


def _parents(path: str) -> Iterator[str]:
    """The directories that hold ``path``, by whole names."""
    while True:
        up = os.path.dirname(path)
        if up == path or not up:
            return
        yield up
        path = up
