"""A set cancel ends every phase of a request at once, from a thread and from a signal."""

from __future__ import annotations

import errno
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import trustme

from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, PiError
from pi.base.http import Request
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import CHUNKED, FaultServer, Peer, always, answer
from tests.fakes.patience import LONG_S, in_time

# A machine under load is slow to let the waiting thread go on: that it goes on at all, long
# before any time limit passes, is what is looked at.
QUICK_S, LIMIT_MS = LONG_S, 180_000
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and backlogs of POSIX")


@pytest.fixture
def transport() -> Iterator[UrllibTransport]:
    made = UrllibTransport(HttpSettings("", "", {}))
    yield made
    made.close()


def by_thread(cancel: Cancel, after: threading.Event, at: list[float]) -> threading.Thread:
    def work() -> None:
        after.wait(LONG_S)
        # The event tells that the phase is about to begin; this gets it well under way.
        threading.Event().wait(0.1)
        at.append(time.monotonic())
        cancel.set(Interrupted("stop"))

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def assert_cancelled(
    action: Callable[[Cancel], object], after: threading.Event, cancel: Cancel | None = None
) -> None:
    """``action`` blocks until cancelled, then raises the reason within a moment."""
    cancel = cancel or Cancel()
    at: list[float] = []
    thread = by_thread(cancel, after, at)
    with pytest.raises(PiError) as caught:
        action(cancel)
    ended = time.monotonic()
    thread.join()
    assert caught.value is cancel.why
    assert ended - at[0] < QUICK_S


def now() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def get(url: str) -> Request:
    return Request("GET", url, timeout_ms=LIMIT_MS)


def silent(peer: Peer) -> None:
    peer.request()
    peer.wait()


@pytest.fixture
def full() -> Iterator[str]:
    """A port whose backlog is full: a connect to it is neither accepted nor refused."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        fillers = []
        for _ in range(6):
            filler = socket.socket()
            filler.setblocking(False)
            assert filler.connect_ex(address) in (0, errno.EINPROGRESS)
            fillers.append(filler)
        yield f"http://127.0.0.1:{address[1]}/"
        for filler in fillers:
            filler.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse a full backlog")
def test_while_connecting(transport: UrllibTransport, full: str) -> None:
    assert_cancelled(lambda cancel: transport.send(get(full), cancel), now())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse a full backlog")
def test_a_connection_that_does_not_come_about_is_named(
    transport: UrllibTransport, full: str
) -> None:
    def attempt(limit_ms: int) -> None:
        with pytest.raises(PiError) as caught:
            transport.send(Request("GET", full, timeout_ms=limit_ms), Cancel())
        assert caught.value.code == "connect-timeout"
        assert f"{limit_ms / 1000:g} s" in caught.value.message
        assert "connecting to 127.0.0.1" in caught.value.cause

    in_time(attempt, 200)


def test_while_shaking_hands(transport: UrllibTransport) -> None:
    with FaultServer(lambda peer: peer.wait()) as server:  # accepts, and says no TLS word
        url = f"https://127.0.0.1:{server.port}/"
        assert_cancelled(lambda cancel: transport.send(get(url), cancel), server.accepted)
        assert server.gone.wait(LONG_S)


def test_a_handshake_that_does_not_end_is_named(transport: UrllibTransport) -> None:
    def attempt(limit_ms: int) -> None:
        with FaultServer(lambda peer: peer.wait()) as server:
            request = Request("GET", f"https://127.0.0.1:{server.port}/", timeout_ms=limit_ms)
            with pytest.raises(PiError) as caught:
                transport.send(request, Cancel())
        assert caught.value.code == "connect-timeout"
        assert "TLS handshake" in caught.value.cause

    in_time(attempt, 200)


def test_while_sending(transport: UrllibTransport) -> None:
    stop = threading.Event()
    with FaultServer(lambda peer: bool(stop.wait(LONG_S)) and None) as server:
        request = Request("POST", server.url, body=bytes(50_000_000), timeout_ms=LIMIT_MS)
        assert_cancelled(lambda cancel: transport.send(request, cancel), server.accepted)
        stop.set()


def test_while_waiting_for_headers(transport: UrllibTransport) -> None:
    with FaultServer(silent) as server:
        assert_cancelled(lambda cancel: transport.send(get(server.url), cancel), server.accepted)
        assert server.gone.wait(LONG_S)


def test_while_waiting_for_the_end_of_the_answer_before(
    transport: UrllibTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pi.base.keepalive.END_PATIENCE_S", 3 * LONG_S)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"data: [DONE]\n\n")
        peer.wait()

    with FaultServer(script) as server:
        response = transport.send(get(server.url), Cancel())
        response.read()
        response.close(finished=True)
        assert_cancelled(lambda cancel: transport.send(get(server.url), cancel), now())
        assert server.gone.wait(LONG_S)
        assert server.connections == 1


def test_while_waiting_for_headers_on_a_reused_connection(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))
        peer.request()
        peer.wait()

    with FaultServer(script) as server:
        assert transport.send(get(server.url), Cancel()).read() == b"ok"
        assert_cancelled(lambda cancel: transport.send(get(server.url), cancel), server.accepted)
        assert server.connections == 1, "a cancelled request is not sent again"


def test_while_reading_the_body(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"abc")
        peer.wait()

    with FaultServer(script) as server:
        cancel = Cancel()
        response = transport.send(get(server.url), cancel)
        assert response.read() == b"abc"
        assert_cancelled(lambda _: response.read(), now(), cancel)
        assert server.gone.wait(LONG_S)
        with pytest.raises(Interrupted):
            response.read()


def test_while_reading_a_body_that_ends_with_the_connection(transport: UrllibTransport) -> None:
    """The shut-down socket looks like the body's end, and must not be taken for it."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        peer.wait()

    with FaultServer(script) as server:
        cancel = Cancel()
        response = transport.send(get(server.url), cancel)
        assert response.read() == b"abc"
        assert_cancelled(lambda _: response.read(), now(), cancel)


def test_while_reading_over_tls() -> None:
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA).configure_cert(context)
    with authority.cert_pem.tempfile() as bundle, FaultServer(silent, context) as server:
        secure = UrllibTransport(HttpSettings(bundle, "", {}))
        assert_cancelled(lambda cancel: secure.send(get(server.url), cancel), server.accepted)
        assert server.gone.wait(LONG_S)
        secure.close()


def test_while_nothing_is_going_on(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"ok"))) as server:
        cancel = Cancel()
        response = transport.send(get(server.url), cancel)
        cancel.set(Interrupted("stop"))
        with pytest.raises(Interrupted):
            response.read()
        with pytest.raises(Interrupted):
            transport.send(get(server.url), cancel)
        assert transport.send(get(server.url), Cancel()).read() == b"ok"
        assert server.connections == 2, "a cancelled connection is not used again"


def test_a_cancel_after_the_end_leaves_the_kept_connection_alone(
    transport: UrllibTransport,
) -> None:
    with FaultServer(always(answer(b"ok"))) as server:
        cancel = Cancel()
        response = transport.send(get(server.url), cancel)
        assert b"".join(iter(response.read, b"")) == b"ok"
        cancel.set(Interrupted("stop"))
        assert transport.send(get(server.url), Cancel()).read() == b"ok"
        assert server.connections == 1


def test_closing_from_another_thread_ends_a_blocked_read(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"abc")
        peer.wait()

    with FaultServer(script) as server:
        response = transport.send(get(server.url), Cancel())
        response.read()
        timer = threading.Timer(0.1, response.close)
        timer.start()
        with pytest.raises(PiError) as caught:
            response.read()
        timer.join()
        assert caught.value.code == "connection-lost"
        assert server.gone.wait(LONG_S)


@pytest.mark.parametrize("phase", ["connect", "handshake", "headers", "body"])
def test_from_a_signal_handler_of_the_blocked_thread(
    transport: UrllibTransport, full: str, phase: str
) -> None:
    """Ctrl+C runs its handler in the very thread that waits."""
    if phase == "connect" and sys.platform != "linux":
        pytest.skip("other systems refuse a full backlog")
    cancel = Cancel()
    at: list[float] = []

    def handler(number: int, frame: object) -> None:
        at.append(time.monotonic())
        cancel.set(Interrupted("Ctrl+C"))

    def script(peer: Peer) -> None:
        if phase == "handshake":
            peer.wait()
        peer.request()
        if phase == "body":
            peer.send(CHUNKED)
        peer.wait()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with FaultServer(script) as server:
            scheme = "https" if phase == "handshake" else "http"
            url = full if phase == "connect" else f"{scheme}://127.0.0.1:{server.port}/"
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Interrupted, match=r"Ctrl\+C"):
                transport.send(get(url), cancel).read()
            assert time.monotonic() - at[0] < QUICK_S
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_an_ordinary_interrupt_leaves_no_connection_behind(transport: UrllibTransport) -> None:
    def handler(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def script(peer: Peer) -> None:
        peer.request()
        signal.setitimer(signal.ITIMER_REAL, 0.1)  # not before anybody can take it
        peer.wait()

    before = signal.signal(signal.SIGALRM, handler)
    try:
        with FaultServer(script) as server:
            with pytest.raises(KeyboardInterrupt):
                transport.send(get(server.url), Cancel())
            assert server.gone.wait(LONG_S)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
