"""Commands as child processes that do not outlive their time, their run, or pi.

Each command is the leader of a session, and so of a process group, of its own; every
signal goes to the group. A time limit or a cancel means SIGTERM, a moment to tidy up,
SIGKILL. What a command leaves running in the background is not waited for, and is killed
when pi leaves (``kill_all``, also at interpreter exit).

A descendant that makes itself a session of its own gets the same treatment on Linux (see
``orphans``); on other systems it is out of reach.
"""

from __future__ import annotations

import os
import signal
from threading import RLock

from pi.base.typing import NamedTuple
from pi.tools import orphans
from pi.tools.members import living_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping, Sequence

    from pi.base.cancel import Cancel
    from pi.tools.members import Member
    from pi.tools.pipes import Pipes

TICK_SECONDS = 0.05  # how late the end of a command that closed its output may be seen
TIME_LIMIT_GRACE = 2.0
CANCEL_GRACE = 0.5  # every child of a cancelled run is gone within a second
KILL_WAIT = 0.25  # after SIGKILL: for the kernel, not for the process
SILENCE_SECONDS = 0.25
LINGER_SECONDS = 2.0  # for output of background children after the shell is gone

TIMED_OUT = "timed out"
CANCELLED = "cancelled"


class Ended(NamedTuple):
    """How a command ended.

    ``code`` is the exit status, negative for a signal, None if even SIGKILL did not end
    it. ``stopped`` is "", ``TIMED_OUT`` or ``CANCELLED``. ``background`` is the process
    group of children that are still running, or 0; ``members`` names them where it can.
    """

    code: int | None
    stopped: str
    background: int = 0
    members: tuple[Member, ...] = ()


class _Group:
    """The process group of one command. Thread-safe, also within a signal handler."""

    def __init__(self, process: subprocess.Popen[bytes], strays: orphans.Strays) -> None:
        self._lock = RLock()
        self._process = process
        self.id = process.pid
        self.code: int | None = None
        self.strays = strays

    def poll(self) -> int | None:
        """The leader's exit code, if it has ended."""
        with self._lock:
            if self.code is None:
                self.code = self._process.poll()
                if self.code is not None:
                    orphans.collected(self.id)
            return self.code

    def wait(self, seconds: float) -> None:
        """Wait for the leader to end, but no longer than ``seconds``."""
        from subprocess import TimeoutExpired  # loaded when the process was made

        try:
            self._process.wait(seconds)
        except TimeoutExpired:
            pass

    def is_alive(self) -> bool:
        """Whether anybody in the group still runs."""
        if not self.send(0):
            return False
        members = living_members(self.id)
        return members is None or bool(members)

    def send(self, number: int) -> bool:
        """Signal the group (0 only asks). False if it is empty, the uncollected dead included."""
        with self._lock:
            if self.poll() is not None and orphans.exists(self.id):
                # The leader is gone, so a process of its number is a stranger.
                return False
            try:
                os.killpg(self.id, number)
            except ProcessLookupError:
                return False
            except PermissionError:  # macOS: only zombies are left, or it changed its user
                return number != 0
            return True

    def terminate(self) -> None:
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """End the group, and who has left it."""
        self.send(signal.SIGKILL)
        self.wait(KILL_WAIT)
        self.poll()
        self.strays.kill(_foreign(self, is_alone=False))


_lock = RLock()
_groups: set[_Group] = set()
_at_exit = False


def kill_all(grace: float = 0.3) -> None:
    """End every group that is still alive: called when pi leaves, however it leaves.

    Safe in a signal handler. SIGTERM first, so that servers can remove their sockets.
    """
    import time  # the wait must work when nothing else of pi does any more

    with _lock:
        groups = [group for group in list(_groups) if group.send(signal.SIGTERM)]
        _groups.clear()
    orphans.terminate_all({group.id for group in groups})
    deadline = time.monotonic() + grace
    while (groups or orphans.is_any_left()) and time.monotonic() < deadline:
        time.sleep(0.01)
        groups = [group for group in groups if group.is_alive()]
    for group in groups:
        group.send(signal.SIGKILL)
    orphans.kill_all()


def _foreign(group: _Group, is_alone: bool) -> Callable[[int], bool] | None:
    """Which groups are of other commands; None while one runs that is not to end too."""
    with _lock:
        others = [other for other in list(_groups) if other is not group]
    if not is_alone and any(other.poll() is None for other in others):
        return None
    return {other.id for other in others}.__contains__


def _adopt(process: subprocess.Popen[bytes], strays: orphans.Strays) -> _Group:
    global _at_exit
    group = _Group(process, strays)
    with _lock:
        if not _at_exit:
            import atexit  # built in; here so that importing this module registers nothing

            atexit.register(kill_all)
            _at_exit = True
        for other in [other for other in list(_groups) if other.code is not None]:
            if not other.is_alive():  # a background group that has ended by now
                _groups.discard(other)
        _groups.add(group)
    return group


def run_command(
    argv: Sequence[str],
    *,
    cwd: str,
    environ: Mapping[str, str],
    timeout_ms: int,
    cancel: Cancel,
    monotonic: Callable[[], float],
    on_output: Callable[[str, bytes], None],
    on_pause: Callable[[], None],
) -> Ended:
    """Run a command to its end, its time limit or the end of the run.

    ``on_output("stdout" | "stderr", bytes)`` gets pieces in the order of arrival (see
    ``pipes``), ``on_pause()`` is called after each batch and at least every
    ``TICK_SECONDS``. Raises OSError if the command cannot be started; the command is gone
    if anything else is raised (by the callbacks).
    """
    import subprocess  # 5-8 ms, and only when a command runs

    from pi.tools.pipes import Pipes

    with Pipes() as pipes:
        out, err = pipes.for_child
        with orphans.starting:
            strays = orphans.Strays()
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            strays.belong_to(process.pid)
        pipes.started()
        group = _adopt(process, strays)
        take_back = cancel.on_set(group.terminate)
        try:
            deadline = monotonic() + timeout_ms / 1000
            return _Watch(group, pipes, cancel, monotonic, deadline).run(on_output, on_pause)
        except BaseException:
            group.kill()
            raise
        finally:
            take_back()
            if group.code is not None and not group.is_alive():
                with _lock:
                    _groups.discard(group)
            if group.code is None:
                process.returncode = process.returncode or -signal.SIGKILL  # unkillable: let go
                orphans.collected(group.id)
            orphans.reap()


class _Watch:
    """One command from its start to its end."""

    def __init__(
        self,
        group: _Group,
        pipes: Pipes,
        cancel: Cancel,
        monotonic: Callable[[], float],
        deadline: float,
    ) -> None:
        self._group = group
        self._pipes = pipes
        self._cancel = cancel
        self._monotonic = monotonic
        self._deadline = deadline
        self._stopped = ""
        self._kill_at = 0.0
        self._killed = False
        self._exited_at = 0.0
        self._heard_at = 0.0

    def run(self, on_output: Callable[[str, bytes], None], on_pause: Callable[[], None]) -> Ended:
        while True:
            self._stop_if_due()
            if self._pipes.is_open:
                self._read(on_output)
            else:
                self._group.wait(TICK_SECONDS)
            on_pause()
            if self._is_over():
                break
        code = self._group.poll()
        if code is None or self._killed or not self._group.send(0):
            return Ended(code, self._stopped)
        members = living_members(self._group.id)
        if members == []:  # one that left it just now is no member any more
            return Ended(code, self._stopped)
        return Ended(code, self._stopped, self._group.id, tuple(members or ()))

    def _stop_if_due(self) -> None:
        now = self._monotonic()
        if self._stopped:
            if now >= self._kill_at and not self._killed:
                self._group.send(signal.SIGKILL)
                self._group.strays.kill(self._foreign())
                self._killed = True
            return
        if self._cancel.why is not None:  # the cancel has sent the signal itself
            self._stopped, self._kill_at = CANCELLED, now + CANCEL_GRACE
        elif now >= self._deadline:
            self._stopped, self._kill_at = TIMED_OUT, now + TIME_LIMIT_GRACE
            self._group.strays.terminate(self._foreign())  # while they hang on the leader
            self._group.send(signal.SIGTERM)

    def _foreign(self) -> Callable[[int], bool] | None:
        return _foreign(self._group, is_alone=self._stopped == CANCELLED)  # all of the run end

    def _read(self, on_output: Callable[[str, bytes], None]) -> None:
        for stream, piece in self._pipes.read(TICK_SECONDS):
            self._heard_at = self._monotonic()
            on_output(stream, piece)

    def _is_over(self) -> bool:
        now = self._monotonic()
        if self._group.poll() and self._cancel.why is not None:
            self._stop_if_due()  # the signal of the cancel was faster than this loop
        stopping = bool(self._stopped) and not self._killed
        strays = stopping and self._group.strays.terminate(self._foreign())
        if self._group.poll() is None:
            return self._killed and now - self._kill_at > KILL_WAIT
        self._exited_at = self._exited_at or now
        if stopping and (strays or self._group.is_alive()):
            return False  # children of a stopped command get their moment too
        if not self._pipes.is_open:
            return True
        quiet = now - max(self._heard_at, self._exited_at) >= SILENCE_SECONDS
        return quiet or now - self._exited_at >= LINGER_SECONDS
