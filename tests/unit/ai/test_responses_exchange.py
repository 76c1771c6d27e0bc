"""The Responses codec in a client: over a scripted transport, and over HTTP to a server by
somebody else."""

from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

from pi.ai.client import Client, Clock
from pi.ai.events import ReplyDone, StreamEvent, TextDelta, ThinkingDelta
from pi.ai.providers import CODECS
from pi.ai.providers.codec import Codec, Options, Traits
from pi.ai.providers.responses import OpenAiResponsesCodec
from pi.ai.types import (
    ChatRequest,
    Message,
    Origin,
    Reply,
    Thinking,
    ToolDefinition,
    tool_message,
    user_message,
)
from pi.base.cancel import Cancel
from pi.base.retry import RetryPolicy
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.aimock import aimock  # noqa: F401
from tests.fakes.scripted import ScriptedResponse, ScriptedTransport

READ = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("gpt-5.4-mini", "be good", (user_message("hi"),), (READ,))
OPTIONS = Options(
    "http://h/v1", "sk-key-1234", thinking="low", traits=Traits(supports_reasoning=True)
)
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "sealed"}
WIRE_CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "read",
    "arguments": "{}",
}


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"type": f"response.{kind}", **fields}).encode() + b"\n\n"


def ok(*items: dict[str, Any], words: str = "") -> ScriptedResponse:
    rows = [event("output_item.done", output_index=n, item=item) for n, item in enumerate(items)]
    if words:
        rows.append(event("output_text.delta", delta=words))
    end = event("completed", response={"status": "completed"})
    return ScriptedResponse(200, {"content-type": "text/event-stream"}, *rows, end)


def refused(message: str, param: str = "", status: int = 400) -> ScriptedResponse:
    error = {"message": message, "type": "invalid_request_error", "param": param or None}
    return ScriptedResponse(status, {}, json.dumps({"error": error}).encode())


def codec_named(api: str) -> Codec:
    module, _, name = CODECS[api].partition(":")
    made: Codec = getattr(importlib.import_module(module), name)()
    return made


def asked(
    transport: Any, chat: ChatRequest = CHAT, options: Options = OPTIONS
) -> tuple[list[StreamEvent], Reply, Client]:
    clock = Clock(lambda: 1000, lambda ms, cancel: None, lambda: 0.0)
    client = Client(
        OpenAiResponsesCodec(), options, transport, clock=clock, user_agent="pi/test",
        retry=RetryPolicy(2, jitter=False), load_codec=codec_named,
    )  # fmt: skip
    events = list(client.stream(chat, Cancel()))
    assert isinstance(events[-1], ReplyDone)
    return events[:-1], events[-1].reply, client


def bodies(transport: ScriptedTransport) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in transport.requests]


def after(reply: Reply) -> ChatRequest:
    results = (tool_message(call, "ok") for call in reply.message.tool_calls())
    return CHAT._replace(messages=(*CHAT.messages, reply.message, *results))


def test_reasoning_and_its_call_go_back_as_they_came() -> None:
    transport = ScriptedTransport(ok(REASONING, WIRE_CALL), ok(words="done"))
    _, reply, client = asked(transport)
    assert reply.stop_reason == "tool_use"
    list(client.stream(after(reply), Cancel()))
    first, second = bodies(transport)
    assert second["input"][:1] == first["input"]
    assert second["input"][1:] == [
        REASONING,
        WIRE_CALL,
        {"type": "function_call_output", "call_id": "call_1", "output": "ok"},
    ]
    assert {**second, "input": first["input"]} == first


def test_what_another_model_thought_and_its_ids_stay_behind() -> None:
    transport = ScriptedTransport(ok(REASONING, WIRE_CALL), ok(words="done"))
    _, reply, client = asked(transport)
    foreign = reply.message._replace(origin=Origin("openai-responses", "openai", "gpt-5"))
    chat = after(reply._replace(message=foreign))
    list(client.stream(chat, Cancel()))
    bare = {name: value for name, value in WIRE_CALL.items() if name != "id"}
    assert bodies(transport)[1]["input"][1] == bare


def test_refused_parameters_are_dropped_one_by_one_and_remembered() -> None:
    transport = ScriptedTransport(
        refused("Unsupported parameter: 'temperature' is not supported.", "temperature"),
        refused("Your organization must be verified to generate it.", "reasoning.summary"),
        ok(words="hi"),
        ok(words="hi"),
    )
    chat = CHAT._replace(temperature=0.0)
    _, reply, client = asked(transport, chat)
    assert reply.stop_reason == "stop"
    list(client.stream(chat, Cancel()))
    sent = bodies(transport)
    assert ["temperature" in body for body in sent] == [True, False, False, False]
    assert ["summary" in body["reasoning"] for body in sent] == [True, True, False, False]


def test_reasoning_nobody_can_read_any_more_is_dropped_once() -> None:
    stale = refused("The encrypted content for item rs_1 could not be verified.")
    transport = ScriptedTransport(ok(REASONING, WIRE_CALL), stale, ok(words="hi"))
    _, reply, client = asked(transport)
    list(client.stream(after(reply), Cancel()))
    kinds = [[item.get("type") for item in body["input"]] for body in bodies(transport)]
    assert kinds[1] == [None, "reasoning", "function_call", "function_call_output"]
    assert kinds[2] == [None, "function_call", "function_call_output"]


def test_a_server_without_responses_is_asked_over_chat() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "hi"}, "finish_reason": "stop"}]}
    raw = b"data: " + json.dumps(chunk).encode() + b"\n\n"
    over_chat = ScriptedResponse(200, {"content-type": "text/event-stream"}, raw)
    transport = ScriptedTransport(ScriptedResponse(404, {}, b"404 page not found"), over_chat)
    _, reply, _ = asked(transport)
    assert (reply.stop_reason, reply.message.text()) == ("stop", "hi")
    assert [request.url for request in transport.requests] == [
        "http://h/v1/responses",
        "http://h/v1/chat/completions",
    ]
    assert reply.message.origin == Origin("openai-chat", "openai", CHAT.model)


def test_a_model_that_does_not_exist_is_asked_for_once() -> None:
    missing = refused("The model `gpt-5.4-mini` does not exist", "model", 404)
    transport = ScriptedTransport(missing)
    _, reply, _ = asked(transport)
    assert reply.stop_reason == "error"
    assert len(transport.requests) == 1


def test_a_tool_conversation_with_a_published_server(aimock: Any) -> None:  # noqa: F811
    called = {"toolCalls": [{"name": "read", "arguments": '{"path":"ä.py"}'}], "reasoning": "hm 😀"}
    server = aimock(
        [
            {"match": {"userMessage": "hi", "hasToolResult": False}, "response": called},
            {"match": {"userMessage": "hi"}, "response": {"content": "Grüße, 世界 😀"}},
        ],
        "-c", "3",
    )  # fmt: skip
    transport = UrllibTransport(HttpSettings("", "", {}))
    try:
        options = OPTIONS._replace(base_url=f"{server.url}/v1")
        events, reply, client = asked(transport, options=options)
        assert reply.error is None
        assert "".join(e.text for e in events if isinstance(e, ThinkingDelta)) == "hm 😀"
        thought, call = reply.message.blocks
        assert isinstance(thought, Thinking)
        assert call == reply.message.tool_calls()[0]
        assert reply.message.tool_calls()[0].arguments == {"path": "ä.py"}
        *events, last = client.stream(after(reply), Cancel())
        assert isinstance(last, ReplyDone)
        assert last.reply.stop_reason == "stop"
        shown = "".join(e.text for e in events if isinstance(e, TextDelta))
        assert shown == last.reply.message.text() == "Grüße, 世界 😀"
    finally:
        transport.close()
    assert len(server.requests()) == 2


@pytest.mark.parametrize("stream", [True, False])
def test_a_published_server_says_the_same_whole_and_streamed(
    aimock: Any,  # noqa: F811
    stream: bool,
) -> None:
    answer = {"content": "two words", "reasoning": "hm"}
    server = aimock([{"match": {}, "response": answer}])
    transport = UrllibTransport(HttpSettings("", "", {}))
    try:
        options = OPTIONS._replace(base_url=f"{server.url}/v1", stream=stream)
        events, reply, _ = asked(transport, options=options)
    finally:
        transport.close()
    thought, _ = reply.message.blocks
    assert isinstance(thought, Thinking)
    assert (thought.text, reply.message.text(), reply.stop_reason) == ("hm", "two words", "stop")
    assert thought.vendor is not None
    assert isinstance(reply.message, Message)
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "two words"
