"""The records of one session file that several processes read and write at a time.

Readers take no lock; a writer holds it while it reads what is new, adds its records and
takes them in as lines, so that memory always is what any other reader would get.
"""

from __future__ import annotations

import os

from pi.base.jsonl import encode
from pi.base.typing import Any
from pi.sessions.bulk import InBulk
from pi.sessions.contents import Contents
from pi.sessions.entry import SCHEMA_VERSION, header, refusal
from pi.sessions.errors import NamedWrong, SessionError
from pi.sessions.lock import SessionLock
from pi.sessions.logfile import LogFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pi.base.jsonl import Damaged
    from pi.sessions.lock import Locking

# A torn last line may be an append that is going on; how long to wait for its end.
_SETTLE_MS = 500
# How every file of ours begins, and so what is left of one when nothing else can be read.
SIGNATURE = b'{"record_type":"meta"'


class Journal:
    """``contents`` is what the file holds as far as it was read; ``cwd`` and ``app_version``
    go into the header of a new file."""

    def __init__(
        self,
        path: str,
        *,
        now_ms: Callable[[], int],
        random_bytes: Callable[[int], bytes],
        cwd: str,
        app_version: str,
        locking: Locking,
        max_line_bytes: int,
    ) -> None:
        self.contents = Contents()
        self._log = LogFile(path, max_line_bytes=max_line_bytes)
        self._now_ms = now_ms
        self._cwd = cwd
        self._app_version = app_version
        self.locking = locking
        self._new_session_id = random_bytes(16).hex()
        self._settled: Damaged | None = None

    @property
    def path(self) -> str:
        """Where the file really is, links followed."""
        return self._log.path

    @property
    def session_id(self) -> str:
        """From the file's header, else what a header of ours will say."""
        return self.contents.session_id or self._new_session_id

    @property
    def damage(self) -> tuple[Damaged, ...]:
        """The lines that could not be read, in file order."""
        tail = self._log.tail
        torn = (tail,) if tail is not None and tail is self._settled else ()
        return (*self.contents.damage, *torn)

    def refresh(self) -> None:
        """Read what was added since; everything, if the file is another one now."""
        self._read()
        tail = self._log.tail
        if tail is None or tail is self._settled:
            return
        try:
            with self._lock(min(_SETTLE_MS, self.locking.wait_ms), shared=True):
                self._read()
                self._settled = self._log.tail  # nobody was writing it: it is torn
        except SessionError as exc:
            if exc.code not in ("session-locked", "session-failed"):
                raise  # not the lock's fault

    def add(self, make: Callable[[], Sequence[Mapping[str, Any]]], *, fsync: bool) -> None:
        """Append the records that ``make`` returns, all or none.

        ``make`` is called under the lock, with ``contents`` up to date; it may raise.
        """
        self._check_writable()
        self._log.make_folder()
        with self._lock(self.locking.wait_ms) as lock:
            descriptor = self._log.open_to_append()
            try:
                if not self._log.is_as_left(descriptor):
                    self._take_new(descriptor)
                    self._check_writable()
                records = make()
                if self.contents.schema_version < SCHEMA_VERSION:
                    records = [self._header(), *records]
                lock.confirm()
                added = self._log.append(descriptor, self._lines(records), fsync=fsync)
                if added is None:
                    self._take_appended(descriptor)
                else:
                    self.contents.take(added)
            except BaseException:
                self._log.discard_if_empty(descriptor)
                raise
            finally:
                os.close(descriptor)

    def sync(self) -> None:
        """Have the disk keep what was added without ``fsync``."""
        self._log.sync()

    def _read(self) -> None:
        descriptor = self._log.open_to_read()
        if descriptor < 0:
            self._start_over()
            return
        try:
            self._take_new(descriptor)
        finally:
            os.close(descriptor)

    def _take_new(self, descriptor: int) -> None:
        if self._log.is_other(descriptor):
            self._start_over()
        self._take_appended(descriptor)
        if self.contents.is_session or (self.contents.is_blank and self._log.tail is None):
            return
        # Somebody's notes, or a shell's start-up file behind a link: not ours to add to.
        if not self._log.starts_with_part_of(descriptor, SIGNATURE):
            raise NamedWrong(
                f"'{self.path}' is not a session file",
                cause="none of its lines is a record of a session",
                hint="name another file with --session",
                code="not-a-session",
            )

    def _take_appended(self, descriptor: int) -> None:
        with InBulk(self._log.unread(descriptor)):
            for lines in self._log.read_new(descriptor):
                self.contents.take(lines)

    def _start_over(self) -> None:
        self._log.forget()
        self.contents = Contents(self.contents.next_id)

    def _lock(self, wait_ms: int, *, shared: bool = False) -> SessionLock:
        return SessionLock(
            self._log.path + ".lock",
            wait_ms=wait_ms,
            now_ms=self._now_ms,
            shared=shared,
            stale_ms=self.locking.stale_ms,
            use_flock=self.locking.use_flock,
        )

    def _check_writable(self) -> None:
        if self.contents.read_only:
            raise SessionError(
                f"session '{self.path}' cannot be written",
                cause=self.contents.read_only,
                hint="use a newer pi, or another file with --session",
                code="session-newer-schema",
            )

    def _header(self) -> Mapping[str, Any]:
        return header(
            self.session_id,
            created_ms=self._now_ms(),
            next_id=self.contents.next_id,
            cwd=self._cwd,
            app_version=self._app_version,
        )

    def _lines(self, records: Sequence[Mapping[str, Any]]) -> bytes:
        """The records as bytes; SessionError for one that could not be read again."""
        lines = []
        for record in records:
            reason = refusal(record) if record["record_type"] == "entry" else ""
            try:
                line = encode(record)
            except ValueError as exc:
                reason, line = str(exc), b""
            if len(line) > self._log.max_line_bytes:
                reason = f"longer than {self._log.max_line_bytes} bytes"
            if reason:
                raise SessionError(
                    "a record cannot be stored in the session",
                    cause=reason,
                    code="session-unstorable",
                )
            lines.append(line)
        return b"".join(lines)
