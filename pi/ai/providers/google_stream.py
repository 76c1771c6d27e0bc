"""The events of a streamed Gemini answer; each is a piece shaped like a whole answer.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.providers.failure import is_error, reported_failure
from pi.ai.providers.google_answer import Answer
from pi.ai.providers.google_contents import signature_of
from pi.ai.providers.shared import JsonStreamDecoder
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest, Reply


class GoogleStreamDecoder(JsonStreamDecoder):
    """Implements ``StreamDecoder``.

    There is no end marker after the finish reason, and token counts may come later still,
    so only a failure ends the reading before the stream does.
    """

    end_mark_stops = True

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        super().__init__(self._answer)
        self._text: list[str] = []  # not yet in ``_out``, all of one kind
        self._thought = False

    def take_whole(self, payload: dict[str, Any] | list[Any]) -> Reply:
        """Take a body that is the whole answer, or a list of all its pieces."""
        for piece in payload if isinstance(payload, list) else [payload]:
            if not self._done:
                self.take(piece, "message")
        self.flush()
        self._answer.ended = True
        return self._answer.reply()

    def take(self, chunk: Any, name: str) -> None:
        """Take one piece. One that reports an error may be wrapped in a list."""
        super().take(chunk[0] if isinstance(chunk, list) and len(chunk) == 1 else chunk, name)

    def take_object(self, chunk: dict[str, Any], name: str) -> None:
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

    def _take_part(self, part: dict[str, Any]) -> None:
        text = part.get("text")
        if type(text) is str:
            thought = part.get("thought") is True
            if thought is not self._thought:
                self.flush()
                self._thought = thought
            signature = signature_of(part) if "thoughtSignature" in part else None
            if signature is None:
                self._text.append(text)
                return
            self.flush()
            self._show(self._answer.take_signed(text, thought, signature))
        elif isinstance(part.get("functionCall"), dict):
            self.flush()
            delta = self._answer.take_call(part)
            if delta is not None:
                self._out.append(delta)

    def flush(self) -> None:
        """Hand on what is pending as one delta."""
        if self._text:
            text = "".join(self._text)
            self._text.clear()
            self._show(self._answer.take_text(text, self._thought))

    def _show(self, text: str) -> None:
        if text:
            self._out.append(ThinkingDelta(text) if self._thought else TextDelta(text))
