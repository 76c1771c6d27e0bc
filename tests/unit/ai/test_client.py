"""The client over a scripted transport, with the real codec."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.client import Client, Clock, is_event_stream
from pi.ai.events import ReplyDone, Retrying, StreamEvent, TextDelta
from pi.ai.providers.codec import Options
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.types import ChatRequest, Reply, user_message
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, Unreachable
from pi.base.http import ConnectionBroken
from pi.base.retry import RetryPolicy
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

SSE = {"content-type": "text/event-stream"}
CHAT = ChatRequest("m", "", (user_message("hi"),))


def delta(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [fields]}).encode() + b"\n\n"


def text(*words: str) -> bytes:
    return b"".join(delta(index=0, delta={"content": word}) for word in words)


END = delta(index=0, delta={}, finish_reason="stop") + b"data: [DONE]\n\n"


def ok(*chunks: bytes | Exception) -> ScriptedResponse:
    return ScriptedResponse(200, SSE, *chunks)


class World:
    """A client whose clock stands still and whose pauses are remembered."""

    def __init__(self, *answers: ScriptedResponse | Exception, retries: int = 2) -> None:
        self.transport = ScriptedTransport(*answers)
        self.paused: list[int] = []
        self.cancel = Cancel()
        self.client = Client(
            OpenAiChatCodec(),
            Options(base_url="http://host/v1", api_key="secret-key"),
            self.transport,
            clock=Clock(lambda: 1000, lambda: 0.0, self._pause, lambda: 0.0),
            user_agent="pi/test",
            retry=RetryPolicy(retries, jitter=False),
        )

    def _pause(self, ms: int, cancel: Cancel) -> None:
        self.paused.append(ms)
        cancel.raise_if_set()

    def ask(self) -> tuple[list[StreamEvent], Reply]:
        events = list(self.client.stream(CHAT, self.cancel))
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
