"""The parts of one Messages answer while they arrive: text, thinking, calls, the rest.

Each takes pieces and gives what can be shown of them, then ends as a block or as nothing.
"""

from __future__ import annotations

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.surrogates import Joiner, repair
from pi.ai.types import Text, Thinking, ToolCall
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    from pi.ai.events import StreamEvent
    from pi.ai.providers.calls import CallCollector
    from pi.ai.types import Block


class TextPart:
    kind = "text"

    def __init__(self) -> None:
        self.is_empty = True
        self._pieces: list[str] = []
        self._joiner = Joiner()

    def take(self, piece: str) -> StreamEvent | None:
        self.is_empty = self.is_empty and not piece
        piece = self._joiner.feed(piece)
        self._pieces.append(piece)
        return TextDelta(piece) if piece else None

    def close(self) -> StreamEvent | None:
        return None

    def block(self, calls: tuple[ToolCall, ...]) -> Block | None:
        text = "".join(self._pieces) + self._joiner.finish()
        return Text(text) if text.strip() else None


class ThinkingPart:
    kind = "thinking"

    def __init__(self, start: dict[str, Any]) -> None:
        self._pieces: list[str] = []
        self._joiner = Joiner()
        self._whole_signature = word(start, "signature")
        self._signature: list[str] = []

    def take(self, piece: str) -> StreamEvent | None:
        piece = self._joiner.feed(piece)
        self._pieces.append(piece)
        return ThinkingDelta(piece) if piece else None

    def sign(self, piece: str) -> None:
        self._signature.append(piece)

    def close(self) -> StreamEvent | None:
        return None

    def block(self, calls: tuple[ToolCall, ...]) -> Block | None:
        text = "".join(self._pieces) + self._joiner.finish()
        # Newer models send a signature without words; both are wanted back as they are.
        signature = repair("".join(self._signature) or self._whole_signature)
        return Thinking(text, signature or None) if text.strip() or signature else None


class CallPart:
    """A tool call. Streamed arguments win over those of the start, which the vendor sends
    empty there and other servers whole."""

    kind = "tool_use"

    def __init__(self, calls: CallCollector, position: int, start: dict[str, Any]) -> None:
        self._calls = calls
        self._position = position
        self._input = start.get("input")
        self._has_json = False

    def take(self, piece: str) -> CallDelta | None:
        self._has_json = self._has_json or bool(piece.strip())
        return self._add(piece)

    def close(self) -> CallDelta | None:
        given, self._input = self._input, None
        if self._has_json or given in (None, "", {}):
            return None
        return self._add(given)

    def block(self, calls: tuple[ToolCall, ...]) -> ToolCall:
        return calls[self._position]

    def _add(self, arguments: Any) -> CallDelta | None:
        return self._calls.add({"index": self._position, "function": {"arguments": arguments}})


class FixedPart:
    """A block that comes whole, or (without ``block``) one we have no use for."""

    kind = ""

    def __init__(self, block: Block | None = None) -> None:
        self._block = block

    def take(self, piece: str) -> StreamEvent | None:
        return None

    def close(self) -> StreamEvent | None:
        return None

    def block(self, calls: tuple[ToolCall, ...]) -> Block | None:
        return self._block


def word(wire: dict[str, Any], key: str) -> str:
    value = wire.get(key)
    return value if isinstance(value, str) else ""


if TYPE_CHECKING:
    Part = Union[TextPart, ThinkingPart, CallPart, FixedPart]
