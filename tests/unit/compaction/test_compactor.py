"""Compaction in a running agent, with a scripted model and a real session file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.agent.events import (
    AgentEnd,
    AgentEvent,
    AutoCompactionEnd,
    AutoCompactionStart,
    MessageAdded,
    TurnStart,
)
from pi.agent.loop import STILL_TOO_LONG, Agent
from pi.ai.cost import Caps, estimate_request
from pi.ai.events import ReplyDone, Retrying, TextDelta, Warned
from pi.ai.meter import Meter, MeteredModel
from pi.ai.providers.failure import ReportedFailure
from pi.ai.summaries import summary_message, summary_of
from pi.ai.types import (
    ChatRequest,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    tool_message,
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, ProviderFailed
from pi.compaction.compactor import Compactor
from pi.compaction.sizes import CompactionSettings
from pi.compaction.transcript import SYSTEM
from pi.runtime.recorder import Recorder
from pi.sessions.store import SessionStore
from tests.fakes.agents import call, end, make_agent, names, run
from tests.fakes.scripted import EchoTool, ScriptedModel, call_reply, text_reply

WINDOW = 10_000
# As much is kept as the last of ``turns`` and a prompt are, so that a cut falls between turns.
SETTINGS = CompactionSettings(reserve_tokens=1000, keep_recent_tokens=114)


def too_long(window: int | None = None) -> Reply:
    error = ReportedFailure("the conversation is too long", code="context-overflow")
    error.context_window = window
    return Reply(Message("assistant", (), stop_reason="error"), "error", error=error)


def used(reply: Reply, tokens: int) -> Reply:
    return reply._replace(usage=Usage(tokens - 10, 10))


def turn(number: int, size: int = 400) -> list[Message]:
    """A prompt, an answer that thinks and calls, a result, a last answer."""
    asks = ToolCall(f"c{number}", "read", {"path": f"{number}.py"}, signature="sig")
    thinks = Thinking("hm", "signature")
    return [
        user_message(f"prompt {number}"),
        Message("assistant", (thinks, Text("look"), asks), stop_reason="tool_use"),
        tool_message(asks, "x" * size),
        Message("assistant", (thinks, Text(f"answer {number}")), stop_reason="stop"),
    ]


def turns(count: int, size: int = 400) -> list[Message]:
    return [message for number in range(count) for message in turn(number, size)]


def agent_of(
    model: Any, messages: list[Message], settings: CompactionSettings = SETTINGS, **more: Any
) -> tuple[Agent, Compactor]:
    compactor = Compactor(model, settings, lambda: more.pop("window", WINDOW))
    return make_agent(model, messages=messages, compaction=compactor, **more), compactor


def full(agent: Agent, compactor: Compactor, tokens: int) -> None:
    """The last answer said that the window is as full as this."""
    compactor.resumed(agent.messages, tokens, len(agent.messages))


def ends(events: list[AgentEvent]) -> list[AutoCompactionEnd]:
    return [event for event in events if isinstance(event, AutoCompactionEnd)]


def opened(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 7, random_bytes=os.urandom)


def test_a_full_window_is_summarised_and_the_next_request_is_summary_and_kept_messages() -> None:
    model = ScriptedModel(text_reply("SUMMARY"), text_reply("done"))
    agent, compactor = agent_of(model, turns(4))
    full(agent, compactor, 9100)
    events = run(agent)
    assert end(events).status == "completed"
    (done,) = ends(events)
    assert done.result is not None
    asked, request = model.requests
    assert asked.system == SYSTEM
    assert asked.tools == ()
    assert asked.max_tokens == 800  # four fifths of the reserve
    assert len(asked.messages) == 1
    assert "[User]: prompt 0" in asked.messages[0].text()
    first, *kept = request.messages
    assert summary_of(first) == done.result.summary
    assert "SUMMARY" in done.result.summary
    assert request.system == "be good"
    assert len(kept) == done.result.kept
    assert kept[0].role != "tool"
    assert kept[-1] == user_message("hello")
    calls = {one.id for message in kept for one in message.tool_calls()}
    assert {message.tool_call_id for message in kept if message.role == "tool"} <= calls
    assert not any(isinstance(block, Thinking) for message in kept for block in message.blocks)
    assert not any(one.signature for message in kept for one in message.tool_calls())
    assert done.result.tokens_before > 9100
    assert done.result.tokens_after == estimate_request(request)
    assert agent.messages == [*request.messages, text_reply("done").message]


def test_the_events_come_before_the_turn_and_the_summary_is_not_shown() -> None:
    model = ScriptedModel(
        [Retrying(1, 5, "busy"), TextDelta("SUM"), text_reply("SUMMARY")], text_reply("done")
    )
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    events = run(agent)
    assert names(events) == [
        "MessageAdded(user)",
        "AgentStart",
        "AutoCompactionStart",
        "Retrying",
        "AutoCompactionEnd",
        "TurnStart",
        "TextDelta",
        "MessageAdded(assistant)",
        "TurnEnd",
        "AgentEnd",
    ]
    assert AutoCompactionStart("threshold") in events
    (done,) = ends(events)
    assert (done.aborted, done.will_retry, done.error) == (False, False, None)
    assert end(events).usage == Usage(2, 4)  # of both requests
    assert done.usage == Usage(1, 2)


@pytest.mark.parametrize(("tokens", "count"), [(9000, 1), (9001, 2)])
def test_the_threshold_is_exact(tokens: int, count: int) -> None:
    model = ScriptedModel(*[text_reply("x")] * 2)
    agent, compactor = agent_of(model, turns(3))
    prompt = 2  # "hello"
    full(agent, compactor, tokens - prompt)
    run(agent)
    assert len(model.requests) == count


def test_it_is_looked_at_after_every_answer_with_calls() -> None:
    model = ScriptedModel(
        used(call_reply(call(text="y" * 100)), 9500),
        *(text_reply("SUMMARY"), text_reply("BEGINNING"), text_reply("done")),
    )
    agent, _ = agent_of(model, turns(2))
    events = run(agent)
    kinds = [name for name in names(events) if "Turn" in name or "Auto" in name]
    assert kinds == [
        *("TurnStart", "TurnEnd", "AutoCompactionStart", "AutoCompactionEnd"),
        *("TurnStart", "TurnEnd"),
    ]
    assert agent.messages[0] == model.requests[-1].messages[0]
    assert agent.messages[-1].text() == "done"


def test_usage_from_before_a_compaction_does_not_count() -> None:
    model = ScriptedModel(text_reply("SUMMARY"), used(text_reply("a"), 0), text_reply("b"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    assert len(ends(run(agent))) == 1
    assert ends(run(agent)) == []
    assert len(model.requests) == 3


def test_usage_of_an_answer_that_is_no_longer_there_does_not_count() -> None:
    model = ScriptedModel(text_reply("a"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    del agent.messages[4:]  # the user went back
    assert ends(run(agent)) == []


def test_without_usage_the_estimate_counts() -> None:
    model = ScriptedModel(text_reply("SUMMARY"), text_reply("a"))
    agent, _ = agent_of(model, turns(4, size=12_000))
    assert len(ends(run(agent))) == 1


def test_an_overflow_is_answered_with_one_compaction_and_one_retry() -> None:
    model = ScriptedModel(too_long(), text_reply("SUMMARY"), text_reply("done"))
    agent, _ = agent_of(model, turns(3))
    events = run(agent)
    assert end(events).status == "completed"
    (done,) = ends(events)
    assert done.will_retry
    assert summary_of(model.requests[-1].messages[0]) is not None
    assert AutoCompactionStart("overflow") in events
    assert sum(isinstance(event, TurnStart) for event in events) == 1


def test_a_second_overflow_is_reported_as_such() -> None:
    model = ScriptedModel(too_long(), text_reply("SUMMARY"), too_long())
    agent, _ = agent_of(model, turns(3))
    events = run(agent)
    error = end(events).error
    assert error is not None
    assert (error.code, error.hint) == ("context-overflow", STILL_TOO_LONG)
    assert len(ends(events)) == 1
    assert len(model.requests) == 3


def test_switched_off_nothing_happens_by_itself() -> None:
    model = ScriptedModel(too_long())
    agent, compactor = agent_of(model, turns(3), SETTINGS._replace(enabled=False))
    full(agent, compactor, 9999)
    events = run(agent)
    assert ends(events) == []
    assert end(events).status == "failed"


def test_a_cancel_during_compaction_leaves_the_conversation_as_it_was(tmp_path: Path) -> None:
    cancel = Cancel()

    class Slow(ScriptedModel):
        def stream(self, chat: ChatRequest, cancel: Cancel) -> Any:
            self.requests.append(chat)
            yield TextDelta("SUM")
            why = Interrupted("stop")
            cancel.set(why)
            message = Message("assistant", (Text("SUM"),), stop_reason="aborted")
            yield ReplyDone(Reply(message, "aborted", error=why))

    model = Slow()
    agent, compactor = agent_of(model, turns(3))
    store = opened(tmp_path / "s.jsonl")
    store.append(agent.messages)
    full(agent, compactor, 9100)
    recorder = Recorder(store, lambda error: None)
    events = []
    for event in agent.run("hello", cancel):
        recorder(event)
        events.append(event)
    assert ends(events)[0].aborted
    assert not any(isinstance(event, Warned) for event in events)
    assert end(events).status == "cancelled"
    assert agent.messages == [*turns(3), user_message("hello")]
    assert list(opened(tmp_path / "s.jsonl").messages()) == agent.messages
    assert len(model.requests) == 1


def test_a_failed_summary_is_warned_of_and_the_conversation_goes_on() -> None:
    broken = Reply(
        Message("assistant", (), stop_reason="error"),
        "error",
        error=ProviderFailed("it broke", cause="off", code="http-500"),
    )
    model = ScriptedModel(broken, used(text_reply("done"), 9200), text_reply("more"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    events = run(agent)
    (done,) = ends(events)
    assert done.result is None
    assert done.error is not None
    assert [event.text for event in events if isinstance(event, Warned)] == [
        "not compacted, the conversation goes on as it is: it broke: off"
    ]
    assert end(events).status == "completed"
    assert model.requests[-1].messages == (*turns(3), user_message("hello"))
    assert ends(run(agent)) == []  # not again at every step


@pytest.mark.parametrize("text", ["y" * 5000, "", "   "])
def test_a_summary_that_is_not_smaller_or_empty_is_refused(text: str) -> None:
    model = ScriptedModel(text_reply(text), text_reply("done"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    events = run(agent)
    (done,) = ends(events)
    assert done.error is not None
    assert done.error.code == ("summary-too-large" if text.strip() else "no-summary")
    assert agent.messages[: len(turns(3))] == turns(3)


def test_an_earlier_summary_is_brought_up_to_date_and_its_files_are_carried_over() -> None:
    earlier = (
        "OLD\n\n<read-files>\na.py\nb.py\n</read-files>\n\n"
        "<modified-files>\nc.py\n</modified-files>"
    )
    changes = ToolCall("w", "write", {"path": "a.py", "content": ""})
    history = [
        summary_message(earlier),
        *turns(2),
        Message("assistant", (changes,), stop_reason="tool_use"),
        tool_message(changes, "ok"),
        *turns(2),
    ]
    model = ScriptedModel(text_reply("NEW"), text_reply("done"))
    agent, compactor = agent_of(model, history)
    full(agent, compactor, 9100)
    (done,) = ends(run(agent))
    assert done.result is not None
    asked = model.requests[0].messages[0].text()
    assert "<earlier-summary>\nOLD\n</earlier-summary>" in asked
    assert asked.count("OLD") == 1
    assert done.result.read == ("0.py", "1.py", "b.py")
    assert done.result.modified == ("a.py", "c.py")
    assert done.result.summary.endswith("<modified-files>\na.py\nc.py\n</modified-files>")


def test_a_turn_that_is_cut_in_two_gets_a_small_summary_of_its_beginning() -> None:
    steps = [message for number in range(6) for message in turn(number)[1:3]]
    history = [*turns(1), user_message("the long one"), *steps]
    model = ScriptedModel(text_reply("SUMMARY"), text_reply("BEGINNING"), text_reply("done"))
    agent, compactor = agent_of(model, history)
    full(agent, compactor, 9100)
    (done,) = ends(run(agent))
    assert done.result is not None
    first, second, _ = model.requests
    assert "the long one" not in first.messages[0].text()
    assert "the long one" in second.messages[0].text()
    assert "<beginning-of-this-turn>\nBEGINNING\n</beginning" in done.result.summary


def test_what_was_just_compacted_is_not_compacted_again() -> None:
    model = ScriptedModel(text_reply("SUMMARY"), text_reply("AGAIN"))
    agent, _ = agent_of(model, turns(4), SETTINGS._replace(keep_recent_tokens=1))
    first = list(agent.compact("the tests", Cancel()))
    assert first[0] == AutoCompactionStart("manual")
    assert "Look especially at: the tests" in model.requests[0].messages[0].text()
    before = list(agent.messages)
    (again,) = ends(list(agent.compact("", Cancel())))
    assert again.error is not None
    assert again.error.code == "nothing-to-compact"
    assert agent.messages == before


def test_a_resumed_conversation_that_ends_in_a_compaction_is_not_compacted_again() -> None:
    model = ScriptedModel()
    agent, compactor = agent_of(model, [summary_message("s"), *turns(3)])
    compactor.resumed(agent.messages, 0, 0, just_compacted=True)
    (done,) = ends(list(agent.compact("", Cancel())))
    assert done.error is not None
    assert done.error.code == "nothing-to-compact"


def test_old_results_go_when_there_is_no_summary_and_that_is_wanted(tmp_path: Path) -> None:
    model = ScriptedModel(too_long(), text_reply(""), text_reply("done"))
    agent, _ = agent_of(model, turns(4, 8000), SETTINGS._replace(fallback="prune"))
    store = opened(tmp_path / "s.jsonl")
    store.append(agent.messages)
    recorder = Recorder(store, lambda error: None)
    events = []
    for event in agent.run("hello", Cancel()):
        recorder(event)
        events.append(event)
    assert list(opened(tmp_path / "s.jsonl").messages()) == agent.messages
    assert end(events).status == "completed"
    (done,) = ends(events)
    assert done.result is None
    assert done.will_retry
    results = [m.text() for m in model.requests[-1].messages if m.role == "tool"]
    assert results[0].startswith("[result of 2000 tokens left out to make room")
    assert len(results) == 4
    assert any(isinstance(e, Warned) and "old tool results go" in e.text for e in events)
    assert not any(isinstance(b, Thinking) for m in model.requests[-1].messages for b in m.blocks)


def test_the_tokens_of_a_summary_count_into_the_caps() -> None:
    scripted = ScriptedModel(used(text_reply("SUMMARY"), 500), text_reply("never"))
    meter = Meter(Caps(max_tokens_total=2500))
    agent, compactor = agent_of(MeteredModel(scripted, meter, None), turns(3))
    full(agent, compactor, 9100)
    events = run(agent)
    assert len(ends(events)) == 1
    assert meter.spent.tokens >= 500
    assert end(events).usage.total >= 500


def test_a_conversation_longer_than_the_window_is_summarised_in_pieces() -> None:
    history = [user_message(f"{number} " + "w " * 3000) for number in range(6)]
    model = ScriptedModel(
        *[text_reply(f"S{number}") for number in range(9)],
    )
    compactor = Compactor(model, SETTINGS, lambda: 4000)
    agent = make_agent(model, messages=history, compaction=compactor)
    (done,) = ends(list(agent.compact("", Cancel())))
    assert done.result is not None
    asked = [chat.messages[0].text() for chat in model.requests]
    assert len(asked) > 2
    for number, text in enumerate(asked[1:]):
        assert f"<earlier-summary>\nS{number}\n</earlier-summary>" in text
    for chat in model.requests:
        assert estimate_request(chat) + (chat.max_tokens or 0) <= 4000


def test_a_request_for_a_summary_that_is_too_long_is_made_in_smaller_pieces() -> None:
    history = [user_message("w " * 1700) for _ in range(8)]
    model = ScriptedModel(too_long(), *[text_reply("S")] * 9)
    agent, _ = agent_of(model, history)
    (done,) = ends(list(agent.compact("", Cancel())))
    assert done.result is not None
    sizes = [len(chat.messages[0].text()) for chat in model.requests]
    assert max(sizes[1:]) < sizes[0]


def test_a_run_that_is_discarded_takes_its_compaction_back(tmp_path: Path) -> None:
    cancel = Cancel()
    stops = EchoTool(lambda arguments, context: cancel.set(Interrupted("stop")))
    model = ScriptedModel(text_reply("SUMMARY"), call_reply(call(text="x")))
    compactor = Compactor(model, SETTINGS, lambda: WINDOW)
    agent = make_agent(
        model, stops, messages=turns(3), compaction=compactor, discard_on_cancel=True
    )
    full(agent, compactor, 9100)
    store = opened(tmp_path / "s.jsonl")
    store.append(turns(3))
    recorder = Recorder(store, lambda error: None)
    for event in agent.run("hello", cancel):
        recorder(event)
    assert agent.messages == turns(3)
    assert list(store.messages()) == turns(3)
    assert list(opened(tmp_path / "s.jsonl").messages()) == turns(3)


def test_compact_then_resume_gives_the_same_context(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store = opened(path)
    store.append(turns(4))
    model = ScriptedModel(text_reply("SUMMARY"))
    agent, _ = agent_of(model, list(store.messages()))
    recorder = Recorder(store, lambda error: None)
    for event in agent.compact("focus", Cancel()):
        recorder(event)
    assert recorder.failure is None
    resumed = opened(path)
    assert list(resumed.messages()) == agent.messages
    assert resumed.context().just_compacted
    record = json.loads(path.read_text().splitlines()[-1])
    assert record["kind"] == "compaction"
    assert record["record_type"] == "entry"
    assert record["parent_id"] == 16
    assert record["id"] == 17 == resumed.head
    assert "message" not in record
    assert record["first_kept_id"] in range(2, 17)
    assert record["files"] == {"read": ["0.py", "1.py", "2.py"], "modified": []}
    assert record["usage"]["output"] == 2
    assert record["tokens_after"] < record["tokens_before"]
    # Going on appends to it, and a run between is not confused by the compaction.
    again, _ = agent_of(ScriptedModel(text_reply("on")), list(resumed.messages()))
    second = Recorder(resumed, lambda error: None)
    for event in again.run("more", Cancel()):
        second(event)
    assert list(opened(path).messages()) == again.messages


def test_a_compaction_that_cannot_be_stored_is_told_and_the_run_goes_on(tmp_path: Path) -> None:
    model = ScriptedModel(text_reply("SUMMARY"), text_reply("done"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    told: list[Exception] = []
    recorder = Recorder(opened(tmp_path / "folder" / "s.jsonl"), told.append)
    (tmp_path / "folder").write_text("in the way")
    events = []
    for event in agent.run("hello", Cancel()):
        recorder(event)
        events.append(event)
    assert len(told) == 1
    assert isinstance(events[-1], AgentEnd)
    assert events[-1].status == "completed"
    assert summary_of(agent.messages[0]) is not None
    assert sum(isinstance(event, MessageAdded) for event in events) == 2


def test_what_the_user_sends_meanwhile_is_delivered_after_the_compaction() -> None:
    class Steering(ScriptedModel):
        def stream(self, chat: ChatRequest, cancel: Cancel) -> Any:
            if chat.system == SYSTEM:
                agent.steer("stop that")
            return super().stream(chat, cancel)

    model = Steering(text_reply("SUMMARY"), text_reply("done"))
    agent, compactor = agent_of(model, turns(3))
    full(agent, compactor, 9100)
    run(agent)
    assert [message.text() for message in model.requests[-1].messages[-2:]] == [
        *("hello", "stop that"),
    ]


def test_the_window_that_a_refusal_names_is_used_from_then_on() -> None:
    known: list[int] = []
    model = ScriptedModel(too_long(4000), *[text_reply(text) for text in ("A", "B", "done")])
    compactor = Compactor(
        model, SETTINGS._replace(keep_recent_tokens=9000), lambda: known[-1] if known else None
    )
    agent = make_agent(model, messages=turns(30), compaction=compactor)
    events = []
    for event in agent.run("hello", Cancel()):
        events.append(event)
        if isinstance(event, AutoCompactionStart):
            known.append(4000)  # as the client learns it from the refusal
    (done,) = ends(events)
    assert done.result is not None
    assert done.result.tokens_after < 3000
