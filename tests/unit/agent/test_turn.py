"""The turn machine."""

from __future__ import annotations

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


@pytest.mark.parametrize("wrong", ["unknown-answer", "answer-twice", "same-id", "reply-twice"])
def test_moves_out_of_order_are_refused(wrong: str) -> None:
    turn = Turn(5)
    with pytest.raises(ValueError, match=r"call|while|share"):
        if wrong == "same-id":
            turn.replied(["a", "a"])
        turn.replied(["a"])
        if wrong == "reply-twice":
            turn.replied([])
        turn.answered("b" if wrong == "unknown-answer" else "a")
        turn.answered("a")
