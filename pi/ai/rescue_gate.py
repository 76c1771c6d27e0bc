"""Which part of a streamed text can be shown at once, and which may be a tool call.

Text that was shown cannot be taken back, so text is held from the place where a written
call may begin until that is ruled out or the answer ends. Everything else passes in the
read it came with. Invariants (tests/property/test_rescue_laws.py):
  * what is shown and what is held is the text, in order, nothing lost or added;
  * any way of slicing the same text ends in the same calls and the same shown text;
  * at most ``MAX_HELD`` characters are held; more is shown, and the gate stays open.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.rescue import WrittenCall
    from pi.ai.types import ToolDefinition

MAX_HELD = 256 * 1024
# By then a call has named its tool.
MAX_UNDECIDED = 400

_BARE_BEGINS = "{[`"
_START, _OPEN, _HELD, _PASS = range(4)


class CallGate:
    def __init__(self, tools: Iterable[ToolDefinition]) -> None:
        self._tools = tuple(tools)
        self._names = tuple(tool.name for tool in self._tools)
        self._state = _START if self._names else _PASS
        self._held: list[str] = []  # a possible call, or in _OPEN a possible part of a marker
        self._size = 0
        self._sure = False  # it begins as a call does: wait for its end

    def feed(self, text: str) -> str:
        """Take text; return what can be shown."""
        if self._state == _START:
            first = text.lstrip()[:1]
            if not first:
                return text
            if first not in _BARE_BEGINS:
                self._state = _OPEN
        if self._state == _PASS:
            return text
        if self._state == _OPEN and not self._held and "<" not in text and "[" not in text:
            return text
        self._held.append(text)
        self._size += len(text)
        if self._state == _HELD and self._sure:
            return self.release() if self._size > MAX_HELD else ""
        return self._scan("".join(self._held))

    def release(self) -> str:
        """There are no written calls in this answer: all that was held."""
        held = "".join(self._held)
        self._held, self._size, self._state = [], 0, _PASS
        return held

    def finish(self) -> tuple[str, tuple[WrittenCall, ...]]:
        """The answer is whole: the text to show now, or the calls it was held for."""
        state, held = self._state, self.release()
        if state != _HELD:
            return held, ()
        from pi.ai.rescue import find_calls  # patterns that few answers need: 3 ms

        found = find_calls(held, self._tools)
        return (held, ()) if found is None else ("", found.calls)

    def _scan(self, text: str) -> str:
        """Decide about ``text``, all that is held; return what can be shown of it."""
        from pi.ai.rescue_marks import MARKER, marker_part, verdict  # as above: 1 ms

        at = 0  # what is before may be shown
        while True:
            if self._state == _START:
                at = len(text) - len(text.lstrip())
                self._state = _HELD
            elif self._state == _OPEN:
                marker = MARKER.search(text, at)
                if marker is None:
                    at = marker_part(text, at)
                    break
                at, self._state = marker.start(), _HELD
            decided = verdict(text[at : at + MAX_UNDECIDED], self._names)
            if decided is None and len(text) - at < MAX_UNDECIDED:
                break
            if decided:
                self._sure = True
                break
            self._state = _OPEN
            marker = MARKER.match(text, at)
            at = marker.end() if marker is not None else at
        shown, rest = text[:at], text[at:]
        self._held, self._size = [rest] if rest else [], len(rest)
        return shown + self.release() if self._size > MAX_HELD else shown
