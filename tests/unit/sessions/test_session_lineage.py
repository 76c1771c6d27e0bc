from __future__ import annotations

import pytest

from pi.ai.types import Message, Text, ToolCall, tool_message, user_message
from pi.sessions.lineage import Path, context, path_to

CALL = ToolCall("c1", "read", {})


def parents(**tree: int | None):  # type: ignore[no-untyped-def]
    return {int(name[1:]): parent for name, parent in tree.items()}.__getitem__


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (None, Path(())),
        (1, Path((1,))),
        (3, Path((1, 2, 3))),
        (4, Path((1, 9, 4))),  # a parent's id may be the higher one
        (5, Path((5,), "missing parent id 77 for session entry 5")),
        (6, Path((7, 6), "detected a cycle while resolving session lineage at id 6")),
        (8, Path((8,), "detected a cycle while resolving session lineage at id 8")),
    ],
)
def test_a_path_leads_from_a_root_to_the_head(head: int | None, expected: Path) -> None:
    tree = parents(n1=None, n2=1, n3=2, n9=1, n4=9, n5=77, n6=7, n7=6, n8=8)
    assert path_to(head, tree) == expected


def test_a_path_of_a_hundred_thousand_entries_needs_no_recursion() -> None:
    tree = {number: number - 1 or None for number in range(1, 100_001)}
    assert path_to(100_000, tree.__getitem__).ids == tuple(range(1, 100_001))


def answer(reason: str, *calls: ToolCall) -> Message:
    return Message("assistant", (Text("x"), *calls), stop_reason=reason)


def test_old_system_prompts_are_no_context() -> None:
    assert context([Message("system", (Text("old"),)), user_message("hi")]) == (user_message("hi"),)


@pytest.mark.parametrize("reason", ["aborted", "error"])
def test_an_unfinished_answer_and_the_results_of_its_calls_are_no_context(reason: str) -> None:
    whole = [user_message("a"), answer("tool_use", CALL), tool_message(CALL, "1")]
    broken = [answer(reason, CALL), tool_message(CALL, "2"), user_message("b")]
    assert context([*whole, *broken]) == (*whole, user_message("b"))


def test_a_result_without_its_call_is_no_context() -> None:
    other = ToolCall("c2", "read", {})
    kept = [answer("tool_use", CALL, other), tool_message(other, "2"), tool_message(CALL, "1")]
    assert context([tool_message(CALL, "0"), *kept, answer("stop"), tool_message(CALL, "3")]) == (
        *kept,
        answer("stop"),
    )


def test_answers_of_other_endings_stay() -> None:
    reasons = ("", "stop", "tool_use", "length", "refusal")
    messages = tuple(answer(reason) for reason in reasons)
    assert context(messages) == messages
