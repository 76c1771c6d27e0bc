"""A lock without the kernel's help: the file ``<lock>.held`` is there while somebody holds it.

For file systems without ``flock``. Made with O_EXCL, it holds a record of its owner with a
token nobody else has; the owner renews its time while it holds it, and removes only a file
with its own token.

A file that was left behind is taken away: at once if its process is known to be dead (same
machine, same process numbers), otherwise when its time has stood still for ``stale_ms`` by
the file system's own clock. A process that is known to live keeps it, however slow. Taking
away is renaming aside and looking again: of several that try only one gets it, and who got
another file than the one that was judged puts it back. Whoever was taken for dead all the
same finds out in ``is_mine``, which a writer asks just before it writes.
"""

from __future__ import annotations

import itertools
import json
import os

from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

MAX_RECORD_BYTES = 4096
_RENEWALS = 4  # within the time after which a file counts as left behind
_UNLIMITED_MS = 30_000
_COUNT = itertools.count()
_CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


class _Seen(NamedTuple):
    """A lock file as it was found."""

    data: bytes
    mtime_ns: int


class LockFile:
    """``stale_ms`` 0: nothing is ever taken away. ``is_alive`` tells about a process of this
    machine. Methods raise OSError for what the file system refuses."""

    def __init__(
        self,
        path: str,
        *,
        stale_ms: int,
        now_ms: Callable[[], int],
        is_alive: Callable[[int], bool],
    ) -> None:
        self._path = path
        self._stale_ms = stale_ms
        self._now_ms = now_ms
        self._is_alive = is_alive
        self._token = f"{os.getpid()}-{next(_COUNT)}-{now_ms()}-{machine()}"
        self._ahead_ms: float | None = None
        self._descriptor = -1
        self._record = b""
        self._done: threading.Event | None = None
        self._renewer: threading.Thread | None = None

    def take(self) -> bool:
        """Whether it is held now; takes away what was left behind, for the next try."""
        try:
            self._descriptor = os.open(self._path, _CREATE, 0o600)
        except (FileExistsError, PermissionError) as exc:
            if isinstance(exc, PermissionError) and os.name != "nt":  # there: being removed
                raise
            self._take_away()
            return False
        try:
            self._record = self._make_record()
            os.write(self._descriptor, self._record)
        except BaseException:
            self._close()
            os.unlink(self._path)
            raise
        self._renew()
        return True

    def is_free(self) -> bool:
        """Whether nobody holds it. Changes nothing."""
        seen = self._look(self._path)
        return seen is None or self._is_left_behind(seen)

    def is_mine(self) -> bool:
        """Whether it is still held by this object."""
        seen = self._look(self._path)
        return seen is not None and seen.data == self._record

    def release(self) -> None:
        """Give it up; never raises."""
        if self._done is not None and self._renewer is not None:
            self._done.set()
            self._renewer.join()  # before the descriptor's number means another file
        self._close()
        try:
            if self.is_mine():
                os.unlink(self._path)
        except OSError:
            pass  # it will be found to be left behind

    def owner(self) -> Any:
        """The record of who holds it, as it was written. Raises OSError, ValueError."""
        seen = self._look(self._path)
        return json.loads(b"" if seen is None else seen.data)

    def _make_record(self) -> bytes:
        owner = {
            "pid": os.getpid(),
            "host": host(),
            "since_ms": self._now_ms(),
            "token": self._token,
            "machine": machine(),
            "start": process_start(os.getpid()),
        }
        return json.dumps(owner).encode("ascii") + b"\n"

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _renew(self) -> None:
        """Keep the file's time fresh, from a thread: a rewrite of a long session takes long."""
        import threading  # 2 ms, and only where there is no flock

        done = self._done = threading.Event()
        every = max(1, self._stale_ms or _UNLIMITED_MS) / 1000 / _RENEWALS
        by_name = os.utime not in os.supports_fd
        descriptor = self._descriptor

        def renew() -> None:
            while not done.wait(every):
                try:
                    if not by_name:
                        os.utime(descriptor)
                    elif self.is_mine():
                        os.utime(self._path)
                except OSError:
                    return

        self._renewer = threading.Thread(target=renew, daemon=True)
        self._renewer.start()

    def _look(self, path: str) -> _Seen | None:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            return None
        try:
            data = os.read(descriptor, MAX_RECORD_BYTES)
            return _Seen(data, os.fstat(descriptor).st_mtime_ns)
        finally:
            os.close(descriptor)

    def _is_left_behind(self, seen: _Seen) -> bool:
        if self._stale_ms <= 0:
            return False
        pid, start = _process(seen.data)
        if pid:
            if start:
                return process_start(pid) != start
            if not self._is_alive(pid):
                return True  # else the number may have been given to another process
        return self._age_ms(seen) >= self._stale_ms

    def _age_ms(self, seen: _Seen) -> float:
        """By the clock that wrote the file's time, which may be a server's: a fresh file
        beside it tells, once, how far that is from ours."""
        if self._ahead_ms is None:
            probe = f"{self._path}.{self._token}.now"
            descriptor = os.open(probe, _CREATE, 0o600)
            try:
                self._ahead_ms = os.fstat(descriptor).st_mtime_ns / 1e6 - self._now_ms()
            finally:
                os.close(descriptor)
                os.unlink(probe)
        return self._now_ms() + self._ahead_ms - seen.mtime_ns / 1e6

    def _take_away(self) -> None:
        seen = self._look(self._path)
        if seen is None or not self._is_left_behind(seen) or self._look(self._path) != seen:
            return
        aside = f"{self._path}.{self._token}.aside"
        try:
            os.rename(self._path, aside)
        except OSError:
            return  # another was faster, or (Windows) its owner still has it open
        if self._look(aside) != seen:
            self._put_back(aside)
        _remove(aside)

    def _put_back(self, aside: str) -> None:
        try:
            os.link(aside, self._path)  # never over one that was made meanwhile
        except FileExistsError:
            pass  # its owner will find that it is not its own any more
        except OSError:
            if not os.path.lexists(self._path):  # a file system without hard links
                os.rename(aside, self._path)


def _process(data: bytes) -> tuple[int, str]:
    """The process in a record, if it is one whose number means something here, and when it
    started; else 0 and ""."""
    try:
        owner = json.loads(data)
        if not machine() or owner["machine"] != machine():
            return 0, ""
        return int(owner["pid"]), str(owner["start"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return 0, ""


def machine() -> str:
    """What makes process numbers comparable: host, boot, and set of processes. "" if nothing
    tells."""
    if not _MACHINE:
        try:
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                boot = file.read().strip()
            _MACHINE.append(f"{boot}-{os.stat('/proc/self/ns/pid').st_ino}")
        except (OSError, ValueError):
            _MACHINE.append(host())
    return _MACHINE[0]


_MACHINE: list[str] = []


def process_start(pid: int) -> str:
    """When a living process started, in the kernel's count; "" if it is dead or not known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return "" if fields[0] in (b"Z", b"X") else fields[19].decode("ascii")
    except (OSError, IndexError, ValueError):
        return ""


def host() -> str:
    # Not socket.gethostname: importing socket costs more than the whole store.
    return os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # moved back
