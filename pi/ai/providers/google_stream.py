"""The events of a streamed Gemini answer; each is a piece shaped like a whole answer.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from typing import Any

from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.jsontext import decode_prefix, dump, parse
from pi.ai.providers.failure import broken_answer, is_error, reported_failure
from pi.ai.providers.google_answer import Answer
from pi.ai.providers.google_contents import signature_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from pi.ai.events import StreamEvent
    from pi.ai.providers.codec import Options
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError


class GoogleStreamDecoder:
    """Implements ``StreamDecoder``.

    There is no end marker after the finish reason, and token counts may come later still,
    so only a failure ends the reading before the stream does.
    """

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        self._done = False
        self._out: list[StreamEvent] = []
        self._text: list[str] = []  # not yet in ``_out``, all of one kind
        self._thought = False

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
                self.take(chunk, name)
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

    def take_whole(self, payload: dict[str, Any] | list[Any]) -> Reply:
        """Take a body that is the whole answer, or a list of all its pieces."""
        for piece in payload if isinstance(payload, list) else [payload]:
            if not self._done:
                self.take(piece)
        self._flush()
        self._answer.ended = True
        return self._answer.reply()

    def take(self, chunk: Any, name: str = "message") -> None:
        """Take one piece. One that reports an error may be wrapped in a list."""
        if isinstance(chunk, list) and len(chunk) == 1:
            chunk = chunk[0]
        if not isinstance(chunk, dict):
            self._fail("a chunk of the stream is not an object", dump(chunk))
            return
        answer = self._answer
        if is_error(chunk) or name == "error":
            answer.error = reported_failure(answer.target, chunk)
            self._done = True
            return
        answer.take_head(chunk)
        candidates = chunk.get("candidates")
        candidate = candidates[0] if isinstance(candidates, list) and candidates else None
        # We ask for one candidate; a second one would be another answer's text.
        if isinstance(candidate, dict) and candidate.get("index") in (0, None):
            content = candidate.get("content")
            parts = content.get("parts") if isinstance(content, dict) else None
            for part in parts if isinstance(parts, list) else ():
                if isinstance(part, dict):
                    self._take_part(part)
            answer.take_finish(candidate)

    def _take_odd(self, data: str, name: str) -> None:
        """Take data that is not exactly one JSON value."""
        word = data.strip()
        if word == "[DONE]":  # of gateways; the vendor sends none
            self._done = True
        elif word:
            try:
                chunk = parse(word)
            except ValueError:
                self._fail("a chunk of the stream is not JSON", data)
            else:
                self.take(chunk, name)

    def _take_part(self, part: dict[str, Any]) -> None:
        text = part.get("text")
        if type(text) is str:
            thought = part.get("thought") is True
            if thought is not self._thought:
                self._flush()
                self._thought = thought
            signature = signature_of(part) if "thoughtSignature" in part else None
            if signature is None:
                self._text.append(text)
                return
            self._flush()
            self._show(self._answer.take_signed(text, thought, signature))
        elif isinstance(part.get("functionCall"), dict):
            self._flush()
            delta = self._answer.take_call(part)
            if delta is not None:
                self._out.append(delta)

    def _flush(self) -> None:
        """Hand on what is pending as one delta."""
        if self._text:
            text = "".join(self._text)
            self._text.clear()
            self._show(self._answer.take_text(text, self._thought))

    def _show(self, text: str) -> None:
        if text:
            self._out.append(ThinkingDelta(text) if self._thought else TextDelta(text))

    def _fail(self, what: str, quote: str) -> None:
        answer = self._answer
        answer.error = broken_answer(answer.target, "malformed-stream", what, quote)
        self._done = True
