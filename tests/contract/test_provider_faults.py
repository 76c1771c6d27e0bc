"""Every wire format against every fault of a server: the same verdict whoever answers.

Real sockets, the real transport, client and codecs; the clock of the retries stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from pi.ai.client import Client, Clock
from pi.ai.events import ReplyDone, Retrying, TextDelta
from pi.ai.providers import CODECS
from pi.ai.providers.codec import Codec, Options
from pi.ai.types import ChatRequest, Reply, ToolDefinition, user_message
from pi.base.cancel import Cancel
from pi.base.retry import RetryPolicy
from pi.base.urllib_http import HttpSettings, UrllibTransport
from tests.fakes.chat import STREAM
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.patience import in_time
from tests.fakes.wires import WIRES, Wire

TOOL = ToolDefinition("read", "Read a file", {"type": "object", "properties": {}})
CHAT = ChatRequest("model-1", "be good", (user_message("hi"),), (TOOL,))
KEY = "key-0123456789-secret"
Script = Callable[[Peer], None]


def load_codec(api: str) -> Codec:
    module, _, name = CODECS[api].partition(":")
    codec: Codec = getattr(import_module(module), name)()
    return codec


def ask(
    wire: Wire, script: Script, retries: int = 1, timeout_ms: int = 60_000
) -> tuple[list[Any], Reply, FaultServer]:
    """One question to a server with this script: events before the reply, the reply."""
    transport = UrllibTransport(HttpSettings("", "", {}))
    with FaultServer(script) as server:
        client = Client(
            load_codec(wire.api),
            Options(
                base_url=server.url + wire.base,
                api_key=KEY,
                provider=wire.provider,
                timeout_ms=timeout_ms,
            ),
            transport,
            clock=Clock(lambda: 0, lambda ms, cancel: None, lambda: 0.5),
            user_agent="pi",
            retry=RetryPolicy(retries),
            load_codec=load_codec,
        )
        events = list(client.stream(CHAT, Cancel()))
        client.close()
    assert isinstance(events[-1], ReplyDone)
    assert [event for event in events if isinstance(event, ReplyDone)] == events[-1:]
    reply = events[-1].reply
    if reply.error is not None:
        assert KEY not in "\n".join(reply.error.lines())
    return events[:-1], reply, server


def streaming(*pieces: bytes, cut: bool = False, head: bytes = STREAM) -> Script:
    """A script that streams the pieces, and ends the body properly unless ``cut``."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(head)
            for piece in pieces:
                peer.chunk(piece)
            if cut:
                peer.send(b"ffff\r\nda")
                return
            peer.chunk(b"")

    return script


@pytest.fixture(params=sorted(WIRES))
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def test_a_streamed_text_arrives_whole_with_its_usage_and_the_key_in_its_header(wire: Wire) -> None:
    events, reply, server = ask(wire, streaming(*wire.text(["Hel", "lo ", "漢🙂"])))
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Hello 漢🙂"
    assert (reply.message.text(), reply.stop_reason) == ("Hello 漢🙂", "stop")
    assert (reply.usage.input, reply.usage.output) == (10, 5)
    sent = server.requests[0]
    assert KEY in sent.headers[wire.key_header]
    assert KEY not in sent.target
    assert KEY.encode() not in sent.body


def test_a_tool_call_arrives_with_its_arguments(wire: Wire) -> None:
    _events, reply, _server = ask(wire, streaming(*wire.call("read", {"path": "a.py"})))
    (call,) = reply.message.tool_calls()
    assert (call.name, call.arguments, call.raw_arguments) == ("read", {"path": "a.py"}, None)
    assert call.id
    assert reply.stop_reason == "tool_use"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_slices_of_any_size_say_the_same(wire: Wire, size: int) -> None:
    raw = b"".join(wire.text(["naïve ", "漢字 ", "🙂"]))
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    _events, reply, _server = ask(wire, streaming(*pieces))
    assert reply.message.text() == "naïve 漢字 🙂"


@pytest.mark.parametrize("ends", [b"\r\n", b"\r"])
def test_other_line_ends_comments_and_a_byte_order_mark_say_the_same(
    wire: Wire, ends: bytes
) -> None:
    raw = b"".join(wire.text(["one ", "two"])).replace(b"\n", ends)
    _events, reply, _server = ask(wire, streaming(b"\xef\xbb\xbf: hello" + ends, raw))
    assert reply.message.text() == "one two"


def test_a_whole_json_answer_to_a_stream_request_is_taken(wire: Wire) -> None:
    script = always(answer(wire.whole("all at once"), "Content-Type: application/json"))
    events, reply, _server = ask(wire, script)
    assert TextDelta("all at once") in events
    assert reply.stop_reason == "stop"


@pytest.mark.parametrize(
    ("status", "exit_code", "requests"),
    [
        ("400 Bad Request", 5, 1),
        ("401 Unauthorized", 3, 1),
        ("403 Forbidden", 3, 1),
        ("404 Not Found", 5, None),  # a format may have another to try
        ("408 Request Timeout", 5, 2),
        ("409 Conflict", 5, 2),
        ("413 Content Too Large", 5, 1),
        ("425 Too Early", 5, 2),
        ("429 Too Many Requests", 5, 2),
        ("500 Internal Server Error", 5, 2),
        ("501 Not Implemented", 5, 1),
        ("503 Service Unavailable", 5, 2),
        ("505 HTTP Version Not Supported", 5, 1),
        ("529 Overloaded", 5, 2),
        ("302 Found", 5, 1),
    ],
)
def test_a_refusal_has_its_exit_code_and_is_repeated_only_if_it_may_pass(
    wire: Wire, status: str, exit_code: int, requests: int | None
) -> None:
    body = b'{"error": {"message": "because", "type": "x"}}'
    script = always(answer(body, "Location: https://elsewhere.example/", status=status))
    _events, reply, server = ask(wire, script)
    assert reply.error is not None
    assert reply.error.exit_code == exit_code
    assert status[:3] in "\n".join(reply.error.lines())
    assert requests is None or len(server.requests) == requests


def test_a_failure_that_passes_is_repeated_and_succeeds(wire: Wire) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if len(peer._server.requests) == 1:
                peer.send(answer(b"", status="503 Service Unavailable"))
                continue
            peer.send(STREAM)
            for piece in wire.text(["ok"]):
                peer.chunk(piece)
            peer.chunk(b"")

    events, reply, _server = ask(wire, script)
    assert isinstance(events[0], Retrying)
    assert reply.message.text() == "ok"


def test_a_key_echoed_by_the_provider_is_not_shown(wire: Wire) -> None:
    body = f'{{"error": {{"message": "bad key {KEY}"}}}}'.encode()
    _events, reply, _server = ask(wire, always(answer(body, status="401 Unauthorized")))
    assert reply.error is not None
    assert KEY not in repr(reply)


@pytest.mark.parametrize("how", ["cut in a chunk", "ended without its end mark"])
def test_a_stream_that_breaks_off_keeps_the_part_and_is_a_failure(wire: Wire, how: str) -> None:
    pieces = wire.text(["par", "tial"])[:-1]
    _events, reply, _server = ask(wire, streaming(*pieces, cut=how == "cut in a chunk"))
    assert reply.error is not None
    assert reply.error.exit_code == 5
    assert (reply.message.text(), reply.stop_reason) == ("partial", "error")


def test_a_stream_that_breaks_off_before_anything_came_is_asked_again(wire: Wire) -> None:
    _events, reply, server = ask(wire, streaming())
    assert reply.error is not None
    assert reply.error.exit_code == 5
    assert len(server.requests) == 2


def test_a_failure_told_in_mid_stream_keeps_the_part(wire: Wire) -> None:
    pieces = [*wire.text(["par", "tial"])[:-1], wire.busy]
    _events, reply, server = ask(wire, streaming(*pieces))
    assert reply.error is not None
    assert reply.error.exit_code == 5
    assert reply.message.text() == "partial"
    assert "overloaded" in "\n".join(reply.error.lines()).lower()
    assert len(server.requests) == 1


def test_a_failure_told_at_the_start_of_a_stream_is_asked_again(wire: Wire) -> None:
    _events, reply, server = ask(wire, streaming(wire.busy))
    assert reply.error is not None
    assert len(server.requests) == 2


def test_silence_is_a_failure_by_its_name(wire: Wire) -> None:
    def before(peer: Peer) -> None:
        peer.request()
        peer.wait()

    def within(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        peer.chunk(wire.text(["par", "t"])[0])
        peer.wait()

    def attempt(limit_ms: int) -> None:
        _events, reply, _server = ask(wire, before, retries=0, timeout_ms=limit_ms)
        assert reply.error is not None
        assert reply.error.code == "first-byte-timeout"
        _events, reply, _server = ask(wire, within, retries=0, timeout_ms=limit_ms)
        assert reply.error is not None
        assert reply.error.code == "idle-timeout"
        assert reply.message.text() == "par"

    in_time(attempt, 200)


def test_a_connection_reset_is_a_failure(wire: Wire) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.reset()

    _events, reply, _server = ask(wire, script, retries=0)
    assert reply.error is not None
    assert reply.error.exit_code == 5


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/event-stream", b"\x00\xff\xfe rubbish\n\n{]\n\n"),
        ("text/event-stream", b"data: {]\n\n"),
        ("text/event-stream", b"data: 7\n\ndata: []\n\ndata: null\n\n"),
        ("text/event-stream", b'event: error\ndata: {"x": {"y": [1]}}\n\n'),
        ("text/html", b"<html><title>Log in</title></html>"),
        ("application/json", b"{}"),
        ("application/json", b"[]"),
        ("application/json", b"null"),
        ("application/json", b"\xff\xfe"),
        ("application/json", b""),
        ("image/png", b"\x89PNG\r\n"),
    ],
)
def test_an_answer_that_is_not_one_is_a_failure(wire: Wire, kind: str, body: bytes) -> None:
    _events, reply, _server = ask(wire, always(answer(body, f"Content-Type: {kind}")), retries=0)
    assert reply.error is not None
    assert reply.error.exit_code == 5
    assert reply.stop_reason == "error"


def test_a_compressed_stream_is_read_even_though_it_was_not_asked_for(wire: Wire) -> None:
    import gzip

    body = gzip.compress(b"".join(wire.text(["zip", "ped"])))
    head = ("Content-Type: text/event-stream", "Content-Encoding: gzip")
    _events, reply, _server = ask(wire, always(answer(body, *head)))
    assert reply.message.text() == "zipped"


def test_a_lone_surrogate_in_the_question_is_sent_as_valid_utf_8(wire: Wire) -> None:
    codec = load_codec(wire.api)
    chat = CHAT._replace(messages=(user_message("broken \ud83d half"),))
    body = codec.encode(chat, Options(base_url="http://h" + wire.base, api_key=KEY)).body
    assert "broken \ufffd half" in body.decode("utf-8")
