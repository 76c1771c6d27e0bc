"""Tool calls from check to result."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from pi.agent.calls import CANCELLED, SKIPPED
from pi.agent.events import MessageAdded, ToolEnd, ToolStart, ToolUpdate, TurnEnd
from pi.agent.guard import HINT
from pi.agent.hooks import Hooks
from pi.agent.results import failed
from pi.agent.tool import Effect, ToolResult
from pi.ai.events import Warned
from pi.ai.types import Image, Text
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from tests.fakes.agents import (
    PATIENCE,
    call,
    calls,
    end,
    make_agent,
    names,
    run,
    tool_texts,
    wait_for,
)
from tests.fakes.scripted import ALONE, EchoTool, ScriptedModel, call_reply, text_reply


def model_of(*wanted: Any) -> ScriptedModel:
    return ScriptedModel(call_reply(*wanted), text_reply("done"))


def test_three_calls_run_at_the_same_time_and_are_answered_in_their_order() -> None:
    together = threading.Barrier(3)
    others = threading.Semaphore(0)

    def work(arguments: Any, context: Any) -> None:
        together.wait(PATIENCE)
        if arguments["text"] == "slow":
            assert others.acquire(timeout=PATIENCE)
            assert others.acquire(timeout=PATIENCE)
        else:
            others.release()

    agent = make_agent(model_of(*calls("a", "slow", "c")), EchoTool(work))
    events = run(agent)
    assert names(events)[3:-1] == [
        "MessageAdded(assistant)", "ToolStart", "ToolStart", "ToolStart",
        "ToolEnd", "MessageAdded(tool)", "ToolEnd", "MessageAdded(tool)",
        "ToolEnd", "MessageAdded(tool)", "TurnEnd",
        "TurnStart", "TextDelta", "MessageAdded(assistant)", "TurnEnd",
    ]  # fmt: skip
    assert tool_texts(agent) == ["a", "slow", "c"]
    assert next(one for one in events if isinstance(one, TurnEnd)).tool_results == 3


def test_a_tool_begins_only_when_the_start_of_each_call_was_taken() -> None:
    tool = EchoTool()
    agent = make_agent(model_of(*calls("a", "b")), tool)
    ran_at_start = [
        list(tool.ran) for event in agent.run("hi", Cancel()) if isinstance(event, ToolStart)
    ]
    assert ran_at_start == [[], []]
    assert sorted(tool.ran) == ["a", "b"]


@pytest.mark.parametrize("settings", [{"sequential": True}, {}])
def test_serial_calls_end_before_the_next_begins(settings: dict[str, Any]) -> None:
    tool = EchoTool(effect=Effect() if settings else ALONE)
    agent = make_agent(model_of(*calls("a", "b")), tool, **settings)
    assert names(run(agent))[4:10] == [
        "ToolStart", "ToolEnd", "MessageAdded(tool)", "ToolStart", "ToolEnd", "MessageAdded(tool)",
    ]  # fmt: skip
    assert tool.ran == ["a", "b"]


def test_a_tool_that_cannot_tell_its_effect_runs_alone() -> None:
    class Vague(EchoTool):
        def effect(self, arguments: Any, cwd: str) -> Effect:
            raise OSError("gone")

    wanted = (call("vague", text="a"), call("vague", id_="c2", text="b"))
    events = run(make_agent(model_of(*wanted), Vague(name="vague")))
    assert names(events)[4:6] == ["ToolStart", "ToolEnd"]


def test_updates_reach_whoever_listens_while_the_tool_runs() -> None:
    seen = threading.Event()

    def work(arguments: Any, context: Any) -> None:
        context.emit("half of the secret")
        wait_for(seen)

    hooks = Hooks(redact=lambda text: text.replace("secret", "***"))
    agent = make_agent(model_of(call(text="x")), EchoTool(work), hooks=hooks)
    updates = []
    for event in agent.run("hi", Cancel()):
        if isinstance(event, ToolUpdate):
            updates.append(event)
            seen.set()
    assert updates == [ToolUpdate(call(text="x"), "half of the ***")]


def test_a_cancel_keeps_finished_results_and_answers_the_rest() -> None:
    cancel = Cancel()
    done = threading.Event()

    def work(arguments: Any, context: Any) -> ToolResult | None:
        if arguments["text"] == "quick":
            done.set()
            return None
        wait_for(done)
        stopped = threading.Event()
        context.cancel.on_set(stopped.set)
        cancel.set(Interrupted("stop"))
        wait_for(stopped)
        return failed("stopped")

    alone = EchoTool(name="alone", effect=Effect(writes=("/",), runs=True))
    wanted = (*calls("quick", "slow"), call("alone", "c3", text="x"), call("alone", "c4", text="y"))
    reading = EchoTool(work, effect=Effect(reads=("/a",)))
    agent = make_agent(model_of(*wanted), reading, alone)
    events = run(agent, cancel)
    assert end(events).status == "cancelled"
    assert tool_texts(agent) == ["quick", "error: stopped", CANCELLED, CANCELLED]
    assert alone.ran == []
    assert sum(isinstance(event, ToolStart) for event in events) == 2


def test_a_tool_that_takes_its_time_to_stop_is_named() -> None:
    cancel, told = Cancel(), threading.Event()

    def work(arguments: Any, context: Any) -> None:
        cancel.set(Interrupted("stop"))
        wait_for(told)

    agent = make_agent(model_of(call(text="x")), EchoTool(work))
    warned = []
    for event in agent.run("hi", cancel):
        if isinstance(event, Warned):
            warned.append(event.text)
            told.set()
    assert warned == ["cancelled: waiting for echo to end"]


def test_a_hook_may_block_a_call_and_replace_a_result() -> None:
    def before(one: Any, arguments: Any) -> str | None:
        return "not this one" if arguments["text"] == "b" else None

    def after(one: Any, result: ToolResult) -> ToolResult | None:
        return result._replace(text="A") if result.text == "a" else None

    tool = EchoTool()
    agent = make_agent(
        model_of(*calls("a", "b", "c")), tool, hooks=Hooks(before=(before,), after=(after,))
    )
    run(agent)
    assert tool_texts(agent) == ["A", "error: not this one", "c"]
    assert sorted(tool.ran) == ["a", "c"]


def test_hooks_get_the_arguments_in_shape() -> None:
    seen: list[Any] = []
    hooks = Hooks(before=(lambda one, arguments: seen.append(arguments),))
    run(make_agent(model_of(call(text="a", other=1)), hooks=hooks))
    assert seen == [{"text": "a"}]


def test_no_event_and_no_message_holds_a_secret() -> None:
    def work(arguments: Any, context: Any) -> ToolResult:
        if arguments["text"] == "boom":
            raise RuntimeError("the hunter2 key")
        return ToolResult("hunter2", {"hunter2": ["hunter2"]})

    wanted = (*calls("a", "boom"), call("nope-hunter2", "c3"), call(id_="c4", raw="hunter2"))
    agent = make_agent(
        model_of(*wanted),
        EchoTool(work),
        hooks=Hooks(
            after=(lambda one, result: result._replace(text=result.text + " hunter2"),),
            redact=lambda text: text.replace("hunter2", "***"),
        ),
    )
    results = [event.result for event in run(agent) if isinstance(event, ToolEnd)]
    assert len(results) == 4
    assert "hunter2" not in str(results)
    assert "hunter2" not in str(tool_texts(agent))


def test_arguments_a_tool_does_not_take_are_named_in_its_result() -> None:
    agent = make_agent(model_of(call(text="a", force=True)))
    run(agent)
    assert tool_texts(agent) == [
        "a\n[ignored: 'echo' does not take 'force'; expected: text: string]"
    ]


def test_a_tool_with_a_broken_schema_says_so() -> None:
    tool = EchoTool(schema={"type": "objekt"})
    agent = make_agent(model_of(call(text="a")), tool)
    run(agent)
    assert tool_texts(agent)[0].startswith(
        "error: invalid JSON schema for 'echo': type: \"objekt\""
    )
    assert tool.ran == []


def test_refused_arguments_are_shown_with_what_was_expected() -> None:
    agent = make_agent(model_of(call(text=["x" * 500])))
    run(agent)
    (text,) = tool_texts(agent)
    first, second = text.split("\n")
    assert first.startswith("error: invalid arguments for 'echo': text: ")
    assert second.startswith('Expected: text: string. Received: {"text": ["xxx')
    assert len(text) < 500


def test_the_json_form_is_what_the_model_reads_whatever_happened() -> None:
    wanted = (*calls("a"), call("nope", "c2"), call(id_="c3", text="b", other=1))
    agent = make_agent(model_of(*wanted), tool_result_format="json", max_tool_calls=3)
    events = run(agent)
    found = [json.loads(text) for text in tool_texts(agent)]
    assert found[0] == {"text": "a"}
    assert found[1]["error"].startswith("Tool 'nope'")
    assert found[2]["text"] == "b"
    assert "'other'" in found[2]["note"]
    ends = [event.result.text for event in events if isinstance(event, ToolEnd)]
    assert ends == tool_texts(agent)


def test_images_of_a_result_are_in_the_message() -> None:
    image = Image("image/png", "aGk=")
    tool = EchoTool(lambda *_: ToolResult("a picture", {}, images=(image,)))
    agent = make_agent(model_of(call(text="a")), tool)
    run(agent)
    assert agent.messages[2].blocks == (Text("a picture"), image)


def test_a_tool_that_gives_no_result_is_an_error() -> None:
    class Nothing(EchoTool):
        def run(self, arguments: Any, context: Any) -> Any:
            return None

    agent = make_agent(model_of(call(text="a")), Nothing())
    run(agent)
    assert tool_texts(agent) == ["error: tool 'echo' failed: it gave no result"]


def test_calls_beyond_the_cap_are_answered_and_the_run_ends() -> None:
    tool = EchoTool()
    model = ScriptedModel(call_reply(*calls("a", "b")), call_reply(*calls("c", "d", "e")))
    agent = make_agent(model, tool, max_tool_calls=3)
    ended = end(run(agent))
    assert ended.error is not None
    assert ended.error.exit_code == 6
    assert "max tool calls (3)" in ended.error.message
    assert sorted(tool.ran) == ["a", "b", "c"]
    assert all("limit of 3 tool calls" in text for text in tool_texts(agent)[3:])
    assert len(tool_texts(agent)) == 5


def test_a_run_that_needs_no_more_than_the_cap_is_not_ended_by_it() -> None:
    agent = make_agent(model_of(*calls("a", "b")), max_tool_calls=2)
    assert end(run(agent)).status == "completed"


def failing(times: int) -> ScriptedModel:
    replies = [call_reply(call("nope", f"c{at}", text="x")) for at in range(times)]
    return ScriptedModel(*replies, text_reply("done"))


def test_the_third_identical_failure_gets_a_hint() -> None:
    agent = make_agent(failing(5))
    assert end(run(agent)).status == "completed"
    assert [HINT in text for text in tool_texts(agent)] == [False, False, True, False, False]


def test_the_sixth_identical_failure_ends_the_run() -> None:
    model = failing(7)
    agent = make_agent(model)
    ended = end(run(agent))
    assert ended.status == "failed"
    assert ended.error is not None
    assert (ended.error.code, ended.error.exit_code) == ("repeated-failure", 1)
    assert len(model.requests) == 6


def test_after_the_sixth_failure_the_other_calls_of_the_answer_are_not_run() -> None:
    tool = EchoTool(lambda *_: failed("no"), effect=ALONE)
    agent = make_agent(model_of(*calls(*"xxxxxxx")), tool)
    assert end(run(agent)).status == "failed"
    assert len(tool.ran) == 6
    assert "failed again and again" in tool_texts(agent)[6]


def test_a_cancel_is_told_rather_than_a_cap() -> None:
    cancel = Cancel()
    tool = EchoTool(lambda *_: cancel.set(Interrupted("stop")))
    agent = make_agent(model_of(*calls("a", "b")), tool, max_tool_calls=1)
    assert end(run(agent, cancel)).status == "cancelled"
    assert tool_texts(agent) == ["a", CANCELLED]


def test_skipped_calls_have_a_message_and_no_start() -> None:
    tool = EchoTool(lambda *_: agent.steer("wait"), effect=ALONE)
    agent = make_agent(model_of(*calls("a", "b")), tool)
    events = run(agent)
    assert sum(isinstance(event, ToolStart) for event in events) == 1
    assert tool_texts(agent) == ["a", SKIPPED]
    messages = [event.message for event in events if isinstance(event, MessageAdded)]
    assert messages[3].is_error
