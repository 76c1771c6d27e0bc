"""The real world, as far as it can be checked."""

from __future__ import annotations

import threading

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.base.host import Host


def test_a_pause_ends_when_the_run_is_cancelled() -> None:
    host, cancel = Host(), Cancel()
    threading.Timer(0.01, cancel.set, (Interrupted("stop"),)).start()
    began = host.monotonic()
    with pytest.raises(Interrupted):
        host.pause(600_000, cancel)
    assert host.monotonic() - began < 300


def test_a_pause_lasts_as_long_as_asked() -> None:
    host = Host()
    began = host.monotonic()
    host.pause(20, Cancel())
    assert host.monotonic() - began >= 0.019  # clocks tick


def test_draws_are_in_the_unit_interval() -> None:
    host = Host()
    assert all(0 <= host.draw() < 1 for _ in range(100))
    assert len(host.random_bytes(7)) == 7
    assert host.now_ms() > 1_600_000_000_000
