from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta
from pi.ai.providers.codec import Options, StreamDecoder
from pi.ai.providers.openai_stream import OpenAiStreamDecoder
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import ChatRequest, Reply, Text, ToolCall, Usage
from pi.base.errors import Interrupted, KeyRefused, PiError, TimeLimit
from pi.base.http import ConnectionBroken

REPLAY = Path(__file__).parents[2] / "replay"
CHAT = ChatRequest("m", "", ())
OPTIONS = Options("http://x", "sk-key-1234")


def decoder() -> StreamDecoder:
    return OpenAiStreamDecoder(CHAT, OPTIONS)


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def events(*chunks: Any) -> list[ServerEvent]:
    return [
        ServerEvent("message", part if isinstance(part, str) else json.dumps(part))
        for part in chunks
    ]


def reply_to(*chunks: Any) -> Reply:
    stream = decoder()
    stream.feed(events(*chunks))
    return stream.finish()


def code_of(reply: Reply) -> str:
    assert reply.stop_reason == reply.message.stop_reason == "error"
    assert reply.error is not None
    return reply.error.code


def replayed(name: str, size: int = 1000) -> tuple[str, Reply]:
    raw = (REPLAY / name).read_bytes()
    sse, stream = SseDecoder(), decoder()
    out = [e for at in range(0, len(raw), size) for e in stream.feed(sse.feed(raw[at : at + size]))]
    out += stream.feed(sse.finish())
    return "".join(event.text for event in out if isinstance(event, TextDelta)), stream.finish()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "blocks", "stop_reason", "usage"),
    [
        ("openai_text", (Text("Grüße, 世界 😀"),), "stop", Usage(8, 9, 32, 0, 4)),
        (
            "openai_parallel_calls",
            (
                ToolCall("call_a", "read", {"path": "a.py"}),
                ToolCall("call_b", "bash", {"command": "ls"}),
            ),
            "tool_use",
            Usage(100, 30),
        ),
        (
            "litellm_calls",
            (Text("Let me look."), ToolCall("call_1", "read", {"path": "a.py"})),
            "tool_use",
            Usage(),
        ),
        ("aimock_halves", (Text("ok 😀 and \ufffd alone"),), "stop", Usage()),
        ("llamacpp_unterminated", (Text("a\x00b!"),), "length", Usage(3, 2)),
    ],
)
def test_streams_of_real_servers(
    name: str, blocks: tuple[Any, ...], stop_reason: str, usage: Usage, size: int
) -> None:
    text, reply = replayed(f"{name}.sse", size)
    assert reply.error is None
    assert reply.message.blocks == blocks
    assert reply.stop_reason == reply.message.stop_reason == stop_reason
    assert reply.usage == usage
    assert text == reply.message.text()


def test_an_error_in_the_stream_keeps_what_had_arrived() -> None:
    text, reply = replayed("openrouter_error.sse")
    assert text == reply.message.text() == "Hel"
    assert code_of(reply) == "provider-overloaded"
    assert reply.error is not None
    assert reply.error.cause == "Provider returned error: upstream overloaded"


def test_text_of_one_read_comes_as_one_delta_in_order_with_the_calls() -> None:
    stream = decoder()
    part = {"index": 0, "id": "c", "function": {"name": "read", "arguments": "{"}}
    rest = {"index": 0, "function": {"arguments": "}"}}
    other = {"index": 1, "id": "d", "function": {"name": "read", "arguments": "{}"}}
    assert stream.feed(
        events(
            chunk(content="a"),
            chunk(content="b"),
            chunk(tool_calls=[part]),
            chunk(tool_calls=[rest, other]),
            chunk(content="c"),
        )
    ) == [
        TextDelta("ab"),
        CallDelta(0, "c", "read", "{}"),
        CallDelta(1, "d", "read", "{}"),
        TextDelta("c"),
    ]
    assert stream.feed(events(chunk(content=""), chunk("stop"))) == []


def test_foreign_fragments_of_calls_bring_no_event() -> None:
    assert decoder().feed(events(chunk(tool_calls=[None, {"type": "custom"}]))) == []


def test_half_a_character_waits_for_the_next_read() -> None:
    stream = decoder()
    assert stream.feed(events(chunk(content="x\ud83d"))) == [TextDelta("x")]
    assert stream.feed(events(chunk(content="\ude00"))) == [TextDelta("😀")]


def test_done_is_said_by_the_marker_and_by_an_error_not_by_a_finish_reason() -> None:
    stream = decoder()
    stream.feed(events(chunk("stop", content="a")))
    assert not stream.done
    stream.feed(events(" [DONE] ", chunk(content="late")))
    assert stream.done
    assert stream.finish().message.text() == "a"
    failed = decoder()
    failed.feed(events({"error": "no"}, chunk(content="late")))
    assert failed.done


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([], "stream-ended-early"),
        ([chunk(content="a")], "stream-ended-early"),
        (["[DONE]"], "empty-answer"),
        ([chunk("error", content="a")], "provider-error"),
        ([chunk("insufficient_system_resource")], "provider-error"),
        ([chunk("tool_calls")], "malformed-stream"),
        ([chunk(content="a"), "{oops"], "malformed-stream"),
        (["{} {}"], "malformed-stream"),
        (["[1]"], "malformed-stream"),
        (["null"], "malformed-stream"),
        (["[" * 100_000], "malformed-stream"),
        ([chunk("stop", content="a"), {"error": {"message": "x"}}], "provider-error"),
        ([{"object": "error", "message": "x"}], "provider-error"),
        ([{"error": {"code": "server_error"}}], "provider-overloaded"),
    ],
)
def test_a_stream_that_went_wrong_says_how(chunks: list[Any], code: str) -> None:
    assert code_of(reply_to(*chunks)) == code


def test_an_event_named_error_is_one() -> None:
    stream = decoder()
    stream.feed([ServerEvent("error", '{"message":"bad key","code":"invalid_api_key"}')])
    reply = stream.finish()
    assert isinstance(reply.error, KeyRefused)


def test_the_key_is_in_no_error() -> None:
    for data in ('{"error":"bad sk-key-1234"}', "bad sk-key-1234", '["sk-key-1234"]'):
        error = reply_to(data).error
        assert error is not None
        assert "sk-key" not in "".join(error.lines())


def test_blank_and_foreign_chunks_are_passed_over() -> None:
    reply = reply_to(
        "  ",
        {},
        {"choices": None},
        {"choices": [None, 3]},
        {"choices": [{"delta": None}]},
        {"choices": [{"index": 1, "delta": {"content": "other"}, "finish_reason": "stop"}]},
        {"usage": "many", "id": 7, "choices": {}},
        f" {json.dumps(chunk('stop', content='a', tool_calls=None))} ",
    )
    assert (reply.stop_reason, reply.message.text(), reply.response_id) == ("stop", "a", None)


def test_the_marker_alone_ends_an_answer_that_has_content() -> None:
    reply = reply_to(chunk(content="a"), "[DONE]")
    assert (reply.stop_reason, reply.raw_stop_reason) == ("stop", None)


def test_a_refusal_is_text_and_a_stop_reason() -> None:
    reply = reply_to(chunk(content="", refusal="I "), chunk("stop", refusal="won't"))
    assert (reply.stop_reason, reply.message.text()) == ("refusal", "I won't")


def test_blank_text_is_no_block() -> None:
    assert reply_to(chunk("stop", content=" \n")).message.blocks == ()


@pytest.mark.parametrize(
    ("error", "stop_reason"),
    [
        (ConnectionBroken("gone"), "error"),
        (Interrupted("stop"), "aborted"),
        (TimeLimit("late"), "aborted"),
    ],
)
def test_an_aborted_stream_keeps_what_had_arrived(error: PiError, stop_reason: str) -> None:
    stream = decoder()
    stream.feed(events(chunk(content="a")))
    reply = stream.abort(error)
    assert (reply.stop_reason, reply.message.stop_reason) == (stop_reason, stop_reason)
    assert reply.message.text() == "a"
    assert reply.error is error


def test_a_break_after_the_finish_reason_does_not_spoil_the_answer() -> None:
    stream = decoder()
    stream.feed(events(chunk("stop", content="a")))
    assert stream.abort(ConnectionBroken("gone")).stop_reason == "stop"


def test_a_break_after_a_reported_error_does_not_hide_it() -> None:
    stream = decoder()
    stream.feed(events({"error": "first"}))
    error = stream.abort(ConnectionBroken("gone")).error
    assert error is not None
    assert error.cause == "first"


def test_usage_inside_the_choice_counts() -> None:
    wire = {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop", "usage": {
        "prompt_tokens": 3, "completion_tokens": 4}}]}  # fmt: skip
    assert reply_to(wire).usage == Usage(3, 4)
