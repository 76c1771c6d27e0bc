"""The providers' contract: what goes back to a provider of what it sent."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.cli.asking import SECRET, anthropic, ask, bodies, streams
from tests.cli.conftest import Pi
from tests.fakes.chat import answers, call, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, answer
from tests.fakes.wires import WIRES, data, named


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
