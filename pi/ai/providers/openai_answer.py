"""What has arrived of one chat completion, streamed or whole, read from any JSON."""

from __future__ import annotations

from pi.ai.jsontext import dump
from pi.ai.providers.calls import CallCollector
from pi.ai.providers.compat import compat_of
from pi.ai.providers.failure import broken_answer, target_of
from pi.ai.providers.openai_thinking import ThinkingParts
from pi.ai.providers.shared import count_in
from pi.ai.rescue_gate import CallGate
from pi.ai.surrogates import Joiner
from pi.ai.think_tags import ThinkSplitter
from pi.ai.types import Message, Origin, Reply, Text, Usage
from pi.base.errors import Interrupted, TimeLimit
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from pi.ai.events import CallDelta
    from pi.ai.providers.codec import Options
    from pi.ai.rescue import WrittenCall
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
    "tool_use_failed": "tool_use",
    "content_filter": "refusal",
    "error": "error",
}


class Answer:
    """What has arrived of one answer.

    This wire format has one content and one list of calls per message, so thinking comes
    first and text before the calls, whatever order the pieces came in; a whole body reads
    the same.
    """

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self.target = target_of(options, chat.model)
        self.origin = Origin(API, options.provider, chat.model)
        self.calls = CallCollector(chat.tools, chat.messages)
        self.thinking = ThinkingParts()
        self.ended = False  # the provider said that the answer is whole
        self.is_refusal = False
        self.finish_reason: str | None = None
        self.error: PiError | None = None
        self._chat = chat
        self._compat = compat_of(options)
        self._response_id: str | None = None
        self._usage = Usage()
        self._text: list[str] = []
        self._joiner = Joiner()
        self._split = ThinkSplitter() if self._compat.think_tags else None
        self._gate = CallGate(chat.tools) if self._compat.rescue_calls and chat.tools else None
        self._rescued = False

    def take_head(self, payload: dict[str, Any]) -> None:
        """Id and usage of a chunk or a body; a later usage replaces an earlier one."""
        if self._response_id is None and isinstance(payload.get("id"), str):
            self._response_id = payload["id"]
        self._take_usage(payload.get("usage"))
        groq = payload.get("x_groq")
        if isinstance(groq, dict):
            self._take_usage(groq.get("usage"))

    def take_choice(self, choice: dict[str, Any]) -> None:
        """Finish reason, and the usage that some servers put here."""
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self.finish_reason = reason
            self.ended = True
        self._take_usage(choice.get("usage"))

    def take_text(self, text: str) -> tuple[str, str]:
        """Add text; return the thinking and the text in it that can be shown by now.

        Halves of characters wait for each other, and what may turn out to be a written
        call waits until that is clear.
        """
        text = self._joiner.feed(text)
        thinking = ""
        if self._split is not None:
            thinking, text = self._split.feed(text)
            thinking = self.thinking.add(thinking) if thinking else ""
            if self._split.passes:
                self._split = None
        if self._gate is not None:
            text = self._gate.feed(text)
        if text:
            self._text.append(text)
        return thinking, text

    def settle_text(self) -> tuple[str, str, list[CallDelta]]:
        """No more text will come: what was held back, as thinking, text and calls.

        Calls written into the text count only in an answer that is whole and has no others.
        """
        thinking, text = "", self._joiner.finish()
        if self._split is not None:
            thinking, shown = self._split.feed(text)
            more, rest = self._split.finish()
            thinking, text = self.thinking.add(thinking + more), shown + rest
            self._split = None
        found: tuple[WrittenCall, ...] = ()
        if self._gate is not None:
            text = self._gate.feed(text)
            if self.ended and self.error is None and not self.calls:
                rest, found = self._gate.finish()
            else:
                rest = self._gate.release()
            text, self._gate = text + rest, None
        if text:
            self._text.append(text)
        return thinking, text, self._take_written(found)

    def release_text(self) -> str:
        """A native call has come: text held back was no written one."""
        text = self._gate.release() if self._gate is not None else ""
        self._gate = None
        if text:
            self._text.append(text)
        return text

    def take_failed_generation(self, payload: Any) -> list[CallDelta]:
        """Groq refuses what its model wrote as a call: hand it on, for the model to mend.

        Once: when the last answer was such a case already, nothing is taken.
        """
        from pi.ai.providers.openai_notes import failed_calls  # only after an error

        calls = failed_calls(payload, self._chat)
        if not calls or self.calls:
            return []
        self.ended, self.finish_reason = True, "tool_use_failed"
        return self._take_written(calls)

    def reply(self) -> Reply:
        """The whole answer, or what arrived of one."""
        self.settle_text()
        text = "".join(self._text)
        calls = self.calls.finish()
        if self._rescued:
            calls = tuple(call._replace(rescued=True) for call in calls)
        reason = self._stop_reason(text, calls)
        texts: tuple[Block, ...] = (Text(text),) if text.strip() else ()
        blocks = (*self.thinking.block(), *texts, *calls)
        message = Message("assistant", blocks, stop_reason=reason, origin=self.origin)
        return Reply(
            message,
            reason,
            self._usage,
            self.finish_reason,
            self.error,
            self._response_id,
            self._warnings(),
        )

    def failed(self, error: PiError) -> Reply:
        self.error = error
        return self.reply()

    def _warnings(self) -> tuple[str, ...]:
        if not self._compat.silent_context or self.error is not None:
            return ()
        from pi.ai.providers.openai_notes import context_warnings  # few servers need it

        return context_warnings(self._chat, self._usage, self.finish_reason, self.target)

    def _take_written(self, written: Iterable[WrittenCall]) -> list[CallDelta]:
        deltas = []
        for position, call in enumerate(written):
            function = {"name": call.name, "arguments": call.arguments}
            delta = self.calls.add({"index": position, "function": function})
            if delta is not None:
                deltas.append(delta)
        self._rescued = self._rescued or bool(deltas)
        return deltas

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
        if raw is None and not text and not calls and not self.thinking:
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
    prompt, completion = count_in(wire, "prompt_tokens"), count_in(wire, "completion_tokens")
    details = wire.get("prompt_tokens_details")
    # Moonshot and DeepSeek have names of their own for it, beside the count.
    cached = (
        count_in(details, "cached_tokens")
        or count_in(wire, "cached_tokens")
        or count_in(wire, "prompt_cache_hit_tokens")
    )
    written = count_in(details, "cache_write_tokens")
    reasoning = count_in(wire.get("completion_tokens_details"), "reasoning_tokens")
    output = completion
    # xAI counts reasoning beside the completion, OpenAI inside it; the total tells.
    if reasoning and count_in(wire, "total_tokens") == prompt + completion + reasoning:
        output += reasoning
    return Usage(max(0, prompt - cached - written), output, cached, written, reasoning)
