"""What a command says on its two streams, in the order in which it says it, as far as can be.

Two pipes have no common order. Three things keep it close to the truth on Linux: the
pipes are watched from before the command starts, the kernel lists them in the order in
which they came to hold something (epoll, edge-triggered: a pipe that was emptied goes to
the end of the list), and each is read once per look. So of two lines on different streams
the first comes first. What alternates faster than it is read may still be told stream by
stream; a command that joins its streams (``2>&1``) has one pipe and the exact order.
"""

from __future__ import annotations

import os
import select
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

READ_BYTES = 1 << 18
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031  # Linux; the fcntl module names it from 3.10 on


class Pipes:
    """A pipe for stdout and one for stderr. A context: at its end all ends of ours close."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._given: list[int] = []
        self._more: list[int] = []  # may hold more than was read at once
        self._ended: set[int] = set()  # nobody writes to them any more
        self._watch: Any = select.epoll() if hasattr(select, "epoll") else select.poll()
        try:
            for name in ("stdout", "stderr"):
                ours, theirs = os.pipe()
                self._names[ours] = name
                self._given.append(theirs)
                os.set_blocking(ours, False)
                _widen(ours)
                self._watch.register(ours, select.POLLIN | getattr(select, "EPOLLET", 0))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Pipes:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def for_child(self) -> tuple[int, int]:
        """What the command gets as its stdout and stderr."""
        out, err = self._given
        return out, err

    def started(self) -> None:
        """The command has its ends: ours of those are closed, so that its end is seen."""
        while self._given:
            os.close(self._given.pop())

    @property
    def is_open(self) -> bool:
        """Whether somebody may still say something."""
        return bool(self._names)

    def read(self, seconds: float) -> Iterator[tuple[str, bytes]]:
        """What there is, as (stream, bytes); waits at most ``seconds`` for the first."""
        more, self._more = self._more, []
        wait = 0 if more else seconds
        found = dict(self._watch.poll(wait if hasattr(select, "epoll") else wait * 1000))
        self._ended.update(ready for ready, what in found.items() if what & select.POLLHUP)
        for descriptor in dict.fromkeys((*more, *found)):
            try:
                piece = os.read(descriptor, READ_BYTES)
            except BlockingIOError:
                continue
            if not piece:
                self._watch.unregister(descriptor)
                del self._names[descriptor]
                os.close(descriptor)
                continue
            # No new edge tells of the rest, or of an end that was there already.
            if len(piece) == READ_BYTES or descriptor in self._ended:
                self._more.append(descriptor)
            yield self._names[descriptor], piece

    def close(self) -> None:
        self.started()
        for descriptor in self._names:
            os.close(descriptor)
        self._names.clear()
        if hasattr(self._watch, "close"):
            self._watch.close()


def _widen(descriptor: int) -> None:
    """Let more output wait in the pipe: fewer turns between the command and us."""
    if sys.platform == "linux":
        import fcntl  # built in on Linux; not there on every system

        try:
            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # the user's share of pipe memory is used up: smaller works too
