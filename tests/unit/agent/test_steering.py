"""What the user sends while the agent works."""

from __future__ import annotations

from typing import Any

import pytest

from pi.agent.calls import SKIPPED
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from tests.fakes.agents import calls, end, make_agent, names, run, tool_texts, user_texts
from tests.fakes.scripted import ALONE, EchoTool, ScriptedModel, call_reply, text_reply


def test_steering_skips_the_calls_that_have_not_begun_and_is_in_the_next_request() -> None:
    tool = EchoTool(lambda *_: agent.steer("do b first"), effect=ALONE)
    model = ScriptedModel(call_reply(*calls("1", "2", "3")), text_reply("ok"))
    agent = make_agent(model, tool)
    events = run(agent)
    assert tool.ran == ["1"]
    assert tool_texts(agent) == ["1", SKIPPED, SKIPPED]
    assert SKIPPED == "Skipped: the user sent a new message"
    assert model.requests[1].messages[-1].text() == "do b first"
    assert names(events)[4:12] == [
        "ToolStart", "ToolEnd", "MessageAdded(tool)", "MessageAdded(tool)", "MessageAdded(tool)",
        "TurnEnd", "MessageAdded(user)", "TurnStart",
    ]  # fmt: skip
    assert end(events).new_messages == 7


def test_calls_that_run_together_all_end_before_steering_is_read() -> None:
    tool = EchoTool(lambda *_: agent.steer("hey"))
    model = ScriptedModel(call_reply(*calls("1", "2")), text_reply("a"), text_reply("b"))
    agent = make_agent(model, tool)
    run(agent)
    assert sorted(tool.ran) == ["1", "2"]
    assert tool_texts(agent) == ["1", "2"]


def test_what_was_sent_before_is_read_before_the_first_request() -> None:
    model = ScriptedModel(text_reply("ok"))
    agent = make_agent(model)
    agent.steer("and be brief")
    events = run(agent)
    assert names(events)[:4] == [
        "MessageAdded(user)", "AgentStart", "MessageAdded(user)", "TurnStart",
    ]  # fmt: skip
    assert [message.text() for message in model.requests[0].messages] == ["hello", "and be brief"]


@pytest.mark.parametrize(("mode", "requests"), [("one-at-a-time", 3), ("all", 2)])
def test_the_mode_says_how_many_are_read_at_once(mode: str, requests: int) -> None:
    def send(*_: Any) -> None:
        agent.steer("x")
        agent.steer("y")

    model = ScriptedModel(call_reply(*calls("1")), *[text_reply("ok")] * 3)
    agent = make_agent(model, EchoTool(send), steering_mode=mode)
    run(agent)
    assert user_texts(agent) == ["hello", "x", "y"]
    assert len(model.requests) == requests


def test_a_follow_up_is_sent_only_after_the_final_answer_and_steering_first() -> None:
    def send(*_: Any) -> None:
        agent.follow_up("then this")
        agent.steer("but first that")

    model = ScriptedModel(call_reply(*calls("1")), *[text_reply("ok")] * 2)
    agent = make_agent(model, EchoTool(send))
    assert end(run(agent)).status == "completed"
    assert [request.messages[-1].text() for request in model.requests] == [
        "hello", "but first that", "then this",
    ]  # fmt: skip


def test_follow_ups_come_one_at_a_time_or_all() -> None:
    for mode, requests in (("one-at-a-time", 3), ("all", 2)):
        model = ScriptedModel(*[text_reply("ok")] * 3)
        agent = make_agent(model, follow_up_mode=mode)
        agent.follow_up("x")
        agent.follow_up("y")
        run(agent)
        assert user_texts(agent) == ["hello", "x", "y"]
        assert len(model.requests) == requests


def test_a_cancelled_run_hands_back_what_was_queued() -> None:
    cancel = Cancel()

    def send(*_: Any) -> None:
        agent.follow_up("later")
        agent.steer("now")
        cancel.set(Interrupted("stop"))

    agent = make_agent(ScriptedModel(call_reply(*calls("1"))), EchoTool(send))
    assert end(run(agent, cancel)).status == "cancelled"
    assert user_texts(agent) == ["hello"]
    assert agent.take_queued() == ("now", "later")
    assert agent.take_queued() == ()


def test_without_a_turn_left_a_message_stays_in_the_queue() -> None:
    agent = make_agent(ScriptedModel(text_reply("ok")), max_turns=1)
    agent.follow_up("more")
    assert end(run(agent)).status == "completed"
    assert agent.take_queued() == ("more",)


def test_an_empty_answer_to_steering_counts_like_any_other() -> None:
    model = ScriptedModel(text_reply("ok"), text_reply(""), text_reply(""))
    agent = make_agent(model)
    agent.follow_up("more")
    error = end(run(agent)).error
    assert error is not None
    assert error.code == "empty-answer"
