"""Loading much at once without the garbage collector walking all of it again and again."""

from __future__ import annotations

import gc

_MANY_BYTES = 1024 * 1024


class InBulk:
    """Context manager around the making of about ``size`` bytes of lasting values without
    cycles.

    The collector looks for cycles each time many values were made, through all there are:
    for 100,000 entries that is twice the work of parsing them. What was made here is also
    left out of later searches; values that are not used any more go as always, by count.
    """

    def __init__(self, size: int) -> None:
        self._paused = size >= _MANY_BYTES and gc.isenabled()

    def __enter__(self) -> None:
        if self._paused:
            gc.disable()

    def __exit__(self, *_: object) -> None:
        if self._paused:
            gc.freeze()
            gc.enable()
