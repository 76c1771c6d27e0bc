"""The switch that ends a run."""

from __future__ import annotations

import threading

import pytest

from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, TimeLimit


def test_the_first_reason_wins_and_is_raised() -> None:
    cancel = Cancel()
    cancel.raise_if_set()
    cancel.set(Interrupted("first"))
    cancel.set(TimeLimit("second"))
    with pytest.raises(Interrupted, match="first"):
        cancel.raise_if_set()


def test_callbacks_run_once_on_the_setting_thread() -> None:
    cancel, called = Cancel(), []
    cancel.on_set(lambda: called.append(threading.current_thread().name))
    worker = threading.Thread(target=cancel.set, args=(Interrupted("x"),), name="setter")
    worker.start()
    worker.join()
    cancel.set(Interrupted("again"))
    assert called == ["setter"]


def test_a_callback_taken_back_is_not_called() -> None:
    cancel, called = Cancel(), []
    remove = cancel.on_set(lambda: called.append(1))
    remove()
    remove()
    cancel.set(Interrupted("x"))
    assert called == []


def test_a_late_callback_is_called_at_once() -> None:
    cancel, called = Cancel(), []
    cancel.set(Interrupted("x"))
    cancel.on_set(lambda: called.append(1))
    assert called == [1]


def test_a_callback_may_register_and_set_again() -> None:
    cancel, called = Cancel(), []
    cancel.on_set(lambda: cancel.on_set(lambda: called.append("inner")))
    cancel.on_set(lambda: cancel.set(Interrupted("nested")))
    cancel.set(Interrupted("outer"))
    assert called == ["inner"]
    assert cancel.why is not None
    assert cancel.why.message == "outer"
