"""The providers' contract: streams that are cut, broken, silent or interrupted."""

from __future__ import annotations

import re
import signal
import threading
import time

import pytest

from tests.cli.asking import anthropic, ask, errors, streams
from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import STREAM, call, delta, finish
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.patience import LONG_S, in_time
from tests.fakes.wires import WIRES, Wire, named


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


@pytest.mark.parametrize("silence", ["before the headers", "after the headers", "after a part"])
def test_control_c_lets_go_of_a_silent_server_at_once(pi: Pi, silence: str) -> None:
    """P38. Not within 200 ms, as on a machine of one's own: this one may be busy."""
    started = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        if silence != "before the headers":
            peer.send(STREAM)
        if silence == "after a part":
            peer.chunk(delta("par"))
        time.sleep(0.3)  # so that pi is waiting for more
        assert started.wait(LONG_S)
        process.send_signal(signal.SIGINT)
        peer.wait()

    with FaultServer(script) as server:
        process = pi.start("--api-base", server.url + "/v1", "-p", "hi", environ=KEY)
        started.set()
        _out, err = process.communicate(timeout=LONG_S)
        assert server.gone.wait(LONG_S)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_comments_keep_a_stream_alive(pi: Pi) -> None:
    """P39."""

    def attempt(limit_ms: int) -> None:
        def script(peer: Peer) -> None:
            peer.request()
            peer.send(STREAM)
            for _ in range(15):
                peer.chunk(b": PROCESSING\n\n")
                time.sleep(limit_ms / 10_000)
            peer.chunk(delta("ok") + finish())
            peer.chunk(b"")

        with FaultServer(script) as server:
            done = pi.ask(server.url, "--no-session", "--request-timeout-ms", str(limit_ms))
        assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr

    in_time(attempt, 1000)


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
