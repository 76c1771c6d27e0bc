"""The chunks of a streamed chat completion.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from typing import Any

from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.jsontext import decode_prefix, dump, parse
from pi.ai.providers.failure import broken_answer, is_error, reported_failure
from pi.ai.providers.openai_answer import Answer, message_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.ai.events import CallDelta, StreamEvent
    from pi.ai.providers.codec import Options
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError


class OpenAiStreamDecoder:
    """Implements ``StreamDecoder``."""

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        self._done = False
        self._out: list[StreamEvent] = []
        # Not yet in ``_out``: text, thinking, or pieces of one call, never two of them.
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._call: CallDelta | None = None
        self._pieces: list[str] = []

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
        if self._done or self._answer.ended:
            self._settle()
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
        if word == "[DONE]":
            self._done = self._answer.ended = True
        elif word:
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
        answer = self._answer
        if is_error(chunk) or name == "error":
            self._take_error(chunk)
            return
        answer.take_head(chunk)
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            return
        for choice in choices:
            # We ask for one choice; a second one would be another answer's text.
            if isinstance(choice, dict) and choice.get("index") in (0, None):
                answer.take_choice(choice)
                delta = choice.get("delta")
                if isinstance(delta, dict):
                    self._take_delta(delta)

    def _take_delta(self, delta: dict[str, Any]) -> None:
        text = delta.get("content")
        if type(text) is not str or len(delta) > 1:
            text = self._take_rest(delta)
        if text:
            if self._call is not None or self._thinking:
                self._flush()
            self._text.append(text)
        fragments = delta.get("tool_calls")
        if isinstance(fragments, list):
            for fragment in fragments:
                self._take_fragment(fragment)

    def _take_rest(self, delta: dict[str, Any]) -> str:
        """Take thinking and a refusal; return the text."""
        thinking = self._answer.thinking.read(delta)
        if thinking:
            if self._call is not None or self._text:
                self._flush()
            self._thinking.append(thinking)
        if delta.get("refusal"):
            self._answer.is_refusal = True
        return message_text(delta)

    def _take_fragment(self, fragment: Any) -> None:
        call = self._answer.calls.add(fragment)
        if call is None:
            return
        if self._call is None or self._call.position != call.position:
            self._flush()
            held = self._answer.release_text()
            if held:
                self._out.append(TextDelta(held))
        self._call = call
        self._pieces.append(call.json_piece)

    def _take_error(self, chunk: dict[str, Any]) -> None:
        self._flush()
        answer = self._answer
        calls = answer.take_failed_generation(chunk)
        if calls:
            self._out += calls
        else:
            answer.error = reported_failure(answer.target, chunk)
        self._done = True

    def _flush(self) -> None:
        """Hand on what is pending as one delta."""
        if self._text:
            thinking, text = self._answer.take_text("".join(self._text))
            self._text.clear()
            self._say(thinking, text)
        elif self._thinking:
            thinking = self._answer.thinking.add("".join(self._thinking))
            self._thinking.clear()
            self._say(thinking, "")
        elif self._call is not None:
            self._out.append(self._call._replace(json_piece="".join(self._pieces)))
            self._call = None
            self._pieces.clear()

    def _settle(self) -> None:
        """The answer has ended: hand on what was held back."""
        thinking, text, calls = self._answer.settle_text()
        self._say(thinking, text)
        self._out += calls

    def _say(self, thinking: str, text: str) -> None:
        if thinking:
            self._out.append(ThinkingDelta(thinking))
        if text:
            self._out.append(TextDelta(text))

    def _fail(self, what: str, quote: str) -> None:
        answer = self._answer
        answer.error = broken_answer(answer.target, "malformed-stream", what, quote)
        self._done = True
