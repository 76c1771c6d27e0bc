"""One model, asked over a transport, with retries and corrections.

Contract of ``Client.stream``: yields ``StreamEvent``s, exactly one ``ReplyDone``, last.
Failures are in its reply, never exceptions; a reply of a failed or cancelled stream
keeps what had arrived. A request is repeated only while nothing was yielded to the
caller. Closing the iterator lets go of the connection.

A refusal that names something we added is corrected by the codec (``Codec.adapt``), sent
again at once, and remembered for as long as the client lives; that is no retry.
"""

from __future__ import annotations

from pi.ai.bodies import READ_SIZE, as_deltas, conversation_id, is_event_stream, read_all
from pi.ai.context import prepare
from pi.ai.events import ReplyDone, Retrying
from pi.ai.handover import hand_over, id_rule
from pi.ai.providers.failure import Reported
from pi.ai.recovery import HOPELESS, asked_wait_ms, may_pass
from pi.ai.sse import SseDecoder
from pi.ai.types import Message, Origin, Reply
from pi.base.errors import PiError
from pi.base.retry import GiveUp, RetryPolicy, next_step, retry_after_ms
from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from pi.ai.events import StreamEvent
    from pi.ai.providers.codec import Change, Codec, Options
    from pi.ai.types import ChatRequest
    from pi.base.cancel import Cancel
    from pi.base.http import Request, Response, Transport

MAX_ERROR_BODY = 1024 * 1024
MAX_JSON_BODY = 64 * 1024 * 1024
MAX_CHANGES = 4  # of one request; each removes one thing, so more means that nothing helps


class Clock(NamedTuple):
    """The narrow part of the world a client needs."""

    now_ms: Callable[[], int]
    pause: Callable[[int, Cancel], None]
    draw: Callable[[], float]


class Failure(NamedTuple):
    """An attempt that delivered nothing: another one may do better, or a changed one."""

    error: PiError
    transient: bool
    change: Change | None = None


class Client:
    """``load_codec`` gives the codec of another wire format, for a ``Change`` to it."""

    def __init__(
        self,
        codec: Codec,
        options: Options,
        transport: Transport,
        *,
        clock: Clock,
        user_agent: str,
        retry: RetryPolicy | None = None,
        load_codec: Callable[[str], Codec] | None = None,
    ) -> None:
        self._codec = codec
        self._options = options
        self._transport = transport
        self._retry = retry or RetryPolicy()
        self._clock = clock
        self._user_agent = user_agent
        self._load_codec = load_codec
        self.requests_made = 0

    @property
    def context_window(self) -> int | None:
        """What is known of the model's window, a refusal's own figure included."""
        return self._options.traits.context_window

    def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
        """Ask the model. ``chat.messages`` may hold anything a session holds."""
        if not self._options.conversation:
            self._options = self._options._replace(conversation=conversation_id(chat))
        history = prepare(chat.messages)
        chat = self._handed_over(chat, history)
        attempt = changes = waited = 0
        while True:
            failure = yield from self._attempt(chat, attempt, cancel)
            if failure is None:
                return
            error = failure.error
            if failure.change is not None and changes < MAX_CHANGES and cancel.why is None:
                changes += 1
                self._take(failure.change)
                chat = self._handed_over(chat, history)
                continue
            self._learn(error)
            if not failure.transient or cancel.why is not None:
                break
            draw, hint = self._clock.draw(), asked_wait_ms(error)
            step = next_step(self._retry, attempt, waited, draw, hint)
            if isinstance(step, GiveUp):
                if step.why:
                    error.hint = f"{step.why}; {error.hint}" if error.hint else step.why
                break
            attempt += 1
            waited += step.ms
            yield Retrying(attempt, step.ms, error.message)
            try:
                self._clock.pause(step.ms, cancel)
            except PiError as why:
                error = why
                break
        yield ReplyDone(self._failed(chat, error, cancel))

    def close(self) -> None:
        """Let go of idle connections."""
        self._transport.close()

    def _handed_over(self, chat: ChatRequest, history: tuple[Message, ...]) -> ChatRequest:
        """``chat`` with a valid history as this model may read it."""
        api, options = self._codec.api, self._options
        target = Origin(api, options.provider, chat.model)
        rule = id_rule(api, options)
        return chat._replace(messages=hand_over(history, target, options.traits, rule))

    def _is_change(self, change: Change) -> bool:
        """Whether a change would make the next request another one."""
        switches = change.api not in ("", self._codec.api) and self._load_codec is not None
        return switches or (change.api in ("", self._codec.api) and change.options != self._options)

    def _take(self, change: Change) -> None:
        """Keep a change."""
        self._options = change.options
        if self._load_codec is not None and change.api not in ("", self._codec.api):
            self._codec = self._load_codec(change.api)

    def _learn(self, error: PiError | None) -> None:
        """A failure that names the model's window corrects the catalog's figure."""
        if isinstance(error, Reported) and error.context_window:
            traits = self._options.traits._replace(context_window=error.context_window)
            self._options = self._options._replace(traits=traits)

    def _attempt(
        self, chat: ChatRequest, attempt: int, cancel: Cancel
    ) -> Generator[StreamEvent, None, Failure | None]:
        """Send once. Returns None when a ReplyDone was yielded, else why nothing came."""
        self.requests_made += 1
        try:
            request = self._dressed(self._codec.encode(chat, self._options), attempt)
            response = self._transport.send(request, cancel)
        except PiError as error:
            return Failure(error, may_pass(error))
        try:
            if not 200 <= response.status < 300:
                return (yield from self._refusal(response, chat))
            return (yield from self._answer(response, chat))
        except PiError as error:
            return Failure(error, may_pass(error))
        finally:
            response.close()

    def _dressed(self, request: Request, attempt: int) -> Request:
        """Add what every request carries, whatever the wire format."""
        number = f"pi-{self._clock.now_ms()}-{self.requests_made}"
        accept = "text/event-stream" if self._options.stream else "application/json"
        return request._replace(
            headers=(
                *request.headers,
                ("User-Agent", self._user_agent),
                ("Accept", accept),
                ("x-pi-request-id", number),
                ("x-pi-retry-attempt", str(attempt)),
            )
        )

    def _refusal(
        self, response: Response, chat: ChatRequest
    ) -> Generator[StreamEvent, None, Failure | None]:
        """Read a status that is not 2xx: a failure, or an answer that hides in one."""
        status, headers = response.status, response.headers
        body = b""
        try:
            body = read_all(response, MAX_ERROR_BODY)
        except PiError:
            pass  # the status says more than the break in its explanation
        codec, options = self._codec, self._options
        saved = codec.salvage(body, chat, options) if 400 <= status < 500 else None
        if saved is not None:
            yield from as_deltas(saved)
            yield ReplyDone(saved)
            return None
        error = codec.decode_error(status, headers, body, chat, options)
        change = None
        if 400 <= status <= 500:  # 500: how llama.cpp reports what a template refuses
            change = codec.adapt(status, body, chat, options)
            if change is not None and not self._is_change(change):
                change = None
        wait = retry_after_ms(headers, self._clock.now_ms())
        if wait is not None and isinstance(error, Reported):
            error.retry_after_ms = wait
        asked = headers.get("x-should-retry", "").lower()
        hopeful = asked == "true" and error.code not in HOPELESS
        return Failure(error, asked != "false" and (hopeful or may_pass(error)), change)

    def _answer(
        self, response: Response, chat: ChatRequest
    ) -> Generator[StreamEvent, None, Failure | None]:
        """Read a 2xx answer, streamed or whole."""
        first = response.read(READ_SIZE)
        if not is_event_stream(response.headers.get("content-type", ""), first):
            body = first + read_all(response, MAX_JSON_BODY)
            reply = self._codec.decode(body, chat, self._options)
            if reply.error is not None and may_pass(reply.error):
                return Failure(reply.error, True)
            yield from as_deltas(reply)
            self._learn(reply.error)
            yield ReplyDone(reply)
            return None
        decoder = self._codec.decoder(chat, self._options)
        sse = SseDecoder()
        delivered = False
        chunk = first
        try:
            while chunk:
                for event in decoder.feed(sse.feed(chunk)):
                    delivered = True
                    yield event
                if decoder.done:
                    response.close(finished=True)
                    break
                chunk = response.read(READ_SIZE)
            for event in decoder.feed(sse.finish()):
                delivered = True
                yield event
            reply = decoder.finish()
        except PiError as error:
            reply = decoder.abort(error)
        if not delivered and reply.error is not None and may_pass(reply.error):
            return Failure(reply.error, True)
        self._learn(reply.error)
        yield ReplyDone(reply)
        return None

    def _failed(self, chat: ChatRequest, error: PiError, cancel: Cancel) -> Reply:
        """The reply of a request that brought nothing."""
        reason = "aborted" if cancel.why is not None else "error"
        origin = Origin(self._codec.api, self._options.provider, chat.model)
        message = Message("assistant", (), stop_reason=reason, origin=origin)
        return Reply(message, reason, error=error)
