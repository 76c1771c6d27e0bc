"""The output of a command, however much: its end in memory, all of it in a file.

Bytes are kept raw while they arrive, because decoding and cleaning hundreds of megabytes
of which only the end is shown would cost more than the command; ``shown`` does both, once,
for the end. Invariants:
  * at most ``keep`` bytes and one piece are held per stream;
  * a character is never broken by the other stream's output falling between its bytes;
  * secrets are blanked out of each stream before anything else, so that neither the file
    nor the edge of a cut holds one or a part of one.
"""

from __future__ import annotations

import os
import stat
from collections import deque

from pi.base.text import cut_tail, hiding, plain_text, whole_characters
from pi.base.typing import NamedTuple
from pi.tools.redacting import Redactor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_LINES = 2000
MAX_SPILL_BYTES = 64 << 20
_SPILL_SECONDS = 7 * 24 * 3600
_PREFIX, _SUFFIX = "pi-bash-", ".log"


class Tail:
    """The last ``keep`` bytes (or somewhat more) of a stream."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._pieces: deque[bytes] = deque()
        self._held = 0
        self.total = 0
        self.line_ends = 0

    @property
    def dropped(self) -> bool:
        """Whether the beginning is gone."""
        return self._held < self.total

    def add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        self.total += len(piece)
        self.line_ends += piece.count(b"\n")
        while self._held - len(self._pieces[0]) >= self._keep:
            self._held -= len(self._pieces.popleft())

    def data(self) -> bytes:
        return b"".join(self._pieces)


class Shown(NamedTuple):
    """The end of a stream as text; ``cut`` tells that something before it is missing."""

    text: str
    cut: bool


class Output:
    """Both streams of one command: each by itself, and together as they arrived."""

    def __init__(
        self,
        max_bytes: int,
        secrets: Sequence[str],
        *,
        temp_dir: str,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._max_bytes = max_bytes
        self._hide = hiding(secrets)
        # More than is shown: cleaning removes escapes and overwritten progress lines.
        self._keep = max(4 * max_bytes, 1 << 17)
        self.merged = Tail(self._keep)
        self.streams = {"stdout": Tail(self._keep), "stderr": Tail(self._keep)}
        self._unfinished = {"stdout": b"", "stderr": b""}
        self._redactors = {"stdout": Redactor(secrets), "stderr": Redactor(secrets)}
        self._spill = Spill(temp_dir, random_bytes)

    def add(self, stream: str, piece: bytes) -> None:
        """Take what arrived on "stdout" or "stderr"."""
        piece = self._unfinished[stream] + self._redactors[stream].feed(piece)
        whole = whole_characters(piece)
        self._unfinished[stream] = piece[whole:]
        if whole < len(piece):
            piece = piece[:whole]
        self._take(stream, piece)

    def finish(self) -> None:
        """No more comes: what is left of a broken character counts too."""
        for stream, piece in self._unfinished.items():
            self._unfinished[stream] = b""
            self._take(stream, piece + self._redactors[stream].finish())
        if self._spill.is_open or self.shown(self.merged).cut:
            if not self._spill.is_open:
                self._spill.add(self.merged.data())
            self._spill.close()

    def _take(self, stream: str, piece: bytes) -> None:
        if not piece:
            return
        if self._spill.is_open:
            self._spill.add(piece)
        elif self.merged.total + len(piece) > self._keep:  # soon not all of it is held
            self._spill.add(self.merged.data())
            self._spill.add(piece)
        self.merged.add(piece)
        self.streams[stream].add(piece)

    @property
    def full_path(self) -> str:
        """Where all of it is, if it is too much to show; "" else."""
        return self._spill.path

    @property
    def full_is_complete(self) -> bool:
        return self._spill.complete

    def shown(self, tail: Tail, max_bytes: int = 0, max_lines: int = MAX_LINES) -> Shown:
        """The end of ``tail`` for a model: clean, without secrets, within the limits."""
        max_bytes = max_bytes or self._max_bytes
        data = tail.data()
        if tail.dropped and 0x80 <= data[0] < 0xC0:  # the rest of a character
            data = data.lstrip(bytes(range(0x80, 0xC0)))
        # Once more: escapes within a secret hid it from the first look.
        text = self._hide(plain_text(data.decode("utf-8", "replace")))
        end = cut_tail(text, max_bytes)
        lines = end.split("\n")
        kept = max_lines + (not lines[-1])  # the empty rest after a last line end is no line
        if len(lines) > kept:
            end = "\n".join(lines[-kept:])
        elif (
            len(end) < len(text)
            and text[-len(end) - 1] != "\n"
            and 0 <= end.find("\n") < len(end) - 1
        ):
            end = end[end.find("\n") + 1 :]  # the first line is a part of one
        return Shown(end, tail.dropped or len(end) < len(text))


class Spill:
    """A file of ours that takes output too long to show, up to a cap.

    A full disk must not fail the command: then the file ends early, and says so.
    """

    def __init__(self, folder: str, random_bytes: Callable[[int], bytes]) -> None:
        self._folder = folder
        self._random_bytes = random_bytes
        self._descriptor = -1
        self._room = MAX_SPILL_BYTES
        self.path = ""
        self.complete = True
        self._opened = False

    @property
    def is_open(self) -> bool:
        return self._opened

    def add(self, data: bytes) -> None:
        try:
            if not self._opened:
                self._open()
            view = memoryview(data)[: self._room]
            if len(view) < len(data):
                self.complete = False
            while view and self._descriptor >= 0:
                written = os.write(self._descriptor, view)
                self._room -= written
                view = view[written:]
        except OSError:
            self.complete = False
            self._room = 0

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> None:
        self._opened = True
        path = os.path.join(self._folder, f"{_PREFIX}{self._random_bytes(8).hex()}{_SUFFIX}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(path, flags, 0o600)
        self.path = path
        _remove_old(self._folder, os.fstat(self._descriptor))


def remove_at_exit(path: str) -> None:
    """Remove the file when pi leaves."""
    import atexit  # built in; here so that importing this module registers nothing

    atexit.register(_remove, path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # gone already


def _remove_old(folder: str, newest: os.stat_result) -> None:
    """Remove our files that are a week older than ``newest``, which was just made.

    The file's own time stands for the present: no clock is needed.
    """
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return  # a directory that may be written to but not listed
    for name in names:
        if not (name.startswith(_PREFIX) and name.endswith(_SUFFIX)):
            continue
        path = os.path.join(folder, name)
        try:
            info = os.lstat(path)
            old = newest.st_mtime - info.st_mtime > _SPILL_SECONDS
            if old and stat.S_ISREG(info.st_mode) and info.st_uid == newest.st_uid:
                os.unlink(path)
        except OSError:
            pass  # somebody else was faster
