"""One prompt and its sinks."""

from __future__ import annotations

import pytest

from pi.agent.events import AgentEnd, AgentEvent, MessageAdded, TurnStart
from pi.ai.types import Usage
from pi.base.cancel import Cancel
from pi.base.errors import PiError
from pi.runtime.turns import run_prompt
from tests.fakes.agents import make_agent, names
from tests.fakes.scripted import ScriptedModel, text_reply


def test_every_sink_gets_every_event_and_the_end_is_returned() -> None:
    one: list[AgentEvent] = []
    other: list[AgentEvent] = []
    agent = make_agent(ScriptedModel(text_reply("hi")))
    ended = run_prompt(agent, "q", Cancel(), (one.append, other.append), pytest.fail)
    assert one == other
    assert one[-1] is ended
    assert ended.status == "completed"


def test_a_sink_that_raises_is_reported_once_and_dropped() -> None:
    seen: list[AgentEvent] = []
    told: list[str] = []

    def broken(event: AgentEvent) -> None:
        raise ValueError("full")

    agent = make_agent(ScriptedModel(text_reply("hi")))
    run_prompt(agent, "q", Cancel(), (broken, seen.append), lambda exc: told.append(str(exc)))
    assert told == ["full"]
    assert names(seen)[-1] == "AgentEnd"


@pytest.mark.parametrize(
    ("thrown", "status", "code"),
    [(KeyboardInterrupt(), "cancelled", "interrupted"), (SystemExit(3), "failed", "bug")],
)
def test_leaving_by_an_exception_still_ends_the_run_for_the_sinks(
    thrown: BaseException, status: str, code: str
) -> None:
    seen: list[AgentEvent] = []

    def impatient(event: AgentEvent) -> None:
        if isinstance(event, MessageAdded) and event.message.role == "assistant":
            raise thrown

    agent = make_agent(ScriptedModel(text_reply("hi"), text_reply("ho")))
    with pytest.raises(type(thrown)):
        run_prompt(agent, "q", Cancel(), (seen.append, impatient), pytest.fail)
    ends = [event for event in seen if isinstance(event, AgentEnd)]
    assert ends == [seen[-1]]
    assert ends[0][:3] == (status, 2, Usage(1, 2))
    assert ends[0].error is not None
    assert ends[0].error.code == code
    assert run_prompt(agent, "q", Cancel(), (), pytest.fail).status == "completed"


def test_an_interrupt_while_the_end_is_handed_on_does_not_end_it_twice() -> None:
    seen: list[AgentEvent] = []

    def impatient(event: AgentEvent) -> None:
        if isinstance(event, AgentEnd):
            raise KeyboardInterrupt

    agent = make_agent(ScriptedModel(text_reply("hi")))
    with pytest.raises(KeyboardInterrupt):
        run_prompt(agent, "q", Cancel(), (seen.append, impatient), pytest.fail)
    assert sum(isinstance(event, AgentEnd) for event in seen) == 1


def test_a_prompt_while_another_runs_is_refused_without_a_word_to_the_sinks() -> None:
    seen: list[AgentEvent] = []
    refused: list[PiError] = []
    agent = make_agent(ScriptedModel(text_reply("hi")))

    def nested(event: AgentEvent) -> None:
        if isinstance(event, TurnStart):
            with pytest.raises(PiError) as caught:
                run_prompt(agent, "again", Cancel(), (seen.append,), pytest.fail)
            refused.append(caught.value)

    ended = run_prompt(agent, "q", Cancel(), (nested,), pytest.fail)
    assert ended.status == "completed"
    assert [error.code for error in refused] == ["agent-busy"]
    assert seen == []
