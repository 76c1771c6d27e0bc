from __future__ import annotations

from typing import Any

import pytest

from pi.ai.providers.codec import Options
from pi.ai.providers.openai_answer import Answer, content_text, message_text, read_usage
from pi.ai.types import ChatRequest, Origin, Reply, Text, Usage
from pi.base.errors import Interrupted, PiError, ProviderFailed, TimeLimit

CALL = {"index": 0, "id": "c", "function": {"name": "read", "arguments": "{}"}}


def answer() -> Answer:
    return Answer(ChatRequest("m", "", ()), Options("http://x", provider="groq"))


def ended(raw: str | None, text: str = "", *calls: Any, refusal: bool = False) -> Reply:
    found = answer()
    found.take_choice({"finish_reason": raw})
    found.take_text(text)
    for call in calls:
        found.calls.add(call)
    found.ended = True
    found.is_refusal = refusal
    return found.reply()


def test_the_reply_names_its_origin_and_holds_what_came() -> None:
    found = answer()
    found.take_head({"id": "r1", "usage": {"prompt_tokens": 1}})
    found.take_head({"id": "r2", "usage": None})
    assert found.take_text("a\ud83d") == ("", "a")
    assert found.take_text("") == ("", "")
    found.take_choice({"finish_reason": "stop", "usage": {"prompt_tokens": 2}})
    reply = found.reply()
    assert reply.message.origin == Origin("openai-chat", "groq", "m")
    assert reply.message.blocks == (Text("a\ufffd"),)
    assert (reply.response_id, reply.usage) == ("r1", Usage(2))


@pytest.mark.parametrize(
    ("raw", "stop_reason"),
    [
        ("stop", "stop"),
        ("end", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("model_length", "length"),
        ("content_filter", "refusal"),
        ("tool_calls", "stop"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_finish_reasons_are_translated_and_kept(raw: str | None, stop_reason: str) -> None:
    reply = ended(raw, "a")
    assert (reply.stop_reason, reply.raw_stop_reason, reply.error) == (stop_reason, raw, None)


@pytest.mark.parametrize(
    ("raw", "stop_reason"),
    [
        ("stop", "tool_use"),
        ("tool_calls", "tool_use"),
        ("function_call", "tool_use"),
        ("something_new", "tool_use"),
        ("length", "length"),
        ("content_filter", "refusal"),
    ],
)
def test_calls_make_it_tool_use_unless_the_answer_was_cut(raw: str, stop_reason: str) -> None:
    assert ended(raw, "", CALL).stop_reason == stop_reason


def test_a_refusal_stays_one_whatever_the_finish_reason() -> None:
    assert ended("stop", "no", refusal=True).stop_reason == "refusal"


def test_an_empty_answer_that_says_stop_is_one() -> None:
    reply = ended("stop")
    assert (reply.stop_reason, reply.message.blocks) == ("stop", ())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "empty-answer"),
        ("error", "provider-error"),
        ("something_new", "provider-error"),
        ("tool_calls", "malformed-stream"),
    ],
)
def test_an_end_without_an_answer_is_an_error(raw: str | None, code: str) -> None:
    reply = ended(raw)
    assert reply.stop_reason == reply.message.stop_reason == "error"
    assert isinstance(reply.error, ProviderFailed)
    assert reply.error.code == code


def test_without_an_end_it_is_an_early_end() -> None:
    found = answer()
    found.take_text("a")
    error = found.reply().error
    assert error is not None
    assert (error.code, error.message) == ("stream-ended-early", "groq/m: the stream ended early")


@pytest.mark.parametrize(
    ("error", "stop_reason"),
    [(ProviderFailed("x"), "error"), (Interrupted("x"), "aborted"), (TimeLimit("x"), "aborted")],
)
def test_a_failure_decides_the_stop_reason(error: PiError, stop_reason: str) -> None:
    reply = answer().failed(error)
    assert (reply.stop_reason, reply.error) == (stop_reason, error)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, ""),
        ("a", "a"),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}], "ab"),
        ([{"type": "text", "text": 3}, "x", None], ""),
        (7, "7"),
        (True, "true"),
        ({"text": "x"}, ""),
    ],
)
def test_content_comes_in_many_shapes(content: Any, text: str) -> None:
    assert content_text(content) == text
    assert message_text({"content": content}) == text
    assert message_text({"content": content, "refusal": "!"}) == text + "!"
    assert message_text({"content": content, "refusal": 1}) == text


@pytest.mark.parametrize(
    ("wire", "usage"),
    [
        ({}, Usage()),
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(10, 5)),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
             "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
             "completion_tokens_details": {"reasoning_tokens": 2}},
            Usage(3, 5, 4, 3, 2),
        ),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 17,
             "completion_tokens_details": {"reasoning_tokens": 2}},
            Usage(10, 7, 0, 0, 2),
        ),
        ({"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(0, 0, 4)),
        ({"prompt_tokens": 9, "cached_tokens": 4}, Usage(5, 0, 4)),
        ({"prompt_tokens": 9, "prompt_cache_hit_tokens": 4, "prompt_cache_miss_tokens": 5},
         Usage(5, 0, 4)),
        ({"prompt_tokens": 3.0, "completion_tokens": float("inf")}, Usage(3, 0)),
        ({"prompt_tokens": -3, "completion_tokens": "9", "total_tokens": 1}, Usage()),
        ({"prompt_tokens": True}, Usage()),
        ({"prompt_tokens_details": None, "completion_tokens_details": [1]}, Usage()),
    ],
)  # fmt: skip
def test_each_token_is_counted_once(wire: dict[str, Any], usage: Usage) -> None:
    assert read_usage(wire) == usage
