"""The acceptance scenarios of the providers' contract, on the built file, over real sockets."""

from __future__ import annotations

import json
import re
import signal
import ssl
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import trustme

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, answers, call, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, always, answer
from tests.fakes.wires import WIRES, Wire, data, named

SECRET = "key-0123456789"
EC = trustme.KeyType.ECDSA
BUSY = answer(b'{"error": {"message": "busy"}}', status="503 Service Unavailable")


@pytest.fixture(params=sorted(WIRES))
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


def ask(
    pi: Pi, wire: Wire, url: str, *more: str, model: str = "model-1"
) -> subprocess.CompletedProcess[str]:
    """One prompt over a wire format."""
    return pi(*arguments(wire, url, *more, model=model), **{wire.key_variable: SECRET})


def arguments(wire: Wire, url: str, *more: str, model: str = "model-1") -> list[str]:
    return [
        *("--model", f"{wire.provider}/{model}", wire.base_flag, url + wire.base),
        *("--api-format", wire.api, "-p", "hi", *more),
    ]


def streams(*turns: Sequence[bytes]) -> Callable[[Peer], None]:
    """A script that gives these streams in order, each with its proper end."""
    return answers(*map(tuple, turns))


def bodies(server: FaultServer) -> list[Any]:
    return [json.loads(request.body) for request in server.requests]


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    return re.findall(r"^error: (.*)$", done.stderr, re.MULTILINE)


def test_a_request_names_its_key_its_attempt_and_itself(pi: Pi) -> None:
    """P1."""
    turns = answers((call("bash", {"command": "true"}), finish("tool_calls")), (finish(),))
    with FaultServer(turns) as server:
        assert pi.ask(server.url).returncode == 0
    for request in server.requests:
        assert (request.method, request.target) == ("POST", "/v1/chat/completions")
        assert request.headers["authorization"] == "Bearer " + KEY["OPENAI_API_KEY"]
        assert request.headers["x-pi-retry-attempt"] == "0"
        assert request.headers["content-type"] == "application/json"
        assert "temperature" not in json.loads(request.body)
    first, second = (request.headers["x-pi-request-id"] for request in server.requests)
    assert first != second


def test_azure_has_its_own_header_and_a_version(pi: Pi) -> None:
    """P2."""
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi(
            *("--model", "azure/gpt-4o", "--api-base", server.url + "/openai/deployments/d"),
            *("-p", "hi"),
            AZURE_OPENAI_API_KEY=SECRET,
            **KEY,
        )
    assert (done.returncode, done.stdout) == (0, "ok\n")
    (request,) = server.requests
    assert request.target == "/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert request.headers["api-key"] == SECRET
    assert "authorization" not in request.headers
    assert KEY["OPENAI_API_KEY"] not in repr(request)


class Tunnel:
    """A proxy that opens every tunnel and answers inside it with a certificate of its own."""

    def __init__(self, pi: Pi, host: str, script: Callable[[Peer], None]) -> None:
        authority = trustme.CA(key_type=EC)
        self.bundle = pi.folder / "tunnel-ca.pem"
        authority.cert_pem.write_to_path(self.bundle)
        self.script = script
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host, key_type=EC).configure_cert(self.tls)

    def __call__(self, peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        with self.tls.wrap_socket(peer.sock, server_side=True) as peer.sock:
            self.script(peer)


def test_an_alias_goes_to_its_own_host_with_its_own_key(pi: Pi) -> None:
    """P3."""
    tunnel = Tunnel(pi, "api.groq.com", answers((delta("ok"), finish())))
    with FaultServer(tunnel) as proxy:
        done = pi(
            *("--model", "groq/llama-3.3-70b-versatile", "-p", "hi"),
            *("--ca-bundle", str(tunnel.bundle)),
            HTTPS_PROXY=proxy.url,
            GROQ_API_KEY=SECRET,
            **KEY,
        )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    opened, asked = proxy.requests
    assert (opened.method, opened.target) == ("CONNECT", "api.groq.com:443")
    assert asked.target == "/openai/v1/chat/completions"
    assert asked.headers["authorization"] == "Bearer " + SECRET
    assert KEY["OPENAI_API_KEY"] not in repr(proxy.requests)


def test_a_retry_budget_too_small_for_a_wait_means_one_request(pi: Pi) -> None:
    """P6."""
    with FaultServer(always(answer(b"{}", status="429 Too Many Requests"))) as server:
        done = pi.ask(server.url, "--provider-retry-budget-ms", "10")
    assert done.returncode == 5
    assert len(server.requests) == 1


def test_the_wait_the_server_asks_for_is_kept(pi: Pi) -> None:
    """P7, and P5: the attempts are numbered."""
    times: list[float] = []

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            times.append(time.monotonic())
            if len(times) == 1:
                peer.send(answer(b"{}", "Retry-After: 1", status="429 Too Many Requests"))
            else:
                stream(peer, delta("ok"), finish())

    with FaultServer(script) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert times[1] - times[0] >= 1
    sent = [request.headers["x-pi-retry-attempt"] for request in server.requests]
    assert sent == ["0", "1"]


@pytest.mark.parametrize(
    "wait",
    [
        "3600",
        "Wed, 21 Oct 2065 07:28:00 GMT",
        "9" * 23,
    ],
)
def test_an_absurd_wait_is_named_and_not_waited(pi: Pi, wait: str) -> None:
    """P7."""
    busy = answer(b"{}", f"Retry-After: {wait}", status="429 Too Many Requests")
    with FaultServer(always(busy)) as server:
        began = time.monotonic()
        done = pi.ask(server.url)
        assert time.monotonic() - began < 20
    assert done.returncode == 5
    assert len(server.requests) == 1
    assert "the provider asks to wait" in done.stderr
    assert wait != "3600" or "3600 s" in done.stderr


@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "404 Not Found"])
def test_a_refusal_that_does_not_pass_is_one_request_and_no_other_model(
    pi: Pi, wire: Wire, status: str
) -> None:
    """P8, P12."""
    said = "The model `model-1` does not exist or you do not have access to it."
    error = {"message": said, "type": "invalid_request_error", "code": "model_not_found"}
    body = json.dumps({"error": error}).encode()
    with FaultServer(always(answer(body, status=status))) as server:
        done = ask(pi, wire, server.url, "--fallback-model", f"{wire.provider}/model-2")
    assert done.returncode in (3, 5)
    assert [request.headers["x-pi-retry-attempt"] for request in server.requests] == ["0"]
    assert "model-2" not in repr(server.requests)
    assert len(errors(done)) == 1


def by_model(**scripts: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """A script that answers each request as the script of the model it names."""

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            scripts[json.loads(request.body)["model"]](peer)

    return script


def says(*pieces: bytes) -> Callable[[Peer], None]:
    return lambda peer: stream(peer, *pieces)


FALLBACK = ("--model", "openai/first", "--fallback-model", "openai/second")


def test_spent_money_is_not_asked_for_again_but_another_model_is(pi: Pi) -> None:
    """P9."""
    error = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    spent = answer(json.dumps({"error": error}).encode(), status="429 Too Many Requests")
    script = by_model(first=lambda peer: peer.send(spent), second=says(delta("ok"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK)
    assert (done.returncode, done.stdout) == (0, "ok\n")
    assert [body["model"] for body in bodies(server)] == ["first", "second"]


def test_a_change_of_model_is_one_line_on_stderr(pi: Pi) -> None:
    """P11, for people."""
    script = by_model(first=lambda peer: peer.send(BUSY), second=says(delta("ok"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK, "--provider-max-retries", "0")
    assert (done.returncode, done.stdout) == (0, "ok\n")
    (line,) = (line for line in done.stderr.splitlines() if "openai/second" in line)
    assert line == "[openai/first failed (http_status 503): openai/second answers instead]"


def test_a_part_of_a_lost_answer_is_marked_and_only_the_whole_one_counts(pi: Pi) -> None:
    """P13."""

    def first(peer: Peer) -> None:
        peer.send(STREAM)
        peer.chunk(delta("Hel"))
        peer.reset()

    script = by_model(first=first, second=says(delta("Whole"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *FALLBACK)
        assert (done.returncode, done.stdout) == (0, "Hel\nWhole\n")
        assert "openai/first failed (http_body): openai/second answers instead" in done.stderr
        assert b"Hel" not in server.requests[1].body
        assert pi.ask(server.url, "--model", "openai/second").returncode == 0
        assert b"Hel" not in server.requests[2].body
        assert b"Whole" in server.requests[2].body
    marks = [
        (record["message"]["content"][0]["text"], record["stop_reason"])
        for record in pi.session()
        if record["record_type"] == "entry" and record["message"]["role"] == "assistant"
    ]
    assert marks == [("Hel", "error"), ("Whole", "stop"), ("Whole", "stop")]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_however_a_stream_is_cut_it_says_the_same(pi: Pi, wire: Wire, size: int) -> None:
    """P15, P44."""
    text = "naïve 漢字 🙂 done"
    raw = b"".join(wire.text([text[:7], text[7:]])).replace(b"\\u6f22", "漢".encode())

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for at in range(0, len(raw), size):
            peer.send(raw[at : at + size])

    with FaultServer(script) as server:
        done = ask(pi, wire, server.url)
    assert (done.returncode, done.stdout) == (0, text + "\n"), done.stderr


@pytest.mark.parametrize("how", ["overloaded", "no end mark"])
def test_a_broken_answer_is_told_repeated_and_not_sent_back(pi: Pi, wire: Wire, how: str) -> None:
    """P18, P19, P20."""
    part = wire.text(["Xyzzy", " more"])[:-1]
    broken = [*part, wire.busy] if how == "overloaded" else part
    with FaultServer(streams(broken, wire.text(["whole"]))) as server:
        done = ask(pi, wire, server.url, "--stream-output", "false")
    assert (done.returncode, done.stdout) == (0, "whole\n")
    assert "asking again in 2 s (1 of 3)" in done.stderr
    assert ("overloaded" if how == "overloaded" else "early") in done.stderr
    assert b"Xyzzy" not in server.requests[1].body
    assert "Xyzzy" in (pi.folder / ".pi/sessions/default.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize("how", ["overloaded", "no end mark"])
def test_an_answer_that_a_pipe_already_has_in_part_is_a_failure(
    pi: Pi, wire: Wire, how: str
) -> None:
    """P18, P20: a script must not take two answers for one."""
    part = wire.text(["Xyzzy", " more"])[:-1]
    broken = [*part, wire.busy] if how == "overloaded" else part
    with FaultServer(streams(broken)) as server:
        done = ask(pi, wire, server.url)
        assert (done.returncode, done.stdout) == (5, "Xyzzy more\n")
    assert len(errors(done)) == len(server.requests) == 1
    assert ("overloaded" if how == "overloaded" else "early") in done.stderr
    assert pi.session()[-1]["stop_reason"] == "error"


def anthropic(*blocks: tuple[dict[str, Any], Sequence[dict[str, Any]]], reason: str) -> bytes:
    """A stream of these blocks, each with its deltas."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    usage = {"input_tokens": 10, "output_tokens": 1}
    out = named({"type": "message_start", "message": {**message, "usage": usage}})
    for index, (block, deltas) in enumerate(blocks):
        out += named({"type": "content_block_start", "index": index, "content_block": block})
        for each in deltas:
            out += named({"type": "content_block_delta", "index": index, "delta": each})
        out += named({"type": "content_block_stop", "index": index})
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 5}}
    return out + named(end) + named({"type": "message_stop"})


def tool_use(id_: str, *pieces: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    block = {"type": "tool_use", "id": id_, "name": "read", "input": {}}
    return block, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def thinking(text: str, *signature: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    words = [{"type": "thinking_delta", "thinking": piece} for piece in text.split("|")]
    signed = [{"type": "signature_delta", "signature": piece} for piece in signature]
    return {"type": "thinking", "thinking": "", "signature": ""}, [*words, *signed]


def test_anthropic_thinking_goes_back_to_the_byte_in_this_run_and_the_next(pi: Pi) -> None:
    """P14, P23."""
    (pi.folder / "a.py").write_text("print()\n", encoding="utf-8")
    sealed = ({"type": "redacted_thinking", "data": "c2VhbGVk+/=="}, ())
    first = anthropic(
        thinking("Let me |see — 漢字 🙂\n ", "c2ln", "+/=="),
        sealed,
        tool_use("toolu_9", '{"pa', 'th":"a', '.py"}'),
        reason="tool_use",
    )
    second = anthropic(
        thinking("", "ZW1wdHk="),
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "Done."}]),
        reason="end_turn",
    )
    wire = WIRES["anthropic"]
    with FaultServer(streams([first], [second], wire.text(["bye"]))) as server:
        more = ("--thinking", "high")
        assert ask(pi, wire, server.url, *more, model="claude-sonnet-4-5").stdout == "Done.\n"
        assert ask(pi, wire, server.url, *more, model="claude-sonnet-4-5").returncode == 0
    words = "Let me see — 漢字 🙂\n "
    expected = [
        {"type": "thinking", "thinking": words, "signature": "c2ln+/=="},
        {"type": "redacted_thinking", "data": "c2VhbGVk+/=="},
        {"type": "tool_use", "id": "toolu_9", "name": "read", "input": {"path": "a.py"}},
    ]
    _, again, later = bodies(server)
    for body in (again, later):
        assert body["messages"][1]["content"] == expected
        result = body["messages"][2]["content"][0]
        assert (result["type"], result["tool_use_id"]) == ("tool_result", "toolu_9")
        assert "print()" in json.dumps(result)
    empty = {"type": "thinking", "thinking": "", "signature": "ZW1wdHk="}
    assert later["messages"][3]["content"] == [empty, {"type": "text", "text": "Done."}]


def test_thinking_that_is_refused_is_left_out_once_and_for_all(pi: Pi) -> None:
    """P27."""
    wire = WIRES["anthropic"]
    first = anthropic(thinking("hm", "c2ln"), tool_use("toolu_1", "{}"), reason="tool_use")
    said = "Invalid signature in thinking block. The block is bound to a different conversation"
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": said}}
    turns = [[first], None, wire.call("read", {"path": "b"}), wire.text(["ok"])]

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            turn = turns.pop(0)
            if turn is None:
                peer.send(answer(json.dumps(error).encode(), status="400 Bad Request"))
            else:
                stream(peer, *turn)

    with FaultServer(script) as server:
        done = ask(pi, wire, server.url, model="claude-sonnet-4-5")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    held = [b'"signature"' in request.body for request in server.requests]
    assert held == [False, True, False, False]


def test_gemini_signatures_go_back_on_the_parts_they_came_with(pi: Pi) -> None:
    """P24, P22: parallel results are one content in call order."""
    wire = WIRES["google"]
    calls = [
        {"functionCall": {"id": f"g{n}", "name": "read", "args": {"path": f"{n}.txt"}}}
        for n in (1, 2)
    ]
    signed = [{**calls[0], "thoughtSignature": "c2ln+/=="}, calls[1]]
    candidate = {"content": {"role": "model", "parts": signed}, "finishReason": "STOP"}
    with FaultServer(streams([data({"candidates": [candidate]})], wire.text(["ok"]))) as server:
        done = ask(pi, wire, server.url, model="gemini-3-pro-preview")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    _, asked, answered = bodies(server)[1]["contents"]
    assert asked == {"role": "model", "parts": signed}
    results = [part["functionResponse"] for part in answered["parts"]]
    assert [(result["id"], result["name"]) for result in results] == [
        ("g1", "read"),
        ("g2", "read"),
    ]


def responses(*items: dict[str, Any]) -> bytes:
    """A stream of whole items."""
    out = b""
    for index, item in enumerate(items):
        for kind in ("added", "done"):
            event = {"type": f"response.output_item.{kind}", "output_index": index, "item": item}
            out += named(event)
    usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
    response = {"id": "r", "status": "completed", "output": list(items), "usage": usage}
    return out + named({"type": "response.completed", "response": response})


def function_call(id_: str, call_id: str) -> dict[str, Any]:
    item = {"type": "function_call", "id": id_, "call_id": call_id, "name": "read"}
    return {**item, "arguments": '{"path": "a.txt"}', "status": "completed"}


def test_responses_reasoning_goes_back_verbatim_before_its_call(pi: Pi) -> None:
    """P25."""
    wire = WIRES["openai-responses"]
    summary = [{"type": "summary_text", "text": "looking 漢"}]
    reasoning = {
        "type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": "gAAA+/==",
    }  # fmt: skip
    turn = [responses(reasoning, function_call("fc_1", "call_1"))]
    with FaultServer(streams(turn, wire.text(["ok"]), wire.text(["bye"]))) as server:
        done = ask(pi, wire, server.url, "--thinking", "low", model="gpt-5.4")
        assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
        ask(pi, wire, server.url, "--thinking", "low", model="gpt-5.4")
    for body in bodies(server)[1:]:
        items = body["input"]
        at = items.index(reasoning)
        assert (items[at + 1]["type"], items[at + 1]["id"]) == ("function_call", "fc_1")
        assert items[at + 2]["call_id"] == "call_1"
        assert body["store"] is False


def test_a_model_that_wants_the_other_api_is_asked_there_from_then_on(pi: Pi) -> None:
    """P26."""
    said = (
        "Function tools with reasoning_effort are not supported for gpt-x in "
        "/v1/chat/completions. To use function tools, use /v1/responses or set "
        "reasoning_effort to 'none'."
    )
    error = json.dumps({"error": {"message": said, "type": "invalid_request_error"}}).encode()
    wire = WIRES["openai-responses"]
    turns = [wire.call("read", {"path": "a"}), wire.text(["ok"])]

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if request.target == "/v1/chat/completions":
                peer.send(answer(error, status="400 Bad Request"))
            else:
                stream(peer, *turns.pop(0))

    with FaultServer(script) as server:
        done = pi.ask(server.url, "--model", "openai/gpt-x", "--thinking", "low")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    paths = [request.target for request in server.requests]
    assert paths == ["/v1/chat/completions", "/v1/responses", "/v1/responses"]


def test_a_refused_parameter_is_dropped_once_and_not_sent_again(pi: Pi) -> None:
    """P26, for what we add ourselves."""
    said = "Unknown parameter: 'stream_options'."
    error = json.dumps({"error": {"message": said, "param": "stream_options"}}).encode()
    turns = [(call("read", {"path": "a"}), finish("tool_calls")), (delta("ok"), finish())]

    def script(peer: Peer) -> None:
        while (request := peer.request()) is not None:
            if b"stream_options" in request.body:
                peer.send(answer(error, status="400 Bad Request"))
            else:
                stream(peer, *turns.pop(0))

    with FaultServer(script) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    assert ["stream_options" in body for body in bodies(server)] == [True, False, False]


def test_long_ids_of_another_vendor_become_ids_that_the_next_takes(pi: Pi) -> None:
    """P28."""
    long_id, item_id = "call_" + "x|+/" * 99, "fc_" + "y" * 400
    wire = WIRES["openai-responses"]
    turn = [responses(function_call(item_id, long_id), function_call("fc_2", long_id + "z"))]
    with FaultServer(streams(turn, wire.text(["one"]))) as server:
        done = ask(pi, wire, server.url)
        assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr
    wire = WIRES["anthropic"]
    with FaultServer(streams(wire.text(["two"]))) as server:
        assert ask(pi, wire, server.url).stdout == "two\n"
    messages = bodies(server)[0]["messages"]
    asked = [b["id"] for m in messages for b in m["content"] if b["type"] == "tool_use"]
    given = [b["tool_use_id"] for m in messages for b in m["content"] if "tool_use_id" in b]
    assert asked == given
    assert len(set(asked)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", id_) for id_ in asked)
    with FaultServer(answers((delta("three"), finish()))) as server:
        done = pi.ask(server.url, "--model", "mistral/devstral", MISTRAL_API_KEY=SECRET)
        assert done.stdout == "three\n", done.stderr
    messages = bodies(server)[0]["messages"]
    asked = [each["id"] for m in messages for each in m.get("tool_calls") or ()]
    given = [m["tool_call_id"] for m in messages if m["role"] == "tool"]
    assert asked == given
    assert len(set(asked)) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9]{9}", id_) for id_ in asked)


FIXED = ("system", "systemInstruction", "instructions", "tools")


def test_what_does_not_change_in_a_conversation_is_the_same_bytes(pi: Pi, wire: Wire) -> None:
    """P30."""
    call_ = wire.call("bash", {"command": "date +%N"})
    turns = [[call_] * 9 + [wire.text(["ok"])], [call_] * 9 + [wire.text(["ok"])]]
    sent: list[bytes] = []
    for run in turns:
        with FaultServer(streams(*run)) as server:
            assert ask(pi, wire, server.url, "--cache-retention", "none").returncode == 0
        sent += [request.body for request in server.requests]
    assert len(sent) == 20
    fixed = {
        json.dumps([json.loads(body).get(name) for name in FIXED], ensure_ascii=False)
        for body in sent
    }
    assert len(fixed) == 1
    tools = json.dumps(json.loads(sent[0])["tools"], ensure_ascii=False, separators=(",", ":"))
    assert all(body.count(tools.encode()) == 1 for body in sent), "also their order"


def test_https_goes_through_the_proxy_with_its_credentials(pi: Pi) -> None:
    """P35."""
    tunnel = Tunnel(pi, "pi.test", answers((delta("ok"), finish())))
    with FaultServer(tunnel) as proxy:
        done = pi.ask(
            "https://pi.test",
            *("--ca-bundle", str(tunnel.bundle)),
            HTTPS_PROXY=f"http://us%40er:p%3Ass@127.0.0.1:{proxy.port}",
        )
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    opened, asked = proxy.requests
    assert (opened.method, opened.target) == ("CONNECT", "pi.test:443")
    assert opened.headers["proxy-authorization"] == "Basic " + b64encode(b"us@er:p:ss").decode()
    assert "proxy-authorization" not in asked.headers
    assert "authorization" not in opened.headers


@pytest.mark.parametrize(("ranges", "connections"), [("198.51.100.0/24", 1), ("192.0.2.0/24", 0)])
def test_a_range_of_addresses_goes_around_the_proxy(pi: Pi, ranges: str, connections: int) -> None:
    """P35."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(answer(b"", status="403 Forbidden"))

    with FaultServer(script) as proxy:
        done = pi.ask(
            "https://192.0.2.7",
            *("--request-timeout-ms", "300", "--provider-max-retries", "0"),
            HTTPS_PROXY=proxy.url,
            NO_PROXY="example.com," + ranges,
        )
        assert proxy.connections == connections
    assert done.returncode in (4, 5)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect"])
def test_a_redirect_is_named_and_nobody_else_is_asked(pi: Pi, wire: Wire, status: str) -> None:
    """P37."""
    with FaultServer(lambda peer: None) as other:
        moved = answer(b"", f"Location: {other.url}/v1/elsewhere", status=status)
        with FaultServer(always(moved)) as server:
            done = ask(pi, wire, server.url)
        assert other.connections == 0
    assert done.returncode == 5
    assert len(server.requests) == 1
    assert f"{other.url}/v1/elsewhere" in done.stderr


@pytest.mark.parametrize("silence", ["before the headers", "after the headers", "after a part"])
def test_control_c_lets_go_of_a_silent_server_at_once(pi: Pi, silence: str) -> None:
    """P38: 200 ms on a machine of one's own; this one may be busy."""

    def script(peer: Peer) -> None:
        peer.request()
        if silence != "before the headers":
            peer.send(STREAM)
        if silence == "after a part":
            peer.chunk(delta("par"))
        time.sleep(0.3)  # so that pi is waiting for more
        times.append(time.monotonic())
        process.send_signal(signal.SIGINT)
        peer.wait()
        times.append(time.monotonic())

    times: list[float] = []
    with FaultServer(script) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        _out, err = process.communicate(timeout=20)
        ended = time.monotonic()
        assert server.gone.wait(5)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert times[1] - times[0] < 1
    assert ended - times[0] < 2


def test_control_c_ends_the_wait_before_the_next_attempt(pi: Pi) -> None:
    busy = answer(b"{}", "Retry-After: 30", status="429 Too Many Requests")
    with FaultServer(always(busy)) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        assert process.stderr is not None
        assert b"retry 1 in 3" in process.stderr.readline()
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert len(server.requests) == 1


def test_comments_keep_a_stream_alive(pi: Pi) -> None:
    """P39."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        for _ in range(15):
            peer.chunk(b": PROCESSING\n\n")
            time.sleep(0.1)
        peer.chunk(delta("ok") + finish())
        peer.chunk(b"")

    with FaultServer(script) as server:
        done = pi.ask(server.url, "--request-timeout-ms", "1000")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


@pytest.mark.parametrize("where", ["refusal", "stream", "header"])
def test_a_key_that_the_provider_echoes_is_shown_nowhere(pi: Pi, wire: Wire, where: str) -> None:
    """P40."""
    said = json.dumps({"error": {"message": f"bad key {SECRET}", "type": f"x {SECRET}"}}).encode()

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if where == "stream":
                stream(peer, *wire.text(["par", "t"])[:-1], b"data: " + said + b"\n\n")
            elif where == "refusal":
                peer.send(answer(said, status="400 Bad Request"))
            else:
                head = (f"X-Request-Id: {SECRET}", f"Location: http://h/?key={SECRET}")
                peer.send(answer(b"", *head, status="302 Found"))

    with FaultServer(script) as server:
        done = ask(pi, wire, server.url, "--debug", "--record", "tape")
    assert done.returncode in (3, 5)
    assert SECRET not in done.stdout + done.stderr
    for path in pi.folder.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def test_a_file_with_half_a_character_is_sent_as_valid_json(pi: Pi, wire: Wire) -> None:
    """P42."""
    (pi.folder / "odd.txt").write_bytes(b"a \xed\xa0\xbd b \xff c\n")
    half = wire.call("bash", {"command": "cat odd.txt; echo '\ud83d'"})
    turns = (wire.call("read", {"path": "odd.txt"}), half, wire.text(["ok \ud83d"]))
    with FaultServer(streams(*turns, wire.text(["bye"]))) as server:
        done = ask(pi, wire, server.url)
        assert done.returncode == 0, done.stderr
        done = ask(pi, wire, server.url)
        assert (done.returncode, done.stdout) == (0, "bye\n"), done.stderr
    assert len(server.requests) == 4
    for request in server.requests:
        value = json.loads(request.body.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")


def cut_call(wire: Wire) -> list[bytes]:
    """A call whose arguments the output limit cut."""
    raw = '{"path": "made.txt", "content": "half of'
    if wire.api == "openai-chat":
        return [call("write", raw), finish("length")]
    if wire.api == "anthropic":
        block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {}}
        part = {"type": "input_json_delta", "partial_json": raw}
        return [anthropic((block, [part]), reason="max_tokens")]
    item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "write"}
    added = {"type": "response.output_item.added", "output_index": 0}
    pieces = {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": raw}
    done = {**item, "arguments": raw, "status": "incomplete"}
    response = {
        "id": "r", "status": "incomplete", "output": [done],
        "incomplete_details": {"reason": "max_output_tokens"},
    }  # fmt: skip
    return [
        named({**added, "item": {**item, "arguments": ""}}),
        named({**pieces, "item_id": "fc_1"}),
        named({"type": "response.incomplete", "response": response}),
    ]


@pytest.mark.parametrize("api", sorted({*WIRES} - {"google"}))
def test_a_call_cut_by_the_output_limit_is_not_run_and_the_model_is_told(pi: Pi, api: str) -> None:
    """P43. Google's calls arrive whole or not at all."""
    wire = WIRES[api]
    with FaultServer(streams(cut_call(wire), wire.text(["ok"]))) as server:
        done = ask(pi, wire, server.url)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    assert not (pi.folder / "made.txt").exists()
    assert re.search(rb"(?i)output limit", server.requests[1].body)


@pytest.mark.parametrize(
    ("more", "environ", "code", "said"),
    [
        (["--model", ""], {}, 2, "--model"),
        (["--model", "/"], {}, 2, "missing model identifier"),
        (["--model", "openai/"], {}, 2, "missing model identifier"),
        (["--model", "/gpt-4o"], {}, 2, "missing model identifier"),
        (["--model", "openai/a\nb"], {}, 2, "control characters"),
        (["--model", "antropic/claude"], {}, 2, "did you mean anthropic?"),
        (["--model", "foo/bar"], {}, 2, "supported: "),
        (["--fallback-model", "gogle/x"], {}, 2, "did you mean google?"),
        (["--fallback-model", "openai/"], {}, 2, "--fallback-model"),
        ([], {"OPENAI_API_KEY": "   "}, 3, "OPENAI_API_KEY"),
        (["--api-key", " "], {"OPENAI_API_KEY": ""}, 3, "OPENAI_API_KEY"),
        ([], {"OPENAI_API_KEY": "hunter2\nX-Evil: 1"}, 2, "OPENAI_API_KEY"),
        (["--api-key", "hunter2\r\nX: 1"], {}, 2, "--api-key"),
        ([], {"OPENAI_API_KEY": "hunter2-漢字"}, 2, "OPENAI_API_KEY"),
        (["--api-base", "api.openai.com/v1"], {}, 2, "http:// or https://"),
        (["--api-base", "localhost:8080"], {}, 2, "http:// or https://"),
        (["--api-base", "ftp://host/v1"], {}, 2, "http:// or https://"),
        (["--api-base", "http://"], {}, 2, "http:// or https://"),
        (["--api-base", "http://host:99999/v1"], {}, 2, "--api-base"),
        (["--api-base", "http://host /v1"], {}, 2, "--api-base"),
        (["--api-base", "https://me:hunter2@host/v1"], {}, 2, "--api-base"),
        ([], {"PI_API_BASE": "host/v1"}, 2, "http:// or https://"),
        (["--header", "hunter2"], {}, 2, "--header"),
        (["--header", "X-Key=hunter2\nX: 1"], {}, 2, "--header"),
    ],
)
def test_input_that_cannot_be_is_one_error_that_shows_no_secret(
    pi: Pi, more: list[str], environ: dict[str, str], code: int, said: str
) -> None:
    done = pi("-p", "hi", *more, **{**KEY, **environ})
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    assert said in done.stderr
    assert len(errors(done)) == 1
    assert "hunter2" not in done.stderr
    assert not list(pi.folder.iterdir())


ENTRY = {"provider": "openai", "model": "gpt-4o-mini", "supports_tools": True}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"null",
        b'"text"',
        b"{}",
        json.dumps({"schema_version": 99, "entries": [ENTRY]}).encode(),
        json.dumps({"schema_version": 1, "entries": {"a": ENTRY}}).encode(),
        json.dumps([ENTRY, 7]).encode(),
        *(
            json.dumps([{**ENTRY, name: value}]).encode()
            for name, value in (
                ("provider", 7),
                ("model", None),
                ("supports_tools", "yes"),
                ("context_window_tokens", -1),
                ("context_window_tokens", 1.5),
                ("context_window_tokens", True),
                ("input_cost_per_million", "free"),
                ("input_cost_per_million", float("nan")),
                ("output_cost_per_million", -2),
                ("thinking_levels", "low"),
                ("thinking_levels", [1]),
                ("compat", [1]),
                ("api", 3),
                ("api", "no-such-format"),
            )
        ),
    ],
)
def test_a_catalog_of_wrong_types_is_a_remark_and_never_stops_a_run(pi: Pi, content: bytes) -> None:
    (pi.folder / "c.json").write_bytes(content)
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi.ask(server.url, "--model-catalog-cache", "c.json", "--model-catalog-offline")
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    remarks = [line for line in done.stderr.splitlines() if "c.json" in line]
    assert len(remarks) == 1, done.stderr
    assert len(remarks[0]) < 500
    assert (pi.folder / "c.json").read_bytes() == content


def test_a_model_that_a_catalog_says_has_no_tools_is_refused_before_anything_is_sent(
    pi: Pi,
) -> None:
    (pi.folder / "c.json").write_text(json.dumps([{**ENTRY, "supports_tools": False}]))
    with FaultServer(lambda peer: None) as server:
        done = pi.ask(server.url, "--model-catalog-cache", "c.json", "--model-catalog-offline")
        assert server.connections == 0
    assert done.returncode == 2
    assert "gpt-4o-mini" in done.stderr
    assert len(errors(done)) == 1


def cut_cassettes(pi: Pi) -> tuple[list[bytes], tuple[str, ...]]:
    """The lines of the recording of two exchanges, and the arguments that repeat the run."""
    turns = answers((call("bash", {"command": "true"}), finish("tool_calls")), (finish(),))
    with FaultServer(turns) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "hi", "--no-session")
        assert pi(*arguments, "--record", "tape", **KEY).returncode == 0
    lines = (pi.folder / "tape").read_bytes().splitlines(keepends=True)
    assert b'"end"' in lines[-2]
    return lines, arguments


def test_a_cassette_cut_before_an_answer_is_whole_is_one_error(pi: Pi) -> None:
    lines, arguments = cut_cassettes(pi)
    whole = b"".join(lines)
    ends = [sum(map(len, lines[:n])) for n in range(len(lines) - 2)]
    for at in sorted({*ends, 10, 300}):
        (pi.folder / "cut").write_bytes(whole[:at])
        done = pi(*arguments, "--replay", "cut")
        assert done.returncode == 7, (at, done.stderr)
        assert len(errors(done)) == 1, (at, done.stderr)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_cassette_that_lost_its_last_lines_is_told(pi: Pi, lost: int) -> None:
    lines, arguments = cut_cassettes(pi)
    (pi.folder / "cut").write_bytes(b"".join(lines[:-lost]))
    assert "cut" in pi(*arguments, "--replay", "cut").stderr
