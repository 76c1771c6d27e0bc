"""Whole conversations on the built file: scripted, third-party, piped, continued."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes import aimock_process as aimock_module
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer

needs_aimock = pytest.mark.skipif(bool(aimock_module.missing()), reason=aimock_module.missing())


def demo(pi: Pi, *arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return pi("--model", "demo/tour", *arguments, **more)  # type: ignore[arg-type]


def test_the_demo_model_reads_a_named_file_and_says_that_it_is_scripted(pi: Pi) -> None:
    (pi.folder / "notes.md").write_text("# Notes\n\nsome text\n## More\n", encoding="utf-8")
    done = demo(pi, "What is in notes.md?")
    assert done.returncode == 0
    for said in ("notes.md (27 bytes", "# Notes", "## More", "scripted"):
        assert said in done.stdout
    assert "read" in done.stderr


def test_the_demo_model_lists_folders_and_looks_round_when_nothing_is_named(pi: Pi) -> None:
    (pi.folder / "src").mkdir()
    (pi.folder / "src" / "main.c").touch()
    assert "main.c" in demo(pi, "-p", "list src").stdout
    assert "src/" in demo(pi, "-p", "hello").stdout


def test_the_demo_model_reports_what_bash_said(pi: Pi) -> None:
    done = demo(pi, "--no-session", "please run `echo $((6 * 7)); exit 3`")
    assert "42" in done.stdout
    assert "3" in done.stdout
    assert not (pi.folder / ".pi").exists()


def test_a_second_run_continues_the_conversation(pi: Pi) -> None:
    turns = answers((delta("one"), finish()), (delta("two"), finish()))
    with FaultServer(turns) as server:
        assert pi.ask(server.url).stdout == "one\n"
        assert pi.ask(server.url).stdout == "two\n"
    first, second = (json.loads(request.body) for request in server.requests)
    assert [message["role"] for message in first["messages"]] == ["system", "user"]
    assert second["messages"][:2] == first["messages"]
    assert [message["content"] for message in second["messages"][2:]] == ["one", "hi"]
    assert pi.roles() == ["user", "assistant", "user", "assistant"]


def test_turns_of_a_run_share_one_connection_and_their_prefix(pi: Pi) -> None:
    turns = answers(
        (call("bash", {"command": "echo 1"}, "a"), finish("tool_calls")),
        (call("bash", {"command": "echo 2"}, "b"), finish("tool_calls")),
        (delta("done"), finish()),
    )
    with FaultServer(turns) as server:
        done = pi.ask(server.url)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert server.connections == 1
    bodies = [request.body for request in server.requests]
    for earlier, later in zip(bodies, bodies[1:]):
        shared = os.path.commonprefix([earlier, later])
        messages = earlier.index(b'"messages"')
        assert len(shared) > messages


def test_parallel_calls_are_answered_in_order(pi: Pi) -> None:
    turns = answers(
        (
            call("write", {"path": "a.txt", "content": "A"}, "x", 0),
            call("read", {"path": "a.txt"}, "y", 1),
            finish("tool_calls"),
        ),
        (delta("ok"), finish()),
    )
    with FaultServer(turns) as server:
        pi.ask(server.url)
    tail = json.loads(server.requests[1].body)["messages"][-2:]
    assert [message["tool_call_id"] for message in tail] == ["x", "y"]
    assert tail[1]["content"].startswith("A")
    assert (pi.folder / "a.txt").read_text() == "A"


def test_a_tool_cannot_leave_the_working_directory(pi: Pi) -> None:
    outside = pi.folder.parent / "outside.txt"
    turns = answers(
        (call("write", {"path": str(outside), "content": "x"}), finish("tool_calls")),
        (delta("ok"), finish()),
    )
    with FaultServer(turns) as server:
        assert pi.ask(server.url).returncode == 0
    assert "outside allowed roots" in json.loads(server.requests[1].body)["messages"][-1]["content"]
    assert not outside.exists()


def test_piped_text_is_joined_to_the_prompt(pi: Pi) -> None:
    with FaultServer(answers((delta("ok"), finish()), (delta("ok"), finish()))) as server:
        base = ("--api-base", server.url + "/v1", "--no-session")
        assert pi(*base, "review this", stdin="the diff\n", **KEY).returncode == 0
        assert pi(*base, stdin="only the pipe", **KEY).returncode == 0
    asked = [json.loads(request.body)["messages"][-1]["content"] for request in server.requests]
    assert asked == ["the diff\n\nreview this", "only the pipe"]


def test_a_prompt_comes_from_a_file_or_standard_input(pi: Pi) -> None:
    (pi.folder / "p.txt").write_text("from the file", encoding="utf-8")
    with FaultServer(answers((delta("ok"), finish()), (delta("ok"), finish()))) as server:
        base = ("--api-base", server.url + "/v1", "--no-session")
        assert pi(*base, "--prompt-file", "p.txt", **KEY).returncode == 0
        assert pi(*base, "--prompt-file", "-", stdin="from stdin", **KEY).returncode == 0
    asked = [json.loads(request.body)["messages"][-1]["content"] for request in server.requests]
    assert asked == ["from the file", "from stdin"]


@pytest.mark.parametrize("stdin", ["", "  \n "])
def test_an_empty_standard_input_is_a_usage_error(pi: Pi, stdin: str) -> None:
    done = pi("--prompt-file", "-", "--model", "demo/tour", stdin=stdin)
    assert done.returncode == 2
    assert "stdin prompt is empty" in done.stderr


def test_quiet_leaves_stderr_empty_and_streaming_off_prints_the_same(pi: Pi) -> None:
    turn = (delta("a"), delta("b"), finish())
    with FaultServer(answers(turn, turn)) as server:
        one = pi.ask(server.url, "--quiet", "--no-session")
        two = pi.ask(server.url, "--no-session", "--stream-output", "false")
    assert (one.stdout, one.stderr) == ("ab\n", "")
    assert two.stdout == "ab\n"


def test_the_turn_limit_is_6_and_keeps_what_was_done(pi: Pi) -> None:
    turn = (call("bash", {"command": "echo x >> log"}), finish("tool_calls"))
    with FaultServer(answers(turn, turn)) as server:
        done = pi.ask(server.url, "--max-turns", "2")
    assert done.returncode == 6
    assert "agent exceeded max turns (2)" in done.stderr
    assert (pi.folder / "log").read_text() == "x\nx\n"
    assert pi.roles() == ["user", "assistant", "tool", "assistant", "tool"]


def test_a_local_server_needs_no_key_and_gets_none(pi: Pi) -> None:
    with FaultServer(answers((delta("ok"), finish()))) as server:
        done = pi("--api-base", server.url + "/v1", "--no-session", "-p", "hi")
    assert done.returncode == 0
    assert "authorization" not in server.requests[0].headers


@needs_aimock
def test_a_tool_using_conversation_with_a_third_party_server(pi: Pi) -> None:
    (pi.folder / "hello.txt").write_text("greetings\n", encoding="utf-8")
    fixtures = [
        {"match": {"hasToolResult": True}, "response": {"content": "It says greetings. 🙂 漢字"}},
        {
            "match": {"userMessage": "hello"},
            "response": {"toolCalls": [{"name": "read", "arguments": {"path": "hello.txt"}}]},
        },
    ]
    with aimock_module.running(fixtures, "-c", "5") as server:
        done = pi("--api-base", server.url + "/v1", "-p", "What does hello.txt say?", **KEY)
        journal = server.requests()
    assert (done.returncode, done.stdout) == (0, "It says greetings. 🙂 漢字\n")
    assert len(journal) == 2
    assert pi.roles() == ["user", "assistant", "tool", "assistant"]
