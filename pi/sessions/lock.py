"""One writer at a time: a kernel lock on ``<session>.lock``, held for one append.

The kernel frees it when its holder dies, so there are no stale locks and the file stays
where it is. ``flock`` and not POSIX record locks: those do not exclude two opens in one
process. The holder writes who it is into the file, for the message of whoever waits too
long; what stands there while nobody holds the lock means nothing.

Where the file system has no ``flock`` the lock is another file, see ``lockfile``.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import time

from pi.base.typing import Any, NamedTuple
from pi.sessions.errors import SessionError
from pi.sessions.lockfile import MAX_RECORD_BYTES, LockFile, host

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.001, 0.05
_NO_FLOCK = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL)
STALE_MS = 30_000
_OWNER_BYTES = 127
_OWNERS: dict[int, str] = {}  # the beginning of the record, by process: a fork has another


class Locking(NamedTuple):
    """How the writers of a session wait for each other; see ``SessionLock``."""

    wait_ms: int = 5000
    stale_ms: int = STALE_MS
    use_flock: bool = True


class SessionLock:
    """Context manager; entering waits up to ``wait_ms`` and raises SessionError after that.

    ``shared=True`` waits until nobody writes, creates no file, and never fails for want
    of a lock file. ``stale_ms`` and ``use_flock=False`` are for where there is no flock:
    after how long a lock file whose owner cannot be asked counts as left behind (0: never).
    """

    def __init__(
        self,
        path: str,
        *,
        wait_ms: int,
        now_ms: Callable[[], int],
        shared: bool = False,
        stale_ms: int = STALE_MS,
        use_flock: bool = True,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._path = path
        self._wait_ms = max(1, wait_ms)
        self._now_ms = now_ms
        self._shared = shared
        self._monotonic = monotonic
        self._sleep = sleep
        self._descriptor = -1
        self._stale_ms = stale_ms
        self._file: LockFile | None = None
        if fcntl is None or not use_flock:
            self._file = self._lock_file()

    def __enter__(self) -> SessionLock:
        if self._try():
            return self
        deadline = self._monotonic() + self._wait_ms / 1000
        pause = _FIRST_PAUSE_S
        while not self._try():
            now = self._monotonic()
            if now >= deadline:
                raise self._timed_out()
            # Jitter, so that several waiters do not knock in step. From the clock: the
            # host's random draws are counted where a run is replayed.
            self._sleep(min(pause * (0.5 + now * 1e6 % 1000 / 2000), deadline - now))
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._file is not None and not self._shared:
            self._file.release()

    def confirm(self) -> None:
        """Just before writing: SessionError if this process was taken for dead meanwhile.

        Cannot be with the kernel's lock.
        """
        if self._file is not None and not self._file.is_mine():
            raise SessionError(
                f"lost lock '{self._path}' to another process",
                cause="this one stood still for too long",
                hint="raise --session-lock-stale-ms",
                code="session-locked",
            )

    def _try(self) -> bool:
        if self._file is None:
            try:
                return self._try_kernel()
            except _NoFlockError:
                self._file = self._lock_file()
        try:
            return self._file.is_free() if self._shared else self._file.take()
        except OSError as exc:
            if self._shared:
                return True
            raise self._failed(exc.strerror or str(exc)) from exc

    def _lock_file(self) -> LockFile:
        return LockFile(
            self._path + ".held", stale_ms=self._stale_ms, now_ms=self._now_ms, is_alive=_is_alive
        )

    def _try_kernel(self) -> bool:
        try:
            descriptor = self._open()
        except OSError as exc:
            if self._shared:
                return True
            raise self._failed(exc.strerror or str(exc)) from exc
        held = False
        try:
            mine = os.fstat(descriptor)
            if not stat.S_ISREG(mine.st_mode):
                raise self._failed("it is not a regular file")
            there = self._there() if self._flock(descriptor) else None
            # The name may lead elsewhere by now: someone may have removed the file.
            held = there is not None and os.path.samestat(there, mine)
            if there is not None and held and not self._shared:
                self._sign(descriptor, there.st_size)
        except OSError as exc:
            held = False
            raise self._failed(exc.strerror or str(exc)) from exc
        finally:
            if held:
                self._descriptor = descriptor
            else:
                os.close(descriptor)
        return held

    def _open(self) -> int:
        # Never through a link: the owner record must not land in somebody's other file.
        flags = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= os.O_RDONLY if self._shared else os.O_RDWR | os.O_CREAT
        return os.open(self._path, flags, 0o600)

    def _flock(self, descriptor: int) -> bool:
        assert fcntl is not None
        kind = fcntl.LOCK_SH if self._shared else fcntl.LOCK_EX
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as exc:
            if exc.errno in _NO_FLOCK:
                raise _NoFlockError from exc
            raise
        return True

    def _there(self) -> os.stat_result | None:
        try:
            return os.stat(self._path, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _sign(self, descriptor: int, size: int) -> None:
        pid = os.getpid()
        if pid not in _OWNERS:
            _OWNERS.clear()
            _OWNERS[pid] = json.dumps({"pid": pid, "host": host(), "since_ms": 0})[:-2]
        # Of one length as a rule: a file that keeps its size costs the disk less to keep.
        line = f"{_OWNERS[pid]}{self._now_ms()}}}".ljust(_OWNER_BYTES).encode("ascii") + b"\n"
        try:
            os.write(descriptor, line)
            if size > len(line):
                os.ftruncate(descriptor, len(line))
        except OSError:
            pass  # a full disk: the lock holds without a name on it

    def _failed(self, cause: str) -> SessionError:
        return SessionError(f"failed to acquire lock '{self._path}'", cause=cause)

    def _timed_out(self) -> SessionError:
        hint = "wait for it to finish, or raise --session-lock-wait-ms"
        if self._file is not None:
            hint += (
                f"; if it is dead, the lock counts as left behind after --session-lock-stale-ms"
                f" ({self._stale_ms or 'never'})"
            )
        return SessionError(
            f"timed out acquiring lock '{self._path}' after {self._wait_ms} ms",
            cause=self._holder(),
            hint=hint,
            code="session-locked",
        )

    def _holder(self) -> str:
        try:
            owner = self._owner()
            pid, host, age_ms = int(owner["pid"]), owner["host"], self._now_ms() - owner["since_ms"]
            return f"held by process {pid} on {host!r} for {max(0, age_ms) / 1000:.1f} s"
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return "held by an unknown process"

    def _owner(self) -> Any:
        if self._file is not None:
            return self._file.owner()
        with open(self._path, "rb") as file:
            return json.loads(file.read(MAX_RECORD_BYTES))


class _NoFlockError(Exception):
    """The file system has no ``flock``."""


def _is_alive(pid: int) -> bool:
    """Whether a process of this machine may still live."""
    if os.name == "nt":
        return True  # kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        pass  # somebody else's
    return True
