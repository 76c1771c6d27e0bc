"""Opening connections where the resolver, not the network, is the trouble."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pi.base.cancel import Cancel
from pi.base.dial import dial
from pi.base.errors import Interrupted, PiError
from pi.base.target import parse_target
from pi.base.watch import Watch
from tests.fakes.fault_server import FaultServer, always, answer
from tests.fakes.patience import LONG_S


def no_tls() -> Any:
    raise AssertionError("plain http needs no TLS context")


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The system's resolver does not answer until the event is set."""
    real = socket.getaddrinfo
    answer_now = threading.Event()

    def resolve(host: Any, *args: Any, **options: Any) -> Any:
        if host == b"slow.invalid":
            if options.get("flags"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            answer_now.wait(4 * LONG_S)
            return []
        return real(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield answer_now
    answer_now.set()
    for thread in threading.enumerate():
        if thread.name == "name-lookup":
            thread.join(LONG_S)


def test_a_name_lookup_that_hangs_is_given_up(hung: threading.Event) -> None:
    with pytest.raises(PiError) as caught:
        dial(parse_target("http://slow.invalid/"), None, no_tls, 0.2, Watch(Cancel()))
    assert caught.value.code == "connect-timeout"
    assert "looking up the name" in caught.value.cause


def test_a_name_lookup_that_hangs_can_be_cancelled(hung: threading.Event) -> None:
    cancel = Cancel()
    at: list[float] = []

    def stop() -> None:
        at.append(time.monotonic())
        cancel.set(Interrupted("stop"))

    timer = threading.Timer(0.1, stop)
    timer.start()
    with pytest.raises(Interrupted):
        dial(parse_target("http://slow.invalid/"), None, no_tls, 3 * LONG_S, Watch(cancel))
    assert time.monotonic() - at[0] < LONG_S
    timer.join()


def test_the_next_address_is_tried_when_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host != b"two.invalid":
            return real(host, port, *args, **options)
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real("127.0.0.1", refusing, type=socket.SOCK_STREAM) + real(
            "127.0.0.1", port, type=socket.SOCK_STREAM
        )

    with socket.socket() as taken, FaultServer(always(answer(b""))) as server:
        taken.bind(("127.0.0.1", 0))
        refusing = taken.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        target = parse_target(server.url_for("two.invalid"))
        dial(target, None, no_tls, LONG_S, Watch(Cancel())).close()
        assert server.accepted.wait(LONG_S)
