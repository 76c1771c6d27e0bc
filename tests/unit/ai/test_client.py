"""The client over a scripted transport, with the real codec."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pi.ai.bodies import is_event_stream
from pi.ai.client import Client, Clock
from pi.ai.events import ReplyDone, Retrying, StreamEvent, TextDelta
from pi.ai.providers.codec import Change, Codec, Options, Traits
from pi.ai.providers.failure import Reported
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Reply,
    Text,
    Thinking,
    ToolCall,
    tool_message,
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, Unreachable
from pi.base.http import ConnectionBroken, Request
from pi.base.retry import RetryPolicy
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

SSE = {"content-type": "text/event-stream"}
CHAT = ChatRequest("m", "", (user_message("hi"),))
OPTIONS = Options(base_url="http://host/v1", api_key="secret-key")


def delta(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [fields]}).encode() + b"\n\n"


def text(*words: str) -> bytes:
    return b"".join(delta(index=0, delta={"content": word}) for word in words)


END = delta(index=0, delta={}, finish_reason="stop") + b"data: [DONE]\n\n"


def ok(*chunks: bytes | Exception) -> ScriptedResponse:
    return ScriptedResponse(200, SSE, *chunks)


class Correcting(OpenAiChatCodec):
    """Takes back the parameters a refusal names, one each time; or changes to ``other``."""

    def __init__(self, api: str = OpenAiChatCodec.api, other: str = "") -> None:
        self.api = api
        self._other = other

    def adapt(self, status: int, body: bytes, chat: ChatRequest, options: Options) -> Change | None:
        name = body.decode()
        if name == "wrong api" and self._other:
            return Change(options, self._other)
        if name == "always":
            return Change(options._replace(base_url=options.base_url + "x"))
        return Change(options._replace(without=options.without | {name})) if name else None

    def encode(self, chat: ChatRequest, options: Options) -> Request:
        request = super().encode(chat, options)
        sent = f"{self.api} without {sorted(options.without)}"
        return request._replace(headers=(*request.headers, ("X-Sent", sent)))


class World:
    """A client whose clock stands still and whose pauses are remembered."""

    def __init__(
        self,
        *answers: ScriptedResponse | Exception,
        retries: int = 2,
        codec: Codec | None = None,
        load_codec: Callable[[str], Codec] | None = None,
        options: Options = OPTIONS,
    ) -> None:
        self.transport = ScriptedTransport(*answers)
        self.paused: list[int] = []
        self.cancel = Cancel()
        self.client = Client(
            codec or OpenAiChatCodec(),
            options,
            self.transport,
            clock=Clock(lambda: 1000, self._pause, lambda: 0.0),
            user_agent="pi/test",
            retry=RetryPolicy(retries, jitter=False),
            load_codec=load_codec,
        )

    def _pause(self, ms: int, cancel: Cancel) -> None:
        self.paused.append(ms)
        cancel.raise_if_set()

    def ask(self, chat: ChatRequest = CHAT) -> tuple[list[StreamEvent], Reply]:
        events = list(self.client.stream(chat, self.cancel))
        assert isinstance(events[-1], ReplyDone)
        assert sum(isinstance(event, ReplyDone) for event in events) == 1
        return events[:-1], events[-1].reply


def headers(world: World, at: int) -> dict[str, str]:
    return dict(world.transport.requests[at].headers)


def test_an_answer_streams_and_ends_with_the_whole_reply() -> None:
    world = World(ok(text("he", "llo"), END))
    events, reply = world.ask()
    assert events == [TextDelta("hello")]
    assert reply.message.text() == "hello"
    assert reply.stop_reason == "stop"


def test_every_attempt_carries_its_number_and_a_new_id() -> None:
    world = World(ScriptedResponse(503, {}), ok(text("x"), END))
    world.ask()
    assert headers(world, 0)["x-pi-retry-attempt"] == "0"
    assert headers(world, 1)["x-pi-retry-attempt"] == "1"
    assert headers(world, 0)["x-pi-request-id"] != headers(world, 1)["x-pi-request-id"]
    assert headers(world, 0)["User-Agent"] == "pi/test"
    assert headers(world, 0)["Authorization"] == "Bearer secret-key"
    assert world.client.requests_made == 2


def test_a_busy_provider_is_asked_again_after_the_wait_it_wants() -> None:
    world = World(ScriptedResponse(429, {"retry-after": "3"}, b"{}"), ok(text("x"), END))
    events, reply = world.ask()
    assert world.paused == [3000]
    assert isinstance(events[0], Retrying)
    assert reply.stop_reason == "stop"


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusals_that_do_not_pass_are_not_repeated(status: int) -> None:
    world = World(ScriptedResponse(status, {}, b'{"error": {"message": "no"}}'))
    events, reply = world.ask()
    assert events == []
    assert reply.error is not None
    assert reply.error.exit_code == (3 if status in (401, 403) else 5)
    assert len(world.transport.requests) == 1


def test_a_provider_that_fails_for_ever_is_given_up_after_the_retries() -> None:
    world = World(*[ScriptedResponse(500, {}) for _ in range(3)])
    _events, reply = world.ask()
    assert world.paused == [200, 400]
    assert reply.error is not None
    assert "still failing after 2 retries" in reply.error.hint


def test_an_absurd_wait_is_reported_and_not_waited() -> None:
    world = World(ScriptedResponse(429, {"retry-after": "3600"}, b"{}"))
    _events, reply = world.ask()
    assert world.paused == []
    assert reply.error is not None
    assert "asks to wait 3600 s" in reply.error.hint


def test_the_server_may_say_itself_whether_to_retry() -> None:
    world = World(ScriptedResponse(503, {"x-should-retry": "false"}))
    world.ask()
    assert len(world.transport.requests) == 1
    world = World(ScriptedResponse(400, {"x-should-retry": "true"}), ok(text("x"), END))
    assert world.ask()[1].error is None


def test_a_spent_quota_is_not_asked_again() -> None:
    body = b'{"error": {"code": "insufficient_quota", "message": "pay first"}}'
    world = World(ScriptedResponse(429, {}, body))
    _events, reply = world.ask()
    assert world.paused == []
    assert reply.error is not None
    assert reply.error.code == "quota-exhausted"


def test_a_wait_named_in_the_body_is_honoured_and_the_headers_win() -> None:
    body = b'{"error": {"message": "Please try again in 12.5s"}}'
    world = World(ScriptedResponse(429, {}, body), ok(text("x"), END))
    world.ask()
    assert world.paused == [12_500]
    world = World(ScriptedResponse(429, {"retry-after": "3"}, body), ok(text("x"), END))
    world.ask()
    assert world.paused == [3000]


def test_an_error_keeps_the_status_and_the_wait_asked_for() -> None:
    world = World(ScriptedResponse(429, {"retry-after": "3600"}, b"{}"))
    error = world.ask()[1].error
    assert isinstance(error, Reported)
    assert (error.status, error.retry_after_ms) == (429, 3_600_000)


@pytest.mark.parametrize("status", [501, 505])
def test_what_a_server_cannot_do_is_not_asked_again(status: int) -> None:
    world = World(ScriptedResponse(status, {}))
    world.ask()
    assert world.paused == []


def test_a_header_cannot_promise_that_a_quota_or_a_window_grows() -> None:
    for body in (b'{"error": {"code": "insufficient_quota"}}', b'{"error": "prompt is too long"}'):
        world = World(ScriptedResponse(400, {"x-should-retry": "true"}, body))
        world.ask()
        assert len(world.transport.requests) == 1


def test_an_overflow_corrects_the_window_that_was_known() -> None:
    body = b'{"error": {"message": "prompt is too long: 300 tokens > 200 maximum"}}'
    options = Options("http://host/v1", traits=Traits(context_window=1000))
    world = World(ScriptedResponse(400, {}, body), options=options)
    assert world.client.context_window == 1000
    error = world.ask()[1].error
    assert error is not None
    assert error.code == "context-overflow"
    assert world.client.context_window == 200


def test_an_overflow_told_inside_an_answer_corrects_it_too() -> None:
    error = {"error": {"type": "exceed_context_size_error", "message": "no", "n_ctx": 300}}
    for kind, body in (
        ("text/event-stream", b"data: " + json.dumps(error).encode() + b"\n\n"),
        ("application/json", json.dumps(error).encode()),
    ):
        world = World(ScriptedResponse(200, {"content-type": kind}, body))
        reply = world.ask()[1]
        assert reply.error is not None
        assert reply.error.code == "context-overflow"
        assert world.client.context_window == 300


def sent(world: World) -> list[str]:
    return [dict(request.headers)["X-Sent"] for request in world.transport.requests]


def test_a_refusal_that_names_what_we_added_is_corrected_at_once_and_for_good() -> None:
    world = World(
        ScriptedResponse(400, {}, b"temperature"),
        ScriptedResponse(400, {}, b"store"),
        ok(text("x"), END),
        ok(text("y"), END),
        codec=Correcting(),
    )
    events, reply = world.ask()
    assert events == [TextDelta("x")]
    assert reply.error is None
    assert world.paused == []
    assert [headers(world, at)["x-pi-retry-attempt"] for at in range(3)] == ["0", "0", "0"]
    assert world.client.requests_made == 3
    world.ask()
    assert sent(world) == [
        "openai-chat without []",
        "openai-chat without ['temperature']",
        "openai-chat without ['store', 'temperature']",
        "openai-chat without ['store', 'temperature']",
    ]


def test_corrections_of_one_request_are_limited() -> None:
    world = World(*[ScriptedResponse(400, {}, b"always") for _ in range(9)], codec=Correcting())
    assert world.ask()[1].error is not None
    assert len(world.transport.requests) == 5


def test_a_correction_that_changes_nothing_is_not_tried() -> None:
    world = World(
        ScriptedResponse(400, {}, b"store"), ScriptedResponse(400, {}, b"store"),
        codec=Correcting(),
    )  # fmt: skip
    assert world.ask()[1].error is not None
    assert len(world.transport.requests) == 2


@pytest.mark.parametrize("status", [302, 501, 503])
def test_only_a_refusal_of_the_request_is_corrected(status: int) -> None:
    world = World(ScriptedResponse(status, {}, b"store"), codec=Correcting(), retries=0)
    world.ask()
    assert len(world.transport.requests) == 1


def test_a_correction_may_be_another_wire_format() -> None:
    """The history is handed over again: answers of the first format are foreign now."""
    origin = Origin("openai-chat", "openai", "m")
    own = Message("assistant", (Thinking("hm", "sig"), Text("so", "sig")), origin=origin)
    chat = CHAT._replace(messages=(*CHAT.messages, own, user_message("go on")))
    seen: list[Message] = []

    class Other(Correcting):
        def encode(self, chat: ChatRequest, options: Options) -> Request:
            seen.append(chat.messages[1])
            return super().encode(chat, options)

    world = World(
        ScriptedResponse(404, {}, b"wrong api"), ScriptedResponse(500, {}, b""),
        codec=Other(other="other-api"), load_codec=Other, retries=0,
    )  # fmt: skip
    _events, reply = world.ask(chat)
    assert sent(world) == ["openai-chat without []", "other-api without []"]
    assert seen == [own, own._replace(blocks=(Text("so"),))]
    assert reply.message.origin == Origin("other-api", "openai", "m")


def test_without_a_way_to_load_it_there_is_no_other_wire_format() -> None:
    world = World(ScriptedResponse(404, {}, b"wrong api"), codec=Correcting(other="other-api"))
    assert world.ask()[1].error is not None
    assert len(world.transport.requests) == 1


def test_a_cancelled_run_is_not_corrected() -> None:
    world = World(codec=Correcting())

    class Cancelling(ScriptedResponse):
        def read(self, size: int = 65536) -> bytes:
            world.cancel.set(Interrupted("stop"))
            return super().read(size)

    world.transport._answers.append(Cancelling(400, {}, b"store"))
    assert world.ask()[1].stop_reason == "aborted"


def test_a_history_of_another_model_is_handed_over() -> None:
    """Thinking goes, and ids that are too long are shortened in call and result alike."""
    call = ToolCall("x" * 400, "read", {}, item_id="fc_1")
    theirs = Message(
        "assistant", (Thinking("hm", "sig"), call), origin=Origin("openai-responses", "openai", "m")
    )
    world = World(ok(text("x"), END))
    world.ask(CHAT._replace(messages=(*CHAT.messages, theirs, tool_message(call, "r"))))
    body = json.loads(world.transport.requests[0].body)
    _user, asked, result = body["messages"]
    assert len(asked["tool_calls"][0]["id"]) == 40
    assert result["tool_call_id"] == asked["tool_calls"][0]["id"]
    assert "hm" not in json.dumps(body)


def test_what_cannot_be_reached_is_not_asked_again() -> None:
    world = World(Unreachable("nothing answers", code="connection-refused"))
    _events, reply = world.ask()
    assert reply.error is not None
    assert reply.error.exit_code == 4
    assert world.paused == []


def test_a_connection_lost_before_anything_arrived_is_tried_again() -> None:
    world = World(ConnectionBroken("lost"), ok(ConnectionBroken("lost")), ok(text("x"), END))
    events, reply = world.ask()
    assert [type(event) for event in events] == [Retrying, Retrying, TextDelta]
    assert reply.message.text() == "x"


def test_after_something_arrived_a_failure_ends_the_answer_and_keeps_the_part() -> None:
    world = World(ok(text("par"), ConnectionBroken("lost")))
    events, reply = world.ask()
    assert events == [TextDelta("par")]
    assert (reply.stop_reason, reply.message.text()) == ("error", "par")
    assert len(world.transport.requests) == 1


def test_a_stream_without_its_end_is_an_error_with_the_part_kept() -> None:
    _events, reply = World(ok(text("par"))).ask()
    assert reply.error is not None
    assert reply.error.code == "stream-ended-early"
    assert reply.error.exit_code == 5
    assert reply.message.text() == "par"


def test_a_stream_of_nothing_is_tried_again() -> None:
    world = World(ok(), ok(text("x"), END))
    assert world.ask()[1].message.text() == "x"


def test_a_whole_json_answer_to_a_stream_request_is_taken() -> None:
    body = {"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}
    response = ScriptedResponse(
        200, {"content-type": "application/json"}, json.dumps(body).encode()
    )
    events, reply = World(response).ask()
    assert events == [TextDelta("whole")]
    assert reply.stop_reason == "stop"


def test_an_answer_of_the_wrong_type_says_so() -> None:
    response = ScriptedResponse(200, {"content-type": "text/html"}, b"<title>Login</title>")
    _events, reply = World(response).ask()
    assert reply.error is not None
    assert reply.error.code == "malformed-answer"


def test_cancelling_while_waiting_ends_the_wait() -> None:
    world = World(ScriptedResponse(503, {}))
    iterator = world.client.stream(CHAT, world.cancel)
    assert isinstance(next(iterator), Retrying)
    world.cancel.set(Interrupted("stop"))
    event = next(iterator)
    assert isinstance(event, ReplyDone)
    assert event.reply.stop_reason == "aborted"
    assert event.reply.error is world.cancel.why


def test_cancelling_in_mid_stream_keeps_the_part_as_aborted() -> None:
    world = World()
    stop = Interrupted("stop")

    class Cancelling(ScriptedResponse):
        def read(self, size: int = 65536) -> bytes:
            data = super().read(size)
            if not data:
                world.cancel.set(stop)
                raise stop
            return data

    response = Cancelling(200, SSE, text("par"))
    world.transport._answers.append(response)
    _events, reply = world.ask()
    assert (reply.stop_reason, reply.message.text()) == ("aborted", "par")
    assert response.closed


def test_responses_are_closed_on_every_way_out() -> None:
    responses = [ScriptedResponse(500, {}), ok(text("x"), END)]
    World(*responses).ask()
    assert all(response.closed for response in responses)
    abandoned = ok(text("a"), text("b"), END)
    iterator = World(abandoned).client.stream(CHAT, Cancel())
    next(iterator)
    iterator.close()  # type: ignore[attr-defined]
    assert abandoned.closed


@pytest.mark.parametrize(
    ("content_type", "first", "stream"),
    [
        ("text/event-stream; charset=utf-8", b"{", True),
        ("application/json", b"data: {}", False),
        ("", b"\xef\xbb\xbf\ndata: {}", True),
        ("text/plain", b": comment", True),
        ("text/plain", b'{"choices"', False),
        ("text/html", b"<html>", False),
    ],
)
def test_streams_are_told_from_whole_answers(content_type: str, first: bytes, stream: bool) -> None:
    assert is_event_stream(content_type, first) is stream
