"""The events of a streamed Messages answer.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from typing import Any

from pi.ai.jsontext import decode_prefix, dump, parse
from pi.ai.providers.anthropic_answer import Answer
from pi.ai.providers.anthropic_parts import FixedPart, ThinkingPart
from pi.ai.providers.failure import broken_answer, is_error, reported_failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pi.ai.events import StreamEvent
    from pi.ai.providers.anthropic_parts import Part
    from pi.ai.providers.codec import Options
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError

# Kind of a delta: the kind of part it continues, and the key of its piece.
_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "input_json_delta": ("tool_use", "partial_json"),
}


class AnthropicStreamDecoder:
    """Implements ``StreamDecoder``."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        self._done = False
        self._out: list[StreamEvent] = []
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

    @property
    def done(self) -> bool:
        return self._done

    def feed(self, events: Sequence[ServerEvent]) -> list[StreamEvent]:
        for name, data in events:
            if self._done:
                break
            try:
                chunk, end = decode_prefix(data)
            except (ValueError, RecursionError):
                end = -1
            if end == len(data):
                self._take(chunk, name)
            else:
                self._take_odd(data, name)
        self._flush()
        out, self._out = self._out, []
        return out

    def finish(self) -> Reply:
        return self._answer.reply()

    def abort(self, error: PiError) -> Reply:
        if not self._answer.ended and self._answer.error is None:
            self._answer.error = error
        return self._answer.reply()

    def _take_odd(self, data: str, name: str) -> None:
        """Take data that is not exactly one JSON value."""
        word = data.strip()
        # Gateways end every stream with this; here it says nothing about the answer.
        if word and word != "[DONE]":
            try:
                chunk = parse(word)
            except ValueError:
                self._fail("a chunk of the stream is not JSON", data)
            else:
                self._take(chunk, name)

    def _take(self, chunk: Any, name: str) -> None:
        if not isinstance(chunk, dict):
            self._fail("a chunk of the stream is not an object", dump(chunk))
            return
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
            self._flush()
            self._part = part
        self._pieces.append(piece)

    def _take_stop(self, chunk: dict[str, Any]) -> None:
        part = self._answer.part(chunk.get("index"))
        if part is not None:
            self._flush()
            self._emit(part.close())

    def _take_message_delta(self, chunk: dict[str, Any]) -> None:
        self._answer.take_usage(chunk.get("usage"))
        delta = chunk.get("delta")
        if isinstance(delta, dict):
            self._flush()
            self._emit(self._answer.take_stop(delta))

    def _take_message_stop(self, chunk: dict[str, Any]) -> None:
        self._answer.ended = self._done = True

    def _open(self, index: Any, start: dict[str, Any]) -> Part:
        self._flush()
        part, event = self._answer.open(index, start)
        self._emit(event)
        return part

    def _flush(self) -> None:
        """Hand on what is pending as one delta."""
        if self._part is not None:
            self._emit(self._part.take("".join(self._pieces)))
            self._part = None
            self._pieces.clear()

    def _emit(self, event: StreamEvent | None) -> None:
        if event is not None:
            self._out.append(event)

    def _fail(self, what: str, quote: str) -> None:
        answer = self._answer
        answer.error = broken_answer(answer.target, "malformed-stream", what, quote)
        self._done = True
