"""Several models behind one stream: real clients over scripted transports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from pi.ai.client import Client, Clock
from pi.ai.events import Fallback, ReplyDone, ReplyFailed, Retrying, StreamEvent, TextDelta, Warned
from pi.ai.fallback import FallbackModel, Route
from pi.ai.models import ModelRef
from pi.ai.providers.codec import Options, Traits
from pi.ai.providers.openai import OpenAiChatCodec
from pi.ai.types import ChatRequest, Reply, user_message
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted, MissingKey, Unreachable
from pi.base.http import ConnectionBroken
from pi.base.retry import RetryPolicy
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

CHAT = ChatRequest("first", "", (user_message("hi"),))
SSE = {"content-type": "text/event-stream"}
QUOTA = b'{"error": {"code": "insufficient_quota"}}'
TOO_LONG = b'{"error": {"message": "prompt is too long: 300 tokens > 200 maximum"}}'


def chunk(**choice: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def ok(text: str, *more: bytes | Exception) -> ScriptedResponse:
    end = chunk(delta={}, finish_reason="stop")
    return ScriptedResponse(200, SSE, chunk(delta={"content": text}), *(more or (end,)))


def no(status: int, body: bytes = b"{}") -> ScriptedResponse:
    return ScriptedResponse(status, {}, body)


class Models:
    """Routes named "a/first", "b/second", "c/third" with these answers each."""

    def __init__(
        self,
        *answers: list[ScriptedResponse | Exception],
        windows: tuple[int | None, ...] = (None, None, None),
        missing: tuple[int, ...] = (),
        **options: Any,
    ) -> None:
        self.transports = [ScriptedTransport(*each) for each in answers]
        self.built: list[str] = []
        self.cancel = Cancel()
        self._missing = missing
        refs = [ModelRef("a", "first"), ModelRef("b", "second"), ModelRef("c", "third")]
        routes = [
            Route(ref, lambda at=at, ref=ref: self._build(at, ref), windows[at])  # type: ignore[misc]
            for at, ref in enumerate(refs[: len(answers)])
        ]
        self.model = FallbackModel([*routes, routes[0], *routes[1:2]], **options)

    def _build(self, at: int, ref: ModelRef) -> Client:
        self.built.append(str(ref))
        if at in self._missing:
            raise MissingKey(f"no API key for provider '{ref.provider}'")
        return Client(
            OpenAiChatCodec(),
            Options("http://host/v1", provider=ref.provider, traits=Traits()),
            self.transports[at],
            clock=Clock(lambda: 0, lambda ms, cancel: None, lambda: 0.0),
            user_agent="pi",
            retry=RetryPolicy(1, jitter=False),
        )

    def ask(self) -> tuple[list[StreamEvent], Reply]:
        events = list(self.model.stream(CHAT, self.cancel))
        assert isinstance(events[-1], ReplyDone)
        assert sum(isinstance(event, ReplyDone) for event in events) == 1
        return events[:-1], events[-1].reply

    def asked(self) -> list[int]:
        return [len(transport.requests) for transport in self.transports]


def test_a_model_that_answers_is_the_only_one_built() -> None:
    models = Models([ok("hi")], [])
    events, reply = models.ask()
    assert events == [TextDelta("hi")]
    assert reply.message.text() == "hi"
    assert models.built == ["a/first"]


def test_the_next_model_is_asked_when_the_retries_are_used_up() -> None:
    models = Models([no(503), no(503)], [ok("hi")])
    events, reply = models.ask()
    assert isinstance(events[0], Retrying)
    assert events[1:] == [
        Fallback("a/first", "b/second", "http_status", 503, 1),
        TextDelta("hi"),
    ]
    assert reply.message.origin is not None
    assert reply.message.origin[1:] == ("b", "second")
    assert json.loads(models.transports[1].requests[0].body)["model"] == "second"
    assert models.model.requests_made == 3


def test_the_event_has_the_fields_of_the_json_line() -> None:
    assert Fallback._fields == (
        "from_model", "to_model", "error_kind", "status", "fallback_index",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "kind", "status", "requests"),
    [
        (no(429, QUOTA), "http_status", 429, 1),
        (no(402), "http_status", 402, 1),
        (no(501), "http_status", 501, 1),
        (no(429), "http_status", 429, 2),
        (Unreachable("no", code="connection-refused"), "http_connect", None, 1),
        (ConnectionBroken("slow", code="first-byte-timeout"), "http_timeout", None, 2),
        (ConnectionBroken("lost"), "http_request", None, 2),
    ],
)
def test_each_failure_falls_back_as_its_kind(
    failure: Any, kind: str, status: int | None, requests: int
) -> None:
    again = failure if isinstance(failure, Exception) else no(failure.status)
    models = Models([failure, again], [ok("hi")])
    events, reply = models.ask()
    assert Fallback("a/first", "b/second", kind, status, 1) in events
    assert reply.error is None
    assert models.asked()[0] == requests


@pytest.mark.parametrize("failure", [no(400), no(401), no(403), no(404)])
def test_what_would_fail_everywhere_does_not_fall_back(failure: ScriptedResponse) -> None:
    models = Models([failure], [ok("hi")])
    events, reply = models.ask()
    assert events == []
    assert reply.error is not None
    assert models.asked() == [1, 0]


def test_after_visible_text_the_part_is_closed_before_another_answers() -> None:
    models = Models([ok("Hel", ConnectionBroken("lost"))], [ok("Hello")])
    events, reply = models.ask()
    text, failed, fallback, whole = events
    assert (text, whole) == (TextDelta("Hel"), TextDelta("Hello"))
    assert isinstance(failed, ReplyFailed)
    assert failed.reply.message.text() == "Hel"
    assert failed.reply.message.stop_reason == "error"
    assert fallback == Fallback("a/first", "b/second", "http_body", None, 1)
    assert reply.message.text() == "Hello"


def test_an_overload_in_mid_stream_falls_back() -> None:
    broken = b'data: {"error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
    models = Models([ok("Hel", broken)], [ok("Hello")])
    events, _reply = models.ask()
    assert Fallback("a/first", "b/second", "http_status", 529, 1) in events


def test_a_model_without_a_key_is_skipped_with_one_warning() -> None:
    models = Models([no(501), no(501)], [], [ok("hi"), ok("ho")], missing=(1,))
    events, _reply = models.ask()
    assert events == [
        Warned("fallback model b/second cannot be used: no API key for provider 'b'"),
        Fallback("a/first", "c/third", "http_status", 501, 2),
        TextDelta("hi"),
    ]
    assert models.ask()[0] == [
        Fallback("a/first", "c/third", "http_status", 501, 2),
        TextDelta("ho"),
    ]
    assert models.built == ["a/first", "b/second", "c/third"]


def test_the_first_model_must_have_its_key() -> None:
    with pytest.raises(MissingKey):
        Models([], [], missing=(0,))


def test_the_last_error_is_returned_as_it_is() -> None:
    models = Models([no(501)], [no(505)])
    _events, reply = models.ask()
    assert reply.error is not None
    assert reply.error.code == "http-505"
    assert reply.stop_reason == "error"


def test_every_request_begins_with_the_first_model_again() -> None:
    models = Models([no(501), ok("back")], [ok("hi")])
    models.ask()
    assert models.ask()[1].message.text() == "back"


def test_a_model_named_twice_is_asked_once() -> None:
    models = Models([no(501)], [no(501)])
    models.ask()
    assert models.asked() == [1, 1]


@pytest.mark.parametrize(
    ("windows", "chosen"),
    [
        ((None, 100, 400), 2),
        ((None, 400, 100), 1),
        ((None, None, None), None),
        ((1000, 300, None), 1),  # the refusal knows better than the catalog
        ((None, 200, None), None),
    ],
)
def test_a_conversation_too_long_goes_to_a_larger_window_only(
    windows: tuple[int | None, ...], chosen: int | None
) -> None:
    models = Models([no(400, TOO_LONG)], [ok("hi")], [ok("hi")], windows=windows)
    _events, reply = models.ask()
    assert models.asked() == [1, int(chosen == 1), int(chosen == 2)]
    assert (reply.error is None) == (chosen is not None)


def test_an_unknown_window_is_not_larger() -> None:
    body = b'{"error": {"message": "prompt is too long"}}'
    models = Models([no(400, body)], [ok("hi")], windows=(None, 400))
    assert models.ask()[1].error is not None
    assert models.model.context_window is None
    models = Models([no(400, body)], [ok("hi")], windows=(300, 400))
    assert models.model.context_window == 300
    assert models.ask()[1].error is None


def test_a_refused_answer_falls_back_only_if_asked_for() -> None:
    refused = chunk(delta={"refusal": "I will not"}, finish_reason="stop")

    def refusing() -> list[ScriptedResponse | Exception]:
        return [ScriptedResponse(200, SSE, refused)]

    assert Models(refusing(), [ok("hi")]).ask()[1].stop_reason == "refusal"
    events, reply = Models(refusing(), [ok("hi")], on_refusal=True).ask()
    assert Fallback("a/first", "b/second", "refusal", None, 1) in events
    failed = next(event for event in events if isinstance(event, ReplyFailed))
    assert failed.reply.message.stop_reason == "error"
    assert reply.message.text() == "hi"


def test_a_cancelled_run_asks_no_other_model() -> None:
    models = Models([no(501)], [ok("hi")])
    models.cancel.set(Interrupted("stop"))
    assert models.ask()[1].stop_reason == "aborted"
    assert models.asked() == [1, 0]


def test_what_is_put_around_a_client_sees_its_requests() -> None:
    seen: list[str] = []

    class Counted:
        def __init__(self, client: Client, ref: ModelRef) -> None:
            self._client, self._ref = client, ref

        def stream(self, chat: ChatRequest, cancel: Cancel) -> Iterator[StreamEvent]:
            seen.append(f"{self._ref} {chat.model}")
            return self._client.stream(chat, cancel)

    models = Models([no(501)], [ok("hi")], wrap=Counted)
    assert models.ask()[1].message.text() == "hi"
    assert seen == ["a/first first", "b/second second"]


def test_closing_closes_every_client_that_was_built() -> None:
    closed: list[int] = []
    models = Models([no(501)], [ok("hi")], [])
    for at, transport in enumerate(models.transports):
        transport.close = lambda at=at: closed.append(at)  # type: ignore[method-assign,misc]
    models.ask()
    models.model.close()
    assert closed == [0, 1]
