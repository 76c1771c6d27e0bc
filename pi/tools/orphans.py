"""Descendants of commands that left their process group: found and ended, on Linux.

``setsid`` and a double fork take a process out of every group pi knows of. So that it
cannot get out of reach, pi becomes the one to whom the kernel gives children whose parent
has ended (a child subreaper), when the first command starts. From then on whoever comes
from a command is below pi in the tree of processes. Elsewhere, and where /proc is not to
be had, nothing here does anything.

Whoever became our child must be collected by us too. A child that pi itself has started
is not ours to collect: taking its status away would make it look like a success. Such
children are known by ``belong_to``, ``starting`` is held while one is not known yet, and
what is in pi's own session never came from a command: those get sessions of their own.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import RLock

from pi.tools.members import descendants, every_process, process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.tools.members import Process

_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 4, 36
_KILL_SECONDS = 0.3  # of looking again for what was forked while the others were killed
_PAUSE = 0.002

starting = RLock()
_own: set[int] = set()
_adopts = False
_tried = False


def adopt_orphans() -> bool:
    """Whether processes whose parent ended become children of ours. Tried once.

    With it pi closes its memory: commands, which are of the same user, could read its
    variables, and so every key that was kept from them, in /proc. Root still can.
    """
    global _adopts, _tried
    if not _tried:
        _tried = True
        if sys.platform.startswith("linux"):
            try:
                import ctypes  # 3 ms or so, and only when a command runs

                prctl = ctypes.CDLL(None).prctl
                zero = ctypes.c_ulong(0)
                one = ctypes.c_ulong(1)
                prctl(_PR_SET_DUMPABLE, zero, zero, zero, zero)
                _adopts = prctl(_PR_SET_CHILD_SUBREAPER, one, zero, zero, zero) == 0
            except (ImportError, OSError, AttributeError):
                pass  # an interpreter without it, or a closed system: groups are what there is
    return _adopts


def collected(pid: int) -> None:
    """The leader of a command is gone, and its number is free."""
    _own.discard(pid)


def exists(pid: int) -> bool:
    """Whether a process has this number, a dead one included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def reap() -> None:
    """Collect the adopted that have ended. One system call if there are none."""
    if _adopts and _children() == "dead":
        _collect(every_process() or [])


def _children() -> str:
    """What children there are, without a look at every process: "", "alive" or "dead"."""
    try:
        dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ""
    return "alive" if dead is None else "dead"


def _adopted(everybody: list[Process]) -> list[Process]:
    """Our children that we did not start. To be called with ``starting`` held."""
    me, session = os.getpid(), os.getsid(0)
    return [
        one
        for one in everybody
        if one.parent == me and one.session != session and one.pid not in _own
    ]


def _collect(everybody: list[Process]) -> None:
    if not starting.acquire(blocking=False):
        return  # the next time will do
    try:
        for one in _adopted(everybody):
            if one.is_dead:
                try:
                    os.waitpid(one.pid, os.WNOHANG)
                except ChildProcessError:
                    pass  # another thread was faster
    finally:
        starting.release()


class Strays:
    """Who came from one command and is not in its group any more.

    To be made before the command starts, with ``starting`` held until ``belong_to``.
    """

    def __init__(self) -> None:
        adopt_orphans()
        # The clock of the start times is too coarse to tell these from what comes next.
        self._before = {(one.pid, one.started) for one in _all_living()}
        self._leader = 0
        self._since: int | None = None
        self._known: dict[int, int] = {}
        self._told: set[tuple[int, int]] = set()

    def belong_to(self, leader: int) -> None:
        """The command has started; somebody else will collect it (see ``collected``)."""
        _own.add(leader)
        self._leader = leader
        first = process(leader) if _adopts else None
        self._since = first.started if first is not None else None

    def living(self, is_foreign: Callable[[int], bool] | None) -> list[Process]:
        """Those that run, as far as they can be told from those of other commands.

        An orphan has no tie to its command but that it is younger. ``is_foreign`` says
        whether a process group belongs to another command; None means that others run at
        this time: then only those count that were seen below the command.
        """
        everybody = every_process() if self._since is not None else None
        if everybody is None or self._since is None:
            return []
        roots = {one.pid for one in everybody if self._known.get(one.pid) == one.started}
        if self._leader in _own:
            roots.add(self._leader)
        if is_foreign is not None and starting.acquire(blocking=False):
            try:
                roots.update(
                    one.pid
                    for one in _adopted(everybody)
                    if one.started >= self._since
                    and (one.pid, one.started) not in self._before
                    and not is_foreign(one.group)
                )
            finally:
                starting.release()
        found = [one for one in everybody if one.pid in roots and one.pid != self._leader]
        found += descendants(roots, everybody)
        self._known.update((one.pid, one.started) for one in found)
        _collect(everybody)
        outside = (one for one in dict.fromkeys(found) if one.group != self._leader)
        return [one for one in outside if not one.is_dead]

    def terminate(self, is_foreign: Callable[[int], bool] | None) -> bool:
        """Ask those to end that were not asked yet. Whether any still runs."""
        living = self.living(is_foreign)
        for one in living:
            if (one.pid, one.started) not in self._told:
                self._told.add((one.pid, one.started))
                _send(one.pid, signal.SIGTERM)
        return bool(living)

    def kill(self, is_foreign: Callable[[int], bool] | None) -> None:
        """End them all."""
        _kill(lambda: self.living(is_foreign))


def _all_living() -> list[Process]:
    """Every descendant of pi that runs, in whatever session but pi's own."""
    everybody = every_process() if _adopts and _children() else None
    session = os.getsid(0)
    found = descendants({os.getpid()}, everybody or [])
    return [one for one in found if not one.is_dead and one.session != session]


def terminate_all(groups: set[int]) -> None:
    """Ask every descendant of pi to end, but those in ``groups``, which were asked already."""
    for one in _all_living():
        if one.group not in groups:
            _send(one.pid, signal.SIGTERM)


def is_any_left() -> bool:
    """Whether any descendant of pi still runs."""
    return bool(_all_living())


def kill_all() -> None:
    """End every descendant of pi: it leaves."""
    _kill(_all_living)


def _kill(living: Callable[[], list[Process]]) -> None:
    import time  # the wait must work when nothing else of pi does any more

    deadline = time.monotonic() + _KILL_SECONDS
    while (found := living()) and time.monotonic() < deadline:
        for one in found:
            _send(one.pid, signal.SIGKILL)
        time.sleep(_PAUSE)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # ended just now, or it has become another user
