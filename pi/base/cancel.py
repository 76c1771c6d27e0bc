"""One switch per run that ends it: Ctrl+C, a time limit, a stop command.

Setting it calls every registered callback once, on the setting thread; a callback
closes a socket or kills a process group so that a blocked wait ends now. ``set`` may
be called from any thread and from a signal handler (the lock is re-entrant).
"""

from __future__ import annotations

from threading import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.base.errors import PiError


class Cancel:
    def __init__(self) -> None:
        self._lock = RLock()
        self._why: PiError | None = None
        self._callbacks: dict[int, Callable[[], None]] = {}
        self._next = 0

    @property
    def why(self) -> PiError | None:
        """The reason (``Interrupted``, ``TimeLimit``), or None while the run goes on."""
        return self._why

    def set(self, why: PiError) -> None:
        """End the run. The first reason wins; later calls do nothing."""
        with self._lock:
            if self._why is not None:
                return
            self._why = why
            callbacks = list(self._callbacks.values())
            self._callbacks.clear()
        for callback in callbacks:
            callback()

    def raise_if_set(self) -> None:
        """Raise the reason if the run was ended."""
        if self._why is not None:
            raise self._why

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call ``callback`` (which must not raise) when set; at once if already set.

        Returns a function that takes the registration back.
        """
        with self._lock:
            if self._why is None:
                key = self._next
                self._next += 1
                self._callbacks[key] = callback

                def remove() -> None:
                    with self._lock:
                        self._callbacks.pop(key, None)

                return remove
        callback()
        return lambda: None
