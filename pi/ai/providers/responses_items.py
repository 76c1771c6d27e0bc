"""The items of one Responses answer while they arrive: messages, reasoning, calls.

An item is opened, takes pieces and is closed with the whole of it. Servers leave out the
pieces or the whole, so either is enough; what was shown is what is kept, except that a
call's arguments are the whole's. All of them hand out what can be shown.
"""

from __future__ import annotations

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.jsontext import dump, parse_strict_prefix
from pi.ai.providers.responses_input import text_signature
from pi.ai.surrogates import Joiner, repair
from pi.ai.types import Text, Thinking
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from pi.ai.events import StreamEvent

MESSAGE, REASONING, CALL = "message", "reasoning", "function_call"
_PARAGRAPH = "\n\n"


class _Pieces:
    """Text that comes in pieces, and then perhaps whole."""

    __slots__ = ("_joiner", "_pieces")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._joiner = Joiner()

    def __bool__(self) -> bool:
        return bool(self._pieces)

    def take(self, piece: str) -> str:
        """Add a piece; return as much of it as can be shown."""
        piece = self._joiner.feed(piece)
        if piece:
            self._pieces.append(piece)
        return piece

    def end(self) -> str:
        """All there is; half a character that is still waiting is lost."""
        rest = self._joiner.finish()
        if rest:
            self._pieces.append(rest)
        whole = "".join(self._pieces)
        self._pieces = [whole] if whole else []
        return whole

    def missing(self, whole: str) -> str:
        """What ``whole`` has beyond the pieces, "" if it is another text."""
        got = "".join(self._pieces)
        if not whole.startswith(got):
            return ""
        self._joiner = Joiner()  # half a character that waits is whole in here
        return whole[len(got) :]


class MessageItem:
    """Words for the user. ``lead`` stands between them and those of an earlier message."""

    kind = MESSAGE

    def __init__(self, lead: str) -> None:
        self.done = False
        self.is_refusal = False
        self._lead = lead
        self._pieces = _Pieces()
        self._id = self._phase = ""

    @property
    def is_empty(self) -> bool:
        return not self._pieces

    def take(self, piece: str) -> StreamEvent | None:
        piece = self._pieces.take(piece)
        if not piece:
            return None
        lead, self._lead = self._lead, ""
        return TextDelta(lead + piece)

    def close(self, wire: dict[str, Any]) -> StreamEvent | None:
        self.done = True
        self.describe(wire)
        parts = _dicts(wire.get("content"))
        self.is_refusal = self.is_refusal or any(part.get("type") == "refusal" for part in parts)
        whole = "".join(_word(part, "text") or _word(part, "refusal") for part in parts)
        return self.settle(whole)

    def settle(self, whole: Any) -> StreamEvent | None:
        """Take the whole text in case pieces of it did not come."""
        return self.take(self._pieces.missing(repair(whole))) if isinstance(whole, str) else None

    def block(self) -> Text | None:
        text = self._pieces.end()
        return Text(text, text_signature(self._id, self._phase)) if text.strip() else None

    def describe(self, wire: dict[str, Any]) -> None:
        self._id = repair(_word(wire, "id")) or self._id
        self._phase = repair(_word(wire, "phase")) or self._phase


class ReasoningItem:
    """Thinking. Only a closed one goes back to the model: an open one's sealed content may
    be incomplete."""

    kind = REASONING

    def __init__(self) -> None:
        self.done = False
        self._source = ""  # the kind of pieces shown, when a server sends two
        self._part: Any = None
        self._pieces = _Pieces()
        self._vendor: dict[str, Any] | None = None

    def describe(self, wire: dict[str, Any]) -> None:
        """There is nothing in a start that counts."""

    def lead_of(self, source: str, part: Any) -> str | None:
        """What stands before a piece; None if it says again what another source says."""
        if self._source not in ("", source):
            return None
        is_new = bool(self._source) and part != self._part
        self._source, self._part = source, part
        return _PARAGRAPH if is_new else ""

    def take(self, piece: str) -> StreamEvent | None:
        piece = self._pieces.take(piece)
        return ThinkingDelta(piece) if piece else None

    def close(self, wire: dict[str, Any]) -> StreamEvent | None:
        self.done = True
        self._vendor = _storable(wire)
        if self._pieces:
            return None
        found = [_word(part, "text") for part in _dicts(wire.get("summary"))]
        if not any(found):
            found = [_word(part, "text") for part in _dicts(wire.get("content"))]
        return self.take(repair(_PARAGRAPH.join(text for text in found if text)))

    def block(self) -> Thinking | None:
        text = self._pieces.end()
        return Thinking(text, vendor=self._vendor) if text.strip() or self._vendor else None


class CallItem:
    kind = CALL

    def __init__(self, position: int) -> None:
        self.done = False
        self.is_cut = True  # until the whole of it came, and not marked as incomplete
        self.position = position
        self.name = self.call_id = self.item_id = ""
        self._pieces = _Pieces()
        self._whole = ""

    def is_another(self, wire: dict[str, Any]) -> bool:
        """Whether ``wire`` is a further call, under an id that was used up."""
        return self.done and _word(wire, "call_id").strip() != self.call_id

    def opened(self) -> CallDelta:
        return CallDelta(self.position, self.call_id, self.name, "")

    def take(self, piece: str) -> StreamEvent | None:
        piece = self._pieces.take(piece)
        return CallDelta(self.position, self.call_id, self.name, piece) if piece else None

    def close(self, wire: dict[str, Any]) -> StreamEvent | None:
        self.done = True
        self.is_cut = wire.get("status") == "incomplete"
        was_named = bool(self.name)
        self.describe(wire)
        event = self.settle(wire.get("arguments"))
        return event if event or was_named else self.opened()

    def settle(self, arguments: Any) -> StreamEvent | None:
        """Take the whole arguments; some servers send an object instead of its text."""
        text = arguments if isinstance(arguments, str) else dump(arguments)
        if arguments is None or not text.strip():
            return None
        self._whole = repair(text)
        return self.take(self._pieces.missing(self._whole))

    def arguments(self) -> str:
        return self._whole or self._pieces.end()

    def describe(self, wire: dict[str, Any]) -> None:
        self.name = self.name or repair(_word(wire, "name")).strip()
        self.call_id = self.call_id or repair(_word(wire, "call_id")).strip()
        self.item_id = repair(_word(wire, "id")) or self.item_id


def _word(wire: dict[str, Any], key: str) -> str:
    value = wire.get(key)
    return value if isinstance(value, str) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _storable(wire: dict[str, Any]) -> dict[str, Any] | None:
    """The item if it can be written into a session and a request, else None."""
    try:
        value, _ = parse_strict_prefix(repair(dump(wire)))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


if TYPE_CHECKING:
    Item = Union[MessageItem, ReasoningItem, CallItem]
