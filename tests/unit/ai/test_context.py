from __future__ import annotations

import pytest

from pi.ai.context import NO_RESULT, prepare, tool_name
from pi.ai.types import Message, Text, ToolCall, tool_message, user_message

READ = ToolCall("a", "read", {"path": "x"})
LIST = ToolCall("b", "bash", {"command": "ls"})
HELLO, MORE = user_message("hello"), user_message("more")


def assistant(*blocks: Text | ToolCall, stop_reason: str = "stop") -> Message:
    return Message("assistant", blocks, stop_reason=stop_reason)


def no_result(call: ToolCall) -> Message:
    return tool_message(call, NO_RESULT, is_error=True)


ASKS = assistant(Text("looking"), READ, LIST, stop_reason="tool_use")
READ_DONE, LIST_DONE = tool_message(READ, "text"), tool_message(LIST, "files")
ANSWER = assistant(Text("done"))


def test_a_valid_conversation_passes_as_the_same_objects() -> None:
    history = (HELLO, ASKS, READ_DONE, LIST_DONE, ANSWER, MORE)
    prepared = prepare(history)
    assert prepared == history
    assert all(mine is theirs for mine, theirs in zip(prepared, history))


def test_results_are_put_in_call_order() -> None:
    assert prepare((HELLO, ASKS, LIST_DONE, READ_DONE)) == (HELLO, ASKS, READ_DONE, LIST_DONE)


@pytest.mark.parametrize("follower", [MORE, ANSWER])
def test_an_unanswered_call_gets_an_error_result_before_the_conversation_goes_on(
    follower: Message,
) -> None:
    assert prepare((HELLO, ASKS, LIST_DONE, follower)) == (
        HELLO,
        ASKS,
        no_result(READ),
        LIST_DONE,
        follower,
    )


def test_a_call_unanswered_at_the_end_gets_an_error_result() -> None:
    assert prepare((ASKS,)) == (ASKS, no_result(READ), no_result(LIST))


@pytest.mark.parametrize("stop_reason", ["error", "aborted"])
def test_a_failed_answer_goes_with_the_results_of_its_calls(stop_reason: str) -> None:
    failed = ASKS._replace(stop_reason=stop_reason)
    assert prepare((HELLO, failed, READ_DONE, LIST_DONE, MORE)) == (HELLO, MORE)


def test_a_failed_answers_result_does_not_answer_an_earlier_call_of_the_same_id() -> None:
    failed = assistant(READ, stop_reason="error")
    kept = assistant(READ, stop_reason="tool_use")
    assert prepare((kept, failed, READ_DONE)) == (kept, no_result(READ))
    assert prepare((failed, kept, READ_DONE)) == (kept, READ_DONE)


@pytest.mark.parametrize("blocks", [(), (Text(""),), (Text(" \n"),)])
def test_an_empty_answer_goes(blocks: tuple[Text, ...]) -> None:
    assert prepare((HELLO, assistant(*blocks), MORE)) == (HELLO, MORE)


def test_an_empty_answer_does_not_part_a_call_from_its_result() -> None:
    asks = assistant(READ, stop_reason="tool_use")
    assert prepare((asks, assistant(), READ_DONE)) == (asks, READ_DONE)


def test_results_without_a_call_and_second_results_go() -> None:
    asks = assistant(READ, stop_reason="tool_use")
    again = tool_message(READ, "again")
    stray = Message("tool", (Text("x"),))
    assert prepare((READ_DONE, asks, READ_DONE, again, LIST_DONE, stray)) == (asks, READ_DONE)


def test_the_same_id_may_come_back_in_a_later_answer() -> None:
    asks = assistant(READ, stop_reason="tool_use")
    history = (asks, READ_DONE, MORE, asks, tool_message(READ, "new"))
    assert prepare(history) == history


def test_a_call_that_repeats_an_id_of_its_message_goes() -> None:
    twin = ToolCall("a", "bash", {})
    assert prepare((assistant(READ, twin), READ_DONE)) == (assistant(READ), READ_DONE)


def test_blank_text_beside_calls_goes() -> None:
    assert prepare((assistant(Text(" "), READ), READ_DONE)) == (assistant(READ), READ_DONE)


def test_names_are_made_acceptable_in_call_and_result_alike() -> None:
    odd = ToolCall("a", "read file/ä", {})
    call, result = prepare((assistant(odd), tool_message(odd, "x")))
    assert call.tool_calls()[0].name == result.tool_name == "read_file__"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("read", "read"),
        ("a_b-C9", "a_b-C9"),
        ("__", "__"),
        ("", "unknown_tool"),
        ("x" * 65, "x" * 64),
        ("a.b", "a_b"),
        ("²", "_"),
    ],
)
def test_tool_names_hold_only_what_every_vendor_takes(given: str, expected: str) -> None:
    assert tool_name(given) == expected
