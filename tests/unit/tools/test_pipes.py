"""The two streams of a command."""

from __future__ import annotations

import os
import select
import sys

import pytest

from pi.tools.pipes import READ_BYTES, Pipes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs pipes that can be polled")


def test_each_stream_has_its_name_and_its_end() -> None:
    with Pipes() as pipes:
        out, err = pipes.for_child
        os.write(out, b"out")
        assert list(pipes.read(0)) == [("stdout", b"out")]
        os.write(err, b"err")
        assert list(pipes.read(0)) == [("stderr", b"err")]
        assert list(pipes.read(0)) == []
        assert pipes.is_open
        pipes.started()
        assert list(pipes.read(0)) == []
        assert not pipes.is_open


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="only epoll knows the order")
def test_the_stream_that_spoke_first_comes_first() -> None:
    with Pipes() as pipes:
        out, err = pipes.for_child
        for first, second in ((err, out), (out, err), (err, out), (err, out)):
            os.write(first, b"1")
            os.write(second, b"2")
            assert [piece for _, piece in pipes.read(0)] == [b"1", b"2"]


def test_more_than_is_read_at_once_is_not_lost() -> None:
    with Pipes() as pipes:
        out, _ = pipes.for_child
        os.set_blocking(out, False)
        size = os.write(out, b"x" * (READ_BYTES * 3))
        pipes.started()
        read = 0
        while pipes.is_open:
            read += sum(len(piece) for _, piece in pipes.read(1))
        assert read == size
    if sys.platform == "linux":
        assert size > READ_BYTES


@pytest.mark.parametrize("size", [4, READ_BYTES + 4])
def test_the_end_is_seen_when_it_came_with_the_last_words(size: int) -> None:
    with Pipes() as pipes:
        out, err = pipes.for_child
        os.set_blocking(out, False)
        left = os.write(out, b"x" * size)
        os.write(err, b"last")
        pipes.started()
        while left:
            pieces = list(pipes.read(0))
            assert pieces
            left -= sum(len(piece) for name, piece in pieces if name == "stdout")
        assert list(pipes.read(0)) == []
        assert not pipes.is_open


def test_nothing_is_left_open() -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("needs /proc")
    before = len(os.listdir("/proc/self/fd"))
    with Pipes() as pipes:
        os.write(pipes.for_child[0], b"x")
    assert len(os.listdir("/proc/self/fd")) <= before
