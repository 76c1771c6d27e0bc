"""Server-sent events, decoded from bytes that arrive in any slices.

No sockets here: the caller feeds what it read and gets whole events back. The rules are
WHATWG HTML section 9.2, with one addition: an event with no blank line after it still
counts at the end of the stream if it is a whole JSON object (several servers end so).

Invariants (tests/property/test_sse_laws.py):
  * any way of slicing the same bytes yields the same events;
  * a field's value is exactly the bytes that were sent; malformed UTF-8 becomes U+FFFD;
  * nothing but ``StreamTooLarge`` is ever raised;
  * the cost is linear in the bytes, however small the slices.
"""

from __future__ import annotations

from pi.ai.jsontext import parse
from pi.base.errors import ProviderFailed
from pi.base.typing import NamedTuple

# No answer comes near this; a server that never ends a line must not fill the memory.
MAX_EVENT_BYTES = 64 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"


class StreamTooLarge(ProviderFailed):
    code = "stream-too-large"


class ServerEvent(NamedTuple):
    name: str  # "message" when the stream did not name it
    data: str


class SseDecoder:
    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._line = bytearray()  # a line whose end has not arrived
        self._after_cr = False  # the last byte was CR: an LF now is the rest of that line end
        self._at_start = True
        self._name = ""
        self._data: list[str] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take what was read; return the events it completed.

        Raises ``StreamTooLarge`` when what an earlier call left unfinished is over the
        limit, so that no event decoded before is lost.
        """
        if len(self._line) + self._held > self._max:
            raise StreamTooLarge(
                f"the provider sent one event larger than {self._max} bytes",
                hint="this is not a model's answer: check the base URL",
            )
        if self._after_cr and chunk:
            chunk = chunk[1:] if chunk[0] == 10 else chunk
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        end = chunk.rfind(b"\n") + 1
        if not end:
            self._line += chunk
            return []
        lines = chunk[:end]
        if self._line:
            lines = bytes(self._line) + lines
            self._line.clear()
        self._line += chunk[end:]
        return self._lines(lines)

    def finish(self) -> list[ServerEvent]:
        """End of stream: what was not ended by a blank line counts if it is whole."""
        events = self._lines(bytes(self._line) + b"\n") if self._line else []
        self._line.clear()
        last = self._dispatch()
        if last is not None and _is_whole(last.data):
            events.append(last)
        return events

    def _lines(self, raw: bytes) -> list[ServerEvent]:
        """Decode whole lines, the last line end included."""
        if self._at_start:
            self._at_start = False
            raw = raw[3:] if raw.startswith(_BOM) else raw
        # A line end is never inside a character, so whole lines decode on their own. Not
        # splitlines(): it would also cut at U+2028 and others, which are ordinary data.
        *blocks, rest = raw.decode("utf-8", "replace").split("\n\n")
        events: list[ServerEvent] = []
        append, new = events.append, ServerEvent._make
        in_event = bool(self._name or self._data)
        for block in blocks:
            # What nearly every block is: one data line and nothing else.
            if block[:6] == "data: " and not in_event and "\n" not in block:
                append(new(("message", block[6:])))
                continue
            in_event = False
            for line in block.split("\n"):
                self._take(line, events)
            self._take("", events)
        for line in rest.split("\n")[:-1]:
            self._take(line, events)
        return events

    def _take(self, line: str, events: list[ServerEvent]) -> None:
        if not line:
            event = self._dispatch()
            if event is not None:
                events.append(event)
            return
        field, _, value = line.partition(":")
        if field == "data":
            value = value[1:] if value[:1] == " " else value
            self._data.append(value)
            self._held += len(value) + 1
        elif field == "event":
            self._name = value[1:] if value[:1] == " " else value
        # Comments, "id" and "retry" mean nothing to us.

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name, self._data
        self._name, self._data, self._held = "", [], 0
        if not data:
            return None
        return ServerEvent(name or "message", "\n".join(data))


def _is_whole(data: str) -> bool:
    if data.strip() == "[DONE]":
        return True
    try:
        return isinstance(parse(data), dict)
    except ValueError:
        return False
