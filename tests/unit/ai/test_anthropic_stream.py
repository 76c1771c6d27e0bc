from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.anthropic_stream import AnthropicStreamDecoder
from pi.ai.providers.codec import Options, StreamDecoder
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import ChatRequest, Reply, Text, Thinking, ToolCall, Usage
from pi.base.errors import Interrupted
from pi.base.http import ConnectionBroken

REPLAY = Path(__file__).parents[2] / "replay"
CHAT = ChatRequest("claude-x", "", ())
OPTIONS = Options("http://x", "sk-key-1234", provider="anthropic")
STOP = {"type": "message_stop"}


def decoder() -> StreamDecoder:
    return AnthropicStreamDecoder(CHAT, OPTIONS)


def start(index: Any, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, kind: str, **piece: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **piece}}


def text(piece: str, index: Any = 0) -> dict[str, Any]:
    return delta(index, "text_delta", text=piece)


def args(piece: str, index: Any = 0) -> dict[str, Any]:
    return delta(index, "input_json_delta", partial_json=piece)


def end(reason: str | None, **fields: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason, **fields}}


def call(index: Any = 0, name: str = "read", id: str = "t1", input: Any = None) -> dict[str, Any]:
    return start(index, type="tool_use", id=id, name=name, input={} if input is None else input)


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


def replayed(name: str, size: int = 1000) -> tuple[list[Any], Reply]:
    raw = (REPLAY / name).read_bytes()
    sse, stream = SseDecoder(), decoder()
    out = [e for at in range(0, len(raw), size) for e in stream.feed(sse.feed(raw[at : at + size]))]
    out += stream.feed(sse.finish())
    return out, stream.finish()


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "blocks", "stop_reason", "usage"),
    [
        ("anthropic_text", (Text("Grüße, 世界 😀"),), "stop", Usage(12, 15, 2048, 300)),
        (
            "anthropic_thinking_calls",
            (
                Thinking("Both files are needed.", "EqQBCgIYAhIkABCD+/=="),
                Thinking(
                    "",
                    redacted=True,
                    vendor={"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
                ),
                Text("I read both."),
                ToolCall("toolu_01C", "read", {"path": "a.py"}),
                ToolCall("toolu_01D", "list", {}),
            ),
            "tool_use",
            Usage(40, 89, 0, 0, 20),
        ),
        (
            "anthropic_aimock_halves",
            (Text("😀 ok"), ToolCall("toolu_yG70eRwFHrGrwNuW", "read", {"path": "😀"})),
            "tool_use",
            Usage(),
        ),
    ],
)
def test_recorded_streams_are_read_however_they_are_cut(
    name: str, blocks: tuple[Any, ...], stop_reason: str, usage: Usage, size: int
) -> None:
    out, reply = replayed(f"{name}.sse", size)
    assert reply.message.blocks == blocks
    assert reply.stop_reason == stop_reason
    assert reply.usage == usage
    assert reply.error is None
    shown = "".join(event.text for event in out if isinstance(event, TextDelta))
    assert shown == reply.message.text()


def test_an_overload_in_the_stream_keeps_what_arrived_and_may_pass() -> None:
    out, reply = replayed("anthropic_overloaded.sse")
    assert out == [TextDelta("Hello")]
    assert code_of(reply) == "provider-overloaded"
    assert reply.message.blocks == (Text("Hello"),)
    assert reply.usage == Usage(40, 1)


def test_pieces_of_one_read_come_as_one_event_per_part() -> None:
    stream = decoder()
    out = stream.feed(
        events(
            start(0, type="thinking", thinking="", signature=""),
            delta(0, "thinking_delta", thinking="a"),
            delta(0, "thinking_delta", thinking="b"),
            delta(0, "signature_delta", signature="sig"),
            start(1, type="text", text=""),
            text("c", 1),
            text("d", 1),
            call(2),
            args('{"p', 2),
            args('":1}', 2),
        )
    )
    assert out == [
        ThinkingDelta("ab"),
        TextDelta("cd"),
        CallDelta(0, "t1", "read", ""),
        CallDelta(0, "t1", "read", '{"p":1}'),
    ]
    assert all(isinstance(event, kind) for event, kind in zip(out, [ThinkingDelta, TextDelta]))


def test_parts_whose_pieces_interleave_stay_apart() -> None:
    reply = reply_to(
        call(0, id="a"), call(1, id="b"), args('{"x"', 0), args('{"y"', 1), args(":1}", 0),
        args(":2}", 1), end("tool_use"), STOP,
    )  # fmt: skip
    assert reply.message.blocks == (
        ToolCall("a", "read", {"x": 1}),
        ToolCall("b", "read", {"y": 2}),
    )


@pytest.mark.parametrize(
    ("given", "pieces", "arguments"),
    [
        ({}, ['{"path"', ': "a', '.py"}'], {"path": "a.py"}),
        ({"path": "old"}, ['{"path":"new"}'], {"path": "new"}),
        ({"path": "whole"}, [], {"path": "whole"}),
        ({"path": "whole"}, ["", " "], {"path": "whole"}),
        ('{"path":"text"}', [], {"path": "text"}),
        ({}, ["", " \n"], {}),
        (None, [], {}),
    ],
)
def test_streamed_arguments_win_over_those_of_the_start(
    given: Any, pieces: list[str], arguments: dict[str, Any]
) -> None:
    first = start(0, type="tool_use", id="t1", name="read", input=given)
    stop = {"type": "content_block_stop", "index": 0}
    for closing in ([stop], []):
        found = reply_to(first, *map(args, pieces), *closing, end("tool_use"), STOP)
        assert found.message.blocks == (ToolCall("t1", "read", arguments),)


def test_arguments_of_the_start_are_shown_when_the_part_stops() -> None:
    stream = decoder()
    stop = {"type": "content_block_stop", "index": 0}
    out = stream.feed(events(call(input={"a": 1}), stop, stop))
    assert out == [CallDelta(0, "t1", "read", ""), CallDelta(0, "t1", "read", '{"a":1}')]


def test_a_call_cut_by_the_output_limit_cannot_be_run() -> None:
    cut = reply_to(call(), args('{"path": "a'), end("max_tokens"), STOP)
    assert cut.stop_reason == "length"
    assert cut.message.tool_calls()[0].raw_arguments == '{"path": "a'
    for pieces in ([], [args("")]):
        early = reply_to(call(), *pieces, end("max_tokens"), STOP)
        assert early.message.tool_calls()[0].raw_arguments == ""
    whole = reply_to(call(), args("{}"), start(1, type="text", text="x"), end("max_tokens"), STOP)
    assert whole.message.tool_calls()[0].raw_arguments is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "stop"),  # no call came with it
        ("pause_turn", "pause"),
        ("refusal", "refusal"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_why_it_stopped_is_said_in_our_words(raw: str | None, reason: str) -> None:
    reply = reply_to(text("hi"), end(raw), STOP)
    assert (reply.stop_reason, reply.raw_stop_reason) == (reason, raw)


@pytest.mark.parametrize("raw", ["end_turn", "tool_use", "pause_turn", "something_new", None])
def test_an_answer_with_calls_wants_them_run(raw: str | None) -> None:
    assert reply_to(call(), args("{}"), end(raw), STOP).stop_reason == "tool_use"


def test_an_empty_end_of_turn_is_an_answer_without_words() -> None:
    reply = reply_to(end("end_turn"), STOP)
    assert (reply.stop_reason, reply.message.blocks, reply.error) == ("stop", (), None)


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([STOP], "empty-answer"),
        ([end("something_new"), STOP], "provider-error"),
        ([end("tool_use"), STOP], "malformed-stream"),
        ([], "stream-ended-early"),
        ([text("hi"), end("end_turn")], "stream-ended-early"),
        (["not json"], "malformed-stream"),
        (["[1]"], "malformed-stream"),
        ([text("hi"), "[DONE]"], "stream-ended-early"),
        ([{"error": {"message": "x"}}], "provider-error"),
        ([{"type": "error", "error": {"type": "api_error"}}], "provider-overloaded"),
    ],
)
def test_what_is_no_answer_is_an_error(chunks: list[Any], code: str) -> None:
    assert code_of(reply_to(*chunks)) == code


def test_an_error_is_known_by_the_name_of_its_event_too() -> None:
    stream = decoder()
    stream.feed([ServerEvent("error", '{"message":"Overloaded","code":529}')])
    assert stream.done
    assert code_of(stream.finish()) == "provider-overloaded"


def test_events_are_known_by_their_name_if_the_data_does_not_tell() -> None:
    stream = decoder()
    stream.feed([
        ServerEvent("content_block_delta", '{"index":0,"delta":{"type":"text_delta","text":"a"}}'),
        ServerEvent("message_stop", "{}"),
    ])  # fmt: skip
    assert stream.finish().message.text() == "a"


def test_nothing_after_the_end_counts() -> None:
    stream = decoder()
    out = stream.feed(events(text("a"), STOP, text("b"), "garbage"))
    assert stream.done
    assert out == [TextDelta("a")]
    assert stream.finish().message.text() == "a"


def test_blanks_pings_and_unknown_events_mean_nothing() -> None:
    reply = reply_to(
        " ", {"type": "ping"}, {"type": "new_thing", "x": 1}, "[DONE]", text("a"),
        {"type": "content_block_start"}, {"type": "content_block_delta"},
        {"type": "content_block_stop", "index": 9}, {"type": "message_delta"},
        {"type": "message_start"}, delta(0, "citations_delta", citation={}),
        delta(0, "text_delta", text=7), args("{}"), ' {"type":"message_stop"} ',
    )  # fmt: skip
    assert (reply.message.blocks, reply.stop_reason) == ((Text("a"),), "stop")


def test_words_without_their_start_are_kept_in_place() -> None:
    reply = reply_to(
        delta(0, "thinking_delta", thinking="hm"), text("a", 1), text("b", None), end(None), STOP
    )
    assert reply.message.blocks == (Thinking("hm"), Text("ab"))


def test_an_index_used_again_begins_a_new_part() -> None:
    reply = reply_to(start(0, type="text", text="a"), call(0), args('{"x":1}'), end(None), STOP)
    assert reply.message.blocks == (Text("a"), ToolCall("t1", "read", {"x": 1}))


def test_parts_of_unknown_kinds_are_left_out_with_their_pieces() -> None:
    search = start(0, type="server_tool_use", id="s", name="web_search", input={})
    nameless = start(1, type="tool_use", id="t", name=" ")
    reply = reply_to(
        search, args('{"q":1}'), nameless, args("{}", 1), text("x", 1), text("hi", 2), STOP
    )
    assert reply.message.blocks == (Text("hi"),)


def test_calls_of_one_id_are_told_apart_and_a_missing_id_is_made_up() -> None:
    chunks = [call(0, id="a"), call(1, id="a"), start(2, type="tool_use", name="read"), STOP]
    calls = reply_to(*chunks).message.tool_calls()
    assert calls[0].id == "a"
    assert len({call.id for call in calls}) == 3
    assert all(call.id for call in calls)


@pytest.mark.parametrize(
    ("first", "deltas", "block"),
    [
        ({"signature": ""}, ["s1"], Thinking("", "s1")),
        ({"signature": "whole"}, [], Thinking("", "whole")),
        ({"signature": "whole"}, ["whole"], Thinking("", "whole")),
        ({"thinking": "hm"}, ["a", "b"], Thinking("hm", "ab")),
        ({"thinking": "hm"}, [], Thinking("hm")),
    ],
)
def test_a_signature_is_kept_also_without_words(
    first: dict[str, str], deltas: list[str], block: Thinking
) -> None:
    pieces = [delta(0, "signature_delta", signature=piece) for piece in deltas]
    reply = reply_to(start(0, type="thinking", **first), *pieces, text("x", 1), STOP)
    assert reply.message.blocks == (block, Text("x"))


def test_thinking_with_neither_words_nor_signature_is_nothing() -> None:
    reply = reply_to(
        start(0, type="thinking", thinking=" "), start(1, type="redacted_thinking"), text("x", 2),
        STOP,
    )  # fmt: skip
    assert reply.message.blocks == (Text("x"),)


def test_a_refusal_without_words_says_why() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Not this."}
    stream = decoder()
    out = stream.feed(events(end("refusal", stop_details=details), STOP))
    assert out == [TextDelta("Not this.")]
    reply = stream.finish()
    assert (reply.stop_reason, reply.message.text()) == ("refusal", "Not this.")
    spoken = reply_to(text("No."), end("refusal", stop_details=details), STOP)
    assert spoken.message.text() == "No."


def test_later_counts_replace_earlier_ones_and_missing_ones_stay() -> None:
    first = {"input_tokens": 10, "output_tokens": 1, "cache_read_input_tokens": 5}
    head = {"type": "message_start", "message": {"id": "m", "usage": first}}
    later = {"output_tokens": 9, "input_tokens": None, "cache_creation_input_tokens": 4}
    reply = reply_to(head, text("x"), {**end("end_turn"), "usage": later}, STOP)
    assert reply.usage == Usage(10, 9, 5, 4)
    assert reply.response_id == "m"


def test_a_cut_connection_keeps_what_arrived_and_its_usage() -> None:
    stream = decoder()
    head = {"type": "message_start", "message": {"usage": {"input_tokens": 10}}}
    stream.feed(events(head, text("Hel")))
    error = ConnectionBroken("gone")
    reply = stream.abort(error)
    assert reply.error is error
    assert (reply.stop_reason, reply.message.text(), reply.usage.input) == ("error", "Hel", 10)


def test_a_cancelled_answer_is_aborted_and_a_whole_one_stays_good() -> None:
    stream = decoder()
    stream.feed(events(text("Hel")))
    assert stream.abort(Interrupted("stop")).stop_reason == "aborted"
    stream = decoder()
    stream.feed(events(text("Hello"), end("end_turn"), STOP))
    assert stream.abort(Interrupted("stop")).stop_reason == "stop"


def test_a_character_cut_in_two_is_joined_in_every_kind_of_part() -> None:
    reply = reply_to(
        start(0, type="thinking", thinking=""),
        '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"\\ud83d"}}',
        '{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"\\ude00"}}',
        text("\ud83d", 1),
        STOP,
    )  # fmt: skip
    assert reply.message.blocks == (Thinking("😀"), Text("\ufffd"))
