"""The log files: one record, one line, one write."""

from __future__ import annotations

from pi.audit.appender import Appender
from pi.audit.chain import MAX_LINE_BYTES
from pi.audit.tail import FOREIGN, End, find_end, go_on
from pi.base.errors import ConfigError
from pi.base.jsonl import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from pi.audit.appender import State
    from pi.audit.chain import Head

_LOOKS = (2048, 16 * 1024, 2 * MAX_LINE_BYTES)  # bytes; the first holds several records


class AuditLog:
    """The tool audit log: a hash chain (see ``chain``) that several processes add to.

    Raises ConfigError if the file cannot be opened, or holds something else.
    """

    def __init__(
        self, path: str, *, now_ms: Callable[[], int], appender: Appender | None = None
    ) -> None:
        self._file = appender or Appender(path, "tool audit log")
        self.path = self._file.path
        self._now_ms = now_ms
        self._end: tuple[State, Head] | None = None  # as this process left it
        try:
            self._find_end()
        except (OSError, ValueError) as exc:
            self._file.close()
            raise ConfigError(
                f"tool audit log '{path}' cannot be opened",
                cause=str(exc),
                hint="name another file, or move this one away",
                code="log-not-opened",
            ) from exc

    def append(self, fields: Mapping[str, Any]) -> Head:
        """Add one record; what the chain ends with now.

        If records of this process are gone from under the name (the file was rotated,
        removed or emptied), ``after_head`` of the record says where they ended.
        Raises OSError or ValueError, with the file as it was.
        """
        heads = []

        def compose(state: State) -> bytes:
            told = fields
            if self._end is not None and self._end[0] == state:
                end = End(self._end[1])
            else:
                end = self._find_end()
                if self._end is not None and end.head.seq < self._end[1].seq:
                    told = {**fields, "after_head": str(self._end[1])}
            data, head = go_on(end, told, self._now_ms())
            heads.append(head)
            return data

        state = self._file.append(compose)
        self._end = (state, heads[0])
        return heads[0]

    def close(self) -> None:
        self._file.close()

    def _find_end(self) -> End:
        for size in _LOOKS:
            data = self._file.read_end(size)
            end = find_end(data, len(data) < size)
            if end is not None:
                return end
        raise ValueError(FOREIGN)


class PlainLog:
    """JSON lines without a chain. Raises ConfigError if the file cannot be opened."""

    def __init__(self, path: str, what: str, *, appender: Appender | None = None) -> None:
        self._file = appender or Appender(path, what)
        self.path = self._file.path

    def append(self, fields: Mapping[str, Any]) -> None:
        """Add one record. Raises OSError or ValueError, with the file as it was."""
        line = encode(dict(sorted(fields.items())))

        def compose(state: State) -> bytes:
            is_torn = state.size and self._file.read_end(1) != b"\n"
            return b"\n" + line if is_torn else line

        self._file.append(compose)

    def close(self) -> None:
        self._file.close()
