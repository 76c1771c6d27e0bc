from __future__ import annotations

from typing import Any

import pytest

from pi.ai.types import Message, Origin, Reply, Text, ToolCall, Usage, tool_message, user_message
from pi.base.errors import PiError
from pi.sessions.entry import (
    SessionEntry,
    decode,
    encode,
    header,
    is_waypoint,
    refusal,
    reply_extra,
)

CALL = ToolCall("c1", "read", {"path": "a"})
ORIGIN = Origin("openai-chat", "openai", "m")

PAIRS: list[tuple[SessionEntry, dict[str, Any]]] = [
    (
        SessionEntry(1, None, user_message("hi"), {"ts": 5}),
        {
            "record_type": "entry",
            "id": 1,
            "parent_id": None,
            "message": {
                "role": "user",
                "content": [{"type": "text", "text": "hi"}],
                "is_error": False,
            },
            "ts": 5,
        },
    ),
    (
        SessionEntry(2, 1, Message("assistant", (CALL,), stop_reason="tool_use", origin=ORIGIN)),
        {
            "record_type": "entry",
            "id": 2,
            "parent_id": 1,
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "tool_call", "id": "c1", "name": "read", "arguments": {"path": "a"}}
                ],
                "is_error": False,
            },
            "api": "openai-chat",
            "provider": "openai",
            "model": "m",
            "stop_reason": "tool_use",
        },
    ),
    (
        SessionEntry(3, 2, tool_message(CALL, "no", True)),
        {
            "record_type": "entry",
            "id": 3,
            "parent_id": 2,
            "message": {
                "role": "tool",
                "content": [{"type": "text", "text": "no"}],
                "tool_call_id": "c1",
                "tool_name": "read",
                "is_error": True,
            },
        },
    ),
    (
        SessionEntry(4, 3, Message("assistant", (ToolCall("c", "x", {}, '{"a'),))),
        {
            "record_type": "entry",
            "id": 4,
            "parent_id": 3,
            "message": {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_call",
                        "id": "c",
                        "name": "x",
                        "arguments": {},
                        "raw_arguments": '{"a',
                    }
                ],
                "is_error": False,
            },
        },
    ),
]


@pytest.mark.parametrize(("entry", "record"), PAIRS)
def test_an_entry_and_its_record(entry: SessionEntry, record: dict[str, Any]) -> None:
    assert encode(entry) == record
    assert list(encode(entry))[:4] == ["record_type", "id", "parent_id", "message"]
    assert refusal(record) == ""
    assert decode(record) == entry


def record(**message: Any) -> dict[str, Any]:
    return {"id": 1, "message": {"role": "user", "content": [], **message}}


def test_the_oldest_form_has_neither_record_type_nor_parent_nor_is_error() -> None:
    assert refusal(record()) == ""
    assert decode(record()) == SessionEntry(1, None, Message("user", ()), {})


def test_unknown_fields_and_blocks_survive() -> None:
    stored = {
        "record_type": "entry",
        "id": 1,
        "parent_id": None,
        "later": [1],
        "message": {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "yes", "cache": True},
            ],
            "is_error": False,
            "mood": "good",
        },
    }
    entry = decode(stored)
    assert entry.message.blocks == (Text("yes"),)
    assert encode(entry) == stored


def test_arguments_of_schema_1_that_are_no_object_become_raw_arguments() -> None:
    block = {"type": "tool_call", "id": "c", "name": "n", "arguments": [1, "ä"]}
    stored = record(role="assistant", content=[block])
    (call,) = decode(stored).message.tool_calls()
    assert call == ToolCall("c", "n", {}, '[1, "ä"]')
    assert encode(decode(stored))["message"]["content"] == [block]


def test_a_tool_message_without_call_id_still_keeps_the_contract_of_messages() -> None:
    assert decode(record(role="tool")).message.tool_call_id == ""


def test_odd_fields_of_schema_2_stay_in_extra() -> None:
    stored = {**record(role="assistant"), "stop_reason": 7, "model": "m", "provider": None}
    entry = decode(stored)
    assert entry.message.stop_reason == ""
    assert entry.message.origin is None
    assert entry.extra["stop_reason"] == 7
    assert entry.extra["model"] == "m"


BAD: list[tuple[dict[str, Any], str]] = [
    *(
        ({**record(), "id": bad}, "entry id is not an integer from 0 to 2^63-1")
        for bad in (None, True, 1.0, -1, 2**63, "1", [])
    ),
    *(
        ({**record(), "parent_id": bad}, "parent_id is not null or an integer from 0 to 2^63-1")
        for bad in (False, 1.5, -1, 2**64, "1", {})
    ),
    *(({"id": 1, "message": bad}, "entry without a message object") for bad in (None, [], "x", 1)),
    ({"id": 1}, "entry without a message object"),
    *(
        (record(role=bad), "role is not system, user, assistant or tool")
        for bad in (None, "me", [])
    ),
    *((record(content=bad), "content is not an array") for bad in (None, "text", {})),
    *(
        (record(content=[bad]), "content block is not an object with a type")
        for bad in (None, "text", [], {}, {"type": 1})
    ),
    (record(content=[{"type": "text"}]), "text block without text"),
    (record(content=[{"type": "text", "text": 1}]), "text block without text"),
    (record(content=[{"type": "tool_call", "id": "c"}]), "tool_call block without id or name"),
    (record(is_error=1), "is_error is not a boolean"),
    (record(role="tool", tool_call_id=1), "tool_call_id is not a string"),
    (record(role="tool", tool_name=[]), "tool_name is not a string"),
]


@pytest.mark.parametrize(("stored", "reason"), BAD)
def test_a_wrong_shape_is_refused_with_a_reason(stored: dict[str, Any], reason: str) -> None:
    assert refusal(stored) == reason


def test_the_highest_id_is_2_to_the_63_minus_1() -> None:
    assert refusal({**record(), "id": 2**63 - 1}) == ""


def test_an_entry_of_a_later_kind_without_message_is_a_waypoint() -> None:
    stored = {"record_type": "entry", "id": 1, "kind": "model_change"}
    assert refusal(stored) == ""
    assert is_waypoint(stored)
    assert refusal({**stored, "kind": "message"}) == "entry without a message object"


def test_a_reply_becomes_extra_fields() -> None:
    error = PiError("cut", cause="eof", code="connection-lost")
    reply = Reply(Message("assistant", ()), "error", Usage(1, 2, 3, 4, 5), "odd", error, "r1")
    assert reply_extra(reply) == {
        "usage": {"input": 1, "output": 2, "cache_read": 3, "cache_write": 4, "reasoning": 5},
        "error": {"code": "connection-lost", "message": "cut", "cause": "eof"},
        "raw_stop_reason": "odd",
        "response_id": "r1",
    }
    assert set(reply_extra(Reply(Message("assistant", ()), "stop"))) == {"usage"}


def test_a_header_names_the_schema_and_the_next_id() -> None:
    fields = {"created_ms": 5, "next_id": 7, "cwd": "/w", "app_version": "1"}
    assert header("s", **fields) == {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": "s",
        **fields,
    }
