"""Open connections kept for the next request to the same place."""

from __future__ import annotations

import socket
from threading import RLock
from time import monotonic

from pi.base.http_body import BadBody
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.http_body import Framing
    from pi.base.watch import Watch

MAX_IDLE = 4  # per place: one run uses one, a bridge with workers a few
# Servers and routers forget idle connections after a minute or more; a forgotten one
# swallows the request in silence, so ours are given up before.
MAX_IDLE_S = 50.0
# How long the end of a body may take behind its last event. It comes in the same moment as
# a rule; a new connection is set up in less than this.
END_PATIENCE_S = 1.0
MAX_END_BYTES = 64 * 1024


class Place(NamedTuple):
    """Whom a connection reaches, and by which way. ``via`` holds the proxy's credentials."""

    scheme: str
    host: str
    port: int
    via: tuple[str, int, str] | None


class Line:
    """An open connection.

    ``reused``: it has carried an exchange before. ``owed``: the framing of a body of which
    all that matters was read, but not yet its end.
    """

    __slots__ = ("idle_since", "owed", "place", "reused", "sock")

    def __init__(self, sock: socket.socket, place: Place) -> None:
        self.sock = sock
        self.place = place
        self.reused = False
        self.owed: Framing | None = None
        self.idle_since = 0.0

    def has_ended(self, watch: Watch) -> bool:
        """Whether the end of the last body is here, at the latest END_PATIENCE_S after the
        line was given back. What the user did meanwhile counts, so this hardly ever waits."""
        owed, self.owed = self.owed, None
        if owed is None:
            return True
        until, left = self.idle_since + END_PATIENCE_S, MAX_END_BYTES
        try:
            watch.over(self.sock)
            while not owed.done and left > 0:
                self.sock.settimeout(max(until - monotonic(), 0.0))
                data = self.sock.recv(4096)
                if not data:
                    return False
                left -= len(data)
                owed.feed(data)
        except (OSError, BadBody):
            return False
        finally:
            watch.release()
        return owed.done and not owed.rest

    def is_idle_and_open(self) -> bool:
        """Whether the server still holds it: an idle connection has nothing to read."""
        if monotonic() - self.idle_since > MAX_IDLE_S:
            return False
        try:
            self.sock.settimeout(0)
            # Below TLS on purpose: anything that has arrived, an alert for instance,
            # means that the connection is not to be used again.
            socket.socket.recv(self.sock, 1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return True
        except (OSError, ValueError):
            return False
        return False


class Pool:
    """Idle connections by place. Safe from any thread; the lock is its only one."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._idle: dict[Place, list[Line]] = {}
        self._endless: set[Place] = set()  # they kept us waiting for the end of a body
        self._closed = False

    def take(self, place: Place, watch: Watch) -> Line | None:
        """The most recently used connection to ``place`` that is still open, if any.

        May wait a moment (see ``Line.has_ended``); raises the reason of a cancel set then.
        """
        while True:
            with self._lock:
                lines = self._idle.get(place)
                if not lines:
                    return None
                line = lines.pop()
            ended = line.has_ended(watch)
            if ended and line.is_idle_and_open():
                return line
            line.sock.close()
            watch.cancel.raise_if_set()
            if not ended:
                self._endless.add(place)

    def give(self, line: Line, owed: Framing | None = None) -> None:
        """Keep ``line`` for the next request. Its exchange is complete, or only the end of
        what ``owed`` delimits is still on its way."""
        line.reused = True
        line.owed = owed
        line.idle_since = monotonic()
        with self._lock:
            lines = self._idle.setdefault(line.place, [])
            surplus = line
            if not self._closed and (owed is None or line.place not in self._endless):
                lines.append(line)
                if len(lines) <= MAX_IDLE:
                    return
                surplus = lines.pop(0)
        surplus.sock.close()

    def close(self) -> None:
        """Close what is idle now, and what is given back later."""
        with self._lock:
            self._closed = True
            lines = [line for lines in self._idle.values() for line in lines]
            self._idle.clear()
        for line in lines:
            line.sock.close()
