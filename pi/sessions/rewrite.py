"""Applying a plan to a session file: the one place where a session file is replaced.

Under the writers' lock the file is read, the plan is made of what is in it then, a backup
is kept, the new file is written beside the old one, synced, and renamed over it. Whoever
reads sees the old file or the new one. A failure anywhere leaves the old file; the target
of a symbolic link is rewritten, the link stays.
"""

from __future__ import annotations

import os
import re
import stat

from pi.base.jsonl import encode
from pi.base.typing import NamedTuple
from pi.sessions.backups import backups, make_backup
from pi.sessions.entry import SCHEMA_VERSION
from pi.sessions.errors import SessionError
from pi.sessions.load_rows import load_rows
from pi.sessions.lock import STALE_MS, Locking, SessionLock
from pi.sessions.plan import Plan, with_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.sessions.load_rows import Loaded


_TEMPORARY = re.compile(r"\.[0-9a-f]{12}\.tmp")
_ORPHAN_MS = 3_600_000


class Applied(NamedTuple):
    """What was planned, and the backup ("" when nothing was written)."""

    plan: Plan
    backup: str = ""


class Rewriter:
    """Rewrites the session at ``path``; ``lock_wait_ms`` is the longest wait for a writer,
    the lock's other settings are those of ``SessionLock``."""

    def __init__(
        self,
        path: str,
        *,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        lock_wait_ms: int,
        lock_stale_ms: int = STALE_MS,
        use_flock: bool = True,
    ) -> None:
        self._path = os.path.realpath(path)
        self._now_ms = now_ms
        self._random_bytes = random_bytes
        self._locking = Locking(lock_wait_ms, lock_stale_ms, use_flock)

    def apply(self, make: Callable[[Loaded], Plan], *, dry_run: bool = False) -> Applied:
        """Do what ``make`` plans, unless it changes nothing or this is a dry run.

        Raises SessionError: what ``make`` raises, a file that is missing, locked, of a
        newer schema, or cannot be written. Then nothing has changed.
        """
        with self._lock() as lock:
            loaded = self._load(self._path)
            plan = make(loaded)
            if dry_run or not plan.changes:
                return Applied(plan)
            return Applied(plan, self._replace(loaded, plan, lock))

    def undo(self) -> Applied:
        """Bring the newest backup back; what is there now becomes the newest backup, so
        that undoing twice changes nothing. Ids given since are not given again."""
        with self._lock() as lock:
            kept = backups(self._path)
            if not kept:
                raise SessionError(
                    f"session '{self._path}' has no backup: nothing to undo",
                    code="nothing-to-undo",
                )
            now = self._load(self._path)
            before = self._load(kept[0])
            lines = with_header(
                [row.number for row in before.rows],
                before.rows,
                max(now.contents.next_id, before.contents.next_id),
            )
            order = before.contents.order
            report = {
                "restored": kept[0],
                "entries": len(order),
                "entries_before": len(now.contents.order),
            }
            plan = Plan(tuple(lines), order[-1] if order else None, report)
            return Applied(plan, self._replace(before, plan, lock))

    def _lock(self) -> SessionLock:
        return SessionLock(self._path + ".lock", now_ms=self._now_ms, **self._locking._asdict())

    def _load(self, path: str) -> Loaded:
        loaded = load_rows(path)
        if loaded.contents.schema_version > SCHEMA_VERSION:
            raise SessionError(
                f"session '{path}' cannot be written",
                cause=loaded.contents.read_only,
                hint="use a newer pi",
                code="session-newer-schema",
            )
        return loaded

    def _replace(self, source: Loaded, plan: Plan, lock: SessionLock) -> str:
        """Write ``plan`` over the session, its kept rows copied from ``source``."""
        remove_orphans(self._path, self._now_ms())
        temporary = f"{self._path}.{self._random_bytes(6).hex()}.tmp"
        try:
            self._write(temporary, source, plan)
            if plan.quarantine:
                self._quarantine(source, plan)
            lock.confirm()
            backup = make_backup(self._path, self._now_ms)
            os.replace(temporary, self._path)
            _sync_folder(os.path.dirname(self._path))
        except OSError as exc:
            _remove(temporary)
            raise SessionError(
                f"failed to rewrite session file '{self._path}'",
                cause=exc.strerror or str(exc),
                hint="the file is as it was",
            ) from exc
        except BaseException:
            _remove(temporary)
            raise
        return backup

    def _write(self, name: str, source: Loaded, plan: Plan) -> None:
        place = {row.number: (row.offset, row.size) for row in source.rows}
        mode = stat.S_IMODE(os.stat(self._path).st_mode)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with (
            open(source.path, "rb") as old,
            open(os.open(name, flags | getattr(os, "O_NOFOLLOW", 0), 0o600), "wb") as new,
        ):
            for line in plan.lines:
                if isinstance(line, int):
                    offset, size = place[line]
                    if old.tell() != offset:
                        old.seek(offset)
                    new.write(old.read(size))
                    new.write(b"\n")
                    old.read(1)
                else:
                    new.write(encode(line))
            new.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(new.fileno(), mode)
            os.fsync(new.fileno())

    def _quarantine(self, source: Loaded, plan: Plan) -> None:
        """Keep lines that leave the file in ``<session>.quarantine.jsonl``: number, reason,
        and the line itself, as text where it is text and in hexadecimal where not."""
        wanted = frozenset(plan.quarantine)
        records = []
        with open(source.path, "rb") as old:
            for row in source.rows:
                if row.number not in wanted:
                    continue
                old.seek(row.offset)
                data = old.read(row.size)
                record = {
                    "line": row.number,
                    "reason": row.reason or "no id is left for it",
                    "at_ms": self._now_ms(),
                }
                try:
                    records.append({**record, "text": data.decode("utf-8")})
                except UnicodeDecodeError:
                    records.append({**record, "hex": data.hex()})
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with open(os.open(self._path + ".quarantine.jsonl", flags, 0o600), "ab") as file:
            file.write(b"".join(map(encode, records)))
            file.flush()
            os.fsync(file.fileno())


def remove_orphans(path: str, now_ms: int) -> None:
    """Remove the unfinished new files that killed rewrites of the session left behind.

    The writers' lock is held; all the same only old ones, for where it does not hold.
    """
    folder, name = os.path.split(path)
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return
    for other in names:
        if other.startswith(name) and _TEMPORARY.fullmatch(other[len(name) :]):
            orphan = os.path.join(folder, other)
            try:
                state = os.stat(orphan, follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(state.st_mode) and now_ms - state.st_mtime * 1000 > _ORPHAN_MS:
                _remove(orphan)


def _remove(name: str) -> None:
    try:
        os.unlink(name)
    except OSError:
        pass  # it was not made, or is gone


def _sync_folder(folder: str) -> None:
    """Make the new name durable, where a folder can be opened."""
    if os.name == "nt":
        return
    try:
        descriptor = os.open(folder or ".", os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems cannot
    finally:
        os.close(descriptor)
