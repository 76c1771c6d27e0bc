"""Answers that break off, in every wire format: asked for again, or another model takes over.

Real sockets, transport, clients, codecs, agent and session file; only the waits do not last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pi.agent.events import AgentEnd, AgentEvent, AutoRetry, AutoRetryEnd, MessageAdded
from pi.agent.loop import Agent, AgentSettings
from pi.ai.client import Client, Clock
from pi.ai.context import prepare
from pi.ai.events import Fallback
from pi.ai.fallback import FallbackModel, Route
from pi.ai.models import ModelRef
from pi.ai.providers import CODECS
from pi.ai.providers.codec import Codec, Options
from pi.base.cancel import Cancel
from pi.base.retry import RetryPolicy
from pi.base.urllib_http import HttpSettings, UrllibTransport
from pi.runtime.recorder import Recorder
from pi.sessions.store import SessionStore
from tests.fakes.chat import STREAM
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.scripted import EchoTool
from tests.fakes.wires import WIRES, Wire

KEY = "key-0123456789-secret"
PART = "Xyzzy-part"
APIS = sorted(WIRES)
Script = Callable[[Peer], None]


def load_codec(api: str) -> Codec:
    module, _, name = CODECS[api].partition(":")
    codec: Codec = getattr(import_module(module), name)()
    return codec


def answers(*streams: Sequence[bytes], cut_at: int = -1, reset: bool = False) -> Script:
    """One stream for each request in turn; the one at ``cut_at`` does not end properly."""
    left = list(streams)
    total = len(left)

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            at = total - len(left)
            peer.send(STREAM)
            for piece in left.pop(0):
                peer.chunk(piece)
            if at == cut_at:
                if reset:
                    peer.reset()
                return
            peer.chunk(b"")

    return script


class Run:
    """Agents whose models are these servers; the first is asked first."""

    def __init__(self, *models: tuple[Wire, Script], retry: bool = True) -> None:
        self.paused: list[int] = []
        self.events: list[AgentEvent] = []
        self.session = b""
        with ExitStack() as stack:
            self.servers = [stack.enter_context(FaultServer(script)) for _, script in models]
            routes = [
                Route(
                    ModelRef(wire.provider, f"model-{at}"),
                    lambda wire=wire, at=at: self._client(wire, at),  # type: ignore[misc]
                )
                for at, (wire, _) in enumerate(models)
            ]
            self.model = FallbackModel(routes)
            self.agent = Agent(
                self.model,
                AgentSettings("model-0", "be good", "/"),
                [EchoTool()],
                monotonic=lambda: 0.0,
                pause=(lambda ms, cancel: self.paused.append(ms)) if retry else None,
            )
            self.events = list(self.agent.run("go", Cancel()))
            self.model.close()

    def _client(self, wire: Wire, at: int) -> Client:
        return Client(
            load_codec(wire.api),
            Options(self.servers[at].url + wire.base, KEY, provider=wire.provider),
            UrllibTransport(HttpSettings("", "", {})),
            clock=Clock(lambda: 0, lambda ms, cancel: None, lambda: 0.5),
            user_agent="pi",
            retry=RetryPolicy(1),
            load_codec=load_codec,
        )

    @property
    def end(self) -> AgentEnd:
        assert isinstance(self.events[-1], AgentEnd)
        assert sum(isinstance(event, AgentEnd) for event in self.events) == 1
        return self.events[-1]

    def added(self) -> list[tuple[str, str]]:
        return [
            (event.message.text(), event.message.stop_reason)
            for event in self.events
            if isinstance(event, MessageAdded) and event.message.role == "assistant"
        ]


@pytest.fixture(params=APIS)
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def test_an_overload_after_part_of_the_answer_is_asked_for_again(wire: Wire) -> None:
    broken = [*wire.text([PART, " more"])[:-1], wire.busy]
    run = Run((wire, answers(broken, wire.text(["whole"]))))
    assert run.added() == [(f"{PART} more", "error"), ("whole", "stop")]
    assert run.end.status == "completed"
    assert run.paused == [2000]
    (again,) = [event for event in run.events if isinstance(event, AutoRetry)]
    assert again[:3] == (1, 3, 2000)
    assert f"{wire.provider}/model-0" in again.error
    assert AutoRetryEnd(True, 1) in run.events
    first, second = run.servers[0].requests
    assert first.body == second.body
    assert PART.encode() not in second.body


@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_cut_off_is_asked_for_again(wire: Wire, reset: bool) -> None:
    broken = wire.text([PART, " more"])[:-1]
    script = answers(broken, wire.text(["whole"]), cut_at=0, reset=reset)
    run = Run((wire, script))
    assert run.added()[-1] == ("whole", "stop")
    assert run.paused == [2000]


def test_a_stream_without_its_end_marker_is_asked_for_again(wire: Wire) -> None:
    run = Run((wire, answers(wire.text([PART, " more"])[:-1], wire.text(["whole"]))))
    assert run.added() == [(f"{PART} more", "error"), ("whole", "stop")]


def test_an_answer_that_breaks_off_for_ever_ends_the_run_with_exit_5(wire: Wire) -> None:
    broken = [*wire.text([PART, " more"])[:-1], wire.busy]
    run = Run((wire, answers(*[broken] * 4)))
    assert [reason for _, reason in run.added()] == ["error"] * 4
    assert run.paused == [2000, 4000, 8000]
    assert run.end.status == "failed"
    assert run.end.error is not None
    assert run.end.error.exit_code == 5
    assert run.model.requests_made == 4


@pytest.mark.parametrize("second", APIS)
def test_another_model_takes_over_in_the_middle_of_a_tool_conversation(
    wire: Wire, second: str
) -> None:
    """Whatever the two wire formats are, the second gets a conversation it can read."""
    other = WIRES[second]
    broken = [*wire.text([PART, " more"])[:-1], wire.busy]
    run = Run(
        (wire, answers(wire.call("echo", {"text": "Said-42"}), broken)),
        (other, answers(other.text(["whole"]))),
    )
    assert run.end.status == "completed"
    (event,) = [event for event in run.events if isinstance(event, Fallback)]
    assert event[:3] == (f"{wire.provider}/model-0", f"{other.provider}/model-1", "http_status")
    assert event.status in (500, 503, 529)
    assert run.added()[1:] == [(f"{PART} more", "error"), ("whole", "stop")]
    assert run.paused == []
    (taken,) = run.servers[1].requests
    assert PART.encode() not in taken.body
    body = json.loads(taken.body)
    asked, answered = list(ids_of(body, ASKED)), list(ids_of(body, ANSWERED))
    assert len(asked) == 1
    assert asked == answered
    assert b"Said-42" in taken.body
    assert KEY.encode() not in taken.body


ASKED = {"function": "id", "function_call": "call_id", "tool_use": "id"}
ANSWERED = {"tool": "tool_call_id", "function_call_output": "call_id", "tool_result": "tool_use_id"}


def ids_of(value: Any, kinds: dict[str, str]) -> list[str]:
    """The ids of calls or results anywhere in a request body, in order."""
    if isinstance(value, list):
        return [found for item in value for found in ids_of(item, kinds)]
    if not isinstance(value, dict):
        return []
    found = []
    for kind in (value.get("type"), value.get("role")):
        key = kinds.get(kind) if isinstance(kind, str) else None
        if key is not None and key in value:
            found.append(value[key])
    for key, google in (("functionCall", ASKED), ("functionResponse", ANSWERED)):
        if kinds is google and isinstance(value.get(key), dict):
            found.append(value[key].get("id", "no id"))
    return found + [each for item in value.values() for each in ids_of(item, kinds)]


def test_the_session_keeps_the_broken_answer_and_resumes_without_it(
    wire: Wire, tmp_path: Path
) -> None:
    broken = [*wire.text([PART, " more"])[:-1], wire.busy]
    run = Run((wire, answers(broken, wire.text(["whole"]))))
    path = tmp_path / "session.jsonl"
    ticks = iter(range(100))

    def opened() -> SessionStore:
        return SessionStore.open(
            str(path),
            now_ms=lambda: next(ticks),
            random_bytes=bytes,
            lock_wait_ms=0,
            cwd="/",
            app_version="0",
        )

    store = opened()
    recorder = Recorder(store, lambda error: None)
    for event in run.events:
        recorder(event)
    assert recorder.failure is None
    assert PART in path.read_text(encoding="utf-8")
    store = opened()
    assert [message.text() for message in prepare(store.messages())] == ["go", "whole"]
