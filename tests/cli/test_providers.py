"""Each wire format on the built file: a tool conversation with a server by somebody else."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes import aimock_process
from tests.fakes.chat import answers
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.wires import WIRES, Wire

FINISH = WIRES["openai-chat"].text([])[-1]
needs_aimock = pytest.mark.skipif(bool(aimock_process.missing()), reason=aimock_process.missing())


def flags(wire: Wire, url: str) -> list[str]:
    return [
        "--model", f"{wire.provider}/model-1", wire.base_flag, url + wire.base,
        "--api-format", wire.api,
    ]  # fmt: skip


@needs_aimock
def test_a_tool_conversation_with_a_third_party_server(pi: Pi, wire: Wire) -> None:
    (pi.folder / "hello.txt").write_text("greetings\n", encoding="utf-8")
    fixtures = [
        {"match": {"hasToolResult": True}, "response": {"content": "It says greetings. 🙂 漢字"}},
        {
            "match": {"userMessage": "hello"},
            "response": {"toolCalls": [{"name": "read", "arguments": {"path": "hello.txt"}}]},
        },
    ]
    with aimock_process.running(fixtures, "-c", "5") as server:
        done = pi(
            *flags(wire, server.url),
            *("-p", "What does hello.txt say?"),
            **{wire.key_variable: "key-0123456789"},
        )
        journal = server.requests()
    assert (done.returncode, done.stdout) == (0, "It says greetings. 🙂 漢字\n"), done.stderr
    assert len(journal) == 2
    assert pi.roles() == ["user", "assistant", "tool", "assistant"]


def test_a_conversation_goes_on_over_every_other_format(pi: Pi) -> None:
    """History made over one wire format is taken by the next, tools included."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            sent = server.requests[-1]
            wire = next(w for w in WIRES.values() if w.api == now[0])
            is_answered = b"greetings" in sent.body.rsplit(b"hello.txt", 1)[-1]
            pieces = (
                wire.text(["done"]) if is_answered else wire.call("read", {"path": "hello.txt"})
            )
            peer.send(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n"
            )
            for piece in pieces:
                peer.chunk(piece)
            peer.chunk(b"")

    (pi.folder / "hello.txt").write_text("greetings\n", encoding="utf-8")
    now = [""]
    with FaultServer(script) as server:
        for round_, api in enumerate((*WIRES, *WIRES)):
            now[0] = api
            wire = WIRES[api]
            done = pi(
                *flags(wire, server.url),
                *("-p", f"round {round_}: read hello.txt"),
                **{wire.key_variable: "key-0123456789"},
            )
            assert (done.returncode, done.stdout) == (0, "done\n"), (api, done.stderr)
    assert pi.roles() == ["user", "assistant", "tool", "assistant"] * 8


def test_a_key_goes_to_its_own_vendor_only(pi: Pi, wire: Wire) -> None:
    keys = {w.key_variable: f"key-of-{w.provider}-0123456789" for w in WIRES.values()}

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n")

    with FaultServer(script) as server:
        pi(*flags(wire, server.url), "--provider-max-retries", "0", "-p", "hi", **keys)
    sent = repr(server.requests[0])
    assert keys[wire.key_variable] in sent
    for variable, key in keys.items():
        assert variable == wire.key_variable or key not in sent


def test_a_fallback_answers_when_the_first_model_fails(pi: Pi) -> None:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            asked = json.loads(server.requests[-1].body)["model"]
            if asked == "first":
                peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                continue
            body = WIRES["openai-chat"].whole("second to none")
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            peer.send(head.encode() + b"\r\n\r\n" + body)

    with FaultServer(script) as server:
        done = pi.ask(
            server.url,
            *("--model", "openai/first", "--fallback-model", "openai/second"),
            *("--provider-max-retries", "0"),
        )
    assert (done.returncode, done.stdout) == (0, "second to none\n")
    assert "openai/second" in done.stderr
    assert pi.session()[-1]["model"] == "second"


def test_a_cap_on_tokens_is_6_and_nothing_is_sent_that_may_cross_it(pi: Pi) -> None:
    with FaultServer(lambda peer: None) as server:
        done = pi.ask(server.url, "--max-tokens-total", "10")
        assert done.returncode == 6
        done = pi.ask(server.url, "--model", "openai/unheard-of", "--max-cost-usd", "1")
        assert done.returncode == 2
    assert server.connections == 0


def test_an_address_left_in_the_environment_is_not_used_for_another_vendor(pi: Pi) -> None:
    with FaultServer(lambda peer: None) as server:
        pi(
            *("--model", "anthropic/claude-x", "--provider-max-retries", "0", "-p", "hi"),
            *("--request-timeout-ms", "200", "--proxy", "http://127.0.0.1:9"),
            ANTHROPIC_API_KEY="key-0123456789",
            PI_API_BASE=server.url,
            **KEY,
        )
    assert server.connections == 0


def test_with_json_events_stdout_is_json_lines_and_a_change_of_model_is_one_of_them(
    pi: Pi,
) -> None:
    """P11: the line has exactly six fields beside its type."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if json.loads(server.requests[-1].body)["model"] == "first":
                peer.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
                continue
            body = WIRES["openai-chat"].whole("second")
            head = (
                f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
            )
            peer.send(head.encode() + b"\r\n\r\n" + body)

    with FaultServer(script) as server:
        done = pi.ask(
            server.url,
            *("--model", "openai/first", "--fallback-model", "openai/second"),
            *("--provider-max-retries", "0", "--json-events"),
        )
    assert done.returncode == 0
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [record for record in records if record["type"] == "provider_fallback"] == [
        {
            "type": "provider_fallback",
            "from_model": "openai/first",
            "to_model": "openai/second",
            "error_kind": "http_status",
            "status": 503,
            "fallback_index": 1,
        }
    ]
    assert [record["type"] for record in records][-2:] == ["agent_end", "prompt_end"]
    assert {"type": "message_delta", "text": "second"} in records
    assert (records[-1]["requests"], records[-1]["cost_usd"]) == (2, None)


def test_what_a_run_used_is_told_at_its_end(pi: Pi) -> None:
    with FaultServer(answers((WIRES["openai-chat"].text(["hi"])[0], FINISH))) as server:
        done = pi.ask(server.url, "--model", "openai/gpt-4o-mini")
    # 10 tokens in at $0.15 and 5 out at $0.60 per million
    assert "[requests: 1, tokens: 15, cost: $0.000005]" in done.stderr
