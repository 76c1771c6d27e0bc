"""A model that repeats a failing call."""

from __future__ import annotations

from pi.agent.guard import LoopGuard
from pi.agent.results import failed
from pi.agent.tool import ToolResult
from pi.ai.types import ToolCall
from tests.fakes.agents import call


def counts(*seen: tuple[ToolCall, ToolResult]) -> list[int]:
    guard = LoopGuard()
    return [guard.saw(*one) for one in seen]


BAD, WORSE, GOOD = failed("no"), failed("no way"), ToolResult("yes", {})
A, A_AGAIN, B = call(text="a"), call(id_="c2", text="a"), call(text="b")


def test_the_same_failure_is_counted_whatever_the_id_of_the_call() -> None:
    assert counts((A, BAD), (A_AGAIN, BAD), (A, BAD)) == [1, 2, 3]


def test_other_arguments_another_error_or_a_success_start_anew() -> None:
    assert counts((A, BAD), (B, BAD), (A, BAD)) == [1, 1, 1]
    assert counts((A, BAD), (A, WORSE), (A, BAD)) == [1, 1, 1]
    assert counts((A, BAD), (A, GOOD), (A, BAD)) == [1, 0, 1]
    assert counts((A, BAD), (call("other", text="a"), BAD)) == [1, 1]


def test_arguments_are_compared_byte_by_byte() -> None:
    one, same_value = call(x=1, y=2), call(y=2, x=1)
    assert counts((one, BAD), (same_value, BAD)) == [1, 1]
    assert counts((call(raw="{"), BAD), (call(raw="{"), BAD), (call(raw="{ "), BAD)) == [1, 2, 1]
