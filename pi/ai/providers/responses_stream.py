"""The events of a streamed Responses answer.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
Kinds of events we do not know are passed over: the vendor adds some with every tool.
"""

from __future__ import annotations

from pi.ai.providers.failure import is_error, reported_failure
from pi.ai.providers.responses_answer import Answer
from pi.ai.providers.responses_items import (
    CALL,
    MESSAGE,
    REASONING,
    CallItem,
    MessageItem,
    ReasoningItem,
)
from pi.ai.providers.shared import JsonStreamDecoder
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.events import StreamEvent
    from pi.ai.providers.codec import Options
    from pi.ai.providers.responses_items import Item
    from pi.ai.types import ChatRequest

# Events with a piece: the kind of their item, and the key of the part they belong to.
_DELTAS = {
    "response.output_text.delta": (MESSAGE, ""),
    "response.refusal.delta": (MESSAGE, ""),
    "response.function_call_arguments.delta": (CALL, ""),
    "response.reasoning_summary_text.delta": (REASONING, "summary_index"),
    "response.reasoning_text.delta": (REASONING, "content_index"),
}
_ENDS = {
    "response.completed": "completed",
    "response.incomplete": "incomplete",
    "response.failed": "failed",
    "response.cancelled": "cancelled",
}
_HEADS = ("response.created", "response.queued", "response.in_progress")


class ResponsesStreamDecoder(JsonStreamDecoder):
    """Implements ``StreamDecoder``."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        super().__init__(self._answer)
        # Pieces of one item that are not yet in ``_out``.
        self._item: Item | None = None
        self._pieces: list[str] = []

    def take_object(self, chunk: dict[str, Any], name: str) -> None:
        kind = chunk.get("type")
        if not isinstance(kind, str):
            kind = name
        delta = _DELTAS.get(kind)
        if delta is not None:
            self._take_delta(chunk, kind, *delta)
        elif kind in _ENDS:
            self._take_end(chunk, _ENDS[kind])
        elif kind in ("response.output_item.added", "response.output_item.done"):
            self._take_item(chunk, kind)
        elif kind == "response.output_text.done":
            self._settle(chunk, MESSAGE, "text")
        elif kind == "response.function_call_arguments.done":
            self._settle(chunk, CALL, "arguments")
        elif kind in _HEADS:
            self._answer.take_head(chunk.get("response"))
        elif kind == "error" or is_error(chunk):
            self._answer.error = reported_failure(self._answer.target, chunk)
            self._done = True

    def _take_delta(self, chunk: dict[str, Any], event: str, kind: str, part_key: str) -> None:
        piece = chunk.get("delta")
        if not isinstance(piece, str) or not piece:
            return
        identity, place = chunk.get("item_id"), chunk.get("output_index")
        item = self._answer.find(kind, identity, place)
        if item is None:
            # Its start got lost on the way; what it says is worth having without it.
            item = self._open({"type": kind, "id": identity}, place)
        if item is None or item.done:
            return
        if isinstance(item, ReasoningItem):
            lead = item.lead_of(part_key, chunk.get(part_key))
            if lead is None:
                return
            piece = lead + piece
        elif isinstance(item, MessageItem) and event == "response.refusal.delta":
            item.is_refusal = True
        if item is not self._item:
            self.flush()
            self._item = item
        self._pieces.append(piece)

    def _take_item(self, chunk: dict[str, Any], event: str) -> None:
        wire, place = chunk.get("item"), chunk.get("output_index")
        if not isinstance(wire, dict):
            return
        if event == "response.output_item.done":
            self._emit(self._answer.close(wire, place))
            return
        self._open(wire, place)

    def _settle(self, chunk: dict[str, Any], kind: str, key: str) -> None:
        """The whole of what deltas brought before, for servers that send no deltas."""
        item = self._answer.find(kind, chunk.get("item_id"), chunk.get("output_index"))
        whole = chunk.get(key)
        if item is None or item.done:
            return
        self.flush()
        # A message may have several parts, of which this would be one: the item tells all.
        if isinstance(item, CallItem) or (isinstance(item, MessageItem) and item.is_empty):
            self._emit((item.settle(whole),))

    def _take_end(self, chunk: dict[str, Any], status: str) -> None:
        response = chunk.get("response")
        self._emit(self._answer.take_end(response if isinstance(response, dict) else {}, status))
        self._done = True

    def _open(self, wire: dict[str, Any], place: Any) -> Item | None:
        self.flush()
        item, event = self._answer.open(wire, place)
        self._emit((event,))
        return item

    def flush(self) -> None:
        """Hand on what is pending as one delta."""
        item, self._item = self._item, None
        if item is not None:
            event = item.take("".join(self._pieces))
            self._pieces.clear()
            if event is not None:
                self._out.append(event)

    def _emit(self, events: Iterable[StreamEvent | None]) -> None:
        self.flush()
        self._out.extend(event for event in events if event is not None)
