"""What a wire format is to the client. Codecs are pure: bytes and values in, values out.

A codec never raises for what a provider sent: a failure is a ``Reply`` with ``error`` and
whatever had arrived, or the ``PiError`` that ``decode_error`` returns. No error text holds
a key or another header value of ``Options``.

Codes of those errors: "provider-overloaded" (may pass), "quota-exhausted" (will not),
"provider-error", "stream-ended-early", "malformed-stream", "malformed-answer",
"empty-answer", "malformed-call", "context-overflow", "http-<status>", and ``KeyRefused``'s.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from pi.ai.events import StreamEvent
    from pi.ai.sse import ServerEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.errors import PiError
    from pi.base.http import Request


class Traits(NamedTuple):
    """What is known of a model, from the catalog. None, "" and () mean unknown."""

    context_window: int | None = None
    max_output_tokens: int | None = None
    supports_images: bool | None = None
    supports_reasoning: bool | None = None
    thinking_style: str = ""  # how reasoning is asked for, see the catalog
    thinking_levels: tuple[str, ...] = ()
    thinking_can_disable: bool = True
    temperature_allowed: bool | None = None


class Options(NamedTuple):
    """How to reach a provider and what to ask of it. Holds a credential: never print it.

    ``provider`` is the alias, for messages and origins. An empty ``api_key`` sends no
    credential. ``extra_headers`` replace our own of the same name. ``thinking`` is "",
    "off", "minimal", "low", "medium", "high", "xhigh" or "max"; codecs clamp it to what
    the model has. ``cache_retention`` is "none", "short" or "long". ``conversation`` is a
    stable id of the conversation for vendors' caches. ``without`` names parameters this
    server refused before (see ``Codec.adapt``). ``compat`` are flags of compatible
    servers, see the provider table.
    """

    base_url: str
    api_key: str = ""
    timeout_ms: int = 120_000
    extra_headers: tuple[tuple[str, str], ...] = ()
    stream: bool = True
    provider: str = "openai"
    include_usage: bool = True  # ask for token counts on a stream
    traits: Traits = Traits()
    thinking: str = ""
    cache_retention: str = "short"
    conversation: str = ""
    azure_api_version: str = ""
    without: frozenset[str] = frozenset()
    compat: Mapping[str, Any] = {}


class Change(NamedTuple):
    """How to send a refused request again: other options, or another wire format.

    ``api`` is "" or a key of ``pi.ai.providers.CODECS``.
    """

    options: Options
    api: str = ""


class StreamDecoder(Protocol):
    """Turns the events of one streamed answer into our events and one Reply."""

    @property
    def done(self) -> bool:
        """True when nothing that matters can follow: stop reading."""

    def feed(self, events: Sequence[ServerEvent]) -> list[StreamEvent]:
        """Take the events of one read. Text of one read comes as one delta."""

    def finish(self) -> Reply:
        """The stream ended. Without a terminal marker that is an error reply."""

    def abort(self, error: PiError) -> Reply:
        """The transport failed or the run was cancelled: what arrived, marked so.

        An answer whose terminal marker was seen is whole and stays good.
        """


class Codec(Protocol):
    @property
    def api(self) -> str:
        """The wire format's name, as in ``Origin.api``."""

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        """The HTTP request. ``chat.messages`` must have gone through ``prepare``."""

    def decode(self, body: bytes, chat: ChatRequest, options: Options) -> Reply:
        """A whole body of a 2xx answer, also one that should have been a stream."""

    def decoder(self, chat: ChatRequest, options: Options) -> StreamDecoder: ...

    def salvage(self, body: bytes, chat: ChatRequest, options: Options) -> Reply | None:
        """The answer inside the body of a 4xx, where a server reports one as a failure."""

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        """What to change after a refusal (4xx, or 500) that names something we added, or None.

        Exactly one thing is removed or renamed. The client sends the request once more and
        keeps the change for the rest of the process.
        """

    def decode_error(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        chat: ChatRequest,
        options: Options,
    ) -> PiError:
        """The failure behind a status that is not 2xx. Header names in lower case."""
