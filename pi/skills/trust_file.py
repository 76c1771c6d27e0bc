"""The trust store on disk: read, and changed under a lock.

A change reads the file, changes it and puts the new one in its place while it holds a lock
on the folder, so that of two processes neither loses what the other did; the file itself is
replaced, so a lock on it would be left behind on the old one. Its mode stays.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager

from pi.base.errors import ConfigError, PiError
from pi.base.filelock import FileLock
from pi.base.files import replace_file
from pi.base.typing import NamedTuple
from pi.skills.plain_files import read_plain
from pi.skills.trust_store import Changes, Counts, TrustRecord, change, parse_store, render_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 1024 * 1024
NEW_MODE = 0o644  # public keys are no secret
LOCK_WAIT_MS = 5000


class TrustFile(NamedTuple):
    """``warnings`` are sentences for the user: somebody else could change what is trusted."""

    path: str
    records: tuple[TrustRecord, ...]
    warnings: tuple[str, ...] = ()


def read_trust_file(path: str, *, may_be_new: bool = False) -> TrustFile:
    """The store at ``path``. Raises ConfigError; also for a missing file, unless it
    ``may_be_new``: who is about to make it begins with an empty one."""
    found, mode = _read(path)
    if mode is None and not may_be_new:
        raise ConfigError(
            f"failed to read trusted root file '{path}'",
            cause="there is no such file",
            hint="check the name; --skill-trust-add and /skills-trust-add make it",
            code="no-trust-file",
        )
    return found


def update_trust_file(
    path: str,
    changes: Changes,
    *,
    now: int,
    random_bytes: Callable[[int], bytes],
    before: Callable[[bytes | None], object] = bool,
) -> tuple[TrustFile, Counts]:
    """Make ``changes`` in the store at ``path``: all of them, or none and an error.
    ``before`` gets what the file held, None for no file."""
    # A link is followed once and its target replaced, so that the link stays a link.
    try:
        target = os.path.realpath(path)
        folder = os.path.dirname(target)
        os.makedirs(folder, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY) if os.name != "nt" else -1
    except (OSError, ValueError) as exc:  # ValueError: a NUL in the path
        raise _failed("write", path, exc) from exc
    try:
        with _locked(descriptor, target):
            old, mode = _read(path)
            before(_bytes(path))
            records, counts = change(old.records, changes, now)
            if records != old.records or mode is None:
                mode = NEW_MODE if mode is None else mode
                data = render_store(records)
                replace_file(target, data, random_bytes=random_bytes, mode=mode, sync=True)
            return TrustFile(path, records, _warnings(target, mode)), counts
    except OSError as exc:
        raise _failed("write", path, exc) from exc
    finally:
        if descriptor >= 0:
            os.close(descriptor)


@contextmanager
def trust_change(
    path: str, changes: Changes, *, now: int, random_bytes: Callable[[int], bytes]
) -> Iterator[str]:
    """Changes that hold only if the work within succeeds; what is told of them is given to it.

    Where the work fails they are taken back, unless somebody else has changed the file
    meanwhile or it cannot be written: then the failure says that they stay.
    """
    was: list[bytes | None] = []
    after, counts = update_trust_file(
        path, changes, now=now, random_bytes=random_bytes, before=was.append
    )
    try:
        yield f"skill trust store update: {counts.text()}"
    except BaseException as exc:
        why = _put_back(path, was[0], after.records, random_bytes)
        if why and isinstance(exc, PiError):
            told = f"the trusted keys in '{path}' stay changed: {why}"
            exc.hint = f"{exc.hint}; {told}" if exc.hint else told
        raise


def _put_back(
    path: str,
    was: bytes | None,
    made: tuple[TrustRecord, ...],
    random_bytes: Callable[[int], bytes],
) -> str:
    """Let the file hold ``was`` again (None: be gone) if it holds ``made``. Returns why not."""
    target = os.path.realpath(path)
    try:
        descriptor = os.open(os.path.dirname(target), os.O_RDONLY) if os.name != "nt" else -1
        try:
            with _locked(descriptor, target):
                now, mode = _read(path)
                if now.records != made:
                    return "somebody else has changed them since"
                if was is None:
                    os.unlink(target)
                else:
                    replace_file(
                        target, was, random_bytes=random_bytes, mode=mode or NEW_MODE, sync=True
                    )
        finally:
            if descriptor >= 0:
                os.close(descriptor)
    except (OSError, PiError) as exc:
        return getattr(exc, "strerror", None) or str(exc)
    return ""


def _bytes(path: str) -> bytes | None:
    try:
        return read_plain(path, MAX_BYTES)[0]
    except FileNotFoundError:
        return None


def _read(path: str) -> tuple[TrustFile, int | None]:
    """The store, and the mode of its file: None if there is none."""
    try:
        data, state = read_plain(path, MAX_BYTES)
    except FileNotFoundError:
        return TrustFile(path, ()), None
    except OSError as exc:
        raise _failed("read", path, exc) from exc
    mode = stat.S_IMODE(state.st_mode)
    found = parse_store(data, path)
    return TrustFile(path, found, _warnings(os.path.realpath(path), mode)), mode


@contextmanager
def _locked(descriptor: int, path: str) -> Iterator[None]:
    """Hold the folder's lock, or a lock file beside ``path`` where folders have none."""
    lock = FileLock(descriptor, path, wait_ms=LOCK_WAIT_MS)
    try:
        lock.__enter__()
    except OSError as exc:
        if exc.errno != errno.EBADF:
            raise
        # NFS locks only what is open for writing, which a folder cannot be.
        lock = FileLock(descriptor, path, wait_ms=LOCK_WAIT_MS, kernel_lock=_no_kernel_lock)
        lock.__enter__()
    try:
        yield
    finally:
        lock.__exit__()


def _no_kernel_lock(descriptor: int, shared: bool) -> bool:
    raise NotImplementedError


def _warnings(path: str, mode: int | None) -> tuple[str, ...]:
    if os.name == "nt":
        return ()
    found = []
    if mode is not None and mode & 0o022:
        found.append(f"others may write the trust file '{path}': chmod go-w it")
    try:
        state = os.stat(os.path.dirname(path))
    except OSError:
        return tuple(found)
    if state.st_mode & 0o022 and not state.st_mode & stat.S_ISVTX:
        found.append(f"others may replace the trust file '{path}': chmod go-w its folder")
    elif state.st_uid not in (0, os.geteuid()):
        found.append(f"the folder of the trust file '{path}' belongs to another user")
    return tuple(found)


def _failed(verb: str, path: str, exc: Exception) -> PiError:
    cause = (isinstance(exc, OSError) and exc.strerror) or str(exc)
    return ConfigError(f"failed to {verb} trusted root file '{path}'", cause=cause)
