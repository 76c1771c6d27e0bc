"""Messages of the user that wait."""

from __future__ import annotations

import threading

import pytest

from pi.agent.queues import MessageQueue


def test_one_at_a_time_gives_the_oldest() -> None:
    queue = MessageQueue()
    for text in "abc":
        queue.put(text)
    assert queue.take() == ("a",)
    assert len(queue) == 2
    assert queue.take_all() == ("b", "c")
    assert queue.take() == ()


def test_all_gives_all() -> None:
    queue = MessageQueue("all")
    for text in "abc":
        queue.put(text)
    assert queue.take() == ("a", "b", "c")


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="one-at-a-time"):
        MessageQueue("some")


def test_nothing_is_lost_or_doubled_between_threads() -> None:
    queue = MessageQueue()
    taken: list[str] = []
    done = threading.Event()

    def put(first: int) -> None:
        for number in range(first, first + 500):
            queue.put(str(number))

    def take() -> None:
        while not (done.is_set() and not len(queue)):
            taken.extend(queue.take())

    writers = [threading.Thread(target=put, args=(at * 500,)) for at in range(4)]
    reader = threading.Thread(target=take)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert sorted(map(int, taken)) == list(range(2000))
