"""Secrets that a model repeats are hidden in what is written down, and nowhere else."""

from __future__ import annotations

import json

from pi.agent.events import AgentEvent, MessageAdded, ToolStart, TurnStart
from pi.ai.types import Image, Message, Text, Thinking, ToolCall
from pi.runtime.redacting import MAX_DEPTH, TOO_DEEP, hidden, redacting


def hide(text: str) -> str:
    return text.replace("hunter22", "[REDACTED]")


def test_every_text_of_a_message_is_hidden_and_a_signature_that_no_longer_fits_goes() -> None:
    call = ToolCall("c", "bash", {"command": "echo hunter22", "n": [1, {"x": "hunter22"}]})
    blocks = (Thinking("hunter22!", "sig"), Thinking("other", "sig"), Text("hunter22"), call)
    got: list[AgentEvent] = []
    redacting(got.append, hide)(MessageAdded(Message("assistant", blocks)))
    (event,) = got
    assert isinstance(event, MessageAdded)
    assert event.message.blocks == (
        Thinking("[REDACTED]!"),
        Thinking("other", "sig"),
        Text("[REDACTED]"),
        ToolCall("c", "bash", {"command": "echo [REDACTED]", "n": [1, {"x": "[REDACTED]"}]}),
    )


def test_what_holds_no_secret_is_handed_on_as_it_is() -> None:
    got: list[AgentEvent] = []
    sink = redacting(got.append, hide)
    events = [
        MessageAdded(Message("user", (Text("hi"), Image("image/png", "hunter22")))),
        ToolStart(ToolCall("c", "read", {"path": "x"})),
        TurnStart(1),
    ]
    for event in events:
        sink(event)
    assert all(mine is theirs for mine, theirs in zip(got, events))


def test_a_very_deep_value_does_not_end_the_run() -> None:
    deep: object = "hunter22"
    for _ in range(5000):
        deep = [deep]
    assert hidden({"a": deep, "b": "hunter22"}, hide)["b"] == "[REDACTED]"


def test_what_lies_too_deep_to_be_searched_is_left_out() -> None:
    deep: object = "hunter22"
    for _ in range(MAX_DEPTH + 5):
        deep = {"in": deep}
    kept = json.dumps(hidden({"a": deep}, hide))
    assert "hunter22" not in kept
    assert TOO_DEEP in kept
