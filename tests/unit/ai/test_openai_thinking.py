from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.compat import Compat, compat_of
from pi.ai.providers.openai_thinking import ThinkingParts, asked, replayed
from pi.ai.providers.shared import nearest
from pi.ai.types import Message, Text, Thinking, ToolCall

CALL = ToolCall("c", "read", {})


@pytest.mark.parametrize(
    ("style", "thinking", "fields"),
    [
        ("openai", "high", {"reasoning_effort": "high"}),
        ("openai", "off", {"reasoning_effort": "none"}),
        ("openai", "max", {"reasoning_effort": "high"}),
        ("openai", "minimal", {"reasoning_effort": "low"}),
        ("openai", "", {}),
        ("openrouter", "low", {"reasoning": {"effort": "low"}}),
        ("openrouter", "off", {"reasoning": {"effort": "none"}}),
        ("zai", "low", {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        ("zai", "off", {"thinking": {"type": "disabled"}}),
        ("qwen", "high", {"enable_thinking": True}),
        ("qwen", "off", {"enable_thinking": False}),
        ("qwen-chat-template", "off", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("none", "high", {}),
    ],
)
def test_each_style_asks_in_its_own_words(
    style: str, thinking: str, fields: dict[str, Any]
) -> None:
    assert asked(Options("", thinking=thinking), Compat(thinking_format=style)) == fields


def test_what_the_model_has_decides() -> None:
    compat = Compat()
    none = Options("", thinking="high", traits=Traits(supports_reasoning=False))
    assert asked(none, compat) == {}
    always = Traits(thinking_levels=("low", "high"), thinking_can_disable=False)
    assert asked(Options("", thinking="off", traits=always), compat) == {"reasoning_effort": "low"}
    assert asked(Options("", thinking="high"), Compat(supports_reasoning_effort=False)) == {}


@pytest.mark.parametrize(
    ("level", "allowed", "expected"),
    [
        ("medium", ("low", "medium", "high"), "medium"),
        ("xhigh", ("low", "high"), "high"),
        ("medium", ("low", "high"), "low"),
        ("high", ("minimal", "max"), "max"),
        ("off", ("medium", "high"), "medium"),
        ("odd", ("high",), "high"),
        ("high", ("odd",), "high"),
    ],
)
def test_a_level_is_moved_to_the_nearest_the_model_has(
    level: str, allowed: tuple[str, ...], expected: str
) -> None:
    assert nearest(level, allowed) == expected


def collected(*deltas: dict[str, Any]) -> tuple[Thinking, ...]:
    parts = ThinkingParts()
    for delta in deltas:
        parts.add(parts.read(delta))
    return parts.block()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_thinking_is_found_under_each_of_its_names(field: str) -> None:
    assert collected({field: "h\ud83d"}, {field: None}, {field: "\ude00m"}) == (
        Thinking("h😀m", vendor={"field": field}),
    )


def test_the_first_name_that_says_something_counts() -> None:
    assert collected({"reasoning_content": "", "reasoning": "a", "reasoning_text": "a"}) == (
        Thinking("a", vendor={"field": "reasoning"}),
    )
    assert collected({"reasoning_content": "a", "reasoning": "a"})[0].text == "a"


def test_mistral_thinks_inside_its_content() -> None:
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}, {"type": "text"}]}
    assert collected({"content": [part, {"type": "text", "text": "yes"}]}) == (
        Thinking("hm", vendor={"field": "content"}),
    )


def test_details_of_openrouter_are_put_together_and_kept() -> None:
    text = {"type": "reasoning.text", "format": "f", "index": 0}
    sealed = {"type": "reasoning.encrypted", "data": "AA", "index": 0, "id": "x"}
    (block,) = collected(
        {"reasoning": "a", "reasoning_details": [{**text, "text": "a"}]},
        {"reasoning": "b", "reasoning_details": [{**text, "text": "b", "signature": None}]},
        {"reasoning_details": [{**text, "text": "", "signature": "sig"}]},
        {"reasoning_details": [{**text, "index": 1, "text": "c"}, None]},
        {"reasoning_details": [sealed]},
        {"reasoning_details": [{**sealed, "data": "BB"}]},
    )
    assert block.text == "abc"
    assert block.vendor is not None
    assert block.vendor["reasoning_details"] == [
        {**text, "text": "ab", "signature": "sig"},
        {**text, "index": 1, "text": "c"},
        sealed,
        {**sealed, "data": "BB"},
    ]


def test_sealed_thinking_alone_is_kept() -> None:
    sealed = {"type": "reasoning.encrypted", "data": "AA"}
    assert collected({"reasoning_details": [sealed]}) == (
        Thinking("", vendor={"reasoning_details": [sealed]}),
    )


@pytest.mark.parametrize(
    "delta",
    [
        {},
        {"reasoning": 3, "reasoning_content": ["x"], "reasoning_details": "x"},
        {"reasoning_details": [1, {}], "content": [1, {"thinking": 3}, {"thinking": [1, None]}]},
        {"reasoning": " \n"},
    ],
)
def test_odd_deltas_bring_no_thinking(delta: dict[str, Any]) -> None:
    assert not [block for block in collected(delta) if block.text]


def sent(policy: str, *blocks: Any, content: Any = "yes") -> dict[str, Any]:
    return replayed(Message("assistant", blocks), content, policy)


IN_FIELD = Thinking("hm", vendor={"field": "reasoning"})


def test_thinking_goes_back_only_where_it_is_expected() -> None:
    assert sent("never", IN_FIELD, CALL) == {}
    assert sent("calls", IN_FIELD) == {}
    assert sent("calls", IN_FIELD, CALL) == {"reasoning": "hm"}
    assert sent("always", IN_FIELD, Text("yes")) == {"reasoning": "hm"}
    assert sent("required", CALL) == {"reasoning_content": ""}
    assert sent("required", Text("yes")) == {}
    assert sent("always", Thinking("out of tags")) == {}


def test_details_go_back_as_they_came_and_alone() -> None:
    details = [{"type": "reasoning.text", "text": "hm"}]
    block = Thinking("hm", vendor={"field": "reasoning", "reasoning_details": details})
    assert sent("always", block) == {"reasoning_details": details}


def test_thinking_in_the_content_goes_back_there() -> None:
    block = Thinking("hm", vendor={"field": "content"})
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert sent("always", block) == {"content": [thought, {"type": "text", "text": "yes"}]}
    assert sent("always", block, CALL, content=None) == {"content": [thought]}


@pytest.mark.parametrize("vendor", [None, {}, {"field": 3}, {"field": "role"}, [1], "x"])
def test_odd_stored_thinking_is_not_sent(vendor: Any) -> None:
    assert sent("always", Thinking("hm", vendor=vendor)) == {}


def test_the_servers_table_says_who_expects_what() -> None:
    def policy(base_url: str) -> str:
        return compat_of(Options(base_url)).thinking_replay

    assert policy("https://api.openai.com/v1") == "never"
    assert policy("https://api.deepseek.com") == "required"
    assert policy("https://openrouter.ai/api/v1") == "always"
    assert policy("http://127.0.0.1:8080/v1") == "calls"
    assert policy("https://models.example.org/v1") == "never"
