from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.ai.events import CallDelta, TextDelta, ThinkingDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.google import GoogleCodec
from pi.ai.providers.google_stream import GoogleStreamDecoder
from pi.ai.sse import ServerEvent, SseDecoder
from pi.ai.types import (
    ChatRequest,
    Message,
    Reply,
    Text,
    Thinking,
    ToolCall,
    Usage,
    tool_message,
    user_message,
)
from pi.base.errors import Interrupted, ProviderFailed

REPLAY = Path(__file__).parents[2] / "replay"
CHAT = ChatRequest("gemini-3.1-pro-preview", "", (user_message("hi"),))


def decoder(chat: ChatRequest = CHAT) -> GoogleStreamDecoder:
    return GoogleStreamDecoder(chat, Options("http://x", provider="google"))


def chunk(*parts: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish is not None:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **more}


def call(name: Any = "read", args: Any = None, **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": args or {}, **more}}


def events(*payloads: Any) -> list[ServerEvent]:
    return [ServerEvent("message", json.dumps(payload)) for payload in payloads]


def reply_to(*payloads: Any, chat: ChatRequest = CHAT) -> Reply:
    stream = decoder(chat)
    stream.feed(events(*payloads))
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


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100_000])
@pytest.mark.parametrize(
    ("name", "blocks", "stop_reason", "usage"),
    [
        (
            "google_text",
            (
                Thinking("**Greeting**\n\nThe user says hello."),
                Text("Grüß Gott 😀", "11:EvkBCvYB"),
            ),
            "stop",
            Usage(40, 36, 80, 0, 30),
        ),
        (
            "google_parallel_calls",
            (
                Thinking("I need both files."),
                Text("I will read both."),
                ToolCall("8f2k1abc", "read", {"path": "a.py"}, None, "CiQBcsjafA==", "8f2k1abc"),
                ToolCall("8f2k1abd", "read", {"path": "b.py"}, item_id="8f2k1abd"),
            ),
            "tool_use",
            Usage(40, 90, 80, 0, 50),
        ),
        (
            "google_litellm",
            (Text("Let me look."), ToolCall("call_1", "read", {"path": "a.py"})),
            "tool_use",
            Usage(10, 20),
        ),
        (
            "google_aimock",
            (
                Thinking("think 😀 hard"),
                Text("Let me look 😀."),
                ToolCall("call_1", "read", {"path": "a.py"}),
                ToolCall("call_2", "bash", {"command": "ls"}),
            ),
            "tool_use",
            Usage(),
        ),
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


def in_other_lines(raw: bytes, line_end: bytes) -> bytes:
    """The same events with a BOM, comments, other line ends and no last blank line."""
    rows = raw.replace(b"\r\n", b"\n").rstrip(b"\n").replace(b"\n\n", b"\n\n: ping\n\n")
    return b"\xef\xbb\xbf: hello\n\n".replace(b"\n", line_end) + rows.replace(b"\n", line_end)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("name", ["google_text", "google_parallel_calls", "google_litellm"])
def test_the_same_events_in_other_lines_are_the_same_answer(name: str, line_end: bytes) -> None:
    raw = in_other_lines((REPLAY / f"{name}.sse").read_bytes(), line_end)
    for size in (1, 3, len(raw)):
        sse, stream = SseDecoder(), decoder()
        for at in range(0, len(raw), size):
            stream.feed(sse.feed(raw[at : at + size]))
        stream.feed(sse.finish())
        assert stream.finish() == replayed(f"{name}.sse")[1]


def test_signatures_and_ids_of_parallel_calls_go_back_as_they_came() -> None:
    _, reply = replayed("google_parallel_calls.sse")
    results = [tool_message(call, call.id) for call in reply.message.tool_calls()]
    chat = CHAT._replace(messages=(*CHAT.messages, reply.message, *results))
    body = json.loads(GoogleCodec().encode(chat, Options("http://x")).body)
    assert body["contents"][1]["parts"] == [
        {"text": "I need both files.", "thought": True},
        {"text": "I will read both."},
        {
            "functionCall": {"id": "8f2k1abc", "name": "read", "args": {"path": "a.py"}},
            "thoughtSignature": "CiQBcsjafA==",
        },
        {"functionCall": {"id": "8f2k1abd", "name": "read", "args": {"path": "b.py"}}},
    ]
    assert [part["functionResponse"]["id"] for part in body["contents"][2]["parts"]] == [
        "8f2k1abc",
        "8f2k1abd",
    ]


def test_an_empty_part_that_only_signs_goes_back_after_its_text() -> None:
    _, reply = replayed("google_text.sse")
    chat = CHAT._replace(messages=(reply.message,))
    body = json.loads(GoogleCodec().encode(chat, Options("http://x")).body)
    assert body["contents"][0]["parts"][1:] == [
        {"text": "Grüß Gott 😀"},
        {"text": "", "thoughtSignature": "EvkBCvYB"},
    ]


def test_a_blocked_prompt_is_a_refusal() -> None:
    _, reply = replayed("google_blocked.sse")
    assert (reply.stop_reason, reply.raw_stop_reason) == ("refusal", "PROHIBITED_CONTENT")
    assert (reply.error, reply.message.blocks, reply.response_id) == (None, (), "r9")
    assert reply.usage == Usage(9)


def test_an_error_in_the_stream_keeps_what_had_arrived() -> None:
    text, reply = replayed("google_error.sse")
    assert text == reply.message.text() == "Hello"
    assert code_of(reply) == "provider-overloaded"
    assert reply.error is not None
    assert reply.error.cause == "The model is overloaded. Please try again later."


def test_an_error_ends_the_reading() -> None:
    stream = decoder()
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "m"}}
    assert stream.feed(events(chunk({"text": "a"}), error, chunk({"text": "b"}))) == [
        TextDelta("a")
    ]
    assert stream.done
    assert code_of(stream.finish()) == "provider-overloaded"


def test_text_of_one_read_comes_as_one_delta_in_order_with_the_rest() -> None:
    stream = decoder()
    out = stream.feed(
        events(
            chunk({"text": "h", "thought": True}, {"text": "m", "thought": True}),
            chunk({"text": "a"}),
            chunk({"text": "b"}, call("read", {"n": 1}), call("bash", id="w")),
            chunk({"text": "c"}),
        )
    )
    assert out == [
        ThinkingDelta("hm"),
        TextDelta("ab"),
        CallDelta(0, "", "read", '{"n":1}'),
        CallDelta(1, "w", "bash", ""),
        TextDelta("c"),
    ]
    assert not stream.done
    assert stream.feed(events(chunk({"text": ""}, finish="STOP"))) == []


def test_half_a_character_waits_for_the_next_read() -> None:
    stream = decoder()
    assert stream.feed(events(chunk({"text": "x\ud83d"}))) == [TextDelta("x")]
    assert stream.feed(events(chunk({"text": "\ude00"}))) == [TextDelta("😀")]
    stream.feed(events(chunk({"text": "\ud83d"}, finish="STOP")))
    assert stream.finish().message.blocks == (Text("x😀\ufffd"),)


def test_signed_parts_are_not_merged() -> None:
    reply = reply_to(
        chunk({"text": "a", "thoughtSignature": "QQ=="}),
        chunk({"text": "b"}),
        chunk({"text": "c", "thoughtSignature": "Qg=="}),
        chunk({"text": "d", "thought": True}, {"text": "e", "thought": True}),
        chunk({"text": "f", "thought": True, "thoughtSignature": "Qw=="}),
        chunk({"text": "", "thoughtSignature": "RA=="}),
        chunk({"text": "", "thought": True, "thoughtSignature": "RQ=="}, finish="STOP"),
    )
    assert reply.message.blocks == (
        Text("a", "QQ=="),
        Text("bc", "1:Qg=="),
        Thinking("de"),
        Thinking("f", "Qw=="),
        Text("", "RA=="),
        Thinking("", "RQ=="),
    )


def test_a_bad_signature_is_dropped() -> None:
    parts = [{"text": "a", "thoughtSignature": "no!"}, {**call(), "thoughtSignature": 5}]
    reply = reply_to(chunk(*parts, finish="STOP"))
    assert reply.message.blocks == (Text("a"), ToolCall("call_1", "read", {}))


def test_made_up_ids_are_unique_in_the_conversation() -> None:
    old = ToolCall("call_2", "read", {})
    history = (Message("assistant", (old,)), tool_message(old, "x"))
    reply = reply_to(
        chunk(call(), call(id="call_2"), call(id="w"), call(id="w"), finish="STOP"),
        chat=CHAT._replace(messages=history),
    )
    calls = reply.message.tool_calls()
    assert [call.id for call in calls] == ["call_5", "call_2_2", "w", "w_4"]
    assert [call.item_id for call in calls] == [None, "call_2", "w", "w"]


def test_arguments_of_any_kind_are_taken_or_kept_raw() -> None:
    parts = [call(args="[1]"), call(args='{"a":1}'), call(args={"x": float("inf")})]
    calls = reply_to(chunk(*parts, finish="STOP")).message.tool_calls()
    assert [(dict(call.arguments), call.raw_arguments) for call in calls] == [
        ({}, "[1]"),
        ({"a": 1}, None),
        ({"x": None}, None),
    ]


@pytest.mark.parametrize("name", [None, "", " ", 5, ["read"]])
def test_a_call_without_a_name_is_left_out(name: Any) -> None:
    reply = reply_to(chunk({"text": "a"}, call(name), call("bash"), finish="STOP"))
    assert reply.message.blocks == (Text("a"), ToolCall("call_1", "bash", {}))


@pytest.mark.parametrize(
    ("finish", "stop_reason"),
    [
        ("STOP", "tool_use"),
        ("FUNCTION_CALL", "tool_use"),
        ("FINISH_REASON_UNSPECIFIED", "tool_use"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "refusal"),
    ],
)
def test_how_an_answer_with_a_call_ended(finish: str, stop_reason: str) -> None:
    reply = reply_to(chunk(call(), finish=finish))
    assert (reply.stop_reason, reply.raw_stop_reason) == (stop_reason, finish)


@pytest.mark.parametrize(
    "finish",
    ["SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR"],
)
def test_a_blocked_answer_is_a_refusal_that_keeps_its_text(finish: str) -> None:
    reply = reply_to(chunk({"text": "a"}), chunk(finish=finish))
    assert (reply.stop_reason, reply.message.text(), reply.error) == ("refusal", "a", None)


@pytest.mark.parametrize(
    ("finish", "code"),
    [
        ("MALFORMED_FUNCTION_CALL", "malformed-call"),
        ("UNEXPECTED_TOOL_CALL", "provider-error"),
        ("OTHER", "provider-error"),
        ("STOP", "empty-answer"),
        ("SOMETHING_NEW", "empty-answer"),
    ],
)
def test_reasons_that_are_failures(finish: str, code: str) -> None:
    payload = chunk(finish=finish)
    payload["candidates"][0]["finishMessage"] = "Malformed function call: print(x)"
    reply = reply_to(payload)
    assert code_of(reply) == code
    assert reply.error is not None
    assert finish in reply.error.message
    assert reply.error.cause == "Malformed function call: print(x)"


def test_an_unknown_reason_with_content_is_a_stop() -> None:
    reply = reply_to(chunk({"text": "a"}, finish="SOMETHING_NEW"))
    assert (reply.stop_reason, reply.raw_stop_reason) == ("stop", "SOMETHING_NEW")


def test_a_model_may_have_nothing_to_add_to_tool_results() -> None:
    done = ToolCall("c", "read", {})
    chat = CHAT._replace(messages=(Message("assistant", (done,)), tool_message(done, "x")))
    assert reply_to(chunk(finish="STOP"), chat=chat).stop_reason == "stop"


def test_blank_text_and_odd_heads_leave_nothing_behind() -> None:
    reply = reply_to(
        {**chunk({"text": " "}), "promptFeedback": {"safetyRatings": []}, "responseId": 5},
        {**chunk(call()), "responseId": "r", "candidates": [*chunk(call())["candidates"], 5]},
        {**chunk(finish="STOP"), "responseId": "later"},
    )
    assert reply.message.blocks == (ToolCall("call_1", "read", {}),)
    assert (reply.stop_reason, reply.response_id) == ("tool_use", "r")


def test_a_chunk_with_white_space_around_it_is_taken() -> None:
    stream = decoder()
    data = " " + json.dumps(chunk({"text": "a"}, finish="STOP")) + " "
    stream.feed([ServerEvent("message", " "), ServerEvent("message", data)])
    assert stream.finish().message.text() == "a"


def test_the_name_of_an_event_can_tell_an_error() -> None:
    stream = decoder()
    stream.feed([ServerEvent("error", '{"message":"no"}')])
    assert code_of(stream.finish()) == "provider-error"


@pytest.mark.parametrize(
    "payloads",
    [(), ({"usageMetadata": {}},), (chunk({"text": "a"}, finish=None),), (chunk(finish=5),)],
)
def test_a_stream_without_a_finish_reason_ended_early(payloads: tuple[Any, ...]) -> None:
    assert code_of(reply_to(*payloads)) == "stream-ended-early"


def test_done_of_a_gateway_is_no_finish_reason() -> None:
    stream = decoder()
    stream.feed([*events(chunk({"text": "a"})), ServerEvent("message", " [DONE]")])
    assert stream.done
    assert code_of(stream.finish()) == "stream-ended-early"


def test_a_whole_answer_survives_an_abort_after_its_end() -> None:
    stream = decoder()
    stream.feed(events(chunk({"text": "a"}, finish="STOP")))
    assert stream.abort(ProviderFailed("lost", code="connection-lost")).stop_reason == "stop"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Interrupted("x"), "aborted"), (ProviderFailed("x", code="connection-lost"), "error")],
)
def test_an_abort_keeps_what_had_arrived(error: Any, reason: str) -> None:
    stream = decoder()
    stream.feed(events(chunk({"text": "a"}, usageMetadata={"promptTokenCount": 3})))
    reply = stream.abort(error)
    assert (reply.stop_reason, reply.error, reply.message.text()) == (reason, error, "a")
    assert reply.usage == Usage(3)


def test_later_token_counts_replace_earlier_ones_and_keep_the_rest() -> None:
    first = {"promptTokenCount": 10, "cachedContentTokenCount": 4, "candidatesTokenCount": 1}
    reply = reply_to(
        chunk({"text": "a"}, usageMetadata=first),
        chunk(finish="STOP", usageMetadata={"candidatesTokenCount": 7.0}),
        {"usageMetadata": {"thoughtsTokenCount": "x", "promptTokenCount": -1}},
    )
    assert reply.usage == Usage(0, 7, 4)


@pytest.mark.parametrize("data", ["{", "5", "[1,2]", "null", '"x"', "[" * 99_999])
def test_a_chunk_of_the_wrong_kind_ends_the_stream(data: str) -> None:
    stream = decoder()
    stream.feed([ServerEvent("message", data)])
    assert stream.done
    assert code_of(stream.finish()) == "malformed-stream"


def test_a_second_candidate_is_not_mixed_in() -> None:
    other = {"index": 1, "content": {"parts": [{"text": "b"}]}, "finishReason": "STOP"}
    reply = reply_to({"candidates": [other]}, chunk({"text": "a"}, finish="STOP"))
    assert reply.message.text() == "a"


def test_parts_we_do_not_know_are_passed_over() -> None:
    parts = [
        {"executableCode": {"code": "x"}},
        5,
        {"functionCall": "x"},
        {"text": 5},
        {"text": "a"},
    ]
    assert reply_to(chunk(*parts, finish="STOP")).message.blocks == (Text("a"),)
