"""The events of a streamed Messages answer.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from pi.ai.providers.anthropic_answer import Answer
from pi.ai.providers.anthropic_parts import FixedPart, ThinkingPart
from pi.ai.providers.failure import is_error, reported_failure
from pi.ai.providers.shared import JsonStreamDecoder
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from pi.ai.events import StreamEvent
    from pi.ai.providers.anthropic_parts import Part
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest

# Kind of a delta: the kind of part it continues, and the key of its piece.
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool_use", "partial_json"),
}


class AnthropicStreamDecoder(JsonStreamDecoder):
    """Implements ``StreamDecoder``."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        super().__init__(self._answer)
        # Pieces of one part, not yet in ``_out``.
        self._part: Part | None = None
        self._pieces: list[str] = []
        self._takers: dict[str, Callable[[dict[str, Any]], None]] = {
            "message_start": self._take_message_start,
            "content_block_start": self._take_start,
            "content_block_delta": self._take_delta,
            "content_block_stop": self._take_stop,
            "message_delta": self._take_message_delta,
            "message_stop": self._take_message_stop,
            "error": self._take_error,
        }

    def take_object(self, chunk: dict[str, Any], name: str) -> None:
        kind = chunk.get("type")
        take = self._takers.get(kind if isinstance(kind, str) else name)
        if take is not None:
            take(chunk)
        elif name == "error" or is_error(chunk):
            self._take_error(chunk)

    def _take_error(self, chunk: dict[str, Any]) -> None:
        self._answer.error = reported_failure(self._answer.target, chunk)
        self._done = True

    def _take_message_start(self, chunk: dict[str, Any]) -> None:
        self._answer.take_head(chunk.get("message"))

    def _take_start(self, chunk: dict[str, Any]) -> None:
        start = chunk.get("content_block")
        if isinstance(start, dict):
            self._open(chunk.get("index"), start)

    def _take_delta(self, chunk: dict[str, Any]) -> None:
        delta = chunk.get("delta")
        if not isinstance(delta, dict):
            return
        index = chunk.get("index")
        part = self._answer.part(index)
        kind = delta.get("type")
        row = _DELTAS.get(kind) if isinstance(kind, str) else None
        if row is None:
            signature = delta.get("signature")
            if isinstance(part, ThinkingPart) and isinstance(signature, str):
                part.sign(signature)
            return
        wanted, key = row
        piece = delta.get(key)
        if not isinstance(piece, str) or not piece:
            return
        if part is None or part.kind != wanted:
            if isinstance(part, FixedPart) or wanted == "tool_use":
                return
            # The start got lost on the way; words are worth having without it.
            part = self._open(index, {"type": wanted})
        if part is not self._part:
            self.flush()
            self._part = part
        self._pieces.append(piece)

    def _take_stop(self, chunk: dict[str, Any]) -> None:
        part = self._answer.part(chunk.get("index"))
        if part is not None:
            self.flush()
            self._emit(part.close())

    def _take_message_delta(self, chunk: dict[str, Any]) -> None:
        self._answer.take_usage(chunk.get("usage"))
        delta = chunk.get("delta")
        if isinstance(delta, dict):
            self.flush()
            self._emit(self._answer.take_stop(delta))

    def _take_message_stop(self, chunk: dict[str, Any]) -> None:
        self._answer.ended = self._done = True

    def _open(self, index: Any, start: dict[str, Any]) -> Part:
        self.flush()
        part, event = self._answer.open(index, start)
        self._emit(event)
        return part

    def flush(self) -> None:
        """Hand on what is pending as one delta."""
        if self._part is not None:
            self._emit(self._part.take("".join(self._pieces)))
            self._part = None
            self._pieces.clear()

    def _emit(self, event: StreamEvent | None) -> None:
        if event is not None:
            self._out.append(event)
