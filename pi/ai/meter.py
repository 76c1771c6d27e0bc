"""What a run has spent, and the refusal of a request that may cross a limit.

The check comes before each request, with the dearest it can be: the prompt by estimate,
the answer at its full limit. The limit of the answer is lowered to what the caps leave,
so that a small cap allows a small request instead of none.
"""

from __future__ import annotations

from pi.ai.cost import Caps, Spend, estimate_request, spend, worst_case
from pi.ai.events import ReplyDone
from pi.ai.types import Message, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    from pi.ai.catalog import Entry
    from pi.ai.events import StreamEvent
    from pi.ai.types import ChatRequest
    from pi.base.cancel import Cancel
    from pi.base.errors import CapReached

    class Model(Protocol):
        def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]: ...


class Meter:
    """The spending of one run, over all models it uses.

    ``spent`` counts at the dearest where a rate is not known, as a limit must; ``usd`` is
    the cost by known rates, None as soon as one is missing.
    """

    def __init__(self, caps: Caps) -> None:
        self.caps = caps
        self.spent = Spend()
        self.billed = Spend()

    @property
    def usd(self) -> float | None:
        """Dollars so far, to six decimals; None if a price is not known."""
        return self.billed.usd

    def limit(self, chat: ChatRequest, entry: Entry | None) -> ChatRequest | CapReached:
        """``chat`` with its output limited to what the caps leave, or why it must not go."""
        if self.caps == Caps():
            return chat
        prompt = estimate_request(chat)
        room = self.caps.output_allowance(self.spent, prompt, entry)
        own = chat.max_tokens or (entry.max_output_tokens if entry is not None else None)
        wanted = [tokens for tokens in (room, own) if tokens is not None]
        allowed = max(1, min(wanted)) if wanted else None
        crossing = self.caps.would_cross(self.spent, worst_case(prompt, allowed, entry))
        return crossing or chat._replace(max_tokens=allowed)

    def add(self, reply: Reply, entry: Entry | None) -> None:
        self.spent = self.spent.plus(spend(reply.usage, entry, at_most=True))
        self.billed = self.billed.plus(spend(reply.usage, entry))


class MeteredModel:
    """A model whose requests are counted and capped by a shared meter."""

    def __init__(self, model: Model, meter: Meter, entry: Entry | None) -> None:
        self._model = model
        self._meter = meter
        self._entry = entry

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
        """As the model's; a request that may cross a cap ends in an error reply unsent."""
        limited = self._meter.limit(chat, self._entry)
        if isinstance(limited, Exception):
            message = Message("assistant", (), stop_reason="error")
            yield ReplyDone(Reply(message, "error", error=limited))
            return
        for event in self._model.stream(limited, cancel):
            if isinstance(event, ReplyDone):
                self._meter.add(event.reply, self._entry)
            yield event
