"""The real transport against a server that does exactly what it is told."""

from __future__ import annotations

import gzip
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import ConfigError, PiError, Unreachable
from pi.base.http import ConnectionBroken, Request, Response
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import CHUNKED, FaultServer, Peer, always, answer, refusing
from tests.fakes.patience import LONG_S, in_time

SOON_MS = 300


@pytest.fixture
def transport() -> Iterator[UrllibTransport]:
    made = UrllibTransport(HttpSettings("", "", {}, "pi/test"))
    yield made
    made.close()


def get(url: str, timeout_ms: int = 60_000) -> Request:
    return Request("GET", url, timeout_ms=timeout_ms)


def body_of(response: Response) -> bytes:
    return b"".join(iter(response.read, b""))


def failure(action: Callable[[], object]) -> PiError:
    with pytest.raises(PiError) as caught:
        action()
    return caught.value


def once(response: bytes) -> Callable[[Peer], None]:
    """A script that answers one request and closes."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(response)

    return script


def test_a_request_goes_out_as_given_and_the_answer_comes_back(
    transport: UrllibTransport,
) -> None:
    with FaultServer(always(answer(b"hello", "X-Id: 7", status="201 Created"))) as server:
        request = Request(
            "POST", server.url + "/v1/x?a=b", (("Authorization", "Bearer k"),), b'{"a":1}'
        )
        response = transport.send(request, Cancel())
        assert response.status == 201
        assert response.headers["x-id"] == "7"
        assert body_of(response) == b"hello"
        assert response.read() == b""
        (seen,) = server.requests
    assert (seen.method, seen.target, seen.body) == ("POST", "/v1/x?a=b", b'{"a":1}')
    assert seen.headers == {
        "host": f"127.0.0.1:{server.port}",
        "authorization": "Bearer k",
        "user-agent": "pi/test",
        "accept-encoding": "identity",
        "content-length": "7",
    }


def test_headers_of_the_caller_are_not_set_twice(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b""))) as server:
        headers = (("user-agent", "mine"), ("ACCEPT-ENCODING", "gzip"))
        transport.send(Request("GET", server.url, headers), Cancel()).close()
        (seen,) = server.requests
    assert seen.headers["user-agent"] == "mine"
    assert seen.headers["accept-encoding"] == "gzip"
    assert "content-length" not in seen.headers


@pytest.mark.parametrize("status", ["302 Found", "400 Bad", "401 No", "429 Slow", "500 Oops"])
def test_every_status_is_an_answer(transport: UrllibTransport, status: str) -> None:
    with FaultServer(always(answer(b"why", "Retry-After: 1", status=status))) as server:
        response = transport.send(get(server.url), Cancel())
        assert response.status == int(status[:3])
        assert response.headers["retry-after"] == "1"
        assert body_of(response) == b"why"


def test_a_redirect_is_handed_back_and_nobody_else_is_asked(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"stolen"))) as other:
        moved = answer(b"", f"Location: {other.url}/", status="302 Found")
        with FaultServer(always(moved)) as server:
            request = Request("POST", server.url, (("Authorization", "Bearer k"),), b"{}")
            response = transport.send(request, Cancel())
            assert response.status == 302
            assert response.headers["location"] == other.url + "/"
            response.close()
        assert other.connections == 0


def test_an_unsendable_header_is_refused_before_anything_is_sent(
    transport: UrllibTransport,
) -> None:
    with FaultServer(always(answer(b""))) as server:
        headers = (("Authorization", "Bearer sk-secret\r\nX-Evil: 1"),)
        error = failure(lambda: transport.send(Request("GET", server.url, headers), Cancel()))
        assert server.connections == 0
    assert isinstance(error, ConfigError)
    assert "sk-secret" not in "\n".join(error.lines())


# -- bodies -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef",
        CHUNKED + b"3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nT: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcdef",
        b"HTTP/1.0 200 OK\r\n\r\nabcdef",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef",
    ],
    ids=["length", "chunked", "until close", "HTTP/1.0", "interim"],
)
@pytest.mark.parametrize("piece", [1, 1000])
def test_every_framing_is_read_to_its_end(
    transport: UrllibTransport, response: bytes, piece: int
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        for at in range(0, len(response), piece):
            peer.send(response[at : at + piece])

    with FaultServer(script) as server:
        assert body_of(transport.send(get(server.url), Cancel())) == b"abcdef"


def test_a_read_returns_at_most_what_was_asked_for(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"abcdefgh"))) as server:
        response = transport.send(get(server.url), Cancel())
        pieces = list(iter(lambda: response.read(3), b""))
    assert pieces == [b"abc", b"def", b"gh"]


def test_what_has_arrived_is_returned_without_waiting_for_more(
    transport: UrllibTransport,
) -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"first")
        go_on.wait(LONG_S)
        peer.chunk(b"second")
        peer.chunk(b"")

    with FaultServer(script) as server:
        response = transport.send(get(server.url), Cancel())
        assert response.read() == b"first"
        go_on.set()
        assert body_of(response) == b"second"


@pytest.mark.parametrize("coding", ["gzip", "x-gzip"])
def test_compression_nobody_asked_for_is_undone(transport: UrllibTransport, coding: str) -> None:
    text = b"data: hello\n\n" * 20_000
    packed = gzip.compress(text)

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(CHUNKED[:-2] + f"Content-Encoding: {coding}\r\n\r\n".encode())
            for at in range(0, len(packed), 50):
                peer.chunk(packed[at : at + 50])
            peer.chunk(b"")

    with FaultServer(script) as server:
        for _ in range(2):
            assert body_of(transport.send(get(server.url), Cancel())) == text
        assert server.connections == 1


def test_a_compressed_body_is_read_piece_by_piece_even_after_its_last_byte(
    transport: UrllibTransport,
) -> None:
    packed = gzip.compress(bytes(5_000_000))
    with FaultServer(always(answer(packed, "Content-Encoding: gzip"))) as server:
        response = transport.send(get(server.url), Cancel())
        sizes = [len(piece) for piece in iter(response.read, b"")]
    assert sum(sizes) == 5_000_000
    assert max(sizes) <= 65536


@pytest.mark.parametrize(
    "response",
    [answer(b"x" * 2000), answer(gzip.compress(bytes(10**6)))],
    ids=["plain", "bomb"],
)
def test_a_body_over_the_cap_is_refused(response: bytes) -> None:
    if b"\x1f\x8b" in response:
        response = response.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n", 1)
    small = UrllibTransport(HttpSettings("", "", {}, max_body_bytes=1000))
    with FaultServer(always(response)) as server:
        answered = small.send(get(server.url), Cancel())
        error = failure(lambda: body_of(answered))
        assert error.code == "response-too-large"
        assert "1000" in error.cause
        assert failure(answered.read) is error
    small.close()


def test_a_hundred_megabytes_pass_through_bounded_memory(transport: UrllibTransport) -> None:
    block = b"x" * (1 << 20)

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        for _ in range(100):
            peer.chunk(block)
        peer.chunk(b"")

    unit = 1 if sys.platform == "darwin" else 1024
    with FaultServer(script) as server:
        response = transport.send(get(server.url), Cancel())
        response.read()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        total = sum(len(piece) for piece in iter(response.read, b""))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit
    assert total > 99 << 20
    assert grown < 20 << 20


# -- broken answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (CHUNKED + b"5\r\nabcde\r\n", "after 5 bytes"),
        (CHUNKED + b"5\r\nabc", "after 3 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "after 3 bytes"),
    ],
)
def test_a_body_that_ends_early_is_an_error_that_says_how_much_came(
    transport: UrllibTransport, response: bytes, words: str
) -> None:
    with FaultServer(once(response)) as server:
        answered = transport.send(get(server.url + "/p?key=secret"), Cancel())
        error = failure(lambda: body_of(answered))
        assert isinstance(error, ConnectionBroken)
        assert error.code == "connection-lost"
        assert words in error.message
        assert "/p" in error.message
        assert "secret" not in "\n".join(error.lines())
        assert failure(answered.read) is error, "a later read must not look like an end"


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"])
def test_an_end_before_the_headers_is_an_error(transport: UrllibTransport, sent: bytes) -> None:
    with FaultServer(once(sent)) as server:
        error = failure(lambda: transport.send(get(server.url), Cancel()))
        assert (type(error), error.code) == (ConnectionBroken, "connection-lost")
        assert server.connections == 1, "a fresh connection is not retried"


def test_a_reset_is_an_error(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED)
        peer.chunk(b"abc")
        go_on.wait(LONG_S)
        peer.reset()

    go_on = threading.Event()
    with FaultServer(script) as server:
        response = transport.send(get(server.url), Cancel())
        assert response.read() == b"abc"
        go_on.set()
        error = failure(response.read)
        assert error.code == "connection-lost"
        assert "after 3 bytes" in error.message


@pytest.mark.parametrize(
    "response",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    ],
)
def test_an_answer_that_is_not_http_is_named_so(
    transport: UrllibTransport, response: bytes
) -> None:
    with FaultServer(once(response)) as server:
        error = failure(lambda: transport.send(get(server.url), Cancel()))
    assert (type(error), error.code) == (ConnectionBroken, "not-http")
    assert "HTTP" in error.message


@pytest.mark.parametrize(
    "response",
    [
        CHUNKED + b"zz\r\n",
        answer(b"not gzip", "Content-Encoding: gzip"),
        answer(gzip.compress(b"abc")[:-1], "Content-Encoding: gzip"),
        answer(b"abc", "Content-Encoding: br"),
    ],
    ids=["chunk size", "not gzip", "gzip cut", "unknown coding"],
)
def test_a_garbled_body_is_an_error(transport: UrllibTransport, response: bytes) -> None:
    with FaultServer(once(response)) as server:
        answered = transport.send(get(server.url), Cancel())
        assert failure(lambda: body_of(answered)).code == "not-http"


def test_an_answer_given_before_the_request_was_read_counts(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(1000)
        peer.send(answer(b"too big", status="413 Too Large"))
        peer.sock.shutdown(socket.SHUT_WR)
        peer.wait()

    with FaultServer(script) as server:
        request = Request("POST", server.url, body=bytes(5_000_000))
        response = transport.send(request, Cancel())
        assert response.status == 413
        assert body_of(response) == b"too big"


# -- no connection ------------------------------------------------------------------------


def test_a_refused_connection_surfaces_at_once(transport: UrllibTransport) -> None:
    with refusing() as url:
        error = failure(lambda: transport.send(get(url + "/v1?key=secret"), Cancel()))
    assert (type(error), error.code) == (Unreachable, "connection-refused")
    assert "127.0.0.1" in error.cause
    assert "secret" not in "\n".join(error.lines())


def test_an_unknown_host_surfaces_at_once(transport: UrllibTransport) -> None:
    error = failure(lambda: transport.send(get("http://no-such-host.invalid/"), Cancel()))
    assert (type(error), error.code) == (Unreachable, "unknown-host")
    assert "no-such-host.invalid" in error.message


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_reached(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"six")), host="::1") as server:
        assert body_of(transport.send(get(server.url), Cancel())) == b"six"
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


def test_a_name_with_several_addresses_is_tried_in_order(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"ok"))) as server:  # localhost may be ::1 first: refused
        assert body_of(transport.send(get(server.url_for("localhost")), Cancel())) == b"ok"


# -- time ---------------------------------------------------------------------------------


def test_silence_before_the_first_byte_is_named(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.wait()

    def attempt(limit_ms: int) -> None:
        with FaultServer(script) as server:
            error = failure(lambda: transport.send(get(server.url, limit_ms), Cancel()))
            assert (type(error), error.code) == (ConnectionBroken, "first-byte-timeout")
            assert f"{limit_ms / 1000:g} s" in error.message
            assert server.gone.wait(LONG_S), "the connection is closed"

    in_time(attempt, SOON_MS)


@pytest.mark.parametrize("sent", [b"HTTP/1.1 200 OK\r\n", CHUNKED + b"3\r\nabc\r\n"])
def test_silence_between_bytes_is_named(transport: UrllibTransport, sent: bytes) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(sent)
        peer.wait()

    def attempt(limit_ms: int) -> None:
        with FaultServer(script) as server:
            error = failure(lambda: body_of(transport.send(get(server.url, limit_ms), Cancel())))
            assert error.code == "idle-timeout"
            assert server.gone.wait(LONG_S)

    in_time(attempt, SOON_MS)


def test_a_server_that_takes_no_request_is_named(transport: UrllibTransport) -> None:
    def attempt(limit_ms: int) -> None:
        hold = threading.Event()
        with FaultServer(lambda peer: bool(hold.wait(LONG_S)) and None) as server:
            request = Request("POST", server.url, body=bytes(50_000_000), timeout_ms=limit_ms)
            error = failure(lambda: transport.send(request, Cancel()))
            hold.set()
        assert error.code == "idle-timeout"
        assert "request" in error.message

    in_time(attempt, SOON_MS)


def test_a_slow_drip_goes_on_longer_than_the_timeout(transport: UrllibTransport) -> None:
    pause = threading.Event()  # never set: its wait is the server's pace

    def attempt(limit_ms: int) -> None:
        def script(peer: Peer) -> None:
            peer.request()
            peer.send(CHUNKED)
            for _ in range(8):
                peer.chunk(b": comment\n\n")
                pause.wait(limit_ms / 1000 / 3)
            peer.chunk(b"")

        with FaultServer(script) as server:
            start = time.monotonic()
            body = body_of(transport.send(get(server.url, limit_ms), Cancel()))
        assert body == b": comment\n\n" * 8
        assert time.monotonic() - start > limit_ms / 1000

    in_time(attempt, SOON_MS)
