from __future__ import annotations

from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta
from pi.ai.providers.anthropic_answer import Answer
from pi.ai.providers.codec import Options
from pi.ai.types import ChatRequest, Message, Origin, Reply, Text, Thinking, ToolCall, Usage
from pi.base.errors import Interrupted, ProviderFailed, TimeLimit

OPTIONS = Options("http://x", "sk-key-1234", provider="gateway")
OLD = Message("assistant", (ToolCall("t1", "read", {}),))


def answer(*history: Message) -> Answer:
    return Answer(ChatRequest("m", "", history), OPTIONS)


def ended(*blocks: dict[str, Any], stop: str = "end_turn", **head: Any) -> Reply:
    found = answer()
    found.take_head(head)
    for block in blocks:
        found.open(None, block)
    found.take_stop({"stop_reason": stop})
    found.ended = True
    return found.reply()


def words(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({}, Usage()),
        (None, Usage()),
        ({"input_tokens": 3, "output_tokens": 2}, Usage(3, 2)),
        ({"input_tokens": 3.0, "output_tokens": -2}, Usage(3)),
        ({"input_tokens": True, "output_tokens": "2"}, Usage()),
        ({"cache_read_input_tokens": 7, "cache_creation_input_tokens": 5}, Usage(0, 0, 7, 5)),
        (
            {
                "cache_creation_input_tokens": 5,
                "cache_creation": {"ephemeral_5m_input_tokens": 9},
            },
            Usage(0, 0, 0, 5),
        ),
        (
            {
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 4,
                    "ephemeral_1h_input_tokens": 3,
                }
            },
            Usage(0, 0, 0, 7),
        ),
        (
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
            Usage(0, 9, 0, 0, 4),
        ),
        (
            {"output_tokens": 2, "output_tokens_details": {"thinking_tokens": 4}},
            Usage(0, 2, 0, 0, 2),
        ),
        ({"output_tokens": 2, "output_tokens_details": 7, "cache_creation": 7}, Usage(0, 2)),
    ],
)
def test_each_token_is_counted_once(wire: Any, usage: Usage) -> None:
    assert ended(words("x"), usage=wire).usage == usage


def test_the_reply_names_who_gave_it() -> None:
    reply = ended(words("x"), id="msg_1")
    assert reply.message.origin == Origin("anthropic", "gateway", "m")
    assert reply.response_id == "msg_1"
    assert ended(words("x"), id=7).response_id is None


def test_a_calls_id_is_none_of_the_histories() -> None:
    found = answer(OLD)
    _, event = found.open(0, {"type": "tool_use", "id": "t1", "name": "read", "input": {}})
    assert isinstance(event, CallDelta)
    assert event.id != "t1"
    found.ended = True
    assert [call.id for call in found.reply().message.tool_calls()] == [event.id]


def test_a_start_shows_the_words_it_already_has() -> None:
    assert answer().open(0, words("hi"))[1] == TextDelta("hi")
    assert answer().open(0, words(""))[1] is None


def test_a_piece_without_an_index_belongs_to_the_last_part() -> None:
    found = answer()
    assert found.part(None) is None
    first, _ = found.open(0, words("a"))
    last, _ = found.open(None, words("b"))
    assert found.part(None) is last
    assert found.part("0") is last
    assert found.part(0) is first
    assert found.part(5) is None


def test_what_is_said_after_a_cut_call_leaves_it_alone() -> None:
    cut = {"type": "tool_use", "id": "t", "name": "read", "input": {}}
    assert ended(cut, stop="max_tokens").message.tool_calls()[0].raw_arguments == ""
    assert ended(cut).message.tool_calls()[0].raw_arguments is None
    given = {**cut, "input": {"a": 1}}
    assert ended(given, stop="max_tokens").message.tool_calls()[0].raw_arguments is None
    spoken = ended(cut, words("x"), stop="max_tokens")
    assert spoken.message.tool_calls()[0].raw_arguments is None


def test_each_kind_of_part_becomes_its_block_and_others_nothing() -> None:
    data = {"type": "redacted_thinking", "data": "d"}
    reply = ended(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        data,
        {"type": "redacted_thinking"},
        {"type": "tool_use", "name": " "},
        {"type": "something_new"},
        {},
    )
    thoughts = (Thinking("hm", "s"), Thinking("", redacted=True, vendor=data))
    assert (reply.message.blocks, reply.stop_reason) == (thoughts, "stop")


def test_why_it_refused_is_its_text_only_if_it_said_nothing() -> None:
    refusal = {"stop_reason": "refusal", "stop_details": {"explanation": "Not this."}}
    found = answer()
    found.open(0, words(""))
    assert found.take_stop(refusal) == TextDelta("Not this.")
    found.ended = True
    assert (found.reply().stop_reason, found.reply().message.text()) == ("refusal", "Not this.")
    spoken = answer()
    spoken.open(0, words("No."))
    assert spoken.take_stop(refusal) is None
    assert answer().take_stop({**refusal, "stop_details": None}) is None
    assert answer().take_stop({**refusal, "stop_reason": "end_turn"}) is None


@pytest.mark.parametrize(
    ("blocks", "raw", "ended", "code"),
    [
        ([], "end_turn", False, "stream-ended-early"),
        ([], "", True, "empty-answer"),
        ([], "something_new", True, "provider-error"),
        ([], "tool_use", True, "malformed-stream"),
        ([], "end_turn", True, ""),
        (["x"], "", True, ""),
        (["x"], "something_new", True, ""),
        (["x"], "tool_use", True, ""),
        (["x"], "pause_turn", True, ""),
    ],
)
def test_what_does_not_add_up_is_an_error(
    blocks: list[str], raw: str, ended: bool, code: str
) -> None:
    found = answer()
    for block in blocks:
        found.open(None, words(block))
    found.take_head("no message")
    found.take_stop({"stop_reason": raw})
    found.ended = ended
    reply = found.reply()
    assert (reply.error.code if reply.error else "") == code


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProviderFailed("x"), "error"),
        (Interrupted("x"), "aborted"),
        (TimeLimit("x"), "aborted"),
    ],
)
def test_a_failure_keeps_what_arrived(error: Any, reason: str) -> None:
    found = answer()
    found.open(0, words("Hel"))
    reply = found.failed(error)
    assert (reply.stop_reason, reply.error) == (reason, error)
    assert reply.message.blocks == (Text("Hel"),)


def test_arguments_that_are_no_object_are_kept_as_they_came() -> None:
    odd = ended({"type": "tool_use", "id": "t", "name": "read", "input": [1]}, stop="tool_use")
    assert odd.message.tool_calls()[0].raw_arguments == "[1]"
