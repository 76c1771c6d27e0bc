"""Laws of the agent loop: what runs together, and that every path out leaves a whole history."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.agent.calls import open_calls
from pi.agent.events import AgentEnd, MessageAdded, ToolEnd, ToolStart
from pi.agent.results import failed
from pi.agent.schedule import plan
from pi.agent.tool import Effect
from pi.ai.types import ToolCall
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from tests.fakes.agents import make_agent
from tests.fakes.examples import few
from tests.fakes.scripted import EchoTool, ScriptedModel, call_reply, text_reply

names = st.sampled_from(["a", "b", "ab"])
paths = st.lists(names, max_size=3).map(lambda parts: "/" + "/".join(parts))
touched = st.lists(paths, max_size=2).map(tuple)
effects = st.lists(st.builds(Effect, touched, touched, st.booleans()), max_size=8)


def overlap(one: str, other: str) -> bool:
    """The naive rule: the same path, or one holds the other."""
    return os.path.commonpath((one, other)) in (one, other)


def clash(one: Effect, other: Effect) -> bool:
    """The rule as it is stated, pair by pair."""
    if (one.runs and (other.runs or other.writes)) or (other.runs and one.writes):
        return True
    pairs = [(mine, its) for mine in one.writes for its in (*other.reads, *other.writes)]
    pairs += [(mine, its) for mine in other.writes for its in (*one.reads, *one.writes)]
    return any(overlap(*pair) for pair in pairs)


@given(effects, st.booleans())
@settings(max_examples=few(300), deadline=None)
def test_groups_hold_every_call_once_and_in_order(found: list[Effect], sequential: bool) -> None:
    """Joining the groups gives 0, 1, 2, ...; no group is empty."""
    groups = plan(found, sequential=sequential)
    assert [position for group in groups for position in group] == list(range(len(found)))
    assert all(groups)
    if sequential:
        assert all(len(group) == 1 for group in groups)


@given(effects)
@settings(max_examples=few(500), deadline=None)
def test_calls_of_one_group_do_not_clash_and_a_new_group_has_a_reason(
    found: list[Effect],
) -> None:
    """No two of a group clash by the naive rule, and each group begins with one that clashes
    with the group before: as much runs together as keeping the order allows."""
    groups = plan(found)
    for group in groups:
        for at, one in enumerate(group):
            assert not any(clash(found[one], found[other]) for other in group[at + 1 :])
    for before, group in zip(groups, groups[1:]):
        assert any(clash(found[group[0]], found[other]) for other in before)


# What a call does besides giving a result.
ACTS = ("nothing", "fail", "raise", "cancel", "steer", "follow up", "update")
kinds = st.sampled_from(("echo", "alone", "nope"))
answers = st.lists(
    st.lists(st.tuples(kinds, st.sampled_from(ACTS), st.booleans()), min_size=1, max_size=4),
    max_size=4,
)


class World:
    """An agent whose tools do what the calls say."""

    def __init__(self, wanted: list[Any], **more: Any) -> None:
        self.cancel = Cancel()
        replies = []
        number = 0
        for answer in wanted:
            calls = []
            for kind, act, is_whole in answer:
                number += 1
                raw = None if is_whole else "{"
                calls.append(ToolCall(f"c{number}", kind, {"text": act} if is_whole else {}, raw))
            replies.append(call_reply(*calls))
        self.model = ScriptedModel(*replies, *[text_reply("done") for _ in range(number + 1)])
        tools = (
            EchoTool(self.act),
            EchoTool(self.act, name="alone", effect=Effect(writes=("/",), runs=True)),
        )
        self.agent = make_agent(self.model, *tools, **more)

    def act(self, arguments: Any, context: Any) -> Any:
        act = arguments["text"]
        if act == "raise":
            raise RuntimeError(act)
        if act == "cancel":
            self.cancel.set(Interrupted("stop"))
        elif act == "steer":
            self.agent.steer("listen")
        elif act == "follow up":
            self.agent.follow_up("and then")
        elif act == "update":
            context.emit("so far")
        return failed("no") if act == "fail" else None


caps = st.one_of(st.none(), st.integers(0, 5))


@given(answers, caps, caps, st.booleans(), st.sampled_from(("text", "json")))
@settings(max_examples=few(150), deadline=None)
def test_every_run_ends_once_and_leaves_a_history_that_is_whole(
    wanted: list[Any], turns: int | None, calls: int | None, sequential: bool, form: str
) -> None:
    """Whatever tools, caps, cancels and queues do: one AgentEnd, last; every call of every
    answer has exactly one result, right after the answer and in the order of the calls; the
    messages of the events are the history; ends come in the order of starts."""
    world = World(
        wanted,
        max_turns=turns,
        max_tool_calls=calls,
        sequential=sequential,
        tool_result_format=form,
    )
    events = list(world.agent.run("go", world.cancel))
    assert [isinstance(event, AgentEnd) for event in events].index(True) == len(events) - 1
    messages = world.agent.messages
    assert [event.message for event in events if isinstance(event, MessageAdded)] == messages
    assert events[-1].new_messages == len(messages)
    assert open_calls(messages) == []
    for at, message in enumerate(messages):
        ids = [call.id for call in message.tool_calls()]
        results = messages[at + 1 : at + 1 + len(ids)]
        assert [result.tool_call_id for result in results] == ids
    starts = [event.call.id for event in events if isinstance(event, ToolStart)]
    ends = [event.call.id for event in events if isinstance(event, ToolEnd)]
    assert starts == ends


@given(answers, st.integers(1, 12))
@settings(max_examples=few(100), deadline=None)
def test_a_run_that_is_closed_anywhere_can_be_followed_by_a_whole_one(
    wanted: list[Any], pulled: int
) -> None:
    """After any number of events the generator may be closed; the next run first answers
    what was left open, and ends like any other."""
    world = World(wanted)
    running = world.agent.run("go", world.cancel)
    for _event, _ in zip(running, range(pulled)):
        pass
    running.close()
    events = list(world.agent.run("again", Cancel()))
    assert isinstance(events[-1], AgentEnd)
    for at, message in enumerate(world.agent.messages):
        ids = [call.id for call in message.tool_calls()]
        results = world.agent.messages[at + 1 : at + 1 + len(ids)]
        assert [result.tool_call_id for result in results] == ids
