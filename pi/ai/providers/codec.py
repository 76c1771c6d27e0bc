"""What a wire format is to the client. Codecs are pure: bytes and values in, values out.

A codec never raises for what a provider sent: a failure is a ``Reply`` with ``error`` and
whatever had arrived, or the ``PiError`` that ``decode_error`` returns. No error text holds
a key or another header value of ``Options``.

Codes of those errors: "provider-overloaded" (may pass), "quota-exhausted" (will not),
"provider-error", "stream-ended-early", "malformed-stream", "malformed-answer",
"empty-answer", "http-<status>", and ``KeyRefused``'s.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pi.ai.events import StreamEvent
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError
    from pi.base.http import Request


class Options(NamedTuple):
    """How to reach a provider. Holds a credential: never print it.

    ``provider`` is the alias, for messages and origins. An empty ``api_key`` sends no
    credential. ``extra_headers`` replace our own of the same name.
    """

    base_url: str
    api_key: str = ""
    timeout_ms: int = 120_000
    extra_headers: tuple[tuple[str, str], ...] = ()
    stream: bool = True
    provider: str = "openai"
    include_usage: bool = True  # ask for token counts on a stream


class StreamDecoder(Protocol):
    """Turns the events of one streamed answer into our events and one Reply."""

    @property
    def done(self) -> bool:
        """True when nothing that matters can follow: stop reading."""
        ...

    def feed(self, events: Sequence[ServerEvent]) -> list[StreamEvent]:
        """Take the events of one read. Text of one read comes as one delta."""
        ...

    def finish(self) -> Reply:
        """The stream ended. Without a terminal marker that is an error reply."""
        ...

    def abort(self, error: PiError) -> Reply:
        """The transport failed or the run was cancelled: what arrived, marked so.

        An answer whose terminal marker was seen is whole and stays good.
        """
        ...


class Codec(Protocol):
    @property
    def api(self) -> str:
        """The wire format's name, as in ``Origin.api``."""
        ...

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        """The HTTP request. ``chat.messages`` must have gone through ``prepare``."""
        ...

    def decode(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        """A whole body of a 2xx answer, also one that should have been a stream."""
        ...

    def decoder(self, chat: ChatRequest, options: Options) -> StreamDecoder: ...

    def decode_error(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        chat: ChatRequest,
        options: Options,
    ) -> PiError:
        """The failure behind a status that is not 2xx. Header names in lower case."""
        ...
