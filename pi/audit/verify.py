"""What ``pi --audit-verify FILE`` finds out: the chain of a file on disk, as text or JSON."""

from __future__ import annotations

import os
import stat

from pi.audit.chain import MAX_LINE_BYTES
from pi.audit.verifier import verify
from pi.base.errors import ConfigError, VerificationFailed
from pi.base.filelock import FileLock
from pi.base.typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from pi.audit.chain import Head
    from pi.audit.verifier import Verdict

SCHEMA_VERSION = 1
_WAIT_MS = 1000


class Report(NamedTuple):
    """The verdict on the file ``path``."""

    path: str
    verdict: Verdict

    @property
    def ok(self) -> bool:
        return self.verdict.ok

    def text(self) -> str:
        """The report for people, some lines without a newline at the end."""
        verdict = self.verdict
        if verdict.head is None:
            first = f"audit log damaged: path={self.path} line={verdict.line} kind={verdict.kind}"
            return f"{first}\n  {verdict.problem}"
        count = f"records={verdict.records} lines={verdict.lines}"
        lines = [f"audit log intact: path={self.path} {count}"]
        if verdict.torn_lines:
            lines.append(f"  torn lines, accounted for by the log itself: {verdict.torn_lines}")
        return "\n".join([*lines, f"  head={verdict.head}"])

    def as_json(self) -> dict[str, Any]:
        """The report for scripts."""
        verdict, head = self.verdict, self.verdict.head
        return {
            "schema_version": SCHEMA_VERSION,
            "path": self.path,
            "ok": verdict.ok,
            "lines": verdict.lines,
            "records": verdict.records,
            "torn_lines": verdict.torn_lines,
            "first_bad_line": verdict.line,
            "kind": verdict.kind or None,
            "problem": verdict.problem or None,
            "head": None if head is None else {"seq": head.seq, "sha256": head.digest},
        }

    def failure(self) -> VerificationFailed | None:
        """What ends the program (exit 7), or None for an intact log."""
        if self.verdict.ok:
            return None
        return VerificationFailed(
            f"audit log '{self.path}' is damaged at line {self.verdict.line}",
            cause=self.verdict.problem,
            code="audit-log-damaged",
        )


def verify_file(path: str, expect_head: Head | None = None) -> Report:
    """Judge the log at ``path`` as it is now. Raises ConfigError if it cannot be read."""
    try:
        kind = os.stat(path).st_mode
        if not stat.S_ISREG(kind):
            raise OSError(0, "it is no regular file")
        with open(path, "rb", buffering=1 << 16) as file:
            return Report(path, verify(_lines(file, _size(file, path)), expect_head))
    except (OSError, ValueError) as exc:
        raise ConfigError(
            f"audit log '{path}' cannot be read",
            cause=getattr(exc, "strerror", None) or str(exc),
            code="audit-log-unreadable",
        ) from exc


def _size(file: BinaryIO, path: str) -> int:
    """The size at a moment when nobody writes; what is added meanwhile is not judged."""
    try:
        with FileLock(file.fileno(), path, wait_ms=_WAIT_MS, shared=True):
            return os.fstat(file.fileno()).st_size
    except OSError:
        return os.fstat(file.fileno()).st_size


def _lines(file: BinaryIO, left: int) -> Iterator[bytes]:
    """Lines with their newlines, up to ``left`` bytes; of one that is too long its beginning."""
    while left > 0:
        line = piece = file.readline(min(left, MAX_LINE_BYTES + 2))
        left -= len(piece)
        while piece and left > 0 and not piece.endswith(b"\n"):
            piece = file.readline(min(left, 1 << 16))
            left -= len(piece)
        if not line:
            return  # it became shorter
        is_open = not line.endswith(b"\n")
        yield line + b"\n" if is_open and piece.endswith(b"\n") else line
