"""Connections that are used again."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.base.http import Request, Response
from pi.base.keepalive import MAX_IDLE
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.fault_server import CHUNKED, FaultServer, Peer, always, answer
from tests.fakes.patience import LONG_S


@pytest.fixture
def transport() -> Iterator[UrllibTransport]:
    made = UrllibTransport(HttpSettings("", "", {}))
    yield made
    made.close()


def ask(transport: UrllibTransport, url: str) -> Response:
    return transport.send(Request("POST", url, body=b"{}", timeout_ms=60_000), Cancel())


def body_of(response: Response) -> bytes:
    return b"".join(iter(response.read, b""))


@pytest.mark.parametrize(
    "response",
    [
        answer(b"ok"),
        CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_many_requests_take_one_connection(transport: UrllibTransport, response: bytes) -> None:
    with FaultServer(always(response)) as server:
        for _ in range(5):
            assert body_of(ask(transport, server.url)) == b"ok"
        assert server.connections == 1
        assert len(server.requests) == 5


def test_an_answer_without_body_gives_the_connection_back_at_once(
    transport: UrllibTransport,
) -> None:
    with FaultServer(always(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        first = ask(transport, server.url)
        assert ask(transport, server.url).read() == b""
        assert first.read() == b""
        first.close()
        assert server.connections == 1


@pytest.mark.parametrize(
    "response",
    [
        answer(b"ok", "Connection: close"),
        answer(b"ok") + b"surplus",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_that_must_not_be_used_again_is_not(
    transport: UrllibTransport, response: bytes
) -> None:
    with FaultServer(always(response)) as server:
        for _ in range(2):
            assert body_of(ask(transport, server.url)) == b"ok"
        assert server.connections == 2


def test_an_abandoned_body_closes_its_connection(transport: UrllibTransport) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(CHUNKED)
            peer.chunk(b"more to come")
            peer.wait()

    with FaultServer(script) as server:
        response = ask(transport, server.url)
        response.read()
        response.close()
        response.close()
        assert server.gone.wait(LONG_S)
        with pytest.raises(PiError, match="broke off"):
            response.read()


def test_a_body_closed_at_its_last_event_still_keeps_the_connection(
    transport: UrllibTransport,
) -> None:
    """Clients stop reading at the last event; the closing chunk right behind it is taken."""
    sent = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            sent.clear()
            peer.send(CHUNKED)
            peer.chunk(b"data: [DONE]\n\n")
            peer.chunk(b"")
            sent.set()

    with FaultServer(script) as server:
        for _ in range(3):
            response = ask(transport, server.url)
            assert response.read() == b"data: [DONE]\n\n"
            assert sent.wait(LONG_S)
            response.close()
            with pytest.raises(PiError, match="broke off"):
                response.read()
        assert server.connections == 1


def test_an_end_that_comes_only_after_the_last_event_was_read_still_keeps_the_connection(
    transport: UrllibTransport,
) -> None:
    """However slow the server is to send it: nobody waits for it but the next request."""
    left = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(CHUNKED)
            peer.chunk(b"data: [DONE]\n\n")
            assert left.wait(LONG_S)
            left.clear()
            peer.chunk(b": nothing that matters\n\n")
            peer.chunk(b"")

    with FaultServer(script) as server:
        for _ in range(3):
            response = ask(transport, server.url)
            assert response.read() == b"data: [DONE]\n\n"
            response.close(finished=True)
            left.set()
            with pytest.raises(PiError, match="broke off"):
                response.read()
        assert server.connections == 1


@pytest.mark.parametrize("end", [b"0\r\n\r\nsurplus", b"no chunk\r\n", b"5\r\nhello"])
def test_after_an_end_that_never_comes_a_new_connection_is_made(
    transport: UrllibTransport, monkeypatch: pytest.MonkeyPatch, end: bytes
) -> None:
    """And it is waited for once; from then on such a connection is closed at once."""
    monkeypatch.setattr("pi.base.keepalive.END_PATIENCE_S", 0.05)
    left = threading.Event()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(CHUNKED)
            peer.chunk(b"data: [DONE]\n\n")
            if len(server.requests) > 1:
                peer.wait()
                return
            assert left.wait(LONG_S)
            peer.send(end)

    with FaultServer(script) as server:
        for _ in range(2):
            response = ask(transport, server.url)
            assert response.read(14) == b"data: [DONE]\n\n"
            response.close(finished=True)
            left.set()
        assert server.gone.wait(LONG_S)
        assert server.connections == 2


def test_a_body_that_only_the_connections_end_ends_is_not_waited_for(
    transport: UrllibTransport,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n\r\ndata: [DONE]\n\n")
        peer.wait()

    with FaultServer(script) as server:
        response = ask(transport, server.url)
        assert response.read() == b"data: [DONE]\n\n"
        response.close(finished=True)
        assert server.gone.wait(LONG_S)


def test_a_connection_the_server_gave_up_while_idle_is_replaced(
    transport: UrllibTransport,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))

    with FaultServer(script) as server:
        for _ in range(3):
            assert body_of(ask(transport, server.url)) == b"ok"
        assert server.connections == 3


def test_a_reused_connection_that_dies_on_use_is_retried_on_a_new_one(
    transport: UrllibTransport,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))
        peer.request()  # taken, then dropped without a word

    with FaultServer(script) as server:
        assert body_of(ask(transport, server.url)) == b"ok"
        assert body_of(ask(transport, server.url)) == b"ok"
        assert server.connections == 2
        assert len(server.requests) == 3


def test_the_retry_is_made_once_and_only_once(transport: UrllibTransport) -> None:
    calm = threading.Event()
    calm.set()

    def script(peer: Peer) -> None:
        while peer.request() is not None and calm.is_set():
            peer.send(answer(b"ok"))

    with FaultServer(script) as server:
        held = [ask(transport, server.url) for _ in range(3)]
        for response in held:
            body_of(response)
        calm.clear()  # all three idle connections will die on use, and new ones too
        with pytest.raises(PiError) as caught:
            ask(transport, server.url)
        assert caught.value.code == "connection-lost"
        assert len(server.requests) == 3 + 2


def test_a_reused_connection_is_not_retried_once_an_answer_began(
    transport: UrllibTransport,
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"ok"))
        peer.request()
        peer.send(b"HTTP/1.1 2")

    with FaultServer(script) as server:
        body_of(ask(transport, server.url))
        with pytest.raises(PiError) as caught:
            ask(transport, server.url)
        assert caught.value.code == "connection-lost"
        assert server.connections == 1


def test_only_a_few_idle_connections_are_kept(transport: UrllibTransport) -> None:
    with FaultServer(always(CHUNKED + b"2\r\nok\r\n0\r\n\r\n")) as server:
        for _ in range(2):
            answers = [ask(transport, server.url) for _ in range(MAX_IDLE + 2)]
            for response in answers:
                body_of(response)
        assert server.connections == MAX_IDLE + 2 + 2


def test_hosts_do_not_share_connections(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"a"))) as one, FaultServer(always(answer(b"b"))) as two:
        for _ in range(2):
            assert body_of(ask(transport, one.url)) == b"a"
            assert body_of(ask(transport, two.url)) == b"b"
        assert (one.connections, two.connections) == (1, 1)


def test_a_closed_transport_keeps_nothing(transport: UrllibTransport) -> None:
    with FaultServer(always(answer(b"ok"))) as server:
        body_of(ask(transport, server.url))
        transport.close()
        for _ in range(2):
            assert body_of(ask(transport, server.url)) == b"ok"
        assert server.connections == 3


def test_threads_share_the_transport(transport: UrllibTransport) -> None:
    bodies: list[bytes] = []

    def work(url: str) -> None:
        bodies.extend(body_of(ask(transport, url)) for _ in range(20))

    with FaultServer(always(answer(b"ok"))) as server:
        threads = [threading.Thread(target=work, args=(server.url,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections <= 4
    assert bodies == [b"ok"] * 80
