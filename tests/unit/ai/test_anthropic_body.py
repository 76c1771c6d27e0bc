from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.anthropic_body import request_body
from pi.ai.providers.codec import Options, Traits
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    ToolDefinition,
    tool_message,
    user_message,
)

VENDOR = "https://api.anthropic.com/v1"
OPTIONS = Options(VENDOR, cache_retention="none")
A, B, C = (ToolCall(id, "read", {"path": f"{id}.py"}) for id in "abc")
TOOL = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
PICTURE = Image("image/png", "iVBORw0=")
WIRE_PICTURE = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="},
}
MARK = {"type": "ephemeral"}


def chat(*messages: Message, **fields: Any) -> ChatRequest:
    return ChatRequest("claude-x", fields.pop("system", ""), messages, **fields)


def body_of(*messages: Message, options: Options = OPTIONS, **fields: Any) -> dict[str, Any]:
    return request_body(chat(*messages, **fields), options)


def wire(*messages: Message, options: Options = OPTIONS) -> Any:
    return body_of(*messages, options=options)["messages"]


def said(*blocks: Any) -> Message:
    return Message("assistant", blocks)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def test_only_what_was_set_is_sent() -> None:
    options = OPTIONS._replace(stream=False)
    assert body_of(user_message("hi"), options=options) == {
        "model": "claude-x",
        "max_tokens": 8192,
        "messages": [user(text("hi"))],
    }
    full = body_of(user_message("hi"), system="be good", tools=(TOOL,), max_tokens=5, temperature=0)
    assert full == {
        "model": "claude-x",
        "max_tokens": 5,
        "stream": True,
        "temperature": 0,
        "system": [text("be good")],
        "tools": [
            {
                "name": "read",
                "description": "Read a file",
                "input_schema": {"type": "object", "properties": {}},
            }
        ],
        "messages": [user(text("hi"))],
    }
    assert list(full)[-1] == "messages"


def test_system_messages_join_the_system_prompt() -> None:
    later = Message("system", (Text("and brief"),))
    blank = Message("system", (Text(" "),))
    body = body_of(user_message("hi"), blank, later, system="be good")
    assert body["system"] == [text("be good\n\nand brief")]
    assert body["messages"] == [user(text("hi"))]
    assert "system" not in body_of(user_message("hi"), blank)


def test_a_schema_without_a_type_is_an_object() -> None:
    tool = ToolDefinition("now", "", {})
    assert body_of(tools=(tool,))["tools"][0]["input_schema"] == {"type": "object"}
    assert tool.parameters == {}


def test_a_conversation_with_calls_has_the_tools_key_even_empty() -> None:
    assert body_of(user_message("hi"), said(A), tool_message(A, "x"))["tools"] == []
    assert "tools" not in body_of(user_message("hi"), said(Text("x")))


def test_parallel_results_stand_in_one_user_message_in_order_before_the_text() -> None:
    history = (
        user_message("go"),
        said(Text("Reading."), A, B, C),
        tool_message(A, "1"),
        tool_message(B, "", is_error=True),
        tool_message(C, "3"),
        user_message("and now?"),
    )
    assert wire(*history)[1:] == [
        {
            "role": "assistant",
            "content": [
                text("Reading."),
                *(
                    {"type": "tool_use", "id": c.id, "name": "read", "input": dict(c.arguments)}
                    for c in (A, B, C)
                ),
            ],
        },
        user(
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {
                "type": "tool_result",
                "tool_use_id": "b",
                "content": "(no output)",
                "is_error": True,
            },
            {"type": "tool_result", "tool_use_id": "c", "content": "3"},
            text("and now?"),
        ),
    ]


def test_neighbours_of_one_role_become_one_message() -> None:
    history = (user_message("a"), user_message("b"), said(Text("c")), said(Text("d")))
    assert wire(*history) == [
        user(text("a"), text("b")),
        {"role": "assistant", "content": [text("c"), text("d")]},
    ]


def test_a_conversation_begins_with_the_user() -> None:
    found = wire(said(Text("c")), user_message("d"))
    assert [message["role"] for message in found] == ["user", "assistant", "user"]


def test_blank_words_and_what_is_empty_without_them_are_left_out() -> None:
    history = (
        user_message(" \n"),
        user_message("a"),
        said(Text(" ")),
        Message("user", (Text(""), Text("b"))),
    )
    assert wire(*history) == [user(text("a"), text("b"))]


def test_a_call_that_was_not_understood_goes_back_without_arguments() -> None:
    bad = ToolCall("a", "read", {}, '{"path')
    assert wire(user_message("x"), said(bad))[1]["content"] == [
        {"type": "tool_use", "id": "a", "name": "read", "input": {}}
    ]


def test_a_result_without_an_id_is_words() -> None:
    lost = Message("tool", (Text("x"),))
    assert wire(lost) == [user(text("invalid tool result message: missing tool_call_id"))]


def test_pictures_come_before_the_words_about_them() -> None:
    assert wire(Message("user", (Text("what is this?"), PICTURE))) == [
        user(WIRE_PICTURE, text("what is this?"))
    ]


@pytest.mark.parametrize("is_error", [False, True])
def test_a_result_may_hold_pictures_and_is_then_no_error(is_error: bool) -> None:
    result = Message("tool", (Text("a plot"), Text(" "), PICTURE), "a", "read", is_error)
    assert wire(result) == [
        user({"type": "tool_result", "tool_use_id": "a", "content": [text("a plot"), WIRE_PICTURE]})
    ]


def test_thinking_goes_back_as_it_came_and_in_its_place() -> None:
    vendor = {"type": "redacted_thinking", "data": "Em+/="}
    thought = Thinking("Grüße 😀\n\u2028", "Eq+/==")
    hidden = Thinking("", "sig2")
    answer = said(thought, Thinking("", redacted=True, vendor=vendor), hidden, Text("x"), A)
    assert wire(user_message("x"), answer)[1]["content"] == [
        {"type": "thinking", "thinking": thought.text, "signature": "Eq+/=="},
        vendor,
        {"type": "thinking", "thinking": "", "signature": "sig2"},
        text("x"),
        {"type": "tool_use", "id": "a", "name": "read", "input": {"path": "a.py"}},
    ]


def test_thinking_without_a_signature_is_left_out() -> None:
    answer = said(Thinking("hm"), Thinking("", redacted=True), Text("x"))
    assert wire(user_message("x"), answer)[1]["content"] == [text("x")]


def test_no_thinking_goes_back_once_it_was_refused() -> None:
    vendor = {"type": "redacted_thinking", "data": "d"}
    answer = said(Thinking("hm", "sig"), Thinking("", redacted=True, vendor=vendor), Text("x"))
    options = OPTIONS._replace(without=frozenset({"thinking-history"}))
    assert wire(user_message("x"), answer, options=options)[1]["content"] == [text("x")]
    only = said(Thinking("hm", "sig"))
    assert wire(user_message("a"), only, user_message("b"), options=options) == [
        user(text("a"), text("b"))
    ]


def test_no_temperature_is_sent_with_thinking_or_where_it_is_not_allowed() -> None:
    def sent(options: Options) -> bool:
        return "temperature" in body_of(user_message("x"), options=options, temperature=0.0)

    assert sent(OPTIONS)
    assert not sent(OPTIONS._replace(without=frozenset({"temperature"})))
    assert not sent(OPTIONS._replace(traits=Traits(temperature_allowed=False)))
    for style in ("anthropic-adaptive", "anthropic-budget"):
        asked = OPTIONS._replace(traits=Traits(thinking_style=style))
        assert sent(asked)
        assert sent(asked._replace(thinking="off"))
        assert not sent(asked._replace(thinking="low"))


HISTORY = (
    user_message("one"),
    said(Text("two"), A),
    tool_message(A, "three"),
    said(B, C),
    tool_message(B, "four"),
    tool_message(C, "five"),
)


def marks(options: Options, *history: Message, system: str = "be good") -> dict[str, Any]:
    """What carries a mark, by its place."""
    body = body_of(*history, options=options, system=system, tools=(TOOL,))
    places = {"system": body.get("system", [])}
    places.update((f"{n}", row["content"]) for n, row in enumerate(body["messages"]))
    return {
        f"{place}.{number}": block["cache_control"]
        for place, blocks in places.items()
        for number, block in enumerate(blocks)
        if "cache_control" in block
    }


def test_the_cache_is_marked_on_the_system_prompt_and_the_last_two_user_messages() -> None:
    short = OPTIONS._replace(cache_retention="short")
    assert marks(short, *HISTORY) == {"system.0": MARK, "2.0": MARK, "4.1": MARK}
    assert marks(short, *HISTORY, system="") == {"2.0": MARK, "4.1": MARK}
    assert marks(short, HISTORY[0]) == {"system.0": MARK, "0.0": MARK}
    assert marks(short, *HISTORY, said(Text("paused"))) == marks(short, *HISTORY)
    assert marks(short, system="") == {}


def test_nothing_is_marked_without_caching_or_after_its_refusal() -> None:
    assert marks(OPTIONS, *HISTORY) == {}
    refused = OPTIONS._replace(cache_retention="short", without=frozenset({"cache_control"}))
    assert marks(refused, *HISTORY) == {}


@pytest.mark.parametrize(
    ("base", "compat", "without", "lives"),
    [
        (VENDOR, {}, (), True),
        ("https://API.Anthropic.com:443", {}, (), True),
        (VENDOR, {}, ("cache-ttl",), False),
        ("https://gateway.example/v1", {}, (), False),
        ("https://api.anthropic.com.example/v1", {}, (), False),
        ("https://gateway.example/v1", {"supports_long_cache_retention": True}, (), True),
    ],
)
def test_an_hour_is_asked_only_of_the_vendor_or_where_it_is_known_to_work(
    base: str, compat: dict[str, Any], without: tuple[str, ...], lives: bool
) -> None:
    options = Options(base, cache_retention="long", compat=compat, without=frozenset(without))
    expected = {**MARK, "ttl": "1h"} if lives else MARK
    assert list(marks(options, *HISTORY).values()) == [expected] * 3
    assert list(marks(options._replace(cache_retention="short"), *HISTORY).values()) == [MARK] * 3


def test_the_history_itself_is_never_changed() -> None:
    before = json.dumps(HISTORY)
    body_of(*HISTORY, options=OPTIONS._replace(cache_retention="long"))
    assert json.dumps(HISTORY) == before
