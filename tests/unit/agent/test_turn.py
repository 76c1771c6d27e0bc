"""The turn machine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pi.agent.turn import State, Turn


def test_a_plain_reply_is_the_end() -> None:
    turn = Turn(5)
    turn.replied([])
    assert turn.state is State.DONE


def test_calls_are_answered_before_the_next_request() -> None:
    turn = Turn(None)
    turn.replied(["a", "b"])
    assert turn.state is State.NEEDS_TOOLS
    assert turn.open_calls == ("a", "b")
    turn.answered("b")
    assert turn.open_calls == ("a",)
    turn.answered("a")
    assert turn.state is State.NEEDS_REPLY


def test_the_limit_ends_it_after_the_last_answer() -> None:
    turn = Turn(1)
    turn.replied(["a"])
    turn.answered("a")
    assert turn.state is State.EXHAUSTED


def test_a_limit_of_nothing_is_exhausted_at_once() -> None:
    assert Turn(0).state is State.EXHAUSTED


def answered_twice(turn: Turn) -> None:
    turn.answered("a")
    turn.answered("a")


@pytest.mark.parametrize(
    "wrong",
    [
        lambda turn: turn.replied([]),
        lambda turn: turn.answered("unknown"),
        answered_twice,
    ],
)
def test_moves_out_of_order_are_refused(wrong: Callable[[Turn], None]) -> None:
    turn = Turn(5)
    turn.replied(["a"])
    with pytest.raises(ValueError, match=r"while|no open"):
        wrong(turn)


def test_two_calls_of_one_turn_need_two_ids() -> None:
    with pytest.raises(ValueError, match="share an id"):
        Turn(5).replied(["a", "a"])
