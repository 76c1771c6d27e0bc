"""What has arrived of one Messages answer, streamed or whole, read from any JSON."""

from __future__ import annotations

from pi.ai.providers.anthropic_parts import CallPart, FixedPart, TextPart, ThinkingPart, word
from pi.ai.providers.calls import CallCollector
from pi.ai.providers.failure import broken_answer, target_of
from pi.ai.providers.shared import token_count
from pi.ai.surrogates import repair
from pi.ai.types import Message, Origin, Reply, Text, Thinking, ToolCall, Usage
from pi.base.errors import Interrupted, TimeLimit
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.events import StreamEvent
    from pi.ai.providers.anthropic_parts import Part
    from pi.ai.providers.codec import Options
    from pi.ai.types import Block, ChatRequest
    from pi.base.errors import PiError

API = "anthropic"

_STOP_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_use",
    "pause_turn": "pause",
    "refusal": "refusal",
}


class Answer:
    """The parts of one answer in the order they were opened."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self.target = target_of(options, chat.model)
        self.origin = Origin(API, options.provider, chat.model)
        self.ended = False  # the provider said that the answer is whole
        self.error: PiError | None = None
        self._calls = CallCollector(chat.tools, chat.messages)
        self._call_count = 0
        self._parts: list[Part] = []
        self._by_index: dict[int, Part] = {}
        self._counts: dict[str, int] = {}
        self._response_id: str | None = None
        self._raw_reason: str | None = None

    def part(self, index: Any) -> Part | None:
        """The part a later piece belongs to: the last one if the server does not say."""
        if type(index) is int:
            return self._by_index.get(index)
        return self._parts[-1] if self._parts else None

    def open(self, index: Any, start: dict[str, Any]) -> tuple[Part, StreamEvent | None]:
        """Begin a part; the event is what its start already tells."""
        kind = start.get("type")
        event: StreamEvent | None = None
        part: Part = FixedPart()
        if kind == "text":
            part = TextPart()
            event = part.take(word(start, "text"))
        elif kind == "thinking":
            part = ThinkingPart(start)
            event = part.take(word(start, "thinking"))
        elif kind == "redacted_thinking" and word(start, "data"):
            vendor = {"type": "redacted_thinking", "data": repair(start["data"])}
            part = FixedPart(Thinking("", redacted=True, vendor=vendor))
        elif kind == "tool_use" and repair(word(start, "name")).strip():
            part, event = self._open_call(start)
        self._parts.append(part)
        if type(index) is int:
            self._by_index[index] = part
        return part, event

    def take_head(self, message: Any) -> None:
        """Id and first counts of a message."""
        if isinstance(message, dict):
            self._response_id = self._response_id or word(message, "id") or None
            self.take_usage(message.get("usage"))

    def take_usage(self, wire: Any) -> None:
        """Counts are totals so far: they replace earlier ones, and missing ones stay."""
        if isinstance(wire, dict):
            self._counts.update(_counts(wire))

    def take_stop(self, wire: dict[str, Any]) -> StreamEvent | None:
        """Why the model stopped. Why it refused is its text if it said nothing itself."""
        reason = word(wire, "stop_reason")
        self._raw_reason = reason or self._raw_reason
        details = wire.get("stop_details")
        words = word(details, "explanation") if isinstance(details, dict) else ""
        if reason != "refusal" or not words:
            return None
        if any(isinstance(part, TextPart) and not part.is_empty for part in self._parts):
            return None
        return self.open(None, {"type": "text", "text": words})[1]

    def reply(self) -> Reply:
        """The whole answer, or what arrived of one."""
        for part in self._parts:
            part.close()
        calls = self._calls.finish()
        found = (part.block(calls) for part in self._parts)
        blocks = tuple(block for block in found if block is not None)
        reason = self._stop_reason(blocks)
        if reason == "length":
            blocks = _without_cut_call(blocks)
        message = Message("assistant", blocks, stop_reason=reason, origin=self.origin)
        return Reply(
            message, reason, self._usage(), self._raw_reason, self.error, self._response_id
        )

    def failed(self, error: PiError) -> Reply:
        self.error = error
        return self.reply()

    def _open_call(self, start: dict[str, Any]) -> tuple[Part, StreamEvent | None]:
        # Every call gets a number of its own here: the collector then never merges two,
        # and gives them back in this order.
        part = CallPart(self._calls, self._call_count, start)
        function = {"name": start["name"], "arguments": ""}
        fragment = {"index": self._call_count, "id": start.get("id"), "function": function}
        self._call_count += 1
        return part, self._calls.add(fragment)

    def _usage(self) -> Usage:
        count = self._counts.get
        output = count("output", 0)
        reasoning = min(count("reasoning", 0), output)
        return Usage(
            count("input", 0), output, count("cache_read", 0), count("cache_write", 0), reasoning
        )

    def _stop_reason(self, blocks: tuple[Block, ...]) -> str:
        """Our word for how it ended; sets ``error`` where that is a failure."""
        if self.error is None:
            reason = self._plain_reason(blocks)
            if reason != "error":
                return reason
        return "aborted" if isinstance(self.error, (Interrupted, TimeLimit)) else "error"

    def _plain_reason(self, blocks: tuple[Block, ...]) -> str:
        raw = self._raw_reason
        if not self.ended:
            return self._broken("stream-ended-early", "the stream ended early")
        if raw is None and not blocks:
            return self._broken("empty-answer", "the answer is empty")
        known = _STOP_REASONS.get(raw or "end_turn")
        if known in ("length", "refusal"):
            return known
        if any(isinstance(block, ToolCall) for block in blocks):
            return "tool_use"
        has_text = any(isinstance(block, Text) for block in blocks)
        if known is None and not has_text:
            return self._broken("provider-error", f"the provider gave up ({raw})")
        if known == "tool_use" and not has_text:
            return self._broken("malformed-stream", "a tool was asked for without naming it")
        return "pause" if known == "pause" else "stop"

    def _broken(self, code: str, what: str) -> str:
        self.error = broken_answer(self.target, code, what)
        return "error"


def _without_cut_call(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """A call cut off before its first argument must not look like one without arguments."""
    last = blocks[-1] if blocks else None
    if isinstance(last, ToolCall) and not last.arguments and last.raw_arguments is None:
        return (*blocks[:-1], last._replace(raw_arguments=""))
    return blocks


def _counts(wire: dict[str, Any]) -> dict[str, int]:
    """The counts a usage object has, under our names."""
    created = wire.get("cache_creation")
    details = wire.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
    found = {
        "input": token_count(wire.get("input_tokens")),
        "output": token_count(wire.get("output_tokens")),
        "cache_read": token_count(wire.get("cache_read_input_tokens")),
        "cache_write": token_count(wire.get("cache_creation_input_tokens")),
        "reasoning": token_count(thinking),
    }
    if found["cache_write"] is None and isinstance(created, dict):
        parts = (created.get(f"ephemeral_{time}_input_tokens") for time in ("5m", "1h"))
        found["cache_write"] = sum(token_count(part) or 0 for part in parts)
    return {name: count for name, count in found.items() if count is not None}
