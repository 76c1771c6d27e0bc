"""Signals and the time limit, as reasons to cancel a run.

While a run goes on, the first SIGINT, SIGTERM or SIGHUP cancels it, so that it ends in
order: the unfinished answer is recorded as aborted, children are ended. A second SIGINT
raises KeyboardInterrupt, for a run that does not end.
"""

from __future__ import annotations

import signal
import threading

from pi.base.errors import Interrupted, TimeLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

    from pi.base.cancel import Cancel

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class CancelOnSignals:
    """A context in which signals, and ``limit_ms`` if not 0, set ``cancel``."""

    def __init__(self, cancel: Cancel, limit_ms: int) -> None:
        self._cancel = cancel
        self._limit_ms = limit_ms
        self._before: dict[int, Any] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> CancelOnSignals:
        for name in NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                # nohup and background jobs ignore signals on purpose: leave those alone
                self._before[number] = signal.signal(number, self._received)
        if self._limit_ms:
            limit = TimeLimit(
                f"request timed out: the time limit of {self._limit_ms} ms for one prompt passed",
                hint="what was finished is kept; raise --turn-timeout-ms",
            )
            self._timer = threading.Timer(self._limit_ms / 1000, self._cancel.set, (limit,))
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        if self._cancel.why is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        name = signal.Signals(number).name
        self._cancel.set(Interrupted("request cancelled", cause=f"{name} received"))


def raise_on_signals() -> None:
    """Before a run: SIGTERM and SIGHUP end pi as Ctrl+C does, not by killing it."""
    for name in NAMES[1:]:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted("interrupted", cause=f"{signal.Signals(number).name} received")
