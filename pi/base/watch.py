"""Lets a set ``Cancel`` end whatever a request is blocked in, at once.

One ``Watch`` accompanies one request from the name lookup to the last byte of the body.
Shutting a socket down ends a blocked connect, handshake, send or receive within a
millisecond, also when it happens in a signal handler of the blocked thread itself;
closing it would not. The lock is re-entrant for that handler's sake.
"""

from __future__ import annotations

import socket
from threading import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.base.cancel import Cancel

# A signal that comes after the interpreter has looked for one, and before the system waits,
# does not end that wait, and its handler runs only behind it: so no wait is longer.
HEARD_S = 0.2


class Watch:
    def __init__(self, cancel: Cancel) -> None:
        self.cancel = cancel
        self._lock = RLock()
        self._socket: socket.socket | None = None
        self._wake: Callable[[], None] | None = None
        self._unregister = cancel.on_set(self.interrupt)

    def over(self, sock: socket.socket) -> None:
        """From now on an interruption shuts ``sock`` down."""
        with self._lock:
            self._socket = sock
        self._catch_up()

    def over_wait(self, wake: Callable[[], None]) -> None:
        """From now on an interruption calls ``wake`` (which must not raise)."""
        self._wake = wake
        self._catch_up()

    def interrupt(self) -> None:
        """End the present wait; safe from any thread and from a signal handler."""
        with self._lock:
            if self._socket is not None:
                try:
                    # The plain socket's method: SSLSocket's own would forget its TLS
                    # state and let the blocked thread read ciphertext.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
                except OSError:
                    pass  # not connected any more, which is what was wanted
            wake = self._wake
        if wake is not None:
            wake()

    def patiently(
        self, sock: socket.socket, timeout_s: float, wait: Callable[..., Any], *given: Any
    ) -> Any:
        """What ``wait(*given)`` gives, which waits at ``sock`` and may be called again when
        it ran out of time. Raises socket.timeout when ``timeout_s`` have passed in vain."""
        slices = int(timeout_s / HEARD_S) + 1
        sock.settimeout(timeout_s / slices)
        while True:
            try:
                return wait(*given)
            except socket.timeout:
                slices -= 1
                if not slices:
                    raise

    def release(self) -> None:
        """Leave the socket alone from now on, but go on listening for the cancel."""
        with self._lock:
            self._socket = None
            self._wake = None

    def end(self) -> None:
        """Nothing is blocked any more. May be called again."""
        self._unregister()
        self.release()

    def _catch_up(self) -> None:
        if self.cancel.why is not None:
            self.interrupt()
