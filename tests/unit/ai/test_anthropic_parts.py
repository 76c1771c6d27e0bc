from __future__ import annotations

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.anthropic_parts import CallPart, FixedPart, TextPart, ThinkingPart, word
from pi.ai.providers.calls import CallCollector
from pi.ai.types import Text, Thinking, ToolCall


def test_text_is_shown_as_far_as_it_is_whole() -> None:
    part = TextPart()
    assert part.is_empty
    assert part.take("") is None
    assert part.is_empty
    assert part.take("a\ud83d") == TextDelta("a")
    assert part.take("\ude00") == TextDelta("😀")
    assert part.take("\ud83d") is None
    assert not part.is_empty
    assert part.close() is None
    assert part.block(()) == Text("a😀\ufffd")


def test_blank_text_is_no_block() -> None:
    part = TextPart()
    part.take(" \n")
    assert part.block(()) is None


def test_thinking_is_words_and_a_signature() -> None:
    part = ThinkingPart({"signature": 7})
    event = part.take("hm")
    assert event == ThinkingDelta("hm")
    assert isinstance(event, ThinkingDelta)
    assert part.take("") is None
    part.sign("a")
    part.sign("b")
    assert part.close() is None
    assert part.block(()) == Thinking("hm", "ab")
    assert ThinkingPart({}).block(()) is None
    assert ThinkingPart({"signature": "s"}).block(()) == Thinking("", "s")


def test_a_call_is_what_the_collector_makes_of_it() -> None:
    calls = CallCollector((), ())
    calls.add({"index": 0, "id": "t", "function": {"name": "read"}})
    part = CallPart(calls, 0, {"input": {"old": 1}})
    assert part.take('{"new":1}') == CallDelta(0, "t", "read", '{"new":1}')
    assert part.close() is None
    assert part.block(calls.finish()) == ToolCall("t", "read", {"new": 1})


def test_a_call_that_came_whole_is_shown_when_it_closes_once() -> None:
    calls = CallCollector((), ())
    calls.add({"index": 0, "id": "t", "function": {"name": "read"}})
    part = CallPart(calls, 0, {"input": {"a": 1}})
    assert part.close() == CallDelta(0, "t", "read", '{"a":1}')
    assert part.close() is None
    assert part.block(calls.finish()) == ToolCall("t", "read", {"a": 1})


def test_a_part_of_no_use_is_nothing_and_a_fixed_one_itself() -> None:
    part = FixedPart()
    assert (part.take("x"), part.close(), part.block(())) == (None, None, None)
    assert FixedPart(Text("x")).block(()) == Text("x")


def test_a_word_is_a_string_or_nothing() -> None:
    assert word({"a": "x", "b": 7}, "a") == "x"
    assert word({"a": "x", "b": 7}, "b") == ""
    assert word({}, "c") == ""
