"""One request and its answer over an open connection."""

from __future__ import annotations

import socket
from threading import RLock

from pi.base.errors import PiError
from pi.base.http import ConnectionBroken
from pi.base.http_body import BadBody, OpenBody, framing_of, inflater_of
from pi.base.http_head import HeadReader, NotHttp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pi.base.http_body import Framing, Inflater
    from pi.base.http_head import Head
    from pi.base.keepalive import Line, Pool
    from pi.base.watch import Watch

RECEIVE_BYTES = 65536
SEND_BYTES = 256 * 1024  # per wait, so that a slow line may take its time over a big body
LIMIT_HINT = "--request-timeout-ms sets how long to wait"


class Stale(Exception):
    """A reused connection was dead: nothing of an answer came, so asking anew is safe."""


class Exchange:
    """Sends a request over a line and reads the head of the answer.

    ``shown`` is the address for messages. Whatever goes wrong, the line is closed.
    """

    def __init__(self, line: Line, shown: str, timeout_s: float, watch: Watch) -> None:
        self.line = line
        self.shown = shown
        self.timeout_s = timeout_s
        self.watch = watch
        self._reader = HeadReader()

    def ask(self, data: bytes) -> tuple[Head, bytes]:
        """Send ``data``; return the head and what came with it.

        Raises Stale, ConnectionBroken or the cancel's reason.
        """
        sock = self.line.sock
        try:
            self.watch.over(sock)
            self._send(data)
            return self._receive_head()
        except BaseException as exc:
            self.drop()
            self.watch.cancel.raise_if_set()
            if isinstance(exc, NotHttp):
                raise self.nonsense(str(exc)) from exc
            if not isinstance(exc, OSError):
                raise
            if self.line.reused and not self._reader.heard and not _timed_out(exc):
                raise Stale from exc
            raise self.broken(exc, "before its headers were complete") from exc

    def _send(self, data: bytes) -> None:
        sock, view = self.line.sock, memoryview(data)
        try:
            while view:
                part = view[:SEND_BYTES]
                view = view[self.watch.patiently(sock, self.timeout_s, sock.send, part) :]
        except (BrokenPipeError, ConnectionResetError):
            pass  # a server may refuse before it has read everything; its answer counts
        except socket.timeout as exc:
            raise ConnectionBroken(
                f"{self.shown} did not take the request: nothing moved for {self.timeout_s:g} s",
                hint=LIMIT_HINT,
                code="idle-timeout",
            ) from exc

    def _receive_head(self) -> tuple[Head, bytes]:
        while True:
            data = self.receive()
            self.watch.cancel.raise_if_set()
            if not data:
                raise ConnectionResetError("the server closed the connection")
            head = self._reader.feed(data)
            if head is not None:
                return head, self._reader.rest

    def receive(self) -> bytes:
        """What has come, waiting for it if need be; b"" at the end of the connection."""
        sock = self.line.sock
        return bytes(self.watch.patiently(sock, self.timeout_s, sock.recv, RECEIVE_BYTES))

    def drop(self) -> None:
        """Close the line for good."""
        self.watch.release()
        self.line.sock.close()

    def broken(self, exc: OSError, when: str) -> ConnectionBroken:
        """Name what ended or stalled the exchange."""
        if not _timed_out(exc):
            return ConnectionBroken(
                f"the answer from {self.shown} broke off {when}", cause=exc.strerror or str(exc)
            )
        if self._reader.heard:
            return ConnectionBroken(
                f"the answer from {self.shown} stalled: nothing for {self.timeout_s:g} s",
                cause=f"it stopped {when}",
                hint=LIMIT_HINT,
                code="idle-timeout",
            )
        return ConnectionBroken(
            f"no answer from {self.shown} within {self.timeout_s:g} s",
            hint=LIMIT_HINT,
            code="first-byte-timeout",
        )

    def nonsense(self, cause: str) -> ConnectionBroken:
        return ConnectionBroken(
            f"{self.shown} does not answer in proper HTTP",
            cause=cause,
            hint="is it the right port, and nothing in between that garbles?",
            code="not-http",
        )


class LiveResponse:
    """An answer read straight from its connection (see ``pi.base.http.Response``).

    A body read to its end gives the connection back, and so does one of which nothing but
    the end is to come; an abandoned one closes it. The lock orders ``close`` from another
    thread with the reader's last steps.
    """

    def __init__(
        self, exchange: Exchange, pool: Pool, head: Head, rest: bytes, method: str, max_bytes: int
    ) -> None:
        self.status = head.status
        self.headers = head.headers
        self._exchange = exchange
        self._pool = pool
        self._head = head
        self._max_bytes = max_bytes
        self._lock = RLock()
        self._reading = False
        self._closed = False  # by the caller
        self._ended = False  # the caller has been told of the body's end
        self._line_gone = False  # given back or closed: ours no more
        self._error: BaseException | None = None
        self._received = 0
        self._ready = b""  # decoded; read up to ``_at``
        self._at = 0
        self._inflater: Inflater | None = None
        self._first: bytes | None = rest  # what came with the head, until the first read
        try:
            self._framing: Framing = framing_of(head, method)
        except BadBody as exc:
            exchange.drop()
            raise exchange.nonsense(str(exc)) from exc
        if self._framing.done:
            self._finish_line(rest)

    def read(self, size: int = RECEIVE_BYTES) -> bytes:
        with self._lock:
            if self._error is not None:
                raise self._error
            self._reading = True
        try:
            self._exchange.watch.cancel.raise_if_set()
            if self._at == len(self._ready):
                self._at, self._ready = 0, self._next()
            data = self._ready[self._at : self._at + max(size, 1)]
            self._at += len(data)
            self._ended = not data
            return data
        except BaseException as exc:
            self._abandon()
            why = self._exchange.watch.cancel.why or self._explain(exc)
            self._error = why if isinstance(why, PiError) else self._cut("it was interrupted")
            if why is exc:
                raise
            raise why from exc
        finally:
            with self._lock:
                self._reading = False
                if self._closed:
                    self._abandon()

    def close(self, finished: bool = False) -> None:
        with self._lock:
            if self._closed:
                return
            if not self._reading and not self._line_gone:
                self._take_the_end()
            if finished and not self._reading and not isinstance(self._framing, OpenBody):
                self._finish_line(b"", self._framing)
            self._closed = True
            if not self._ended:  # a later read must not take this for the body's end
                self._error = self._error or self._cut("it was closed here")
            if self._reading:
                self._exchange.watch.interrupt()  # the reader cleans up
            else:
                self._abandon()

    def _next(self) -> bytes:
        """The next decoded bytes, waiting for some; b"" at the end of the body."""
        if self._first is not None:
            first, self._first = self._first, None
            self._inflater = inflater_of(self._head)
            out = self._decode(first) if first else b""
            if out:
                return out
        while True:
            if self._inflater is not None and self._inflater.waiting:
                out = self._count(self._inflater.feed(b""))
            elif self._line_gone:
                if self._inflater is not None and self._inflater.is_cut:
                    raise BadBody("the compressed data has no end")
                return b""
            else:
                data = self._exchange.receive()
                out = self._decode(data) if data else self._end_of_connection()
            if out:
                return out

    def _decode(self, data: bytes) -> bytes:
        out = self._framing.feed(data)
        if self._framing.done:
            self._finish_line(self._framing.rest)
        if self._inflater is not None:
            out = self._inflater.feed(out)
        return self._count(out)

    def _count(self, out: bytes) -> bytes:
        self._received += len(out)
        if self._received > self._max_bytes:
            raise ConnectionBroken(
                f"the answer from {self._exchange.shown} is too large",
                cause=f"more than {self._max_bytes} bytes",
                code="response-too-large",
            )
        return out

    def _end_of_connection(self) -> bytes:
        """The server (or a cancel, or ``close``) ended it: is that the end of the body?"""
        self._exchange.watch.cancel.raise_if_set()
        missing = "it was closed here" if self._closed else self._framing.missing()
        if missing:
            raise self._cut(missing)
        self._abandon()
        return b""

    def _finish_line(self, rest: bytes, owed: Framing | None = None) -> None:
        """The body is complete, or ``owed`` but its end: keep the connection, unless there
        is a reason not to."""
        with self._lock:
            if self._line_gone:
                return
            self._line_gone = True
            watch, line = self._exchange.watch, self._exchange.line
            watch.end()  # from here on no cancel shuts it down ...
            # ... and one that came before has: such a connection is never used again.
            if rest or not self._head.stays_open or self._closed or watch.cancel.why is not None:
                line.sock.close()
            else:
                self._pool.give(line, owed)

    def _abandon(self) -> None:
        with self._lock:
            if not self._line_gone:
                self._line_gone = True
                self._exchange.watch.end()
                self._exchange.line.sock.close()

    def _take_the_end(self) -> None:
        """If the rest of the body is already here, take it: the connection stays usable.

        Clients stop at the last event; the closing chunk is right behind it.
        """
        try:
            self._exchange.timeout_s = 0
            self._next()
        except (OSError, BadBody, PiError):
            pass  # not here yet, or broken: the connection is closed

    def _cut(self, cause: str) -> ConnectionBroken:
        return ConnectionBroken(
            f"the answer from {self._exchange.shown} broke off after {self._received} bytes",
            cause=cause,
        )

    def _explain(self, exc: BaseException) -> BaseException:
        if isinstance(exc, BadBody):
            return self._exchange.nonsense(f"{exc}, after {self._received} bytes")
        if isinstance(exc, OSError):
            return self._exchange.broken(exc, f"after {self._received} bytes")
        return exc


def _timed_out(exc: OSError) -> bool:
    return isinstance(exc, socket.timeout)
