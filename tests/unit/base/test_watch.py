"""Waits that hear of a signal however unluckily it comes."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.base.watch import HEARD_S, Watch


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_signal_just_before_the_wait_ends_it_all_the_same(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """Its handler is held back until the wait is over, as that of a signal in the moment
    between the interpreter's last look for one and the system's wait."""
    cancel = Cancel()
    watch = Watch(cancel)
    watch.over(pair[0])
    before = signal.signal(signal.SIGALRM, lambda *_: cancel.set(Interrupted("stop")))

    def receive(size: int) -> bytes:
        if cancel.why is None:
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
            signal.raise_signal(signal.SIGALRM)
        try:
            return pair[0].recv(size)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])

    try:
        assert watch.patiently(pair[0], 600.0, receive, 1) == b""  # shut down, long before
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cancel.why is not None


@pytest.mark.parametrize("timeout_s", [0.01, HEARD_S, 2.5 * HEARD_S])
def test_the_slices_of_a_wait_make_up_its_time_limit(
    pair: tuple[socket.socket, socket.socket], timeout_s: float
) -> None:
    waited: list[float] = []

    def in_vain() -> None:
        waited.append(pair[0].gettimeout() or 0.0)
        raise socket.timeout("timed out")

    with pytest.raises(socket.timeout):
        Watch(Cancel()).patiently(pair[0], timeout_s, in_vain)
    assert sum(waited) == pytest.approx(timeout_s)
    assert max(waited) <= HEARD_S


def test_with_no_time_at_all_nothing_is_waited_for(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(BlockingIOError):
        Watch(Cancel()).patiently(pair[0], 0, pair[0].recv, 1)
    pair[1].send(b"x")
    assert Watch(Cancel()).patiently(pair[0], 0, pair[0].recv, 1) == b"x"
