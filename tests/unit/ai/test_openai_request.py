from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.compat import Compat
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.providers.openai_request import extra_headers, request_body
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

CODEC = OpenAiChatCodec()
OPENAI = Options("https://api.openai.com/v1", "sk-key-1234")
PLAIN = Options("https://models.example.org/v1")
CALL = ToolCall("c1", "read", {"path": "a"})
OTHER = ToolCall("c2", "read", {"path": "b"})
TOOL = ToolDefinition("read", "Read", {"type": "object"})
CHAT = ChatRequest("m", "be good", (user_message("hi"),))
PICTURE = Image("image/png", "aGk=")


def body(chat: ChatRequest = CHAT, options: Options = PLAIN, **compat: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        CODEC.encode(chat, options._replace(compat={**options.compat, **compat})).body
    )
    return found


def messages(*history: Message, options: Options = PLAIN, **compat: Any) -> list[Any]:
    found: list[Any] = body(ChatRequest("m", "", history), options, **compat)["messages"]
    return found


def test_openai_gets_what_only_openai_understands() -> None:
    options = OPENAI._replace(traits=Traits(supports_reasoning=True), conversation="conv-1")
    sent = body(CHAT._replace(max_tokens=9), options)
    assert sent["max_completion_tokens"] == 9
    assert sent["store"] is False
    assert sent["prompt_cache_key"] == "conv-1"
    assert sent["messages"][0]["role"] == "developer"
    assert {"max_tokens", "prompt_cache_retention"}.isdisjoint(sent)
    long = body(CHAT, options._replace(cache_retention="long"))
    assert long["prompt_cache_retention"] == "24h"
    none = body(CHAT, options._replace(cache_retention="none"))
    assert "prompt_cache_key" not in none


def test_a_stranger_gets_nothing_but_the_common_ground() -> None:
    options = PLAIN._replace(traits=Traits(supports_reasoning=True), conversation="conv-1")
    assert body(CHAT._replace(max_tokens=9, temperature=0.5, tools=(TOOL,)), options) == {
        "model": "m",
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 9,
        "temperature": 0.5,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "read",
                    "description": "Read",
                    "parameters": {"type": "object"},
                },
            }
        ],
        "messages": [
            {"role": "system", "content": "be good"},
            {"role": "user", "content": "hi"},
        ],
    }


def test_what_was_refused_is_left_out_or_renamed() -> None:
    chat = CHAT._replace(max_tokens=9, temperature=0.5)
    options = PLAIN._replace(without=frozenset({"stream_options", "temperature", "max_tokens"}))
    sent = body(chat, options)
    assert {"stream_options", "temperature", "max_tokens"}.isdisjoint(sent)
    assert sent["max_completion_tokens"] == 9
    both = options._replace(without=options.without | {"max_completion_tokens"})
    assert {"max_completion_tokens", "max_tokens"}.isdisjoint(body(chat, both))
    refused = OPENAI._replace(
        traits=Traits(supports_reasoning=True), without=frozenset({"developer", "store"})
    )
    assert body(CHAT, refused)["messages"][0]["role"] == "system"
    assert "store" not in body(CHAT, refused)


def test_no_temperature_goes_to_a_model_that_has_none() -> None:
    options = PLAIN._replace(traits=Traits(temperature_allowed=False))
    assert "temperature" not in body(CHAT._replace(temperature=0.0), options)


def test_flags_of_tools() -> None:
    chat = CHAT._replace(tools=(TOOL,))
    sent = body(chat, supports_strict=True, parallel_tool_calls="no")
    assert sent["tools"][0]["function"]["strict"] is False
    assert sent["parallel_tool_calls"] is False
    assert body(chat, parallel_tool_calls="yes")["parallel_tool_calls"] is True
    assert "parallel_tool_calls" not in body(CHAT, parallel_tool_calls="no")
    strict = PLAIN._replace(without=frozenset({"strict"}), compat={"supports_strict": True})
    assert "strict" not in body(chat, strict)["tools"][0]["function"]


def test_claude_behind_a_gateway_gets_a_list_of_tools_once_there_were_calls() -> None:
    history = (user_message("hi"), Message("assistant", (CALL,)), tool_message(CALL, "x"))
    assert body(ChatRequest("claude-x", "", history))["tools"] == []
    assert "tools" not in body(ChatRequest("claude-x", "", history[:1]))
    assert "tools" not in body(ChatRequest("m", "", history))


def test_pictures_of_the_user_are_parts_in_their_order() -> None:
    url = {"url": "data:image/png;base64,aGk="}
    assert messages(Message("user", (Text("see"), PICTURE, Text(" "), Text("what?")))) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "see"},
                {"type": "image_url", "image_url": url},
                {"type": "text", "text": "what?"},
            ],
        }
    ]
    assert messages(Message("user", (PICTURE,)))[0]["content"] == [
        {"type": "image_url", "image_url": url}
    ]


def test_pictures_of_tools_follow_all_results_in_a_user_message() -> None:
    history = (
        Message("assistant", (CALL, OTHER)),
        Message("tool", (PICTURE,), "c1", "read"),
        Message("tool", (Text("words"), PICTURE), "c2", "read"),
    )
    sent = messages(*history)
    assert [message["role"] for message in sent] == ["assistant", "tool", "tool", "user"]
    assert sent[1]["content"] == "(see attached image)"
    assert sent[2]["content"] == "words"
    assert sent[3]["content"][0] == {"type": "text", "text": "Attached image(s) from tool result:"}
    assert [part["type"] for part in sent[3]["content"]] == ["text", "image_url", "image_url"]
    longer = messages(*history, Message("assistant", (Text("seen"),)))
    assert longer[:4] == sent


def test_some_templates_want_an_answer_between_a_result_and_the_user() -> None:
    flag: dict[str, Any] = {"requires_assistant_after_tool_result": True}
    history = (Message("assistant", (CALL,)), tool_message(CALL, "x"))
    bridge = {"role": "assistant", "content": "I have processed the tool results."}
    assert messages(*history, user_message("go"), **flag)[2] == bridge
    assert messages(*history, Message("assistant", (Text("y"),)), **flag)[2]["content"] == "y"
    assert len(messages(*history, **flag)) == 2
    shown = messages(history[0], Message("tool", (PICTURE,), "c1", "read"), **flag)
    assert [m["role"] for m in shown] == ["assistant", "tool", "assistant", "user"]


def test_names_of_results_can_be_refused_unless_they_are_required() -> None:
    refused = PLAIN._replace(without=frozenset({"name"}))
    history = (Message("assistant", (CALL,)), tool_message(CALL, "x"))
    assert "name" not in messages(*history, options=refused)[1]
    assert messages(*history, options=refused, requires_tool_result_name=True)[1]["name"] == "read"


def test_mistral_gets_its_own_form_of_ids_and_a_header() -> None:
    options = Options("https://api.mistral.ai/v1", "key-1234", conversation="conv-1")
    sent = messages(Message("assistant", (CALL,)), tool_message(CALL, "x"), options=options)
    identity = sent[0]["tool_calls"][0]["id"]
    assert sent[1]["tool_call_id"] == identity
    assert len(identity) == 9
    assert ("x-affinity", "conv-1") in CODEC.encode(CHAT, options).headers
    own = options._replace(extra_headers=(("X-Affinity", "mine"),))
    assert [
        pair for pair in CODEC.encode(CHAT, own).headers if pair[0].lower() == "x-affinity"
    ] == [("X-Affinity", "mine")]
    none = options._replace(cache_retention="none")
    assert "x-affinity" not in dict(CODEC.encode(CHAT, none).headers)
    assert extra_headers(PLAIN, Compat()) == ()


def test_azure_gets_its_own_address_and_header() -> None:
    options = Options("https://r.openai.azure.com/openai/deployments/d", "key-1234")
    request = CODEC.encode(CHAT._replace(max_tokens=3), options)
    assert request.url == (
        "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"
    )
    assert ("api-key", "key-1234") in request.headers
    assert "Authorization" not in dict(request.headers)
    assert json.loads(request.body)["max_completion_tokens"] == 3


OPENROUTER = Options("https://openrouter.ai/api/v1", "key-1234")
CLAUDE = ChatRequest("anthropic/claude-x", "be good", (user_message("a"), user_message("b")))


def test_openrouter_marks_what_claude_may_cache() -> None:
    sent = body(CLAUDE, OPENROUTER)["messages"]
    mark = {"type": "ephemeral"}
    assert sent[0]["content"] == [{"type": "text", "text": "be good", "cache_control": mark}]
    assert sent[1]["content"] == "a"
    assert sent[2]["content"] == [{"type": "text", "text": "b", "cache_control": mark}]
    long = body(CLAUDE, OPENROUTER._replace(cache_retention="long"))["messages"]
    assert long[2]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    with_picture = CLAUDE._replace(messages=(Message("user", (Text("see"), PICTURE)),))
    parts = body(with_picture, OPENROUTER)["messages"][1]["content"]
    assert [("cache_control" in part) for part in parts] == [True, False]


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("openai/gpt-x", {}),
        ("anthropic/claude-x", {"cache_retention": "none"}),
        ("anthropic/claude-x", {"without": frozenset({"cache_control"})}),
    ],
)
def test_openrouter_marks_nothing_else(model: str, change: dict[str, Any]) -> None:
    sent = CODEC.encode(CLAUDE._replace(model=model), OPENROUTER._replace(**change)).body
    assert b"cache_control" not in sent


def test_openrouter_takes_a_route() -> None:
    assert body(CHAT, OPENROUTER, routing={"only": ["x"]})["provider"] == {"only": ["x"]}


def test_thinking_can_go_back_as_text() -> None:
    message = Message("assistant", (Thinking("hm", vendor={"field": "reasoning"}), Text("yes")))
    assert messages(message, requires_thinking_as_text=True, thinking_replay="always") == [
        {"role": "assistant", "content": "hm\n\nyes"}
    ]


def test_the_body_is_the_same_whatever_order_things_were_refused_in() -> None:
    first = PLAIN._replace(without=frozenset(["store", "temperature", "name"]))
    second = PLAIN._replace(without=frozenset(["name", "temperature", "store"]))
    compat = Compat()
    assert list(request_body(CHAT, first, compat)) == list(request_body(CHAT, second, compat))
