"""What has arrived of one Gemini answer, read from any JSON.

Parts keep their order. Unsigned pieces of one text are one block; a signed part is never
merged with another; ``google_contents.mark`` keeps apart what one text block holds.
"""

from __future__ import annotations

from pi.ai.providers.calls import CallCollector
from pi.ai.providers.failure import broken_answer, target_of
from pi.ai.providers.google_contents import mark, signature_of
from pi.ai.providers.shared import count_in
from pi.ai.surrogates import Joiner
from pi.ai.types import Message, Origin, Reply, Text, Thinking, Usage
from pi.base.errors import Interrupted, TimeLimit
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.events import CallDelta
    from pi.ai.providers.codec import Options
    from pi.ai.types import Block, ChatRequest
    from pi.base.errors import PiError

API = "google"

_REFUSALS = {
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MODEL_ARMOR",
    "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION",
}
# Reasons for giving up, and the code of the failure: a call that was written wrongly may
# come out right when the same request is sent once more.
_FAILURES = {
    "MALFORMED_FUNCTION_CALL": "malformed-call",
    "UNEXPECTED_TOOL_CALL": "provider-error",
    "TOO_MANY_TOOL_CALLS": "provider-error",
    "MISSING_THOUGHT_SIGNATURE": "provider-error",
    "MALFORMED_RESPONSE": "provider-error",
    "OTHER": "provider-error",
}


class _Run:
    """Text or thinking, from one part or from unsigned parts in a row."""

    __slots__ = ("joiner", "pieces", "signature", "size", "thought")

    def __init__(self, thought: bool) -> None:
        self.thought = thought
        self.pieces: list[str] = []
        self.size = 0
        self.joiner = Joiner()
        self.signature: str | None = None

    def add(self, text: str) -> str:
        text = self.joiner.feed(text)
        if text:
            self.pieces.append(text)
            self.size += len(text)
        return text

    def block(self) -> Text | Thinking | None:
        text = "".join(self.pieces) + self.joiner.finish()
        if not text.strip() and self.signature is None:
            return None
        return (Thinking if self.thought else Text)(text, self.signature)


class _Call:
    """The place of a call among the blocks, and what goes back with it."""

    __slots__ = ("item_id", "signature")

    def __init__(self, item_id: str | None, signature: str | None) -> None:
        self.item_id = item_id
        self.signature = signature


class Answer:
    """What has arrived of one answer."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self.target = target_of(options, chat.model)
        self.origin = Origin(API, options.provider, chat.model)
        self.ended = False  # the provider said that the answer is whole
        self.error: PiError | None = None
        self._after_results = bool(chat.messages) and chat.messages[-1].role == "tool"
        self._calls = CallCollector(chat.tools, chat.messages)
        self._call_count = 0
        self._entries: list[_Run | _Call] = []
        self._finish_reason: str | None = None
        self._finish_message = ""
        self._blocked = False
        self._response_id: str | None = None
        self._usage: dict[str, Any] = {}

    def take_head(self, payload: dict[str, Any]) -> None:
        """Id, token counts, and a refusal to look at the prompt."""
        if self._response_id is None and isinstance(payload.get("responseId"), str):
            self._response_id = payload["responseId"]
        usage = payload.get("usageMetadata")
        if isinstance(usage, dict):
            self._usage.update(usage)  # later chunks leave out what did not change
        feedback = payload.get("promptFeedback")
        if isinstance(feedback, dict):
            reason = feedback.get("blockReason")
            if isinstance(reason, str) and reason:
                self._blocked = self.ended = True
                self._finish_reason = reason

    def take_finish(self, candidate: dict[str, Any]) -> None:
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason:
            self._finish_reason = reason
            self.ended = True
        message = candidate.get("finishMessage")
        if isinstance(message, str):
            self._finish_message = message

    def take_text(self, text: str, thought: bool) -> str:
        """Add unsigned text; return it as far as it can be shown."""
        return self._open(thought).add(text) if text else ""

    def take_signed(self, text: str, thought: bool, signature: str) -> str:
        """Add a signed part; return what can be shown of it."""
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Run) and not (thought or last.thought) and last.signature is None:
            run = last
        else:
            run = _Run(thought)
            self._entries.append(run)
        offset = run.size
        shown = run.add(text)
        run.signature = mark(offset, signature)
        return shown

    def take_call(self, part: dict[str, Any]) -> CallDelta | None:
        """Add a call; calls come whole, so its delta is the whole call."""
        call = part["functionCall"]
        name = call.get("name")
        if not isinstance(name, str) or not name.strip():
            return None
        wire_id = call.get("id")
        function = {"name": name, "arguments": call.get("args")}
        delta = self._calls.add({"index": self._call_count, "id": wire_id, "function": function})
        self._call_count += 1
        item_id = wire_id if isinstance(wire_id, str) and wire_id else None
        self._entries.append(_Call(item_id, signature_of(part)))
        return delta

    def reply(self) -> Reply:
        """The whole answer, or what arrived of one."""
        calls = iter(self._calls.finish())
        blocks: list[Block] = []
        for entry in self._entries:
            if isinstance(entry, _Call):
                call = next(calls)
                blocks.append(call._replace(signature=entry.signature, item_id=entry.item_id))
            else:
                block = entry.block()
                if block is not None:
                    blocks.append(block)
        reason = self._stop_reason(blocks)
        message = Message("assistant", tuple(blocks), stop_reason=reason, origin=self.origin)
        usage = read_usage(self._usage)
        return Reply(message, reason, usage, self._finish_reason, self.error, self._response_id)

    def failed(self, error: PiError) -> Reply:
        self.error = error
        return self.reply()

    def _open(self, thought: bool) -> _Run:
        last = self._entries[-1] if self._entries else None
        if isinstance(last, _Run) and last.thought == thought and last.signature is None:
            return last
        run = _Run(thought)
        self._entries.append(run)
        return run

    def _stop_reason(self, blocks: list[Block]) -> str:
        """Our word for how it ended; sets ``error`` where that is a failure."""
        if self.error is None:
            reason = self._plain_reason(blocks)
            if reason != "error":
                return reason
        return "aborted" if isinstance(self.error, (Interrupted, TimeLimit)) else "error"

    def _plain_reason(self, blocks: list[Block]) -> str:
        raw = self._finish_reason
        if not self.ended:
            return self._broken("stream-ended-early", "the stream ended early")
        if self._blocked or raw in _REFUSALS:
            return "refusal"
        if raw in _FAILURES:
            return self._broken(_FAILURES[raw], f"the provider gave up ({raw})")
        if raw == "MAX_TOKENS":
            return "length"
        if self._call_count:
            return "tool_use"
        # After tool results a model may have nothing to add.
        if not blocks and not (raw == "STOP" and self._after_results):
            return self._broken("empty-answer", f"the answer is empty ({raw or 'no reason given'})")
        return "stop"

    def _broken(self, code: str, what: str) -> str:
        self.error = broken_answer(self.target, code, what, self._finish_message)
        return "error"


def read_usage(wire: dict[str, Any]) -> Usage:
    """Count each token once: ``input`` without cached tokens, ``output`` with thoughts."""
    prompt = count_in(wire, "promptTokenCount") + count_in(wire, "toolUsePromptTokenCount")
    cached = count_in(wire, "cachedContentTokenCount")
    thoughts = count_in(wire, "thoughtsTokenCount")
    output = count_in(wire, "candidatesTokenCount") + thoughts
    return Usage(max(0, prompt - cached), output, cached, 0, thoughts)
