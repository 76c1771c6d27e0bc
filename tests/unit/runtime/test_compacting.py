"""Compaction on demand, and how it is shown."""

from __future__ import annotations

import io
import json

import pytest

from pi.agent.compaction import Summarised
from pi.agent.events import AgentEvent, AutoCompactionEnd, AutoCompactionStart
from pi.ai.types import Usage, user_message
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, PiError
from pi.compaction.compactor import Compactor
from pi.compaction.sizes import CompactionSettings
from pi.runtime.compacting import compact_now
from pi.runtime.json_events import JsonEvents
from pi.runtime.output import Printer
from tests.fakes.agents import make_agent
from tests.fakes.scripted import ScriptedModel, text_reply

DONE = Summarised("S", 3, 9000, 1000, ("a.py",), ("b.py",))


def test_every_sink_gets_every_event_and_the_end_is_returned() -> None:
    model = ScriptedModel(text_reply("SUMMARY"))
    compactor = Compactor(model, CompactionSettings(), lambda: None)
    history = [user_message("x" * 1000) for _ in range(4)]
    agent = make_agent(model, messages=history, compaction=compactor)
    seen: list[AgentEvent] = []
    failures: list[Exception] = []

    def broken(event: AgentEvent) -> None:
        raise ValueError("no")

    end = compact_now(agent, "", Cancel(), [broken, seen.append], failures.append)
    assert [type(event) for event in seen] == [AutoCompactionStart, AutoCompactionEnd]
    assert end == seen[-1]
    assert end.result is not None
    assert len(failures) == 1


def test_an_agent_without_compaction_says_so_and_one_that_answers_is_busy() -> None:
    agent = make_agent(ScriptedModel(text_reply("hi")))
    end = compact_now(agent, "", Cancel(), [], lambda exc: None)
    assert end.error is not None
    assert end.error.code == "no-compaction"
    events = agent.run("hello", Cancel())
    next(events)
    with pytest.raises(PiError) as caught:
        compact_now(agent, "", Cancel(), [], lambda exc: None)
    assert caught.value.code == "agent-busy"
    events.close()


def test_as_json_lines() -> None:
    stdout = io.StringIO()
    sink = JsonEvents(stdout, Cancel())
    sink(AutoCompactionStart("overflow"))
    sink(AutoCompactionEnd(DONE, will_retry=True, usage=Usage(5, 2)))
    sink(AutoCompactionEnd(aborted=True, error=Interrupted("stop")))
    assert [json.loads(line) for line in stdout.getvalue().splitlines()] == [
        {"type": "auto_compaction_start", "reason": "overflow"},
        {
            "type": "auto_compaction_end",
            "result": {
                "summary": "S",
                "kept_messages": 3,
                "tokens_before": 9000,
                "tokens_after": 1000,
                "files": {"read": ["a.py"], "modified": ["b.py"]},
            },
            "aborted": False,
            "will_retry": True,
            "shortened": False,
            "error": None,
            "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7},
        },
        {
            "type": "auto_compaction_end",
            "result": None,
            "aborted": True,
            "will_retry": False,
            "shortened": False,
            "error": "stop",
            "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0},
        },
    ]


def test_as_notes_on_stderr() -> None:
    stderr = io.StringIO()
    printer = Printer(io.StringIO(), stderr, Cancel(), clean=str)
    printer(AutoCompactionStart("threshold"))
    printer(AutoCompactionEnd(DONE))
    printer(AutoCompactionEnd(aborted=True))
    printer(AutoCompactionEnd(error=PiError("no")))  # a warning follows and says it
    assert stderr.getvalue().splitlines() == [
        "[making room: the older part becomes a summary (threshold)]",
        "[about 9000 tokens became 1000]",
        "[cancelled: the conversation is as it was]",
    ]
