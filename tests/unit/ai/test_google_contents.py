from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.google_contents import (
    Rules,
    gemini_version,
    is_gemini_3,
    mark,
    rules_for,
    signature_of,
    system_text,
    wire_contents,
)
from pi.ai.types import (
    ChatRequest,
    Image,
    Message,
    Text,
    Thinking,
    ToolCall,
    tool_message,
    user_message,
)

OLD = Rules(True, False, True, False)
NEW = Rules(True, True, True, True)
IMAGE = Image("image/png", "aWJt")
INLINE = {"inlineData": {"mimeType": "image/png", "data": "aWJt"}}
SKIP = "skip_thought_signature_validator"


def contents_of(*messages: Message, rules: Rules = OLD) -> list[Any]:
    return list(wire_contents(ChatRequest("m", "", messages), rules))


def parts_of(*blocks: Any, rules: Rules = OLD) -> list[Any]:
    (content,) = contents_of(Message("assistant", blocks), rules=rules)
    assert content["role"] == "model"
    parts: list[Any] = content["parts"]
    return parts


def response(identity: str, content: str, is_error: bool = False, **more: Any) -> Any:
    inner = {"tool_call_id": identity, "content": content, "is_error": is_error}
    return {"functionResponse": {"name": "read", "response": inner, **more}}


def test_users_words_and_pictures_keep_their_order() -> None:
    message = Message("user", (Text("see"), IMAGE, Text(""), Text("and")))
    assert contents_of(message) == [
        {"role": "user", "parts": [{"text": "see"}, INLINE, {"text": "and"}]}
    ]


def test_messages_with_nothing_to_say_are_left_out() -> None:
    assert contents_of(user_message(""), Message("assistant", (Text(""),))) == []


def test_three_results_are_one_content_in_call_order() -> None:
    calls = tuple(ToolCall(name, "read", {}) for name in "abc")
    results = [tool_message(call, call.id, is_error=call.id == "b") for call in calls]
    assert contents_of(Message("assistant", calls), *results, user_message("go"))[1:] == [
        {
            "role": "user",
            "parts": [response("a", "a"), response("b", "b", True), response("c", "c")],
        },
        {"role": "user", "parts": [{"text": "go"}]},
    ]


def test_the_servers_ids_are_echoed_and_made_up_ones_are_not_sent() -> None:
    calls = (ToolCall("x", "read", {}, item_id="w"), ToolCall("call_2", "read", {"n": 1}))
    history = (Message("assistant", calls), *(tool_message(call, "") for call in calls))
    model, user = contents_of(*history)
    assert model["parts"] == [
        {"functionCall": {"id": "w", "name": "read", "args": {}}},
        {"functionCall": {"name": "read", "args": {"n": 1}}},
    ]
    assert user["parts"] == [response("x", "", id="w"), response("call_2", "")]
    model, user = contents_of(*history, rules=OLD._replace(call_ids=False))
    assert "id" not in model["parts"][0]["functionCall"]
    assert "id" not in user["parts"][0]["functionResponse"]


def test_a_server_may_use_one_id_in_two_turns() -> None:
    turns = []
    for identity in ("w", "w_2"):
        call = ToolCall(identity, "read", {}, item_id="w")
        turns += [Message("assistant", (call,)), tool_message(call, "")]
    assert [row["parts"][0] for row in contents_of(*turns)[1::2]] == [
        response("w", "", id="w"),
        response("w_2", "", id="w"),
    ]


def test_signatures_return_on_the_parts_they_came_with() -> None:
    calls = (ToolCall("a", "read", {}, signature="c2ln"), ToolCall("b", "read", {}))
    assert parts_of(Thinking("hm", "dGg="), Text("x", "dHg="), *calls, rules=NEW) == [
        {"text": "hm", "thought": True, "thoughtSignature": "dGg="},
        {"text": "x", "thoughtSignature": "dHg="},
        {"functionCall": {"name": "read", "args": {}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "read", "args": {}}},
    ]


def test_a_part_that_is_only_a_signature_returns() -> None:
    assert parts_of(Text("", "c2ln")) == [{"text": "", "thoughtSignature": "c2ln"}]


@pytest.mark.parametrize(
    ("offset", "parts"),
    [
        (0, [{"text": "Hello", "thoughtSignature": "c2ln"}]),
        (3, [{"text": "Hel"}, {"text": "lo", "thoughtSignature": "c2ln"}]),
        (5, [{"text": "Hello"}, {"text": "", "thoughtSignature": "c2ln"}]),
    ],
)
def test_a_text_whose_end_was_signed_is_cut_where_the_stream_cut_it(
    offset: int, parts: list[Any]
) -> None:
    assert parts_of(Text("Hello", mark(offset, "c2ln"))) == parts


@pytest.mark.parametrize("signature", ["not base64!", "x:c2ln ", "3:", ":", "9" * 9 + ":ü"])
def test_what_is_no_signature_is_not_sent(signature: str) -> None:
    assert parts_of(Text("Hello", signature), Thinking("", signature), Thinking("t")) == [
        {"text": "Hello"},
        {"text": "t", "thought": True},
    ]


def test_refused_signatures_are_not_sent() -> None:
    rules = OLD._replace(signatures=False)
    call = ToolCall("a", "read", {}, signature="c2ln")
    assert parts_of(Text("Hello", "3:c2ln"), Text("", "c2ln"), call, rules=rules) == [
        {"text": "Hello"},
        {"functionCall": {"name": "read", "args": {}}},
    ]


def test_redacted_thinking_and_pictures_of_a_model_are_not_sent() -> None:
    assert parts_of(Thinking("x", redacted=True), IMAGE, Text("y")) == [{"text": "y"}]


def test_the_first_call_of_a_turn_is_signed_even_if_another_model_made_it() -> None:
    calls = (ToolCall("a", "read", {}), ToolCall("b", "read", {}))
    assert [part.get("thoughtSignature") for part in parts_of(*calls, rules=NEW)] == [SKIP, None]
    assert [part.get("thoughtSignature") for part in parts_of(*calls, rules=OLD)] == [None, None]


def test_a_call_that_was_not_understood_goes_back_without_arguments() -> None:
    (part,) = parts_of(ToolCall("a", "read", {}, "{oops"))
    assert part == {"functionCall": {"name": "read", "args": {}}}


def picture(call: ToolCall, *texts: str) -> Message:
    return tool_message(call, "")._replace(blocks=(*map(Text, texts), IMAGE))


def test_pictures_are_part_of_a_result_from_gemini_3_on() -> None:
    call = ToolCall("a", "read", {})
    _, user = contents_of(Message("assistant", (call,)), picture(call), rules=NEW)
    assert user["parts"] == [response("a", "(see attached image)", parts=[INLINE])]


def test_pictures_of_results_follow_all_results_before_gemini_3() -> None:
    calls = (ToolCall("a", "read", {}), ToolCall("b", "read", {}))
    results = (picture(calls[0], "two", "lines"), picture(calls[1]))
    _, first, second = contents_of(Message("assistant", calls), *results)
    assert first["parts"] == [
        response("a", "two\nlines"),
        response("b", "(see attached image)"),
    ]
    assert second == {"role": "user", "parts": [{"text": "Tool result image:"}, INLINE, INLINE]}


def test_a_result_without_a_name_has_one_on_the_wire() -> None:
    (user,) = contents_of(Message("tool", (Text("x"),), "c2"))
    assert user["parts"][0]["functionResponse"]["name"] == "unknown_tool"


def test_system_texts_are_joined_by_a_blank_line() -> None:
    chat = ChatRequest("m", "one", (Message("system", (Text("two"),)), user_message("hi")))
    assert system_text(chat) == "one\n\ntwo"
    assert len(list(wire_contents(chat, OLD))) == 1


@pytest.mark.parametrize(
    ("model", "version"),
    [
        ("gemini-2.5-pro", 2),
        ("models/gemini-3.1-pro-preview", 3),
        ("Gemini-4-argon", 4),
        ("gemini-flash-latest", 99),
        ("gemini-pro", 99),
        ("gemma-3-27b-it", None),
        ("gemini-99999999999-x", 99),
        ("", None),
    ],
)
def test_the_generation_is_in_the_models_name(model: str, version: int | None) -> None:
    assert gemini_version(model) == version
    assert is_gemini_3(model, "") is (version is not None and version >= 3)


def test_the_catalog_knows_better_than_the_name() -> None:
    assert is_gemini_3("mine", "gemini-level")
    assert not is_gemini_3("gemini-3-x", "gemini-budget")


def test_what_a_server_refused_changes_the_rules() -> None:
    chat = ChatRequest("gemini-3-pro", "", ())
    assert rules_for(chat, Options("http://h")) == NEW
    names = ("thoughtSignature", "functionCall.id", "functionResponse.parts")
    options = Options("http://h", without=frozenset(names))
    assert rules_for(chat, options) == Rules(False, True, False, False)
    old = Options("http://h", traits=Traits(thinking_style="gemini-budget"))
    assert rules_for(chat, old) == OLD
    unsigned = old._replace(without=frozenset({"unsignedCalls"}))
    assert rules_for(chat, unsigned) == OLD._replace(first_call_signed=True)


@pytest.mark.parametrize("value", [None, "", 5, "a b", "ä", ["c2ln"]])
def test_only_base64_is_a_signature(value: Any) -> None:
    assert signature_of({"thoughtSignature": value}) is None
    assert signature_of({"thoughtSignature": "c2lu-_+/=="}) == "c2lu-_+/=="
