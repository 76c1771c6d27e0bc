from __future__ import annotations

import re
from typing import Any

import pytest

from pi.ai.providers.responses_input import (
    REASONING_ITEMS,
    input_items,
    text_signature,
    wire_id,
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
from pi.base.errors import Bug

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
THOUGHT = Thinking("hm", vendor=REASONING)
SAID = Text("hi", '{"id":"msg_1","phase":"commentary"}')
CALL = ToolCall("c1", "read", {"path": "ä.py", "n": 1}, item_id="fc_1")
WIRE_SAID = {
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "id": "msg_1",
    "phase": "commentary",
    "content": [{"type": "output_text", "text": "hi", "annotations": []}],
}
BARE_SAID = {"role": "assistant", "phase": "commentary", "content": "hi"}
WIRE_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "read",
    "arguments": '{"path":"ä.py","n":1}',
}
BARE_CALL = {name: value for name, value in WIRE_CALL.items() if name != "id"}
PICTURE = Image("image/png", "iVBORw0=")
WIRE_PICTURE = {
    "type": "input_image",
    "detail": "auto",
    "image_url": "data:image/png;base64,iVBORw0=",
}


def items(*messages: Message, without: Any = ()) -> list[dict[str, Any]]:
    return input_items(ChatRequest("m", "", messages), frozenset(without))


def answered(*blocks: Any, without: Any = ()) -> list[dict[str, Any]]:
    return items(Message("assistant", blocks), without=without)


def words(text: str) -> dict[str, str]:
    return {"type": "input_text", "text": text}


def test_each_kind_of_message_has_its_item() -> None:
    assert items(
        user_message("a"),
        Message("system", (Text("note"),)),
        Message("user", (PICTURE, Text("this?"))),
        Message("user", ()),
        Message("assistant", (THOUGHT, SAID, CALL)),
        tool_message(CALL, "text", is_error=True),
        Message("tool", (Text("see"), PICTURE), "c2"),
        Message("tool", (), "c3"),
    ) == [
        {"role": "user", "content": [words("a")]},
        {"role": "system", "content": [words("note")]},
        {"role": "user", "content": [WIRE_PICTURE, words("this?")]},
        {"role": "user", "content": [words("")]},
        REASONING,
        WIRE_SAID,
        WIRE_CALL,
        {"type": "function_call_output", "call_id": "c1", "output": "text"},
        {"type": "function_call_output", "call_id": "c2", "output": [words("see"), WIRE_PICTURE]},
        {"type": "function_call_output", "call_id": "c3", "output": ""},
    ]


def test_blocks_from_elsewhere_go_without_ids() -> None:
    assert answered(Text("hi"), CALL._replace(item_id=None)) == [
        {"role": "assistant", "content": "hi"},
        BARE_CALL,
    ]
    for signature in ("opaque", "[1]", '{"id":7}', "[" * 9999):
        assert answered(Text("hi", signature)) == [{"role": "assistant", "content": "hi"}]


def test_reasoning_stays_in_front_of_the_item_it_preceded() -> None:
    other = {**REASONING, "id": "rs_2"}
    second = Thinking("", vendor=other)
    assert answered(THOUGHT, SAID, second, CALL) == [REASONING, WIRE_SAID, other, WIRE_CALL]


def test_reasoning_whose_item_never_came_is_left_out() -> None:
    assert answered(SAID, THOUGHT) == [WIRE_SAID]
    assert answered(THOUGHT) == []


@pytest.mark.parametrize(
    "vendor",
    [
        None,
        {"type": "thinking"},
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None},
    ],
)
def test_what_follows_reasoning_that_cannot_go_back_has_no_id(vendor: Any) -> None:
    assert answered(Thinking("hm", vendor=vendor), SAID, CALL) == [BARE_SAID, BARE_CALL]


def test_open_reasoning_goes_back_as_it_came() -> None:
    item = {"type": "reasoning", "id": "rs", "summary": [], "content": [{"text": "hm"}]}
    assert answered(Thinking("hm", vendor=item), CALL) == [item, WIRE_CALL]


def test_reasoning_has_the_summary_that_is_required() -> None:
    item = {"type": "reasoning", "id": "rs", "encrypted_content": "e"}
    assert answered(Thinking("", vendor=item), CALL)[0] == {**item, "summary": []}


def test_after_a_refusal_reasoning_and_ids_are_left_out() -> None:
    assert answered(THOUGHT, SAID, CALL, without={REASONING_ITEMS}) == [BARE_SAID, BARE_CALL]


def test_a_call_that_was_not_understood_goes_back_without_arguments() -> None:
    (item,) = answered(ToolCall("c", "read", {}, "{oops"))
    assert item["arguments"] == "{}"


def test_long_ids_are_hashed_the_same_way_for_call_and_result() -> None:
    long = "call|" + "x" * 400
    call = ToolCall(long, "read", {}, item_id="y" * 65)
    reasoning = {**REASONING, "id": "rs_" + "z" * 62}
    answer = Message("assistant", (Thinking("", vendor=reasoning), call))
    sent, made, result = items(answer, tool_message(call, "ok"))
    assert made["call_id"] == result["call_id"]
    for identity, prefix in ((made["call_id"], "call"), (made["id"], "fc"), (sent["id"], "rs")):
        assert re.fullmatch(prefix + "_[0-9a-f]{32}", identity)
    assert {**sent, "id": reasoning["id"]} == reasoning
    assert answered(Text("a", text_signature("m" * 65, "")))[0]["id"].startswith("msg_")


@pytest.mark.parametrize("identity", ["c", "call_a-1", "x" * 64, "0", "-"])
def test_an_id_that_fits_is_not_changed(identity: str) -> None:
    assert wire_id(identity, "call") == identity or identity == "-"


@pytest.mark.parametrize("identity", ["", "a b", "x" * 65, "call_", "ä", "a|b", "\ud83d", "_"])
def test_an_id_that_does_not_fit_is_replaced_by_one_that_does(identity: str) -> None:
    assert re.fullmatch("call_[0-9a-f]{32}", wire_id(identity, "call"))


def test_a_signature_keeps_only_what_there_is() -> None:
    assert text_signature("", "") is None
    assert text_signature("m", "") == '{"id":"m"}'
    assert text_signature("m", "final_answer") == '{"id":"m","phase":"final_answer"}'


def test_a_result_without_a_call_id_is_a_bug() -> None:
    with pytest.raises(Bug, match="missing tool_call_id"):
        items(Message("tool", (Text("x"),)))
