"""Agents against scripted models, and what to ask of their events."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from pi.agent.events import AgentEnd, AgentEvent, MessageAdded
from pi.agent.loop import Agent, AgentSettings
from pi.ai.types import ToolCall
from pi.base.cancel import Cancel
from tests.fakes.scripted import EchoTool, ScriptedModel

PATIENCE = 60.0  # seconds after which a test gives up waiting for a thread


def call(name: str = "echo", id_: str = "c1", raw: str | None = None, **arguments: Any) -> ToolCall:
    return ToolCall(id_, name, {} if raw is not None else arguments, raw)


def calls(*texts: str, name: str = "echo") -> list[ToolCall]:
    """Calls with ids c1, c2, ..., one for each text."""
    return [call(name, f"c{at}", text=text) for at, text in enumerate(texts, 1)]


def make_agent(model: ScriptedModel, *tools: Any, **more: Any) -> Agent:
    """An agent; what ``AgentSettings`` has goes there, the rest to ``Agent``."""
    fields = {name: more.pop(name) for name in AgentSettings._fields if name in more}
    settings = AgentSettings(**{"model": "m", "system": "be good", "cwd": "/", **fields})
    return Agent(model, settings, tools or (EchoTool(),), monotonic=time.monotonic, **more)


def run(agent: Agent, cancel: Cancel | None = None, prompt: str = "hello") -> list[AgentEvent]:
    return list(agent.run(prompt, cancel or Cancel()))


def names(events: Iterable[AgentEvent]) -> list[str]:
    return [
        f"{type(event).__name__}({event.message.role})"
        if isinstance(event, MessageAdded)
        else type(event).__name__
        for event in events
    ]


def end(events: list[AgentEvent]) -> AgentEnd:
    """The one AgentEnd, which is last."""
    assert isinstance(events[-1], AgentEnd)
    assert sum(isinstance(event, AgentEnd) for event in events) == 1
    return events[-1]


def tool_texts(agent: Agent) -> list[str]:
    return [message.text() for message in agent.messages if message.role == "tool"]


def user_texts(agent: Agent) -> list[str]:
    return [message.text() for message in agent.messages if message.role == "user"]


def wait_for(event: threading.Event) -> None:
    assert event.wait(PATIENCE)
