"""What the user sends while the agent works. Thread-safe.

Steering is delivered as soon as the calls that run have ended, follow-ups when the agent
would stop. What nobody took is there to be handed back.
"""

from __future__ import annotations

from threading import Lock

ONE_AT_A_TIME = "one-at-a-time"
ALL = "all"
MODES = (ONE_AT_A_TIME, ALL)


class MessageQueue:
    """Messages in the order they were sent. ``mode`` says how many are taken at once."""

    def __init__(self, mode: str = ONE_AT_A_TIME) -> None:
        if mode not in MODES:
            raise ValueError(f"a queue's mode is one of {MODES}, not {mode!r}")
        self._mode = mode
        self._lock = Lock()
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, text: str) -> None:
        with self._lock:
            self._texts.append(text)

    def take(self) -> tuple[str, ...]:
        """What is to be delivered now: the first message, or all of them."""
        return self._take(1 if self._mode == ONE_AT_A_TIME else None)

    def take_all(self) -> tuple[str, ...]:
        """Whatever the mode, all that is left."""
        return self._take(None)

    def _take(self, count: int | None) -> tuple[str, ...]:
        with self._lock:
            taken = tuple(self._texts[:count])
            del self._texts[:count]
        return taken
