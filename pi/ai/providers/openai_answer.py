"""What has arrived of one chat completion, streamed or whole, read from any JSON."""

from __future__ import annotations

from typing import Any

from pi.ai.jsontext import dump
from pi.ai.providers.calls import CallCollector
from pi.ai.providers.failure import broken_answer, target_of
from pi.ai.surrogates import Joiner
from pi.ai.types import Message, Origin, Reply, Text, Usage
from pi.base.errors import Interrupted, TimeLimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.types import Block, ChatRequest, ToolCall
    from pi.base.errors import PiError

API = "openai-chat"

_STOP_REASONS = {
    "stop": "stop",
    "end": "stop",
    "eos": "stop",
    "length": "length",
    "model_length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
    "error": "error",
}


class Answer:
    """What has arrived of one answer.

    This wire format has one content and one list of calls per message, so the text comes
    first whatever order the pieces came in; a whole body reads the same.
    """

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self.target = target_of(options, chat.model)
        self.origin = Origin(API, options.provider, chat.model)
        self.calls = CallCollector(chat.tools, chat.messages)
        self.ended = False  # the provider said that the answer is whole
        self.is_refusal = False
        self.finish_reason: str | None = None
        self.error: PiError | None = None
        self._response_id: str | None = None
        self._usage = Usage()
        self._text: list[str] = []
        self._joiner = Joiner()

    def take_head(self, payload: dict[str, Any]) -> None:
        """Id and usage of a chunk or a body; a later usage replaces an earlier one."""
        if self._response_id is None and isinstance(payload.get("id"), str):
            self._response_id = payload["id"]
        self._take_usage(payload.get("usage"))

    def take_choice(self, choice: dict[str, Any]) -> None:
        """Finish reason, and the usage that some servers put here."""
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = reason
            self.ended = True
        self._take_usage(choice.get("usage"))

    def take_text(self, text: str) -> str:
        """Add text; return it as far as it can be shown, halves of characters joined."""
        text = self._joiner.feed(text)
        if text:
            self._text.append(text)
        return text

    def reply(self) -> Reply:
        """The whole answer, or what arrived of one."""
        rest = self._joiner.finish()
        text = "".join(self._text) + rest
        calls = self.calls.finish()
        reason = self._stop_reason(text, calls)
        blocks: tuple[Block, ...] = (Text(text),) if text.strip() else ()
        message = Message("assistant", blocks + calls, stop_reason=reason, origin=self.origin)
        return Reply(
            message, reason, self._usage, self.finish_reason, self.error, self._response_id
        )

    def failed(self, error: PiError) -> Reply:
        self.error = error
        return self.reply()

    def _take_usage(self, wire: Any) -> None:
        if isinstance(wire, dict):
            self._usage = read_usage(wire)

    def _stop_reason(self, text: str, calls: tuple[ToolCall, ...]) -> str:
        """Our word for how it ended; sets ``error`` where that is a failure."""
        if self.error is None:
            reason = self._plain_reason(text, calls)
            if reason != "error":
                return reason
        return "aborted" if isinstance(self.error, (Interrupted, TimeLimit)) else "error"

    def _plain_reason(self, text: str, calls: tuple[ToolCall, ...]) -> str:
        raw = self.finish_reason
        if not self.ended:
            return self._broken("stream-ended-early", "the stream ended early")
        if raw is None and not text and not calls:
            return self._broken("empty-answer", "the answer is empty")
        known = _STOP_REASONS.get(raw or "stop")
        if known == "error" or (known is None and not text.strip() and not calls):
            return self._broken("provider-error", f"the provider gave up ({raw})")
        if known in ("length", "refusal"):
            return known
        if self.is_refusal:
            return "refusal"
        if calls:
            return "tool_use"
        if known == "tool_use" and not text.strip():
            return self._broken("malformed-stream", "a tool was asked for without naming it")
        return "stop"

    def _broken(self, code: str, what: str) -> str:
        self.error = broken_answer(self.target, code, what)
        return "error"


def message_text(message: dict[str, Any]) -> str:
    """The text of a delta or a message; why a model refuses is text as well."""
    content = message.get("content")
    text = content if type(content) is str else content_text(content)
    refusal = message.get("refusal")
    return text + refusal if isinstance(refusal, str) else text


def content_text(content: Any) -> str:
    """The text of a ``content`` field: a string, a list of parts, or a bare value."""
    if isinstance(content, str):
        return content
    if content is None or isinstance(content, dict):
        return ""
    if not isinstance(content, list):
        return dump(content)
    parts = [part for part in content if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def read_usage(wire: dict[str, Any]) -> Usage:
    """Count each token once: ``input`` without cached tokens, ``output`` with reasoning."""
    prompt, completion = _count(wire, "prompt_tokens"), _count(wire, "completion_tokens")
    details = wire.get("prompt_tokens_details")
    cached = _count(details, "cached_tokens")
    written = _count(details, "cache_write_tokens")
    reasoning = _count(wire.get("completion_tokens_details"), "reasoning_tokens")
    output = completion
    # xAI counts reasoning beside the completion, OpenAI inside it; the total tells.
    if reasoning and _count(wire, "total_tokens") == prompt + completion + reasoning:
        output += reasoning
    return Usage(max(0, prompt - cached - written), output, cached, written, reasoning)


def _count(wire: Any, key: str) -> int:
    value = wire.get(key) if isinstance(wire, dict) else None
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and value > 0 else 0
