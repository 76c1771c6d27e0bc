from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options, StreamDecoder
from pi.ai.providers.openai_stream import OpenAiStreamDecoder
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import ChatRequest, Reply, Text, Thinking, ToolCall, ToolDefinition, Usage
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


LOCAL_CHAT = ChatRequest("m", "", (), (ToolDefinition("read", "", {}),))
LOCAL = Options("http://127.0.0.1:8080/v1", provider="llamacpp")
WRITTEN = '<tool_call>{"name":"read","arguments":{"path":"a"}}</tool_call>'


def local(*chunks: Any, options: Options = LOCAL) -> tuple[list[Any], Reply]:
    """Each chunk in a read of its own."""
    stream = OpenAiStreamDecoder(LOCAL_CHAT, options)
    out = [event for part in chunks for event in stream.feed(events(part))]
    return out, stream.finish()


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_is_thinking_and_no_part_of_the_text(field: str) -> None:
    out, reply = local(
        chunk(content=None, **{field: "let "}),
        chunk(content="", **{field: "me"}),
        chunk(content="yes", **{field: None}),
        chunk("stop"),
    )
    assert out == [ThinkingDelta("let "), ThinkingDelta("me"), TextDelta("yes")]
    assert reply.message.blocks == (Thinking("let me", vendor={"field": field}), Text("yes"))


def test_reasoning_and_text_of_one_read_stay_in_order() -> None:
    stream = decoder()
    assert stream.feed(
        events(
            chunk(reasoning="a"),
            chunk(reasoning="b"),
            chunk(content="c"),
            chunk(reasoning="d"),
            chunk("stop", reasoning="e", content="f"),
        )
    ) == [ThinkingDelta("ab"), TextDelta("c"), ThinkingDelta("de"), TextDelta("f")]
    assert stream.finish().message.blocks == (
        Thinking("abde", vendor={"field": "reasoning"}),
        Text("cf"),
    )


def test_thinking_in_tags_is_split_from_the_text() -> None:
    out, reply = local(
        chunk(content="<thi"), chunk(content="nk>hm"), chunk(content="</think>\n\nyes"), "[DONE]"
    )
    assert out == [ThinkingDelta("hm"), TextDelta("yes")]
    assert reply.message.blocks == (Thinking("hm"), Text("yes"))


def test_tags_are_text_where_the_vendor_splits_them_itself() -> None:
    out, _ = local(chunk("stop", content="<think>hm"), options=Options("https://api.openai.com/v1"))
    assert out == [TextDelta("<think>hm")]


def test_an_answer_cut_off_while_thinking_keeps_the_thinking() -> None:
    out, reply = local(chunk("length", content="<think>hm</th"))
    assert out == [ThinkingDelta("hm"), ThinkingDelta("</th")]
    assert (reply.stop_reason, reply.message.blocks) == ("length", (Thinking("hm</th"),))


def test_an_answer_of_thinking_alone_is_one() -> None:
    assert local(chunk(reasoning="hm"), "[DONE]")[1].stop_reason == "stop"


def test_a_call_written_as_text_is_a_call() -> None:
    out, reply = local(
        chunk(content="Let me look.\n<tool"), chunk(content=WRITTEN[5:]), chunk("stop"), "[DONE]"
    )
    assert out == [TextDelta("Let me look.\n"), CallDelta(0, "", "read", '{"path":"a"}')]
    assert reply.stop_reason == "tool_use"
    assert reply.message.blocks == (
        Text("Let me look.\n"),
        ToolCall("call_1", "read", {"path": "a"}, rescued=True),
    )


def test_a_written_call_after_thinking_is_a_call() -> None:
    _, reply = local(chunk("stop", content=f"<think>hm</think>\n{WRITTEN}"))
    call = ToolCall("call_1", "read", {"path": "a"}, rescued=True)
    assert reply.message.blocks == (Thinking("hm"), call)


@pytest.mark.parametrize(
    "chunks",
    [
        (chunk(content=f"{WRITTEN} is how"), chunk("stop")),
        (chunk("stop", content=WRITTEN.replace("read", "other")),),
        (chunk("length", content=WRITTEN[:-20]),),
        (chunk(content=WRITTEN), {"error": "no"}),
        (chunk(content=WRITTEN), "{oops"),
    ],
)
def test_what_is_no_written_call_is_text_and_shown(chunks: tuple[Any, ...]) -> None:
    out, reply = local(*chunks)
    assert reply.message.tool_calls() == ()
    assert "".join(e.text for e in out if isinstance(e, TextDelta)) == reply.message.text() != ""


def test_native_calls_leave_the_text_alone() -> None:
    native = {"index": 0, "id": "n", "function": {"name": "read", "arguments": "{}"}}
    out, reply = local(chunk(content=WRITTEN), chunk(tool_calls=[native]), chunk("tool_calls"))
    assert out == [TextDelta(WRITTEN), CallDelta(0, "n", "read", "{}")]
    assert reply.message.blocks == (Text(WRITTEN), ToolCall("n", "read", {}))


def test_where_the_vendor_reads_calls_itself_text_stays_text() -> None:
    out, reply = local(chunk("stop", content=WRITTEN), options=Options("https://api.openai.com/v1"))
    assert out == [TextDelta(WRITTEN)]
    assert reply.stop_reason == "stop"


def test_a_stream_that_breaks_off_keeps_held_text_as_text() -> None:
    stream = OpenAiStreamDecoder(LOCAL_CHAT, LOCAL)
    assert stream.feed(events(chunk(content=WRITTEN))) == []
    reply = stream.abort(ConnectionBroken("gone"))
    assert (reply.stop_reason, reply.message.blocks) == ("error", (Text(WRITTEN),))


def test_groq_puts_usage_under_its_own_name() -> None:
    wire = {**chunk("stop", content="a"), "x_groq": {"usage": {"prompt_tokens": 3}}}
    assert reply_to(wire).usage == Usage(3)


A_CALL = {"path": "a.py"}
DETAIL = {
    "type": "reasoning.text",
    "format": "anthropic-claude-v1",
    "index": 0,
    "text": "Look first.",
    "signature": "c2ln",
}


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "base_url", "blocks", "usage"),
    [
        (
            "openrouter_reasoning",
            "https://openrouter.ai/api/v1",
            (
                Thinking(
                    "Look first.", vendor={"field": "reasoning", "reasoning_details": [DETAIL]}
                ),
                Text("Reading."),
                ToolCall("toolu_1", "read", A_CALL),
            ),
            Usage(10, 20, 40, 0, 8),
        ),
        (
            "deepseek_reasoning",
            "https://api.deepseek.com",
            (Thinking("Hm, yes.", vendor={"field": "reasoning_content"}), Text("Done.")),
            Usage(14, 12, 16, 0, 7),
        ),
        (
            "vllm_qwen_written_call",
            "http://127.0.0.1:8000/v1",
            (
                Thinking("\nI should read it.\n"),
                ToolCall("call_1", "read", A_CALL, rescued=True),
            ),
            Usage(20, 30),
        ),
        (
            "llamacpp_coder_written_call",
            "http://127.0.0.1:8080/v1",
            (Text("I will look.\n"), ToolCall("call_1", "read", A_CALL, rescued=True)),
            Usage(),
        ),
        (
            "ollama_reasoning_call",
            "http://127.0.0.1:11434/v1",
            (
                Thinking("Read it.", vendor={"field": "reasoning"}),
                ToolCall("call_1", "read", A_CALL),
            ),
            Usage(12, 9),
        ),
        (
            "mistral_thinking",
            "https://api.mistral.ai/v1",
            (Thinking("One two.", vendor={"field": "content"}), Text("Three.")),
            Usage(7, 6),
        ),
        (
            "moonshot_usage_in_choice",
            "https://api.moonshot.ai/v1",
            (
                Thinking("Hm", vendor={"field": "reasoning_content"}),
                ToolCall("functions.read:0", "read", A_CALL),
            ),
            Usage(7, 5, 8),
        ),
    ],
)
def test_streams_of_compatible_servers(
    name: str, base_url: str, blocks: tuple[Any, ...], usage: Usage, size: int
) -> None:
    raw = (REPLAY / f"{name}.sse").read_bytes()
    sse, stream = SseDecoder(), OpenAiStreamDecoder(LOCAL_CHAT, Options(base_url))
    out = [e for at in range(0, len(raw), size) for e in stream.feed(sse.feed(raw[at : at + size]))]
    out += stream.feed(sse.finish())
    reply = stream.finish()
    assert reply.error is None
    assert reply.message.blocks == blocks
    assert reply.usage == usage
    assert reply.stop_reason == ("tool_use" if reply.message.tool_calls() else "stop")
    thought = "".join(event.text for event in out if isinstance(event, ThinkingDelta))
    assert thought == "".join(block.text for block in blocks if isinstance(block, Thinking))
    assert "".join(e.text for e in out if isinstance(e, TextDelta)) == reply.message.text()
