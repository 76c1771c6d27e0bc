"""Bodies of answers: which kind one is, all of it, and what it shows."""

from __future__ import annotations

from hashlib import sha256

from pi.ai.events import TextDelta, ThinkingDelta
from pi.ai.types import Thinking
from pi.base.http import ConnectionBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from pi.ai.events import StreamEvent
    from pi.ai.types import ChatRequest, Reply
    from pi.base.http import Response

READ_SIZE = 65536


def as_deltas(reply: Reply) -> Iterator[StreamEvent]:
    """What a whole answer shows, as a stream would have shown it."""
    for block in reply.message.blocks:
        if isinstance(block, Thinking) and block.text:
            yield ThinkingDelta(block.text)
    text = reply.message.text()
    if text:
        yield TextDelta(text)


def conversation_id(chat: ChatRequest) -> str:
    """A stable name of the conversation, for vendors' prompt caches: made of how it began.

    No random number, so that a replayed run sends what the recorded one sent.
    """
    first = next((message.text() for message in chat.messages if message.role == "user"), "")
    start = f"{chat.system}\0{first}".encode("utf-8", "replace")
    return "pi-" + sha256(start).hexdigest()[:32]


def is_event_stream(content_type: str, first: bytes) -> bool:
    """Tell a stream from a whole answer: by its type, else by how it begins."""
    kind = content_type.lower()
    if "text/event-stream" in kind:
        return True
    if "json" in kind or "html" in kind:
        return False
    start = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:6]
    return start.startswith((b"data:", b"event:", b"id:", b"retry:", b":"))


def read_all(response: Response, limit: int) -> bytes:
    """The rest of a body. Raises ConnectionBroken ("response-too-large") past ``limit``."""
    parts: list[bytes] = []
    size = 0
    while True:
        chunk = response.read(READ_SIZE)
        if not chunk:
            return b"".join(parts)
        size += len(chunk)
        if size > limit:
            raise ConnectionBroken(
                f"the provider's answer is larger than {limit} bytes", code="response-too-large"
            )
        parts.append(chunk)
