"""A loopback server that misbehaves exactly as told.

A test gives a *script*: a function that talks over one accepted connection. What was
asked is in ``requests``; how many connections were made is in ``connections``.

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")

    with FaultServer(script) as server:
        ...get server.url...

When the script returns, the connection is closed. The server, its threads and sockets are
gone when the ``with`` block ends; a script blocked in ``peer`` then gets an OSError.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple

from tests.fakes.patience import LONG_S


class Received(NamedTuple):
    method: str
    target: str
    headers: dict[str, str]  # names in lower case
    body: bytes


class Peer:
    """The server's end of one connection."""

    def __init__(self, server: FaultServer, sock: socket.socket) -> None:
        self._server = server
        self._buffer = b""
        self.sock = sock

    def request(self) -> Received | None:
        """Read one request (with Content-Length body); None if the client closed."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        received = Received(method, target, headers, body)
        self._server.requests.append(received)
        return received

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def chunk(self, data: bytes) -> None:
        """Send ``data`` as one chunk of a chunked body; b"" ends the body."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def wait(self) -> None:
        """Say nothing until the client goes away (or the server is stopped)."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass
        self._server.gone.set()

    def reset(self) -> None:
        """End the connection the hard way: the client sees "connection reset"."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self) -> bool:
        data = self.sock.recv(65536)
        self._buffer += data
        return bool(data)


class FaultServer:
    def __init__(
        self,
        script: Callable[[Peer], None],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self._script = script
        self._tls = tls
        self._host = host
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._stopping = False
        self.requests: list[Received] = []
        self.connections = 0
        self.accepted = threading.Event()  # a first connection came
        self.gone = threading.Event()  # a client went away during ``Peer.wait``
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, 0))
        self._listener.listen(64)
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return self.url_for(f"[{self._host}]" if ":" in self._host else self._host)

    def url_for(self, host: str) -> str:
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def __enter__(self) -> FaultServer:
        self._start(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping = True
        # A connection of our own wakes accept on every system; shutdown does not.
        with contextlib.suppress(OSError):
            socket.create_connection(self._listener.getsockname()[:2], LONG_S).close()
        self._threads[0].join(LONG_S)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LONG_S)
            assert not thread.is_alive(), "a server script does not end"

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            if self._stopping:
                sock.close()
                return
            self.connections += 1
            self.accepted.set()
            with self._lock:
                self._open.add(sock)
            self._start(lambda sock=sock: self._serve(sock))  # type: ignore[misc]

    def _serve(self, plain: socket.socket) -> None:
        sock = plain
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._tls.wrap_socket(plain, server_side=True)
                with self._lock:
                    self._open.discard(plain)
                    self._open.add(sock)
            self._script(Peer(self, sock))
        except OSError:
            pass  # the client went away, or refused our certificate
        finally:
            with self._lock:
                self._open.discard(plain)
                self._open.discard(sock)
            sock.close()
            plain.close()


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """The address of a port that refuses: nobody listens there, and nobody else gets it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A whole response with Content-Length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(response: bytes) -> Callable[[Peer], None]:
    """A script that gives the same response to every request of a connection."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(response)

    return script


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
