"""The world in one bundle: streams, environment, clock, waiting, random bytes.

Built in ``cli/main``, taken apart in ``cli/startup``; nothing below ``cli`` sees the
bundle, only the narrow callables it needs. No other module asks for the time.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from pi.base.cancel import Cancel

PAUSE_SLICE_S = 0.05  # a cancelled wait ends within this time


def make_blocking(stream: TextIO) -> None:
    """Undo O_NONBLOCK that a parent left on a pipe: a full one must wait, not lose text."""
    try:
        os.set_blocking(stream.fileno(), True)
    except (OSError, ValueError):
        pass  # no descriptor behind it, or a system that has no such thing


class Host:
    """The real world. Streams may be None: a process can be started with them closed."""

    def __init__(self) -> None:
        self.environ: Mapping[str, str] = dict(os.environ)
        self.stdin: TextIO | None = sys.stdin
        self.stdout: TextIO | None = sys.stdout
        self.stderr: TextIO | None = sys.stderr
        if self.stderr is None:  # None as the file of a print would be stdout
            self.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good
        for stream in (self.stdout, self.stderr):
            if stream is not None and hasattr(stream, "reconfigure"):
                # A terminal that cannot show a character must not end the run.
                stream.reconfigure(errors="replace")
                make_blocking(stream)

    def cwd(self) -> str:
        """The working directory. Raises OSError if it was removed."""
        return os.getcwd()

    def now_ms(self) -> int:
        """Unix time in milliseconds."""
        return time.time_ns() // 1_000_000

    def today(self) -> str:
        """The day as YYYY-MM-DD, in UTC."""
        return time.strftime("%Y-%m-%d", time.gmtime())

    def local_time(self, ms: int) -> str:
        """Unix milliseconds as YYYY-MM-DD HH:MM where the user is."""
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        return time.monotonic()

    def random_bytes(self, size: int) -> bytes:
        return os.urandom(size)

    def draw(self) -> float:
        """A random number in [0, 1)."""
        return int.from_bytes(os.urandom(6), "big") / (1 << 48)

    def pause(self, ms: int, cancel: Cancel) -> None:
        """Wait ``ms`` milliseconds, or until ``cancel`` is set: then raise its reason.

        Waits in slices rather than on a lock, because a signal handler in the waiting
        thread may be what sets ``cancel``.
        """
        deadline = time.monotonic() + ms / 1000
        while True:
            cancel.raise_if_set()
            left = deadline - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, PAUSE_SLICE_S))
