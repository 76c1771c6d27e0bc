"""Which state of a file the model knows: the one it last read or wrote.

One that changed since was changed by somebody else, or by a command: the model should
hear of it with the next change it makes there. Times and sizes only; nothing is read.
Entries are set and looked up whole, so threads need no lock.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

CHANGED_NOTE = "[the file had changed on disk since you last read it]"


class Seen:
    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int, int]] = {}

    def take(self, path: str, info: os.stat_result | None) -> None:
        """The model now knows the (resolved) file as ``info`` tells it."""
        if info is not None:
            self._known[path] = _state(info)

    def is_stale(self, path: str, info: os.stat_result) -> bool:
        """Whether the file is another than the model knows; not if it never saw it."""
        known = self._known.get(path)
        return known is not None and known != _state(info)


def _state(info: os.stat_result) -> tuple[int, int, int]:
    return info.st_mtime_ns, info.st_size, info.st_ino
