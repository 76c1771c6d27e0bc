"""The conversation, the same for every provider. Wire names live in the codecs.

All values are tuples (see docs/architecture.md for why not dataclasses). Two kinds with
equal fields compare equal, so code tells kinds apart with ``isinstance``, never by ``==``.
"""

from __future__ import annotations

from pi.base.typing import Any, NamedTuple, Union

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from pi.base.errors import PiError


class Text(NamedTuple):
    """Words. ``signature`` is what the vendor wants back with them, opaque to the rest."""

    text: str
    signature: str | None = None


class Thinking(NamedTuple):
    """Reasoning of the model, kept for replay to the model that produced it.

    ``redacted`` thinking has no readable text. ``vendor`` is the original item where the
    vendor wants it back verbatim.
    """

    text: str
    signature: str | None = None
    redacted: bool = False
    vendor: Mapping[str, Any] | None = None


class Image(NamedTuple):
    """A picture in a user or tool message; ``data`` is base64."""

    mime: str
    data: str


class ToolCall(NamedTuple):
    """A request of the model to run a tool.

    ``raw_arguments`` is set only when what the model sent is not a JSON object; such a
    call is never run, and ``arguments`` is empty. ``signature`` and ``item_id`` are what
    a vendor wants back with the call; ``rescued`` says that it was written as text and
    recognised.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    raw_arguments: str | None = None
    signature: str | None = None
    item_id: str | None = None
    rescued: bool = False


Block = Union[Text, Thinking, Image, ToolCall]


class Origin(NamedTuple):
    """Who produced an assistant message: wire format, provider alias, model id."""

    api: str
    provider: str
    model: str


class Message(NamedTuple):
    """One message of the conversation.

    ``role`` is "system", "user", "assistant" or "tool". A tool message always has
    ``tool_call_id``; no other message has one. ``stop_reason`` and ``origin`` are set on
    assistant messages only (see ``Reply`` for the values of the first).
    """

    role: str
    blocks: tuple[Block, ...]
    tool_call_id: str | None = None
    tool_name: str | None = None
    is_error: bool = False
    stop_reason: str = ""
    origin: Origin | None = None

    def text(self) -> str:
        """The text blocks joined with a newline."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, Text))

    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple(block for block in self.blocks if isinstance(block, ToolCall))


def user_message(text: str) -> Message:
    return Message("user", (Text(text),))


def tool_message(call: ToolCall, text: str, is_error: bool = False) -> Message:
    """The answer to ``call`` as the model will read it."""
    return Message("tool", (Text(text),), call.id, call.name, is_error)


class ToolDefinition(NamedTuple):
    """A tool as the model sees it; ``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


class Usage(NamedTuple):
    """Tokens of one request, each counted once.

    ``input`` excludes what was read from or written to a prompt cache; ``output``
    includes ``reasoning``.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def plus(self, other: Usage) -> Usage:
        return Usage(*(mine + theirs for mine, theirs in zip(self, other)))


class ChatRequest(NamedTuple):
    """What every provider can express. ``system`` is not part of ``messages``."""

    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[ToolDefinition, ...] = ()
    max_tokens: int | None = None
    temperature: float | None = None


class Reply(NamedTuple):
    """A whole answer, or what arrived of one.

    ``stop_reason`` is "stop", "tool_use", "length", "refusal", "pause" (the provider wants
    the answer sent back to go on), "error" or "aborted"; ``raw_stop_reason`` keeps the
    provider's word. ``error`` is set for the last two.
    ``warnings`` are sentences for the user about an answer that came, but not as it should.
    """

    message: Message
    stop_reason: str
    usage: Usage = Usage()
    raw_stop_reason: str | None = None
    error: PiError | None = None
    response_id: str | None = None
    warnings: tuple[str, ...] = ()
