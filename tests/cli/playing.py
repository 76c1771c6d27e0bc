"""Playing a model that calls tools, and reading what came of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer

Calls = Sequence[tuple[str, Any]]


class Played(NamedTuple):
    """A run: its process, its events, and the bodies of its requests."""

    done: subprocess.CompletedProcess[str]
    events: list[dict[str, Any]]
    bodies: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    @property
    def contents(self) -> list[Any]:
        """The data of each result."""
        return [event["content"] for event in self.of("tool_execution_end")]

    @property
    def read(self) -> list[str]:
        """What the model read of each result, in the last request."""
        return [m["content"] for m in self.bodies[-1]["messages"] if m["role"] == "tool"]


def turn(calls: Calls, first_id: int = 1) -> tuple[bytes, ...]:
    """An answer that asks for these calls."""
    rows = [
        call(name, arguments, f"call_{first_id + index}", index)
        for index, (name, arguments) in enumerate(calls)
    ]
    return (*rows, finish("tool_calls"))


def play(
    pi: Pi, *turns: Calls, flags: Sequence[str] = (), environ: Mapping[str, str] = {}
) -> Played:
    """A run in which the model asks for these calls, turn by turn, and then says "done"."""
    script = [turn(calls, 1 + 10 * number) for number, calls in enumerate(turns)]
    with FaultServer(answers(*script, (delta("done"), finish()))) as server:
        arguments = ("--json-events", "--api-base", server.url, "-p", "go", *flags)
        done = pi(*arguments, **{**KEY, **environ})
        bodies = [json.loads(request.body) for request in server.requests]
    return Played(done, [json.loads(line) for line in done.stdout.splitlines()], bodies)


def run(pi: Pi, command: str, *flags: str, **environ: str) -> tuple[dict[str, Any], str]:
    """The result of one command: its data, and what the model read."""
    played = play(
        pi, [("bash", {"command": command})], flags=("--no-session", *flags), environ=environ
    )
    assert played.done.returncode == 0, played.done.stderr
    (content,), (read,) = played.contents, played.read
    return content, read
