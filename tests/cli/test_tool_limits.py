"""How a run with tools ends, and what of it stays: caps, cancels, order, events."""

from __future__ import annotations

import json
import os
import signal

import pytest

from tests.cli.conftest import KEY, Pi
from tests.cli.playing import play, turn
from tests.cli.test_interrupts import SLEEPER, gone, wait_for
from tests.fakes.chat import STREAM, answers, call, delta, finish
from tests.fakes.fault_server import FaultServer, Peer
from tests.fakes.patience import LONG_S

READS = [("read", {"path": "a"}), ("read", {"path": "b"})]


def test_a_model_that_always_wants_tools_ends_at_the_turn_limit_with_a_closing_event(
    pi: Pi,
) -> None:
    played = play(pi, READS, READS, flags=("--max-turns", "2"))
    assert played.done.returncode == 6
    assert "agent exceeded max turns (2)" in played.done.stderr
    assert len(played.bodies) == 2
    assert [len(played.of("agent_end")), len(played.of("prompt_end"))] == [1, 1]
    assert [event["status"] for event in played.events[-2:]] == ["max_turns"] * 2
    assert pi.roles().count("tool") == 4


def test_calls_beyond_the_cap_are_not_run_and_end_the_run_with_6(pi: Pi) -> None:
    calls = [("write", {"path": name, "content": "x"}) for name in ("one", "two", "three")]
    played = play(pi, calls, flags=("--max-tool-calls", "2", "--tool-execution", "sequential"))
    assert played.done.returncode == 6
    assert "tool calls" in played.done.stderr
    assert sorted(os.listdir(pi.folder)) == [".pi", "one", "two"]
    assert len(played.bodies) == 1
    assert pi.roles() == ["user", "assistant", "tool", "tool", "tool"]
    with FaultServer(answers((delta("went on"), finish()))) as server:
        assert pi.ask(server.url).stdout == "went on\n"


def test_no_tool_call_may_be_allowed(pi: Pi) -> None:
    played = play(pi, READS, flags=("--max-tool-calls", "0", "--no-session"))
    assert played.done.returncode == 6
    assert all(event["is_error"] for event in played.of("tool_execution_end"))


def test_a_cancelled_prompt_is_forgotten_on_request(pi: Pi) -> None:
    with FaultServer(answers((delta("first answer"), finish()))) as server:
        assert pi.ask(server.url).returncode == 0
    before = pi.roles()
    turns = answers(turn([("bash", {"command": f"touch made; {SLEEPER}"})]))
    with FaultServer(turns) as server:
        flags = ("--api-base", server.url, "-p", "forget this", "--discard-on-cancel")
        process = pi.start(*flags, environ=KEY)
        wait_for(pi.folder / "ready")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert gone(int((pi.folder / "pid").read_text()))
    assert (pi.folder / "made").exists()
    with FaultServer(answers((delta("went on"), finish()))) as server:
        assert pi.ask(server.url).returncode == 0
    sent = json.loads(server.requests[0].body)["messages"]
    assert [message["role"] for message in sent if message["role"] != "system"] == [
        *before,
        "user",
    ]
    assert "forget this" not in json.dumps(sent)
    assert pi("--session-validate").returncode == 0


def test_a_time_limit_is_forgotten_like_a_cancel(pi: Pi) -> None:
    with FaultServer(answers(turn([("bash", {"command": "sleep 60"})]))) as server:
        done = pi.ask(server.url, "--discard-on-cancel", "--turn-timeout-ms", "1000")
    assert done.returncode == 124
    with FaultServer(answers((delta("went on"), finish()))) as server:
        assert pi.ask(server.url).returncode == 0
    sent = json.loads(server.requests[0].body)["messages"]
    assert [message["role"] for message in sent] == ["system", "user"]


@pytest.mark.parametrize("during", ["stream", "tool"])
def test_a_cancel_is_seen_within_a_moment(pi: Pi, during: str) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(STREAM)
        if during == "stream":
            peer.chunk(delta("par"))
            (pi.folder / "ready").touch()
            peer.wait()
        else:
            for piece in turn([("bash", {"command": f"trap '' TERM; {SLEEPER}"})]):
                peer.chunk(piece)
            peer.chunk(b"")
            peer.wait()

    with FaultServer(script) as server:
        flags = ("--bash-profile", "permissive", "--api-base", server.url)
        process = pi.start(*flags, "-p", "hi", environ=KEY)
        wait_for(pi.folder / "ready")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LONG_S)
        for name in ("pid", "child") if during == "tool" else ():
            assert gone(int((pi.folder / name).read_text()))
    assert process.returncode == 130


def test_calls_run_together_unless_something_else_is_asked_for(pi: Pi) -> None:
    """The command runs until the start of the call behind it is in the log."""
    wait = """while ! grep -q 'tool_name":"read' log; do sleep 0.05; done; echo seen"""
    calls = [("bash", {"command": wait}), ("read", {"path": "b"})]
    (pi.folder / "b").write_text("b\n")
    logs = ("--no-session", "--tool-audit-log", "log", "--bash-profile", "permissive")
    played = play(pi, calls, flags=(*logs, "--bash-timeout-ms", "50000"))
    assert played.contents[0]["stdout"] == "seen\n"
    assert played.read == ["seen\n", "b\n"]


@pytest.mark.parametrize(
    "flags",
    [
        ["--tool-execution", "sequential"],
        ["--tool-policy-preset", "hardened", "--os-sandbox-mode", "off"],
    ],
)
def test_calls_run_one_after_the_other_when_asked_for_or_hardened(pi: Pi, flags: list[str]) -> None:
    wait = """while ! grep -q 'tool_name":"read' log; do sleep 0.05; done"""
    calls = [("bash", {"command": wait}), ("read", {"path": "b"})]
    (pi.folder / "b").write_text("b\n")
    logs = ("--no-session", "--tool-audit-log", "log", "--bash-profile", "permissive")
    played = play(pi, calls, flags=(*logs, "--bash-timeout-ms", "1000", *flags))
    assert played.contents[0]["timed_out"] is True
    kinds = [event["type"] for event in played.events if event["type"].startswith("tool_")]
    assert kinds == ["tool_execution_start", "tool_execution_end"] * 2


def test_half_a_call_at_the_output_limit_is_not_run(pi: Pi) -> None:
    half = call("write", '{"path": "a", "content": "ha')
    with FaultServer(answers((half, finish("length")), (delta("done"), finish()))) as server:
        pi.ask(server.url)
        last = json.loads(server.requests[-1].body)["messages"][-1]
    assert last["role"] == "tool"
    assert "cut" in last["content"]
    assert not (pi.folder / "a").exists()


def test_bad_calls_are_answered_and_the_run_goes_on(pi: Pi) -> None:
    played = play(pi, [("fly", {}), ("read", {"path": 1}), ("read", "[1]"), ("read", "{")])
    assert played.done.returncode == 0
    assert "Tool 'fly' is not registered" in played.read[0]
    assert "invalid arguments for 'read'" in played.read[1]
    assert all(event["is_error"] for event in played.of("tool_execution_end"))
    assert len(played.read) == 4


def test_full_events_tell_every_piece(pi: Pi) -> None:
    command = "echo early; touch told; sleep 0.5; echo late"
    flags = ("--no-session", "--json-events=full", "--bash-profile", "permissive")
    played = play(pi, [("bash", {"command": command})], flags=flags)
    assert played.done.returncode == 0, played.done.stderr
    answer = [event["type"] for event in played.events]
    first = answer.index("message_start")
    assert answer[first : first + 4] == (
        ["message_start", "message_update", "message_end", "message_added"]
    )
    assert "early" in played.of("tool_execution_update")[0]["text"]
    assert [event["delta"] for event in played.of("message_update")][-1] == "done"
    assert played.of("message_delta") == []
    plain = play(pi, [("bash", {"command": "ls"})], flags=("--no-session",))
    assert {"message_start", "message_update", "tool_execution_update"}.isdisjoint(
        event["type"] for event in plain.events
    )
    by_variable = play(pi, environ={"PI_JSON_EVENTS": "full"}, flags=("--no-session",))
    assert by_variable.of("message_start") == []  # the command line has its plain form
