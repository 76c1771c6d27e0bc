"""A transport that answers from a cassette: no network, no key, the same answers in order.

The first request that is not the recorded one ends the run: from then on ``send`` raises
the same ``VerificationFailed`` (code "replay-mismatch"), so no retry or fallback can hide it.
"""

from __future__ import annotations

import os
import stat
from threading import Lock

from pi.base.cassette_match import difference
from pi.base.cassette_reader import parse_cassette
from pi.base.cassette_secrets import Secrets
from pi.base.errors import ConfigError, VerificationFailed
from pi.base.http import ConnectionBroken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pi.base.cancel import Cancel
    from pi.base.cassette import Cassette, Chunk, Exchange
    from pi.base.errors import PiError
    from pi.base.http import Request, Transport

# It is held in memory; a day of heavy work is some 100 MB.
MAX_CASSETTE_BYTES = 1024 * 1024 * 1024
MISMATCH = "replay-mismatch"


def read_cassette(path: str) -> Cassette:
    """The cassette in a file.

    Raises ConfigError if it cannot be read, VerificationFailed if it is no sound cassette.
    """
    try:
        # No waiting on a pipe; no other newlines on Windows. Neither flag is known everywhere.
        extra = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, os.O_RDONLY | extra)
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is not a regular file")
            if found.st_size > MAX_CASSETTE_BYTES:
                raise OSError(0, f"it is larger than {MAX_CASSETTE_BYTES} bytes")
            data = file.read(found.st_size)
    except (OSError, ValueError) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise ConfigError(
            f"cassette {path} cannot be read", cause=reason, code="cassette-not-read"
        ) from exc
    return parse_cassette(data, path)


class ReplayTransport:
    """Plays a cassette, for all the providers of a run. Safe from any thread.

    The order of requests is the recorded one, whoever makes them. ``secrets`` are those of
    this run: they count as equal to what was redacted. Nothing waits as it did then.
    """

    needs_no_key = True

    def __init__(
        self,
        cassette: Cassette,
        *,
        secrets: Iterable[str] = (),
        hidden: Iterable[str] = (),
        lenient: bool = False,
    ) -> None:
        self._cassette = cassette
        self._secrets = Secrets(secrets, hidden)
        self._lenient = lenient
        self._played = 0
        self._failure: PiError | None = None
        self._lock = Lock()

    def over(self, make: Callable[[], Transport]) -> Transport:
        """This, in place of the transport ``make`` would give."""
        return self

    def send(self, request: Request, cancel: Cancel) -> ReplayResponse:
        cancel.raise_if_set()
        with self._lock:
            if self._failure is not None:
                raise self._failure
            try:
                exchange = self._next(request)
            except VerificationFailed as exc:
                self._failure = exc
                raise
        player = ReplayResponse(exchange, cancel, self._cut)
        if exchange.status is None:
            raise player.ending()
        return player

    def close(self) -> None:
        pass

    def finish(self) -> PiError | None:
        """Why this run was not the recorded one, if it was not: ask when it is over."""
        if self._failure is not None:
            return self._failure
        left = self._cassette.exchanges[self._played :]
        if not left:
            if self._cassette.is_complete:
                return None
            return _incomplete(self._cassette.name, "it has no last line")
        return VerificationFailed(
            f"{len(left)} of {len(self._cassette.exchanges)} recorded requests were not made",
            cause=f"the first of them: request {left[0].number}, "
            f"line {left[0].line} of {self._cassette.name}",
            hint="the run ended earlier than the recorded one",
            code=MISMATCH,
        )

    def _next(self, request: Request) -> Exchange:
        """The exchange this request stands for. Raises VerificationFailed."""
        number = self._played + 1
        if number > len(self._cassette.exchanges):
            raise self._over(number, request)
        exchange = self._cassette.exchanges[number - 1]
        # This run's secrets are taken out of both: one that happens to be an ordinary word
        # ("production") was left in the recording by a machine that did not know it.
        recorded, sent = map(self._secrets.request, (exchange.request, request))
        found = difference(recorded, sent, lenient=self._lenient)
        if found is not None:
            raise VerificationFailed(
                f"request {number} is not the recorded one: {found.part} differs",
                cause=f"line {exchange.line} of {self._cassette.name}\n"
                f"         recorded: {found.recorded}\n"
                f"         sent:     {found.sent}",
                hint="if the change is meant, remove the cassette and record it anew",
                code=MISMATCH,
            )
        self._played = number
        return exchange

    def _over(self, number: int, request: Request) -> VerificationFailed:
        recorded = f"{number - 1} request{'' if number == 2 else 's'}"
        sent = self._secrets.request(request)
        cause = f"request {number} is {sent.method} {sent.url}"
        if self._cassette.is_complete:
            return VerificationFailed(
                f"cassette {self._cassette.name} has no more exchanges after {recorded}",
                cause=cause,
                hint="this run goes on where the recorded one ended",
                code=MISMATCH,
            )
        return _incomplete(self._cassette.name, f"it ends after {recorded}; {cause}")

    def _cut(self, exchange: Exchange) -> VerificationFailed:
        """The answer goes on in life, but not in the recording."""
        failure: VerificationFailed
        if exchange.end == "closed":
            failure = VerificationFailed(
                f"the answer to request {exchange.number} was not read further when recording",
                cause=f"line {exchange.line} of {self._cassette.name}",
                code=MISMATCH,
            )
        else:
            where = f"it ends in the middle of the answer to request {exchange.number}"
            failure = _incomplete(self._cassette.name, where)
        with self._lock:
            self._failure = self._failure or failure
        return failure


def _incomplete(name: str, where: str) -> VerificationFailed:
    return VerificationFailed(
        f"cassette {name} is incomplete: its recording broke off",
        cause=where,
        hint="remove it and record it anew",
        code="cassette-incomplete",
    )


class ReplayResponse:
    """A recorded answer, read by read (see ``pi.base.http.Response``)."""

    def __init__(
        self, exchange: Exchange, cancel: Cancel, cut: Callable[[Exchange], VerificationFailed]
    ) -> None:
        self.status = exchange.status or 0
        self.headers = exchange.headers
        self._exchange = exchange
        self._cancel = cancel
        self._cut = cut
        self._chunks: Iterator[Chunk] = iter(exchange.chunks)
        self._held = b""
        self._closed = False
        self._ended = False  # the caller has been told of the body's end
        self._error: PiError | None = None

    def read(self, size: int = 65536) -> bytes:
        self._cancel.raise_if_set()
        if self._error is not None:
            raise self._error
        if self._closed and not self._ended:
            raise ConnectionBroken("the replayed answer broke off", cause="it was closed here")
        if not self._held:
            self._held = self._next()
        data, self._held = self._held[: max(size, 1)], self._held[max(size, 1) :]
        self._ended = not data
        return data

    def close(self, finished: bool = False) -> None:
        self._closed = True

    def ending(self) -> PiError:
        """The failure the exchange ended with."""
        exchange = self._exchange
        self._error = exchange.failure() if exchange.end == "error" else self._cut(exchange)
        return self._error

    def _next(self) -> bytes:
        for chunk in self._chunks:
            return chunk.data
        if self._exchange.end == "complete":
            return b""
        raise self.ending()
