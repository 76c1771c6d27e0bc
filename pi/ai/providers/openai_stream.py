"""The chunks of a streamed chat completion.

Whatever JSON a server sends is either taken or reported in the reply; nothing raises.
"""

from __future__ import annotations

from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.providers.failure import is_error, reported_failure
from pi.ai.providers.openai_answer import Answer, message_text
from pi.ai.providers.shared import JsonStreamDecoder
from pi.base.typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.ai.events import CallDelta
    from pi.ai.providers.codec import Options
    from pi.ai.types import ChatRequest


class OpenAiStreamDecoder(JsonStreamDecoder):
    """Implements ``StreamDecoder``."""

    end_mark_stops = True
    end_mark_is_whole = True

    def __init__(self, chat: ChatRequest, options: Options) -> None:
        self._answer = Answer(chat, options)
        super().__init__(self._answer)
        # Not yet in ``_out``: text, thinking, or pieces of one call, never two of them.
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._call: CallDelta | None = None
        self._pieces: list[str] = []

    def take_object(self, chunk: dict[str, Any], name: str) -> None:
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

    def flush(self) -> None:
        self._flush()
        if self._done or self._answer.ended:
            self._settle()

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
