"""Open connections kept for the next request to the same place."""

from __future__ import annotations

import socket
from threading import RLock
from time import monotonic
from typing import NamedTuple

MAX_IDLE = 4  # per place: one run uses one, a bridge with workers a few
# Servers and routers forget idle connections after a minute or more; a forgotten one
# swallows the request in silence, so ours are given up before.
MAX_IDLE_S = 50.0


class Place(NamedTuple):
    """Whom a connection reaches, and by which way. ``via`` holds the proxy's credentials."""

    scheme: str
    host: str
    port: int
    via: tuple[str, int, str] | None


class Line:
    """An open connection. ``reused``: it has carried an exchange before."""

    __slots__ = ("idle_since", "place", "reused", "sock")

    def __init__(self, sock: socket.socket, place: Place) -> None:
        self.sock = sock
        self.place = place
        self.reused = False
        self.idle_since = 0.0

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
        self._closed = False

    def take(self, place: Place) -> Line | None:
        """The most recently used connection to ``place`` that is still open, if any."""
        while True:
            with self._lock:
                lines = self._idle.get(place)
                if not lines:
                    return None
                line = lines.pop()
            if line.is_idle_and_open():
                return line
            line.sock.close()

    def give(self, line: Line) -> None:
        """Keep ``line``, whose exchange is complete, for the next request."""
        line.reused = True
        line.idle_since = monotonic()
        with self._lock:
            lines = self._idle.setdefault(line.place, [])
            surplus = line
            if not self._closed:
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
