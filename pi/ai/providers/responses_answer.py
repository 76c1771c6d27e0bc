"""What has arrived of one Responses answer, streamed or whole, read from any JSON.

Events name their item by an id, by its place in the output, or by neither; gateways have
been seen to send another id with every event, and the place 0 for every item. So an item
is found by its id, else by its place, else it is the last open one of its kind.
"""

from __future__ import annotations

from pi.ai.providers.calls import CallCollector
from pi.ai.providers.failure import broken_answer, reported_failure, target_of
from pi.ai.providers.responses_items import (
    CALL,
    MESSAGE,
    REASONING,
    CallItem,
    MessageItem,
    ReasoningItem,
)
from pi.ai.providers.shared import count_in
from pi.ai.surrogates import repair
from pi.ai.types import Message, Origin, Reply, ToolCall, Usage
from pi.base.errors import Interrupted, TimeLimit
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.events import StreamEvent
    from pi.ai.providers.codec import Options
    from pi.ai.providers.responses_items import Item
    from pi.ai.types import Block, ChatRequest
    from pi.base.errors import PiError

API = "openai-responses"

_KINDS = (MESSAGE, REASONING, CALL)
_FINAL = ("completed", "incomplete", "failed", "cancelled")
_CUT = {"max_output_tokens": "length", "content_filter": "refusal"}


class Answer:
    """The items of one answer in the order they were opened."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self.target = target_of(options, chat.model)
        self.origin = Origin(API, options.provider, chat.model)
        self.ended = False  # the provider said that the answer is whole
        self.error: PiError | None = None
        self._chat = chat
        self._items: list[Item] = []
        self._by_id: dict[tuple[str, str], Item] = {}
        self._by_place: dict[tuple[str, int], Item] = {}
        self._last: dict[str, Item] = {}
        self._call_count = 0
        self._has_text = False
        self._is_cut = False
        self._response_id: str | None = None
        self._raw_reason: str | None = None
        self._usage = Usage()

    def find(self, kind: str, identity: Any, place: Any) -> Item | None:
        """The item an event is about; a closed one only if the event has its id."""
        item = self._named(kind, identity)
        if item is not None:
            return item
        is_placed = type(place) is int
        item = self._by_place.get((kind, place)) if is_placed else self._last.get(kind)
        return item if item is not None and not item.done else None

    def open(self, wire: dict[str, Any], place: Any) -> tuple[Item | None, StreamEvent | None]:
        """Begin an item; None for a kind we have no use for."""
        kind, identity = wire.get("type"), wire.get("id")
        item: Item | None = self._named(kind, identity)
        event: StreamEvent | None = None
        if item is not None and not item.done:
            item.describe(wire)  # a piece of it came before its start
            return item, None
        if kind == MESSAGE:
            item = MessageItem("\n" if self._said_something() else "")
        elif kind == REASONING:
            item = ReasoningItem()
        elif kind == CALL:
            item = CallItem(self._call_count)
            self._call_count += 1
        else:
            return None, None
        item.describe(wire)
        if isinstance(item, CallItem) and item.name:
            event = item.opened()
        self._items.append(item)
        self._last[item.kind] = item
        if isinstance(identity, str) and identity:
            self._by_id[item.kind, identity] = item
        if type(place) is int:
            self._by_place[item.kind, place] = item
        return item, event

    def close(self, wire: dict[str, Any], place: Any) -> Iterator[StreamEvent]:
        """Take a whole item, opened before or not."""
        kind = wire.get("type")
        item = self.find(kind, wire.get("id"), place) if isinstance(kind, str) else None
        if item is None or (isinstance(item, CallItem) and item.is_another(wire)):
            yield from self._take_whole(wire, place)
        elif not item.done:
            event = item.close(wire)
            if event is not None:
                yield event

    def take_head(self, response: Any) -> None:
        """Id and counts of a response object."""
        if isinstance(response, dict):
            if self._response_id is None and isinstance(response.get("id"), str):
                self._response_id = repair(response["id"])
            usage = response.get("usage")
            if isinstance(usage, dict):
                self._usage = _usage(usage)

    def take_end(self, response: dict[str, Any], status: str) -> Iterator[StreamEvent]:
        """The response object an answer ends with; a final status in it replaces ours."""
        self.take_head(response)
        output = response.get("output")
        seen = [kind for kind in _KINDS if kind in self._last]
        for place, wire in enumerate(output if isinstance(output, list) else ()):
            # Items seen before may have other ids and places here: only a kind of which
            # nothing came, and items that were never closed, are taken from this list.
            if not isinstance(wire, dict):
                continue
            if wire.get("type") not in seen:
                yield from self._take_whole(wire, place)
            elif self._named(wire["type"], wire.get("id")) is not None:
                yield from self.close(wire, place)
        given = response.get("status")
        if given in _FINAL:
            status = given
        self._raw_reason = status
        if status == "incomplete":
            details = response.get("incomplete_details")
            reason = details.get("reason") if isinstance(details, dict) else None
            if isinstance(reason, str) and reason:
                self._raw_reason = repair(reason)
        elif status != "completed":
            self._take_failure(response, status)
        self.ended = True
        self._is_cut = status == "incomplete"

    def reply(self) -> Reply:
        """The whole answer, or what arrived of one."""
        calls = self._calls()
        found = (
            calls.get(item.position) if isinstance(item, CallItem) else item.block()
            for item in self._items
        )
        blocks: tuple[Block, ...] = tuple(block for block in found if block is not None)
        reason = self._stop_reason(bool(calls))
        message = Message("assistant", blocks, stop_reason=reason, origin=self.origin)
        return Reply(message, reason, self._usage, self._raw_reason, self.error, self._response_id)

    def failed(self, error: PiError) -> Reply:
        self.error = error
        return self.reply()

    def _take_whole(self, wire: dict[str, Any], place: Any) -> Iterator[StreamEvent]:
        """Take an item of which nothing came before."""
        item, opened = self.open(wire, place)
        if item is not None:
            closed = item.close(wire)
            yield from (event for event in (opened, closed) if event is not None)

    def _named(self, kind: Any, identity: Any) -> Item | None:
        if not isinstance(kind, str) or not isinstance(identity, str) or not identity:
            return None
        return self._by_id.get((kind, identity))

    def _said_something(self) -> bool:
        last = self._last.get(MESSAGE)
        if isinstance(last, MessageItem) and not last.is_empty:
            self._has_text = True
        return self._has_text

    def _take_failure(self, response: dict[str, Any], status: str) -> None:
        failure = response.get("error")
        if failure:
            self.error = reported_failure(self.target, {"error": failure})
        else:
            what = f"the provider gave up ({status[:40]})"
            self.error = broken_answer(self.target, "provider-error", what)

    def _calls(self) -> dict[int, ToolCall]:
        """The calls by position, each with an id of its own; nameless ones are none."""
        items = [item for item in self._items if isinstance(item, CallItem) and item.name]
        collector = CallCollector(self._chat.tools, self._chat.messages)
        for place, item in enumerate(items):
            function = {"name": item.name, "arguments": item.arguments()}
            collector.add({"index": place, "id": item.call_id, "function": function})
        calls: dict[int, ToolCall] = {}
        for item, call in zip(items, collector.finish()):
            if self._is_cut and item.is_cut and call.raw_arguments is None:
                # Cut off, it must not look like a call that is complete.
                call = call._replace(arguments={}, raw_arguments=item.arguments())
            calls[item.position] = call._replace(item_id=item.item_id or None)
        return calls

    def _stop_reason(self, has_calls: bool) -> str:
        """Our word for how it ended; sets ``error`` where that is a failure."""
        if self.error is None and not self.ended:
            self.error = broken_answer(self.target, "stream-ended-early", "the stream ended early")
        if self.error is not None:
            return "aborted" if isinstance(self.error, (Interrupted, TimeLimit)) else "error"
        if self._is_cut:
            return _CUT.get(self._raw_reason or "", "length")
        if any(isinstance(item, MessageItem) and item.is_refusal for item in self._items):
            return "refusal"
        return "tool_use" if has_calls else "stop"


def _usage(wire: dict[str, Any]) -> Usage:
    """Count each token once: ``input`` without cached tokens, ``output`` with reasoning."""
    details = wire.get("input_tokens_details")
    cached, written = count_in(details, "cached_tokens"), count_in(details, "cache_write_tokens")
    fresh = max(0, count_in(wire, "input_tokens") - cached - written)
    reasoning = count_in(wire.get("output_tokens_details"), "reasoning_tokens")
    return Usage(fresh, count_in(wire, "output_tokens"), cached, written, reasoning)
