"""The agent loop against a scripted model."""

from __future__ import annotations

import pytest

from pi.agent.calls import CANCELLED, IN_DOUBT, NOT_RUN, open_calls
from pi.agent.events import AutoRetry, AutoRetryEnd, MessageAdded, ToolEnd, TurnEnd
from pi.agent.hooks import Hooks
from pi.ai.events import Fallback, ReplyFailed, TextDelta
from pi.ai.types import Message, Reply, Text, Thinking, Usage, tool_message, user_message
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, PiError, ProviderFailed, TimeLimit
from tests.fakes.agents import call, end, make_agent, names, run, tool_texts
from tests.fakes.scripted import (
    ALONE,
    EchoTool,
    ScriptedModel,
    broken_reply,
    call_reply,
    text_reply,
)


def test_a_plain_answer_has_its_events_in_order() -> None:
    events = run(make_agent(ScriptedModel(text_reply("hi"))))
    assert names(events) == [
        "MessageAdded(user)", "AgentStart", "TurnStart", "TextDelta", "MessageAdded(assistant)",
        "TurnEnd", "AgentEnd",
    ]  # fmt: skip
    assert end(events)[:3] == ("completed", 2, Usage(1, 2))


def test_a_tool_call_has_its_events_in_order() -> None:
    agent = make_agent(ScriptedModel(call_reply(call(text="x")), text_reply("done")))
    events = run(agent)
    assert names(events) == [
        "MessageAdded(user)", "AgentStart", "TurnStart", "MessageAdded(assistant)", "ToolStart",
        "ToolEnd", "MessageAdded(tool)", "TurnEnd", "TurnStart", "TextDelta",
        "MessageAdded(assistant)", "TurnEnd", "AgentEnd",
    ]  # fmt: skip
    assert end(events).new_messages == 4
    turn_ends = [event for event in events if isinstance(event, TurnEnd)]
    assert [event.tool_results for event in turn_ends] == [1, 0]
    assert [event.stop_reason for event in turn_ends] == ["tool_use", "stop"]


def test_the_model_is_sent_system_history_and_tools_unchanged_each_turn() -> None:
    model = ScriptedModel(call_reply(call(text="x")), text_reply("done"))
    run(make_agent(model))
    first, second = model.requests
    assert (first.system, first.tools) == (second.system, second.tools)
    assert second.messages[: len(first.messages)] == first.messages
    assert second.messages[-1].text() == "x"


def test_an_unknown_tool_is_answered_and_the_run_goes_on() -> None:
    agent = make_agent(ScriptedModel(call_reply(call("nope")), text_reply("sorry")))
    assert end(run(agent)).status == "completed"
    assert "Tool 'nope' is not registered" in tool_texts(agent)[0]
    assert agent.messages[2].is_error


def test_invalid_arguments_are_answered_with_the_expected_shape() -> None:
    tool = EchoTool()
    agent = make_agent(ScriptedModel(call_reply(call(text=1)), text_reply("ok")), tool)
    run(agent)
    assert "invalid arguments for 'echo': text: 1 is not of type" in tool_texts(agent)[0]
    assert "text: string" in tool_texts(agent)[0]
    assert tool.ran == []


def test_arguments_that_are_not_json_are_never_run() -> None:
    tool = EchoTool()
    agent = make_agent(ScriptedModel(call_reply(call(raw='{"text": "a')), text_reply("ok")), tool)
    run(agent)
    assert tool.ran == []
    assert '{"text": "a' in tool_texts(agent)[0]


def test_a_call_cut_by_the_output_limit_is_not_run_and_the_model_is_told() -> None:
    tool = EchoTool()
    cut = call_reply(call(text="whole"), call(id_="c2", raw='{"te'), stop_reason="length")
    agent = make_agent(ScriptedModel(cut, text_reply("ok")), tool)
    assert end(run(agent)).status == "completed"
    assert tool.ran == ["whole"]
    assert "output limit cut this call" in tool_texts(agent)[1]


def test_a_bug_in_a_tool_is_an_error_result() -> None:
    def boom(*_: object) -> None:
        raise RuntimeError("kaput")

    told: list[Exception] = []
    model = ScriptedModel(call_reply(call(text="x")), text_reply("ok"))
    agent = make_agent(model, EchoTool(boom), hooks=Hooks(broke=told.append))
    events = run(agent)
    assert end(events).status == "completed"
    assert "RuntimeError: kaput" in tool_texts(agent)[0]
    assert [exc.__traceback__ is not None for exc in told] == [True]
    assert [event.result.is_error for event in events if isinstance(event, ToolEnd)] == [True]


def test_the_turn_limit_keeps_what_was_done_and_says_so() -> None:
    model = ScriptedModel(call_reply(call(text="x")), call_reply(call(id_="c2", text="y")))
    agent = make_agent(model, max_turns=2)
    ended = end(run(agent))
    assert ended.status == "max_turns"
    assert ended.error is not None
    assert ended.error.exit_code == 6
    assert "agent exceeded max turns (2)" in ended.error.message
    assert len(model.requests) == 2
    assert tool_texts(agent) == ["x", "y"]


def test_a_limit_of_no_turns_fails_before_any_request() -> None:
    model = ScriptedModel()
    assert end(run(make_agent(model, max_turns=0))).status == "max_turns"
    assert model.requests == []


def test_a_provider_failure_is_recorded_and_leaves_the_conversation() -> None:
    error = ProviderFailed("broke off")
    partial = Message("assistant", (Text("par"),), stop_reason="error")
    agent = make_agent(ScriptedModel(Reply(partial, "error", error=error)))
    events = run(agent)
    assert end(events).status == "failed"
    assert end(events).error is error
    assert MessageAdded(partial, Reply(partial, "error", error=error)) in events
    assert [message.role for message in agent.messages] == ["user"]


def test_cancelling_during_a_tool_answers_the_calls_that_did_not_run() -> None:
    cancel = Cancel()
    tool = EchoTool(lambda *_: cancel.set(Interrupted("stop")), effect=ALONE)
    wanted = call_reply(call(text="a"), call(id_="c2", text="b"), call(id_="c3", text="c"))
    agent = make_agent(ScriptedModel(wanted), tool)
    ended = end(run(agent, cancel))
    assert ended.status == "cancelled"
    assert tool.ran == ["a"]
    assert tool_texts(agent) == ["a", CANCELLED, CANCELLED]
    assert open_calls(agent.messages) == []


def test_a_time_limit_has_its_own_status() -> None:
    cancel = Cancel()
    tool = EchoTool(lambda *_: cancel.set(TimeLimit("late")))
    agent = make_agent(ScriptedModel(call_reply(call(text="a"))), tool)
    assert end(run(agent, cancel)).status == "timed_out"


def test_open_calls_of_an_earlier_process_are_answered_first() -> None:
    """A call that had begun is in doubt; one that had not was not run."""
    history = [
        user_message("do"),
        call_reply(call(text="a"), call(id_="c2", text="b"), call(id_="c3", text="c")).message,
        tool_message(call(), "a"),
    ]
    model = ScriptedModel(text_reply("ok"))
    agent = make_agent(model, messages=history, started_calls=frozenset({"c1", "c2"}))
    events = run(agent)
    assert names(events)[:3] == ["MessageAdded(tool)", "MessageAdded(tool)", "MessageAdded(user)"]
    assert tool_texts(agent) == ["a", IN_DOUBT, NOT_RUN]
    assert end(events).new_messages == 4


def test_a_cut_or_refused_answer_is_not_a_success() -> None:
    for reason, code in (("length", "output-limit"), ("refusal", "answer-refused")):
        events = run(make_agent(ScriptedModel(text_reply("par", reason))))
        error = end(events).error
        assert error is not None
        assert (error.code, error.exit_code) == (code, 9)


def test_an_empty_answer_is_a_failure_and_after_tools_it_is_not() -> None:
    error = end(run(make_agent(ScriptedModel(text_reply(""), text_reply(""))))).error
    assert error is not None
    assert error.code == "empty-answer"
    after_tools = ScriptedModel(call_reply(call(text="x")), text_reply(""))
    assert end(run(make_agent(after_tools))).status == "completed"


def test_a_broken_answer_is_asked_for_again_and_stays_out_of_the_conversation() -> None:
    model = ScriptedModel(broken_reply("Hel"), text_reply("Hello"))
    paused: list[int] = []
    agent = make_agent(model, pause=lambda ms, cancel: paused.append(ms))
    events = run(agent)
    assert names(events) == [
        "MessageAdded(user)", "AgentStart", "TurnStart", "TextDelta", "MessageAdded(assistant)",
        "AutoRetry", "TextDelta", "MessageAdded(assistant)", "AutoRetryEnd", "TurnEnd", "AgentEnd",
    ]  # fmt: skip
    assert AutoRetry(1, 3, 2000, "it broke off") in events
    assert AutoRetryEnd(True, 1) in events
    assert paused == [2000]
    assert model.requests[0] == model.requests[1]
    assert [message.text() for message in agent.messages] == ["hello", "Hello"]
    assert end(events)[:3] == ("completed", 3, Usage(2, 4))
    assert next(event for event in events if isinstance(event, TurnEnd)).usage == Usage(2, 4)


def test_cancelling_the_wait_before_a_repetition_ends_the_run() -> None:
    cancel = Cancel()

    def pause(ms: int, cancel: Cancel) -> None:
        cancel.set(Interrupted("stop"))
        cancel.raise_if_set()

    agent = make_agent(ScriptedModel(broken_reply("Hel")), pause=pause)
    events = run(agent, cancel)
    assert AutoRetryEnd(False, 1) in events
    assert end(events).status == "cancelled"
    assert end(events).error is cancel.why


def test_an_answer_of_a_model_that_was_replaced_is_recorded_as_failed() -> None:
    failed, good = broken_reply("Hel"), text_reply("Hello")
    fallback = Fallback("a/x", "b/y", "http_body", None, 1)
    model = ScriptedModel(
        [TextDelta("Hel"), ReplyFailed(failed), fallback, TextDelta("Hello"), good]
    )
    agent = make_agent(model)
    events = run(agent)
    assert names(events)[3:] == [
        "TextDelta", "MessageAdded(assistant)", "Fallback", "TextDelta",
        "MessageAdded(assistant)", "TurnEnd", "AgentEnd",
    ]  # fmt: skip
    assert [message.text() for message in agent.messages] == ["hello", "Hello"]
    assert end(events)[:3] == ("completed", 3, Usage(2, 4))


def test_a_paused_answer_goes_on_with_its_content_sent_back_unchanged() -> None:
    thought = Thinking("hm", "signature")
    paused = Reply(Message("assistant", (thought,), stop_reason="pause"), "pause")
    model = ScriptedModel(paused, text_reply("done"))
    agent = make_agent(model)
    events = run(agent)
    assert model.requests[1].messages == (*model.requests[0].messages, paused.message)
    assert [message.role for message in agent.messages] == ["user", "assistant", "assistant"]
    assert end(events).status == "completed"


def test_an_answer_that_pauses_again_and_again_is_cut_short() -> None:
    model = ScriptedModel(*[text_reply("so far", "pause") for _ in range(6)])
    error = end(run(make_agent(model))).error
    assert error is not None
    assert (error.code, error.exit_code) == ("answer-paused", 9)
    assert len(model.requests) == 6


def test_nothing_more_after_a_pause_is_a_whole_answer() -> None:
    model = ScriptedModel(text_reply("all of it", "pause"), text_reply(""))
    assert end(run(make_agent(model))).status == "completed"


def test_calls_of_a_failed_answer_are_not_open() -> None:
    failed = call_reply(call(text="a"), stop_reason="error").message
    assert open_calls([user_message("do"), failed]) == []
    good = call_reply(call(text="a", id_="c0")).message
    assert [open_.id for open_ in open_calls([user_message("do"), good, failed])] == ["c0"]


def test_a_bug_in_the_loop_ends_the_run_as_failed_and_the_next_run_goes_on() -> None:
    model = ScriptedModel(call_reply(call(text="a"), call(text="same id")), text_reply("ok"))
    agent = make_agent(model)
    error = end(run(agent)).error
    assert error is not None
    assert (error.code, error.exit_code) == ("bug", 70)
    assert end(run(agent)).status == "completed"
    assert open_calls(agent.messages) == []


def test_closing_the_generator_sets_the_cancel_and_lets_the_agent_run_again() -> None:
    agent = make_agent(ScriptedModel(text_reply("a"), text_reply("b")))
    events = agent.run("hello", Cancel())
    next(events)
    events.close()
    assert end(run(agent)).status == "completed"


def test_a_second_run_while_one_goes_on_is_refused() -> None:
    agent = make_agent(ScriptedModel(text_reply("a")))
    events = agent.run("hello", Cancel())
    next(events)
    with pytest.raises(PiError, match="still answering") as caught:
        next(agent.run("again", Cancel()))
    assert caught.value.code == "agent-busy"
    assert end(list(events)).status == "completed"
    assert [message.text() for message in agent.messages] == ["hello", "a"]


@pytest.mark.parametrize("why", [Interrupted("stop"), TimeLimit("late")])
def test_a_cancelled_run_can_be_taken_back(why: PiError) -> None:
    cancel = Cancel()
    history = [user_message("before"), text_reply("so").message]
    tool = EchoTool(lambda *_: cancel.set(why))
    model = ScriptedModel(call_reply(call(text="a")), text_reply("ok"))
    agent = make_agent(model, tool, messages=history, discard_on_cancel=True)
    ended = end(run(agent, cancel))
    assert ended.discarded
    assert ended.error is why
    assert agent.messages == history
    kept = end(run(agent))
    assert not kept.discarded
    assert len(agent.messages) == 4


def test_a_failed_run_is_not_taken_back() -> None:
    model = ScriptedModel(text_reply("par", "error", error=ProviderFailed("broke off")))
    agent = make_agent(model, discard_on_cancel=True)
    assert not end(run(agent)).discarded
    assert [message.role for message in agent.messages] == ["user"]


def test_an_answer_that_was_cancelled_is_kept_as_aborted_and_leaves_the_conversation() -> None:
    cancel, why = Cancel(), Interrupted("stop")
    aborted = text_reply("par", "aborted", error=why)

    class Model(ScriptedModel):
        def stream(self, chat, cancel):  # type: ignore[no-untyped-def]
            cancel.set(why)
            yield from super().stream(chat, cancel)

    agent = make_agent(Model(aborted))
    events = run(agent, cancel)
    assert end(events).status == "cancelled"
    assert MessageAdded(aborted.message, aborted) in events
    assert [message.role for message in agent.messages] == ["user"]
