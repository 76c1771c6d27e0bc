"""A lock around one short write, for several processes that share a file.

``flock(2)`` on the file itself where the file system has it: the kernel frees it when its
holder dies. Elsewhere (Windows, some network file systems) a file ``<path>.lock`` made with
O_EXCL; one that has not changed for ``STALE_S`` belongs to a dead process and is removed.
"""

from __future__ import annotations

import errno
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

STALE_S = 2.0  # what is written under this lock takes milliseconds
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.0002, 0.02
_NO_FLOCK = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)


def _kernel_lock(descriptor: int, shared: bool) -> bool:
    """Whether the kernel gave the lock now. Raises NotImplementedError if it has none."""
    if fcntl is None:
        raise NotImplementedError
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as exc:
        if exc.errno in _NO_FLOCK:
            raise NotImplementedError from exc
        raise
    return True


class FileLock:
    """Context manager for the file open as ``descriptor``.

    Entering waits up to ``wait_ms`` and raises TimeoutError (an OSError) after that. A
    ``shared`` lock waits until nobody writes; it makes no lock file.
    """

    def __init__(
        self,
        descriptor: int,
        path: str,
        *,
        wait_ms: int,
        shared: bool = False,
        kernel_lock: Callable[[int, bool], bool] = _kernel_lock,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._descriptor = descriptor
        self._beside = path + ".lock"
        self._wait_s = wait_ms / 1000
        self._shared = shared
        self._kernel_lock = kernel_lock
        self._monotonic = monotonic
        self._sleep = sleep
        self._in_kernel = False
        self._made = False
        self._seen: tuple[int, int] | None = None  # the lock file of somebody else
        self._seen_since = 0.0

    def __enter__(self) -> FileLock:
        if self._try():
            return self
        deadline = self._monotonic() + self._wait_s
        pause = _FIRST_PAUSE_S
        while True:
            now = self._monotonic()
            if now >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process keeps it locked")
            # From the clock and not drawn: random draws are counted where a run is replayed.
            self._sleep(min(pause * (0.5 + now * 1e6 % 1000 / 1000), deadline - now))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
            if self._try():
                return self

    def __exit__(self, *_: object) -> None:
        # Said aloud and not left to close(): a child that was forked just now shares the lock.
        if self._in_kernel and fcntl is not None:
            self._in_kernel = False
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        if self._made:
            self._made = False
            try:
                os.unlink(self._beside)
            except OSError:
                pass  # this process was stopped for so long that it was taken for dead

    def _try(self) -> bool:
        try:
            self._in_kernel = self._kernel_lock(self._descriptor, self._shared)
            return self._in_kernel
        except NotImplementedError:
            return self._try_beside()

    def _try_beside(self) -> bool:
        if self._shared:
            return not os.path.lexists(self._beside)
        try:
            os.close(os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except (FileExistsError, PermissionError) as exc:
            if isinstance(exc, PermissionError) and os.name != "nt":  # there: being removed
                raise
            self._remove_if_stale()
            return False
        self._made = True
        return True

    def _remove_if_stale(self) -> None:
        """Judged by what this process saw: clocks of a network file system differ."""
        try:
            state = os.stat(self._beside, follow_symlinks=False)
            now, seen = self._monotonic(), (state.st_ino, state.st_mtime_ns)
            if seen != self._seen:
                self._seen, self._seen_since = seen, now
            elif now - self._seen_since >= STALE_S:
                self._seen = None
                os.unlink(self._beside)
        except OSError:
            pass  # it went away by itself
