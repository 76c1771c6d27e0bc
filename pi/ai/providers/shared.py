"""What every wire format does the same way: JSON events, whole bodies, refusals, counts."""

from __future__ import annotations

from abc import ABC, abstractmethod

from pi.ai.jsontext import decode_prefix, dump, parse
from pi.ai.providers.failure import broken_answer, http_failure, target_of
from pi.ai.sse import SseDecoder
from pi.base.typing import Any, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.ai.events import StreamEvent
    from pi.ai.providers.codec import Options, StreamDecoder
    from pi.ai.providers.failure import Target
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError

LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")  # of thinking, lowest first
END_MARK = "[DONE]"


class Answering(Protocol):
    """What has arrived of one answer, as a stream decoder fills it."""

    ended: bool  # the provider said that the answer is whole
    error: PiError | None
    target: Target

    def reply(self) -> Reply: ...


class JsonStreamDecoder(ABC):
    """A ``StreamDecoder`` for streams whose events are JSON objects.

    A format's own decoder takes each object in ``take_object`` and hands over in ``flush``
    what it held back to join. Whatever JSON a server sends is taken or reported in the
    reply; nothing raises.
    """

    # "[DONE]" is one vendor's; gateways end every stream with it, whatever the format.
    end_mark_stops = False  # whether nothing can follow it
    end_mark_is_whole = False  # whether it says that the answer is whole

    def __init__(self, answer: Answering) -> None:
        self._answering = answer
        self._done = False
        self._out: list[StreamEvent] = []

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
        self.flush()
        out, self._out = self._out, []
        return out

    def finish(self) -> Reply:
        return self._answering.reply()

    def abort(self, error: PiError) -> Reply:
        if not self._answering.ended and self._answering.error is None:
            self._answering.error = error
        return self._answering.reply()

    def take(self, chunk: Any, name: str) -> None:
        """Take one JSON value, whatever it is."""
        if isinstance(chunk, dict):
            self.take_object(chunk, name)
        else:
            self.fail("a chunk of the stream is not an object", dump(chunk))

    @abstractmethod
    def take_object(self, chunk: dict[str, Any], name: str) -> None:
        """Take one object; ``name`` is the event's."""

    @abstractmethod
    def flush(self) -> None:
        """The events of one read are taken: put what is held back into ``_out``."""

    def fail(self, what: str, quote: str) -> None:
        """The stream cannot be understood: it ends here, ``quote`` says why."""
        target = self._answering.target
        self._answering.error = broken_answer(target, "malformed-stream", what, quote)
        self._done = True

    def _take_odd(self, data: str, name: str) -> None:
        """Take data that is not exactly one JSON value."""
        word = data.strip()
        if word == END_MARK:
            self._done = self.end_mark_stops
            self._answering.ended = self._answering.ended or self.end_mark_is_whole
        elif word:
            try:
                chunk = parse(word)
            except ValueError:
                self.fail("a chunk of the stream is not JSON", data)
            else:
                self.take(chunk, name)


class JsonCodec(ABC):
    """The part of a ``Codec`` that no format does its own way."""

    @abstractmethod
    def decoder(self, chat: ChatRequest, options: Options) -> StreamDecoder:
        """What takes a streamed answer."""

    def salvage(self, body: bytes, chat: ChatRequest, options: Options) -> Reply | None:
        """The answer inside the body of a 4xx: few servers hide one there."""
        return None

    def decode_error(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        chat: ChatRequest,
        options: Options,
    ) -> PiError:
        return http_failure(target_of(options, chat.model), status, headers, body)

    def decode_stream(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        """An event stream that came under another content type."""
        decoder, sse = self.decoder(chat, options), SseDecoder()
        decoder.feed(sse.feed(body))
        decoder.feed(sse.finish())
        return decoder.finish()


def body_text(body: bytes) -> str:
    """A body as text, whatever its bytes, without what may stand before its JSON."""
    return body.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")


def is_stream_text(text: str) -> bool:
    """Whether a body is an event stream, whatever its content type said."""
    return text.startswith(("data:", "event:", ":"))


def not_json(text: str) -> str:
    """The words for a body that is no JSON."""
    return "the answer is not JSON" if text else "the answer is empty"


def token_count(value: Any) -> int | None:
    """A number of tokens as a server may send it; None if it is none."""
    if type(value) is float and value.is_integer():
        value = int(value)
    return max(0, value) if type(value) is int else None


def count_in(wire: Any, key: str) -> int:
    """The number of tokens under ``key``, 0 if there is none."""
    return (token_count(wire.get(key)) if isinstance(wire, dict) else None) or 0


def nearest(wanted: str, allowed: Sequence[str], default: Sequence[str] = LEVELS) -> str:
    """The allowed thinking level closest to ``wanted``, the lower of two; "" if there is none.

    "off" is below all levels. Where ``allowed`` names no level we know, ``default`` holds.
    """
    known = [level for level in LEVELS if level in allowed] or list(default)
    place = LEVELS.index(wanted) if wanted in LEVELS else -1
    return min(known, key=lambda level: abs(LEVELS.index(level) - place), default="")
