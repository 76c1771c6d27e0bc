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
_ending: list[str] = []  # signals that mean the whole run, not only what goes on in it


class CancelOnSignals:
    """A context in which signals, and ``limit_ms`` if not 0, set ``cancel``. ``told`` is
    what the user is told of the limit instead of the usual."""

    def __init__(self, cancel: Cancel, limit_ms: int, told: TimeLimit | None = None) -> None:
        self._cancel = cancel
        self._limit_ms = limit_ms
        self._told = told
        self._before: dict[int, Any] = {}
        self._timer: threading.Timer | None = None

    def __enter__(self) -> CancelOnSignals:
        for name in NAMES:
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                # nohup and background jobs ignore signals on purpose: leave those alone
                self._before[number] = signal.signal(number, self._received)
        if self._limit_ms:
            limit = self._told or TimeLimit(
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
        if number != signal.SIGINT:
            _ending.append(name)
        self._cancel.set(Interrupted("request cancelled", cause=f"{name} received"))


class EndOnSignal:
    """A context that a signal ends, without a word. ``number`` is the signal's, 0 for none;
    ``hand_on`` then gives it to whoever would have got it."""

    def __init__(self) -> None:
        self.number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> EndOnSignal:
        for name in NAMES:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        return isinstance(exc, KeyboardInterrupt)

    def hand_on(self) -> None:
        if self.number:
            signal.raise_signal(self.number)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        raise KeyboardInterrupt


def is_ending() -> bool:
    """Whether a signal that was taken as the end of a prompt or command asked for more."""
    return bool(_ending)


def raise_on_signals() -> None:
    """Before a run: SIGTERM and SIGHUP end pi as Ctrl+C does, not by killing it."""
    for name in NAMES[1:]:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)


def leave() -> None:
    """The run is over: what is left to do is short, and no signal is to break it off."""
    for name in NAMES:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # a shell and the kernel may both send it
    _ending.append(signal.Signals(number).name)
    raise Interrupted("interrupted", cause=f"{signal.Signals(number).name} received")
