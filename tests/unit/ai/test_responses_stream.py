from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options, StreamDecoder
from pi.ai.providers.responses_stream import ResponsesStreamDecoder
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import (
    ChatRequest,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
)
from pi.base.errors import Interrupted, KeyRefused, PiError, TimeLimit
from pi.base.http import ConnectionBroken

REPLAY = Path(__file__).parents[2] / "replay"
CHAT = ChatRequest("m", "", ())
OPTIONS = Options("http://x", "sk-key-1234")
USAGE = Usage(16, 20, 64, 10, 12)


def decoder(chat: ChatRequest = CHAT) -> StreamDecoder:
    return ResponsesStreamDecoder(chat, OPTIONS)


def events(*chunks: Any) -> list[ServerEvent]:
    return [
        ServerEvent("message", part if isinstance(part, str) else json.dumps(part))
        for part in chunks
    ]


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **fields}


def text(piece: str, **fields: Any) -> dict[str, Any]:
    return event("output_text.delta", delta=piece, **fields)


def arguments(piece: str, **fields: Any) -> dict[str, Any]:
    return event("function_call_arguments.delta", delta=piece, **fields)


def added(place: Any = None, **item: Any) -> dict[str, Any]:
    return event("output_item.added", output_index=place, item=item)


def whole(place: Any = None, **item: Any) -> dict[str, Any]:
    return event("output_item.done", output_index=place, item=item)


def call(**fields: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "c1", "name": "read", **fields}


DONE = event("completed", response={"status": "completed"})


def reply_to(*chunks: Any) -> Reply:
    stream = decoder()
    stream.feed(events(*chunks))
    return stream.finish()


def calls_of(*chunks: Any) -> list[Any]:
    return list(reply_to(*chunks, DONE).message.tool_calls())


def code_of(reply: Reply) -> str:
    assert reply.stop_reason == reply.message.stop_reason == "error"
    assert reply.error is not None
    return reply.error.code


def replayed(name: str, size: int = 1000) -> tuple[list[Any], Reply]:
    raw = (REPLAY / f"responses_{name}.sse").read_bytes()
    sse, stream = SseDecoder(), decoder()
    out = [e for at in range(0, len(raw), size) for e in stream.feed(sse.feed(raw[at : at + size]))]
    out += stream.feed(sse.finish())
    assert stream.done
    return out, stream.finish()


def shown(out: list[Any], kind: type) -> str:
    return "".join(e.text for e in out if isinstance(e, kind))


READ = ToolCall("call_a", "read", {"path": "a.py"})
LIST = ToolCall("call_b", "bash", {"command": "ls"})


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "blocks", "stop_reason", "usage"),
    [
        (
            "openai_text",
            (
                Thinking(
                    "**Plan** 世界\n\nThen answer.",
                    vendor={
                        "id": "rs_0a2",
                        "type": "reasoning",
                        "encrypted_content": "gAAAAABo_whole==",
                        "summary": [
                            {"type": "summary_text", "text": "**Plan** 世界"},
                            {"type": "summary_text", "text": "Then answer."},
                        ],
                    },
                ),
                Text("Looking.", '{"id":"msg_0a3","phase":"commentary"}'),
                Text("Grüße 😀", '{"id":"msg_0a4","phase":"final_answer"}'),
            ),
            "stop",
            USAGE,
        ),
        (
            "openai_calls",
            (
                Thinking(
                    "",
                    vendor={
                        "id": "rs_0b1",
                        "type": "reasoning",
                        "encrypted_content": "gAAAAABo_b==",
                        "summary": [],
                    },
                ),
                READ._replace(item_id="fc_0b2"),
                LIST._replace(item_id="fc_0b3"),
            ),
            "tool_use",
            USAGE,
        ),
        (
            "litellm_calls",
            (
                Text("Let me look.", '{"id":"msg_c1"}'),
                ToolCall("call_c2", "read", {"path": "a.py"}, item_id="call_c2"),
                ToolCall("call_c3", "bash", {"command": "ls"}, item_id="call_c3"),
            ),
            "tool_use",
            Usage(7, 3),
        ),
        (
            "gateway_changing_ids",
            (
                READ._replace(item_id="a" + "Ab/+9" * 12 + "4"),
                LIST._replace(item_id="b" + "Ab/+9" * 12 + "3"),
            ),
            "tool_use",
            USAGE,
        ),
        (
            "openai_cut",
            (ToolCall("call_d", "write", {}, '{"path":"a.py","text":"x', item_id="fc_0d2"),),
            "length",
            USAGE,
        ),
        (
            "vllm_reasoning",
            (
                Thinking(
                    "I read it.",
                    vendor={
                        "id": "rs_e1",
                        "type": "reasoning",
                        "summary": [],
                        "content": [{"type": "reasoning_text", "text": "I read it."}],
                        "encrypted_content": None,
                        "status": None,
                    },
                ),
                Text("Done.", '{"id":"msg_e2"}'),
            ),
            "stop",
            Usage(9, 5, reasoning=3),
        ),
    ],
)
def test_streams_of_real_servers(
    name: str, blocks: tuple[Any, ...], stop_reason: str, usage: Usage, size: int
) -> None:
    out, reply = replayed(name, size)
    assert reply.error is None
    assert reply.message.blocks == blocks
    assert [type(block) for block in reply.message.blocks] == [type(block) for block in blocks]
    assert reply.stop_reason == reply.message.stop_reason == stop_reason
    assert reply.usage == usage
    assert reply.response_id == "resp_0a1"
    assert shown(out, TextDelta) == reply.message.text()
    thoughts = [block.text for block in blocks if isinstance(block, Thinking)]
    assert shown(out, ThinkingDelta) == "".join(thoughts)
    for position, tool_call in enumerate(reply.message.tool_calls()):
        pieces = [e.json_piece for e in out if isinstance(e, CallDelta) and e.position == position]
        assert "".join(pieces) == tool_call.raw_arguments or (
            json.loads("".join(pieces)) == tool_call.arguments
        )


def test_a_failure_in_the_stream_keeps_what_had_arrived() -> None:
    out, reply = replayed("openai_failed")
    assert shown(out, TextDelta) == reply.message.text() == "Hel"
    assert code_of(reply) == "provider-overloaded"
    assert reply.error is not None
    assert reply.error.cause == "The server had an error processing your request."


def test_pieces_of_one_read_come_as_one_delta_in_order() -> None:
    stream = decoder()
    assert stream.feed(
        events(
            event("reasoning_summary_text.delta", delta="hm", summary_index=0),
            text("a", output_index=1),
            text("b", output_index=1),
            added(2, **call()),
            arguments("{", output_index=2),
            arguments("}", output_index=2),
            text("c", output_index=3),
        )
    ) == [
        ThinkingDelta("hm"),
        TextDelta("ab"),
        CallDelta(0, "c1", "read", ""),
        CallDelta(0, "c1", "read", "{}"),
        TextDelta("\nc"),
    ]
    assert stream.feed(events(DONE)) == []
    assert stream.finish().message.text() == "ab\nc"


def test_the_name_of_the_sse_event_stands_in_for_a_missing_type() -> None:
    stream = decoder()
    stream.feed([ServerEvent("response.output_text.delta", '{"delta":"a"}')])
    stream.feed([ServerEvent("response.completed", '{"response":{}}')])
    reply = stream.finish()
    assert (reply.stop_reason, reply.message.text()) == ("stop", "a")


def test_unknown_events_and_items_are_passed_over() -> None:
    reply = reply_to(
        event("audio.delta", delta="x"),
        event("output_item.added", item={"type": "web_search_call", "id": "ws"}),
        event("output_item.done", item={"type": "web_search_call", "id": "ws"}),
        event("output_item.done", item={"type": ["x"], "id": {}}),
        event("output_item.added", item=None),
        {"type": "keepalive"},
        {"no": "type"},
        text("a"),
        DONE,
    )
    assert reply.message.blocks == (Text("a"),)


def test_a_server_that_sends_no_pieces_is_shown_all_the_same() -> None:
    stream = decoder()
    out = stream.feed(
        events(
            whole(
                0,
                type="reasoning",
                id="rs",
                summary=[{"type": "summary_text", "text": "A"}, {"text": "B"}, 7],
            ),
            whole(1, type="message", content=[{"type": "output_text", "text": "hi"}, None]),
            whole(2, **call(arguments={"path": "x"})),
            DONE,
        )
    )
    assert out == [
        ThinkingDelta("A\n\nB"),
        TextDelta("hi"),
        CallDelta(0, "c1", "read", ""),
        CallDelta(0, "c1", "read", '{"path":"x"}'),
    ]
    assert stream.finish().message.tool_calls() == (ToolCall("c1", "read", {"path": "x"}),)


def test_an_output_that_only_the_end_holds_is_taken_from_there() -> None:
    output = [
        {"type": "message", "content": [{"type": "output_text", "text": "hi"}]},
        call(arguments='{"a":1}'),
        "no item",
    ]
    stream = decoder()
    out = stream.feed(events(event("completed", response={"output": output})))
    assert shown(out, TextDelta) == "hi"
    reply = stream.finish()
    assert reply.stop_reason == "tool_use"
    assert reply.message.blocks == (Text("hi"), ToolCall("c1", "read", {"a": 1}))


def test_the_end_does_not_repeat_what_was_streamed_under_other_ids() -> None:
    end = {"output": [{"type": "message", "id": "z", "content": [{"text": "hi"}]}]}
    reply = reply_to(text("hi", item_id="a"), event("completed", response=end))
    assert reply.message.blocks == (Text("hi", '{"id":"a"}'),)


def test_an_item_left_open_is_completed_by_the_end() -> None:
    item = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "whole"}
    reply = reply_to(
        added(0, type="reasoning", id="rs", summary=[], encrypted_content="part"),
        event("completed", response={"output": [item]}),
    )
    assert reply.message.blocks == (Thinking("", vendor=item),)


def test_reasoning_that_was_never_completed_is_not_kept_for_replay() -> None:
    reply = reply_to(
        added(0, type="reasoning", id="rs", encrypted_content="part"),
        event("reasoning_summary_text.delta", delta="hm", item_id="rs"),
        event("incomplete", response={}),
    )
    assert reply.message.blocks == (Thinking("hm"),)


def test_thinking_that_is_sent_twice_is_shown_once() -> None:
    reply = reply_to(
        event("reasoning_text.delta", delta="hm", content_index=0),
        event("reasoning_summary_text.delta", delta="hm", summary_index=0),
        event("reasoning_text.delta", delta="!", content_index=0),
        DONE,
    )
    assert reply.message.blocks == (Thinking("hm!"),)


def test_what_the_whole_of_a_message_has_beyond_its_pieces_is_added() -> None:
    whole_text = [{"type": "output_text", "text": "hello"}]
    assert reply_to(
        text("hel"), whole(type="message", content=whole_text), DONE
    ).message.text() == ("hello")
    other = [{"type": "output_text", "text": "bye"}]
    assert reply_to(text("hel"), whole(type="message", content=other), DONE).message.text() == "hel"
    done = event("output_text.done", text="hi")
    assert reply_to(added(type="message"), done, done, DONE).message.text() == "hi"


def test_whole_arguments_win_over_their_pieces() -> None:
    start = added(0, **call(id="f"))
    expected = [ToolCall("c1", "read", {"a": 2}, item_id="f")]
    ends = (
        whole(0, **call(id="f", arguments='{"a":2}')),
        event("function_call_arguments.done", item_id="f", arguments='{"a":2}'),
    )
    for end in ends:
        assert calls_of(start, arguments('{"a":1', item_id="f"), end) == expected
    blank = whole(0, **call(id="f", arguments=""))
    assert calls_of(start, arguments('{"a":2}', item_id="f"), blank) == expected


def test_pieces_that_come_before_the_start_of_their_call_belong_to_it() -> None:
    found = calls_of(arguments("{}", item_id="f"), added(0, **call(id="f")))
    assert found == [ToolCall("c1", "read", {}, item_id="f")]


def test_pieces_after_the_whole_change_nothing() -> None:
    end = whole(0, **call(id="f", arguments="{}"))
    assert calls_of(end, arguments("x", item_id="f")) == [ToolCall("c1", "read", {}, item_id="f")]


def test_events_without_id_and_place_belong_to_the_last_open_item() -> None:
    found = calls_of(
        added(**call()),
        arguments('{"a":1}'),
        whole(**call(arguments='{"a":1}')),
        added(**call(call_id="c2")),
        arguments('{"b":1}'),
        whole(**call(call_id="c2", arguments='{"b":1}')),
    )
    assert found == [ToolCall("c1", "read", {"a": 1}), ToolCall("c2", "read", {"b": 1})]


def test_calls_get_an_id_of_their_own_and_need_a_name() -> None:
    old = Message("assistant", (ToolCall("c1", "read", {}),))
    stream = decoder(CHAT._replace(messages=(old,)))
    stream.feed(
        events(
            added(0, **call()),
            added(1, **call()),
            added(2, **call(call_id=None)),
            added(3, **call(call_id="n", name=" ")),
            added(4, **call(call_id="z")),
            DONE,
        )
    )
    ids = [found.id for found in stream.finish().message.tool_calls()]
    assert len(set(ids)) == len(ids) == 4
    assert "c1" not in ids
    assert ids[-1] == "z"


def test_arguments_that_are_no_object_are_kept_as_they_came() -> None:
    (found,) = calls_of(whole(**call(arguments="{oops")))
    assert (found.arguments, found.raw_arguments) == ({}, "{oops")


def test_a_refusal_is_text_and_a_stop_reason() -> None:
    refusal = event("refusal.delta", delta="I will not", output_index=0)
    reply = reply_to(refusal, DONE)
    assert (reply.stop_reason, reply.message.text()) == ("refusal", "I will not")
    unstreamed = whole(type="message", content=[{"type": "refusal", "refusal": "no"}])
    reply = reply_to(unstreamed, DONE)
    assert (reply.stop_reason, reply.message.text()) == ("refusal", "no")


@pytest.mark.parametrize(
    ("end", "reason", "raw"),
    [
        (event("completed"), "stop", "completed"),
        (event("completed", response={"status": "weird"}), "stop", "completed"),
        (event("incomplete", response={}), "length", "incomplete"),
        (event("completed", response={"status": "incomplete"}), "length", "incomplete"),
        (
            event("incomplete", response={"incomplete_details": {"reason": "max_output_tokens"}}),
            "length",
            "max_output_tokens",
        ),
        (
            event("incomplete", response={"incomplete_details": {"reason": "content_filter"}}),
            "refusal",
            "content_filter",
        ),
        (
            event("incomplete", response={"incomplete_details": {"reason": "news"}}),
            "length",
            "news",
        ),
    ],
)
def test_each_end_has_its_stop_reason(end: dict[str, Any], reason: str, raw: str) -> None:
    reply = reply_to(text("a"), end)
    assert (reply.stop_reason, reply.raw_stop_reason, reply.error) == (reason, raw, None)


def test_a_call_that_was_cut_never_looks_complete() -> None:
    end = event("incomplete", response={})
    (found,) = reply_to(added(0, **call()), end).message.tool_calls()
    assert found.raw_arguments == ""
    (found,) = reply_to(whole(0, **call(arguments="{}")), end).message.tool_calls()
    assert found.raw_arguments is None


@pytest.mark.parametrize(
    ("chunks", "code"),
    [
        ([], "stream-ended-early"),
        ([text("a")], "stream-ended-early"),
        ([text("a"), "[DONE]"], "stream-ended-early"),
        ([text("a"), "{oops"], "malformed-stream"),
        (["[1]"], "malformed-stream"),
        (["null"], "malformed-stream"),
        (["{} {}"], "malformed-stream"),
        (["[" * 100_000], "malformed-stream"),
        ([event("failed")], "provider-error"),
        ([event("cancelled", response={})], "provider-error"),
        ([event("failed", response={"error": {"code": "invalid_prompt"}})], "provider-error"),
        (
            [event("failed", response={"error": {"code": "rate_limit_exceeded"}})],
            "provider-overloaded",
        ),
        ([{"type": "error", "code": "server_error", "message": "x"}], "provider-overloaded"),
        ([{"type": "error", "error": {"type": "insufficient_quota"}}], "quota-exhausted"),
        ([{"error": {"message": "x"}}], "provider-error"),
        ([{"object": "error", "message": "x"}], "provider-error"),
        ([{"type": "news", "error": "x"}], "provider-error"),
    ],
)
def test_a_stream_that_went_wrong_says_how(chunks: list[Any], code: str) -> None:
    assert code_of(reply_to(*chunks)) == code


def test_a_context_that_is_too_long_is_told_apart() -> None:
    failure = {
        "code": "context_length_exceeded",
        "message": "Your input exceeds the context window",
    }
    for chunk in ({"type": "error", **failure}, event("failed", response={"error": failure})):
        assert code_of(reply_to(chunk)) == "context-overflow"


def test_an_event_named_error_is_one() -> None:
    stream = decoder()
    stream.feed([ServerEvent("error", '{"message":"bad key","code":"invalid_api_key"}')])
    assert stream.done
    assert isinstance(stream.finish().error, KeyRefused)


def test_nothing_is_read_after_the_end() -> None:
    stream = decoder()
    assert stream.feed(events(text("a"), DONE, text("late"))) == [TextDelta("a")]
    assert stream.done


def test_the_key_is_in_no_error() -> None:
    for data in ('{"error":"bad sk-key-1234"}', "bad sk-key-1234", '["sk-key-1234"]'):
        reply = reply_to(data)
        assert reply.error is not None
        assert "sk-key-1234" not in "\n".join(reply.error.lines())


def test_half_a_character_waits_for_the_next_piece() -> None:
    stream = decoder()
    assert stream.feed(events(text("x\ud83d"))) == [TextDelta("x")]
    assert stream.feed(events(text("\ude00"))) == [TextDelta("😀")]
    assert stream.feed(events(text("\ud83d"))) == []
    content = [{"type": "output_text", "text": "x😀😀"}]
    assert stream.feed(events(whole(type="message", content=content))) == [TextDelta("😀")]


def test_an_item_too_deep_to_be_stored_is_not_kept() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    reply = reply_to(whole(type="reasoning", encrypted_content="e", summary=deep), text("a"), DONE)
    assert reply.message.blocks == (Text("a"),)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ConnectionBroken("lost"), "error"),
        (Interrupted("stop"), "aborted"),
        (TimeLimit("late"), "aborted"),
    ],
)
def test_a_stream_that_broke_off_keeps_what_arrived(error: PiError, reason: str) -> None:
    stream = decoder()
    stream.feed(events(text("a")))
    reply = stream.abort(error)
    assert (reply.stop_reason, reply.error, reply.message.text()) == (reason, error, "a")


def test_a_whole_answer_stays_good_when_the_connection_breaks_after_it() -> None:
    stream = decoder()
    stream.feed(events(text("a"), DONE))
    reply = stream.abort(ConnectionBroken("lost"))
    assert (reply.stop_reason, reply.error) == ("stop", None)
