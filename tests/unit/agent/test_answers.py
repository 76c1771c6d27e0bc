"""Getting one whole answer: what is asked for again, how often, after which wait."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.answers import Answers, is_empty
from pi.agent.events import AgentEvent, AutoRetry, AutoRetryEnd, MessageAdded
from pi.ai.events import CallDelta, Fallback, ReplyFailed, TextDelta, ThinkingDelta
from pi.ai.providers.failure import ReportedFailure
from pi.ai.types import ChatRequest, Message, Reply, Text, Thinking, ToolCall, user_message
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, PiError, ProviderFailed, Unreachable
from pi.base.retry import TurnRetry
from tests.fakes.scripted import ScriptedModel, broken_reply, call_reply, text_reply

CHAT = ChatRequest("m", "", (user_message("hi"),))
EMPTY = text_reply("")


class Asking:
    """One ``get`` to its end."""

    def __init__(
        self,
        *replies: Any,
        policy: TurnRetry | None = None,
        chat: ChatRequest = CHAT,
        can_wait: bool = True,
        cancel: Cancel | None = None,
        stop: PiError | None = None,
    ) -> None:
        self.stop = stop  # raised by the wait
        self.model = ScriptedModel(*replies)
        self.paused: list[int] = []
        self.events: list[AgentEvent] = []
        answers = Answers(self.model, policy or TurnRetry(), self._pause if can_wait else None)
        asking = answers.get(chat, cancel or Cancel(), lambda reply: MessageAdded(reply.message))
        while True:
            try:
                self.events.append(next(asking))
            except StopIteration as stop:
                self.reply: Reply = stop.value
                return

    def _pause(self, ms: int, cancel: Cancel) -> None:
        self.paused.append(ms)
        if self.stop is not None:
            raise self.stop

    @property
    def repeats(self) -> list[AgentEvent]:
        return [event for event in self.events if isinstance(event, (AutoRetry, AutoRetryEnd))]


def test_a_whole_answer_is_taken_as_it_is() -> None:
    asking = Asking(text_reply("hi"))
    assert asking.reply.message.text() == "hi"
    assert asking.repeats == []


def test_the_waits_double_and_end_with_the_attempts() -> None:
    asking = Asking(*[broken_reply("par") for _ in range(4)])
    assert asking.paused == [2000, 4000, 8000]
    assert asking.repeats[-1] == AutoRetryEnd(False, 3)
    assert [event.attempt for event in asking.repeats if isinstance(event, AutoRetry)] == [1, 2, 3]
    assert asking.reply.stop_reason == "error"


@pytest.mark.parametrize("shown", [ThinkingDelta("hm"), CallDelta(0, "c", "read", "{")])
def test_thinking_and_calls_count_as_part_of_an_answer(shown: Any) -> None:
    assert Asking([shown, broken_reply("")], text_reply("ok")).reply.error is None


@pytest.mark.parametrize(
    "error",
    [
        ProviderFailed("no", code="context-overflow"),
        ProviderFailed("no", code="quota-exhausted"),
        ProviderFailed("no", code="provider-error"),
        ProviderFailed("no", code="malformed-stream"),
        Unreachable("no", code="unknown-host"),
        Interrupted("no"),
    ],
)
def test_what_will_not_pass_is_not_asked_for_again(error: PiError) -> None:
    asking = Asking(broken_reply("par", error))
    assert asking.reply.error is error
    assert asking.repeats == []


def test_a_failure_before_anything_was_shown_is_the_clients_business() -> None:
    assert Asking(broken_reply("")).repeats == []


def test_no_attempts_or_no_way_to_wait_means_no_repetition() -> None:
    assert Asking(broken_reply("par"), policy=TurnRetry(0)).repeats == []
    assert Asking(EMPTY, policy=TurnRetry(0)).repeats == []
    assert Asking(broken_reply("par"), can_wait=False).repeats == []


def test_a_cancelled_run_asks_nothing_again() -> None:
    cancel = Cancel()
    cancel.set(Interrupted("stop"))
    assert Asking(broken_reply("par"), cancel=cancel).repeats == []
    assert len(Asking(text_reply("x", "pause"), cancel=cancel).model.requests) == 1


def test_a_wait_that_is_cancelled_gives_the_reason_and_asks_nothing_more() -> None:
    stop = Interrupted("stop")
    asking = Asking(broken_reply("par"), stop=stop)
    assert (asking.reply.error, asking.reply.stop_reason) == (stop, "aborted")
    assert asking.repeats[-1] == AutoRetryEnd(False, 1)
    assert sum(isinstance(event, MessageAdded) for event in asking.events) == 1


def test_what_another_model_left_is_recorded_and_is_no_part_of_the_answer() -> None:
    """A failure of the second model before it showed anything is no broken answer."""
    left = ReplyFailed(broken_reply("Hel"))
    fallback = Fallback("a/x", "b/y", "http_body", None, 1)
    asking = Asking([TextDelta("Hel"), left, fallback, broken_reply("")])
    added = [event.message.text() for event in asking.events if isinstance(event, MessageAdded)]
    assert added == ["Hel", ""]
    assert asking.repeats == []


def asked(wait_ms: int) -> Reply:
    error = ReportedFailure("busy", code="provider-overloaded")
    error.retry_after_ms = wait_ms
    return broken_reply("par", error)


def test_the_wait_the_provider_asks_for_is_kept_if_it_is_sensible() -> None:
    assert Asking(asked(9000), text_reply("ok")).paused == [9000]
    assert Asking(asked(10), text_reply("ok")).paused == [2000]
    assert Asking(asked(3_600_000)).paused == []


def test_an_empty_answer_is_asked_for_once_more_at_once() -> None:
    asking = Asking(EMPTY, text_reply("now"))
    assert asking.paused == []
    assert asking.repeats == [
        AutoRetry(1, 1, 0, "the model gave an empty answer"),
        AutoRetryEnd(True, 1),
    ]
    again = Asking(EMPTY, EMPTY)
    assert is_empty(again.reply)
    assert again.repeats[-1] == AutoRetryEnd(False, 1)


@pytest.mark.parametrize("code", ["empty-answer", "malformed-call"])
def test_a_reported_empty_answer_or_a_botched_call_gets_a_second_try(code: str) -> None:
    failed = broken_reply("", ProviderFailed("the answer is empty", code=code))
    assert Asking(failed, text_reply("now")).reply.error is None
    assert Asking(failed, failed).reply.error is failed.error


def test_an_empty_answer_after_a_tools_result_is_an_answer() -> None:
    chat = CHAT._replace(messages=(*CHAT.messages, Message("tool", (Text("x"),), "c", "read")))
    assert Asking(EMPTY, chat=chat).repeats == []


@pytest.mark.parametrize(
    ("reply", "empty"),
    [
        (EMPTY, True),
        (text_reply(" \n"), True),
        (text_reply("x"), False),
        (text_reply("", "length"), False),
        (call_reply(ToolCall("c", "read", {})), False),
        (Reply(Message("assistant", (Thinking("", "sig"),)), "stop"), False),
    ],
)
def test_an_answer_without_text_call_and_thinking_is_empty(reply: Reply, empty: bool) -> None:
    assert is_empty(reply) is empty


def test_a_pause_with_calls_of_ours_is_a_turn_with_tools() -> None:
    reply = call_reply(ToolCall("c", "read", {}), stop_reason="pause")
    assert len(Asking(reply).model.requests) == 1


def test_a_repetition_and_a_pause_go_together() -> None:
    asking = Asking(broken_reply("a"), text_reply("b", "pause"), text_reply("c"))
    assert asking.repeats == [AutoRetry(1, 3, 2000, "it broke off"), AutoRetryEnd(True, 1)]
    assert [message.text() for message in asking.model.requests[2].messages] == ["hi", "b"]


def test_a_model_stream_without_an_end_is_a_bug() -> None:
    with pytest.raises(AssertionError, match="without ReplyDone"):
        Asking([ThinkingDelta("x")])
