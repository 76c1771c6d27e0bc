"""The plain view: what goes to stdout, what to stderr, and once."""

from __future__ import annotations

import io
from typing import Any

import pytest

from pi.agent.events import (
    AgentEnd,
    AgentEvent,
    AutoRetry,
    AutoRetryEnd,
    MessageAdded,
    ToolEnd,
    ToolStart,
    ToolUpdate,
)
from pi.agent.tool import ToolResult
from pi.ai.events import Fallback, Retrying, TextDelta, ThinkingDelta, Warned
from pi.ai.types import Message, Reply, Text, ToolCall, Usage, user_message
from pi.base.cancel import Cancel
from pi.runtime.output import PARTIAL_NOTE, Printer, summary

CALL = ToolCall("1", "bash", {"command": "ls"})
DONE = AgentEnd("completed", 2, Usage())


def assistant(text: str) -> MessageAdded:
    return MessageAdded(Message("assistant", (Text(text),)))


def shown(*events: AgentEvent, **options: Any) -> tuple[str, str]:
    stdout, stderr = io.StringIO(), io.StringIO()
    printer = Printer(stdout, stderr, Cancel(), clean=lambda text: text, **options)
    for event in events:
        printer(event)
    return stdout.getvalue(), stderr.getvalue()


def test_streamed_text_is_printed_once_and_ends_its_line() -> None:
    out, err = shown(
        MessageAdded(user_message("q")), TextDelta("he"), TextDelta("llo"), assistant("hello"), DONE
    )
    assert (out, err) == ("hello\n", "")


def test_without_streaming_the_text_comes_when_the_message_is_final() -> None:
    assert shown(TextDelta("hello"), assistant("hello"), DONE, stream=False) == ("hello\n", "")


def test_a_line_that_ends_by_itself_gets_no_second_break() -> None:
    assert shown(TextDelta("hello\n"), assistant("hello\n"), DONE)[0] == "hello\n"


def test_texts_of_consecutive_turns_stand_on_their_own_lines() -> None:
    out, err = shown(
        TextDelta("one"),
        assistant("one"),
        ToolStart(CALL),
        TextDelta("two"),
        assistant("two"),
        DONE,
    )
    assert out == "one\ntwo\n"
    assert err == '[bash: {"command": "ls"}]\n'


def test_failed_tools_and_retries_are_told_on_stderr() -> None:
    out, err = shown(
        ToolEnd(CALL, ToolResult("error: no\nmore", {}, True), 1), Retrying(1, 200, "busy"), DONE
    )
    assert out == ""
    assert err == "[bash: error: no]\n[retry 1 in 200 ms: busy]\n"


def failed(text: str) -> MessageAdded:
    return MessageAdded(Message("assistant", (Text(text),), stop_reason="error"))


AGAIN = AutoRetry(1, 3, 2000, "a/x failed (in the answer)")
AGAIN_NOTE = "[a/x failed (in the answer): asking again in 2 s (1 of 3)]\n"


def test_a_note_stands_between_a_broken_answer_and_the_next_attempt() -> None:
    out, err = shown(
        TextDelta("Hel"), failed("Hel"), AGAIN, TextDelta("Hello"), assistant("Hello"),
        AutoRetryEnd(True, 1), DONE,
    )  # fmt: skip
    assert out == "Hel\nHello\n"
    assert err == AGAIN_NOTE


def test_without_streaming_a_broken_answer_is_printed_only_if_none_follows() -> None:
    events = (TextDelta("Hel"), failed("Hel"), AGAIN, TextDelta("Hell"), failed("Hell"))
    out, err = shown(*events, AutoRetryEnd(False, 1), DONE, stream=False)
    assert (out, err) == ("Hell\n", f"{AGAIN_NOTE}[{PARTIAL_NOTE}]\n")


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("reason", ["error", "aborted"])
def test_the_last_answer_is_called_partial_if_it_broke_off(stream: bool, reason: str) -> None:
    message = MessageAdded(Message("assistant", (Text("Hel"),), stop_reason=reason))
    out, err = shown(TextDelta("Hel"), message, DONE, DONE, stream=stream)
    assert (out, err) == ("Hel\n", f"[{PARTIAL_NOTE}]\n")


def test_what_was_not_printed_is_not_called_partial() -> None:
    assert shown(failed("Hel"), AGAIN, DONE, stream=False) == ("", AGAIN_NOTE)
    assert shown(failed(""), DONE) == ("", "")


def test_an_empty_answer_is_asked_for_again_without_a_wait() -> None:
    note = "[the model gave an empty answer: asking again (1 of 1)]\n"
    assert shown(AutoRetry(1, 1, 0, "the model gave an empty answer"), DONE) == ("", note)


def test_another_model_is_named_with_the_reason() -> None:
    events = (failed("Hel"), Fallback("a/x", "b/y", "http_status", 529, 1), assistant("Hello"))
    out, err = shown(*events, Fallback("b/y", "c/z", "http_body", None, 2), DONE, stream=False)
    assert out == "Hello\n"
    assert err == (
        "[a/x failed (http_status 529): b/y answers instead]\n"
        "[b/y failed (http_body): c/z answers instead]\n"
    )


def test_warnings_of_a_run_and_of_an_answer_are_notes() -> None:
    message = Message("assistant", (Text("hi"),))
    reply = Reply(message, "stop", warnings=("calls came as text",))
    out, err = shown(Warned("no key for b/y"), MessageAdded(message, reply), DONE)
    assert (out, err) == ("hi\n", "[no key for b/y]\n[calls came as text]\n")


def test_thinking_is_shown_on_stderr_and_is_no_part_of_the_answer() -> None:
    out, err = shown(
        ThinkingDelta("let me "), ThinkingDelta("see"), TextDelta("hi"), assistant("hi"), DONE
    )
    assert (out, err) == ("hi\n", "[thinking: let me see]\n")


def test_a_note_is_one_line_and_a_short_one() -> None:
    call = ToolCall("1", "x]\nerror: forged\n[" + "y" * 2000, {})
    _out, err = shown(ToolStart(call), DONE)
    assert err.count("\n") == 1
    assert len(err) < 600


def test_quiet_keeps_stderr_empty() -> None:
    assert shown(ToolStart(CALL), Retrying(1, 2, "x"), DONE, quiet=True) == ("", "")


def test_a_closed_stdout_cancels_the_run_without_words() -> None:
    stdout, cancel = io.StringIO(), Cancel()
    stdout.close()
    stdout.isatty = lambda: False  # type: ignore[method-assign]
    printer = Printer(stdout, None, cancel, clean=str)
    printer(TextDelta("x"))
    printer(TextDelta("y"))
    assert cancel.why is not None
    assert cancel.why.code == "stdout-closed"


def test_text_for_a_terminal_is_cleaned() -> None:
    stdout = io.StringIO()
    stdout.isatty = lambda: True  # type: ignore[method-assign]
    Printer(stdout, None, Cancel(), clean=lambda text: text.replace("\x1b", "?"))(
        TextDelta("a\x1b[31m")
    )
    assert stdout.getvalue() == "a?[31m"


def test_missing_streams_are_no_trouble() -> None:
    cancel = Cancel()
    printer = Printer(None, None, cancel, clean=str)
    for event in (TextDelta("x"), assistant("x"), ToolStart(CALL), DONE):
        printer(event)
    assert cancel.why is None


def test_a_pause_follows_each_piece() -> None:
    pauses: list[int] = []
    shown(TextDelta("a"), TextDelta("b"), pause=lambda: pauses.append(1))
    assert pauses == [1, 1]


def test_long_arguments_are_cut_in_the_summary() -> None:
    assert summary({"a": "x" * 200}).endswith("...")
    assert len(summary({"a": "x" * 200})) == 100


def test_a_running_tool_shows_its_last_line_once_a_second() -> None:
    ticks = iter([10.0, 10.9, 11.0, 12.5])
    updates = [ToolUpdate(CALL, text) for text in ("a\nb\n", "c", "d", " \n")]
    _out, err = shown(*updates, DONE, monotonic=lambda: next(ticks))
    assert err == "[bash: b]\n[bash: d]\n"


def test_without_a_clock_updates_are_not_shown() -> None:
    assert shown(ToolUpdate(CALL, "x"), DONE) == ("", "")


def test_a_failed_call_is_told_by_its_error_whatever_the_form_of_its_text() -> None:
    result = ToolResult('{\n  "error": "no"\n}', {"error": "no\nmore"}, True)
    assert shown(ToolEnd(CALL, result, 1), DONE)[1] == "[bash: error: no]\n"
