"""Several models behind one ``stream``: the next is asked when one cannot answer.

The routes are tried in order for each request anew; nothing is remembered of the last
request but which routes cannot be used at all. A route's own retries come first. Another
model is asked for the reasons of ``recovery.fallback_reason``; for a conversation that is
too long only if its window is larger. What had been yielded of an answer is closed with
``ReplyFailed``, and ``Fallback`` says who answers now. The error of the last route asked
is returned unchanged. Every route hands the history over to its own model.
"""

from __future__ import annotations

from pi.ai.events import (
    CallDelta,
    Fallback,
    ReplyDone,
    ReplyFailed,
    TextDelta,
    ThinkingDelta,
    Warned,
)
from pi.ai.recovery import OVERFLOW, Reason, fallback_reason
from pi.base.errors import PiError
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Protocol

    from pi.ai.client import Client
    from pi.ai.events import StreamEvent
    from pi.ai.models import ModelRef
    from pi.ai.types import ChatRequest, Reply
    from pi.base.cancel import Cancel

    class Model(Protocol):
        def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]: ...


class Route(NamedTuple):
    """A model and how to get a client for it. ``build`` raises PiError if there is none.

    ``context_window`` is the catalog's figure; None is unknown.
    """

    ref: ModelRef
    build: Callable[[], Client]
    context_window: int | None = None


class FallbackModel:
    """Implements the loop's ``Model``.

    ``wrap`` puts something between a client and its requests, such as a meter.
    ``on_refusal``: an answer that the provider refuses to give is a reason too.
    """

    def __init__(
        self,
        routes: Iterable[Route],
        *,
        wrap: Callable[[Client, ModelRef], Model] = lambda client, ref: client,
        on_refusal: bool = False,
    ) -> None:
        """Raises the PiError of the first route's ``build``; the others are built when needed."""
        self._routes = _distinct(routes)
        self._wrap = wrap
        self._on_refusal = on_refusal
        self._unusable: set[int] = set()
        self._clients: dict[int, Client] = {}
        self._models: dict[int, Model] = {}
        self._build(0)

    @property
    def requests_made(self) -> int:
        return sum(client.requests_made for client in self._clients.values())

    @property
    def context_window(self) -> int | None:
        """The window of the model asked first."""
        return self._window(0)

    def close(self) -> None:
        """Let go of idle connections."""
        for client in self._clients.values():
            client.close()

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
        """Ask the models in turn; the contract is that of ``Client.stream``."""
        at = 0
        while True:
            shown, reply = yield from self._ask(at, chat, cancel)
            reason = None if cancel.why is not None else self._reason(reply, shown)
            following = None
            if reason is not None:
                following = yield from self._next(at, reply)
            if reason is None or following is None:
                yield ReplyDone(reply)
                return
            if shown or reply.message.blocks:
                yield ReplyFailed(_broken(reply))
            yield Fallback(
                str(self._routes[at].ref), str(self._routes[following].ref), *reason, following
            )
            at = following

    def _ask(
        self, at: int, chat: ChatRequest, cancel: Cancel
    ) -> Generator[StreamEvent, None, tuple[bool, Reply]]:
        """One route's answer, and whether anything of it was yielded."""
        shown = False
        for event in self._models[at].stream(
            chat._replace(model=self._routes[at].ref.model), cancel
        ):
            if isinstance(event, ReplyDone):
                return shown, event.reply
            shown = shown or isinstance(event, (TextDelta, ThinkingDelta, CallDelta))
            yield event
        raise AssertionError("a model stream ended without ReplyDone")

    def _reason(self, reply: Reply, shown: bool) -> Reason | None:
        if reply.error is not None:
            return fallback_reason(reply.error, in_answer=shown)
        if self._on_refusal and reply.stop_reason == "refusal":
            return Reason("refusal", None)
        return None

    def _next(self, at: int, reply: Reply) -> Generator[StreamEvent, None, int | None]:
        """The first route after ``at`` that can be used and may do better."""
        too_long = reply.error is not None and reply.error.code == OVERFLOW
        window = self._window(at)
        for following in range(at + 1, len(self._routes)):
            if too_long and not _larger(self._window(following), window):
                continue
            if (yield from self._is_usable(following)):
                return following
        return None

    def _is_usable(self, at: int) -> Generator[StreamEvent, None, bool]:
        """Build the client of a route at its first use; say once if that fails."""
        if at in self._clients or at in self._unusable:
            return at in self._clients
        route = self._routes[at]
        try:
            self._build(at)
        except PiError as error:
            self._unusable.add(at)
            yield Warned(f"fallback model {route.ref} cannot be used: {error.message}")
            return False
        return True

    def _build(self, at: int) -> None:
        route = self._routes[at]
        client = route.build()
        self._clients[at] = client
        self._models[at] = self._wrap(client, route.ref)

    def _window(self, at: int) -> int | None:
        """What a client has learned wins over the catalog."""
        client = self._clients.get(at)
        learned = client.context_window if client is not None else None
        return learned if learned is not None else self._routes[at].context_window


def _distinct(routes: Iterable[Route]) -> tuple[Route, ...]:
    """Each model once, where it first stands."""
    first: dict[ModelRef, Route] = {}
    for route in routes:
        first.setdefault(route.ref, route)
    return tuple(first.values())


def _larger(window: int | None, than: int | None) -> bool:
    return window is not None and than is not None and window > than


def _broken(reply: Reply) -> Reply:
    """An answer that is replaced by another model's, so that it leaves the conversation."""
    message = reply.message._replace(stop_reason="error")
    return reply._replace(message=message, stop_reason="error")
