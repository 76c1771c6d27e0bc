"""``--output-format json`` and ``--json-events``: the last line comes whatever happens."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, Pi
from tests.cli.playing import turn
from tests.cli.schemas import check, only_line, strict
from tests.fakes.chat import STREAM, answers, call, delta, finish
from tests.fakes.fault_server import FaultServer, Peer, refusing
from tests.fakes.patience import LONG_S

RESULT = ("--output-format", "json")
EVENTS = ("--json-events",)
FORMS = {"result": RESULT, "events": EVENTS}
DEMO = ("--model", "demo/tour", "-p", "hello")


@pytest.fixture(params=sorted(FORMS))
def form(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Both forms of output for machines."""
    return FORMS[request.param]


def last(form: tuple[str, ...], stdout: str) -> dict[str, Any]:
    """The line that ends the output, after all of it was held against its schema."""
    if form == RESULT:
        return dict(check("run-report", only_line(stdout)))
    records = [check("event", strict(line)) for line in stdout.splitlines()]
    ends = [number for number, one in enumerate(records) if one["type"] == "prompt_end"]
    assert ends == [len(records) - 1]
    return dict(records[-1])


def ended(done: subprocess.CompletedProcess[str], form: tuple[str, ...]) -> dict[str, Any]:
    """The last line, which says the same as the exit code."""
    end = last(form, done.stdout)
    assert end["exit_code"] == done.returncode
    assert (end["status"] == "completed") == (done.returncode == 0)
    if end["error"] is not None:
        assert end["error"]["message"] in done.stderr
    return end


Failure = tuple[int, str, str, tuple[str, ...], dict[str, str]]
EARLY: dict[str, Failure] = {
    "no key": (3, "credential", "missing-api-key", ("-p", "x"), {}),
    "prompt file": (2, "usage", "bad-usage", ("--prompt-file", "nope"), {}),
    "nobody to pick": (2, "usage", "bad-usage", ("--resume", "-p", "x"), {}),
    "nobody to pick one": (2, "usage", "bad-usage", ("--resume",), {}),
    "no prompt": (2, "usage", "bad-usage", (), {}),
    "unknown flag": (2, "usage", "bad-usage", ("--nope", "-p", "x"), {}),
    "bad value": (2, "usage", "bad-usage", ("--max-turns", "few", "-p", "x"), {}),
    "bad variable": (2, "usage", "bad-config", ("-p", "x"), {"PI_MAX_TURNS": "few"}),
    "system prompt": (2, "usage", "bad-usage", (*DEMO, "--system-prompt-file", "nope"), {}),
    "no session": (2, "usage", "session-unreadable", (*DEMO, "--session", "./folder"), {}),
    "log": (2, "usage", "log-not-opened", (*DEMO, "--tool-audit-log", "folder"), {}),
    "cassette": (2, "usage", "cassette-not-read", (*DEMO, "--replay", "nope"), {}),
}


def shared(names: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Each name with one of the forms, in turn: the code behind them is the same."""
    forms = itertools.cycle(FORMS.values())
    return [(name, next(forms)) for name in sorted(names)]


@pytest.mark.parametrize(("name", "form"), shared(EARLY))
def test_what_fails_before_the_run_begins_ends_the_output_too(
    pi: Pi, form: tuple[str, ...], name: str
) -> None:
    code, word, error, arguments, environ = EARLY[name]
    (pi.folder / "folder").mkdir()
    done = pi(*form, *arguments, **environ)
    assert done.returncode == code, done.stderr
    end = ended(done, form)
    assert (end["exit_class"], end["status"]) == (word, "failed")
    assert end["error"]["code"] == error
    assert len(done.stdout.splitlines()) == 1


def test_the_forms_can_be_asked_for_by_variable(pi: Pi) -> None:
    ended(pi("--nope", PI_OUTPUT_FORMAT="json"), RESULT)
    ended(pi("-p", "x", PI_JSON_EVENTS="true"), EVENTS)
    # What is typed beats what lies in the environment.
    ended(pi("-p", "x", *RESULT, PI_JSON_EVENTS="true"), RESULT)
    assert pi("-p", "x", "--output-format", "text", PI_OUTPUT_FORMAT="json").stdout == ""


def test_both_forms_at_once_are_refused(pi: Pi) -> None:
    assert ended(pi(*RESULT, *EVENTS, "-p", "x"), EVENTS)["exit_code"] == 2


def status(code: int) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        while peer.request() is not None:
            peer.send(
                b"HTTP/1.1 %d No\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"
                % code
            )

    return script


def torn(peer: Peer) -> None:
    peer.request()
    peer.send(STREAM)
    peer.chunk(delta("half an ans"))


SHELL = call("bash", {"command": "echo x"}), finish("tool_calls")
REFUSED = (delta("no"), finish("content_filter"))
LATE: dict[str, tuple[int, str, Callable[[Peer], None], tuple[str, ...]]] = {
    "401": (3, "failed", status(401), ()),
    "500": (5, "failed", status(500), ("--provider-max-retries", "0")),
    "torn": (5, "failed", torn, ("--provider-max-retries", "0")),
    "turn cap": (6, "max_turns", lambda peer: answers(SHELL)(peer), ("--max-turns", "1")),
    "call cap": (6, "max_turns", lambda peer: answers(SHELL)(peer), ("--max-tool-calls", "0")),
    "refusal": (9, "failed", lambda peer: answers(REFUSED)(peer), ()),
}


@pytest.mark.parametrize(("name", "form"), [*shared(LATE), ("torn", RESULT), ("500", EVENTS)])
def test_a_run_that_fails_says_so_in_its_last_line(
    pi: Pi, form: tuple[str, ...], name: str
) -> None:
    code, word, script, flags = LATE[name]
    with FaultServer(script) as server:
        done = pi.ask(server.url, "--no-session", *form, *flags)
    assert done.returncode == code, done.stderr
    end = ended(done, form)
    assert end["status"] == word
    assert end["requests"] == len(server.requests)
    if name == "torn" and form == RESULT:
        assert (end["answer"], end["answer_is_partial"]) == ("half an ans", True)


def test_a_server_that_is_not_there_is_4(pi: Pi, form: tuple[str, ...]) -> None:
    with refusing() as url:
        done = pi.ask(url, "--no-session", *form)
    assert (ended(done, form)["exit_class"], done.returncode) == ("unreachable", 4)


def silent(peer: Peer) -> None:
    peer.request()
    peer.send(STREAM)
    peer.chunk(delta("part"))
    peer.wait()


def test_a_time_limit_is_124(pi: Pi, form: tuple[str, ...]) -> None:
    with FaultServer(silent) as server:
        done = pi.ask(server.url, "--no-session", "--turn-timeout-ms", "300", *form)
    assert done.returncode == 124
    assert ended(done, form)["status"] == "timed_out"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_run_is_130(pi: Pi, form: tuple[str, ...], number: signal.Signals) -> None:
    with FaultServer(silent) as server:
        arguments = ("--api-base", server.url + "/v1", "-p", "x", "--no-session", *form)
        process = pi.start(*arguments, environ=KEY)
        assert server.accepted.wait(LONG_S)
        process.send_signal(number)
        out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130, err
    assert last(form, out.decode())["status"] == "cancelled"


def test_a_signal_while_the_prompt_is_read_is_130(pi: Pi) -> None:
    process = subprocess.Popen(
        pi.command("--model", "demo/tour", "--no-session", "--prompt-file", "-", *RESULT),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=pi.folder,
        env=pi.environ,
    )
    assert process.stderr is not None
    assert b"reading standard input" in process.stderr.readline()  # said once it waits
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert last(RESULT, out.decode())["status"] == "cancelled"


def test_a_bug_in_pi_is_70(pi: Pi, form: tuple[str, ...]) -> None:
    (pi.folder / "sitecustomize.py").write_text("import time\ndel time.strftime\n")
    done = pi(*form, *DEMO, PYTHONPATH=str(pi.folder))
    assert done.returncode == 70, done.stderr
    end = ended(done, form)
    assert (end["exit_class"], end["status"], end["error"]["code"]) == ("bug", "failed", "bug")


def test_an_answer_that_cannot_be_kept_is_told_and_the_run_failed(
    pi: Pi, form: tuple[str, ...]
) -> None:
    script = answers(turn([("bash", {"command": "rm -rf .pi"})]), (delta("done"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, *form)
    assert done.returncode == 1
    end = ended(done, form)
    assert end["status"] == "failed"
    if form == RESULT:
        assert end["answer"] == "done"


def test_a_closed_stdout_ends_quietly(pi: Pi, form: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        pi.command(*form, *DEMO, "--no-session"),
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=pi.folder,
        env=pi.environ,
        check=False,
    )
    os.close(write)
    assert done.returncode == 130
    assert b"error" not in done.stderr


def test_a_full_disk_behind_stdout_is_an_error(pi: Pi, form: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            pi.command(*form, *DEMO, "--no-session"),
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=pi.folder,
            env=pi.environ,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.count(b"error: stdout cannot be written") == 1


def test_the_object_tells_what_was_done(pi: Pi) -> None:
    script = answers(
        turn([("write", {"path": "a.txt", "content": "x"}), ("bash", {"command": "sudo id"})]),
        turn([("edit", {"path": "a.txt", "edits": [{"find": "x", "replace": "y"}]})], 11),
        (delta("do"), delta("ne"), finish()),
    )
    with FaultServer(script) as server:
        done = pi.ask(server.url, *RESULT)
    assert done.returncode == 0, done.stderr
    told = ended(done, RESULT)
    assert told["answer"] == "done"
    assert told["changed_files"] == ["a.txt"]
    (denied,) = told["denials"]
    assert (denied["tool"], denied["rule"]) == ("bash", "allowed_commands")
    assert "sudo" in denied["reason"]
    assert (told["requests"], told["turns"], told["tool_calls"], told["tool_errors"]) == (
        3,
        3,
        3,
        1,
    )
    path = pi.folder.resolve() / ".pi/sessions/default.jsonl"
    assert told["session"] == {"path": str(path), "first_entry": 1, "last_entry": 7}
    assert told["served_by"] == told["model"] == "openai/gpt-4o-mini"


def test_secrets_are_not_told(pi: Pi, form: tuple[str, ...]) -> None:
    secret = "hunter2-hunter2"
    with FaultServer(answers((delta(f"it is {secret}"), finish()))) as server:
        done = pi.ask(server.url, "--no-session", *form, MY_TOKEN=secret)
    assert done.returncode == 0
    assert secret not in done.stdout
    assert "[REDACTED]" in done.stdout


def test_full_events_are_what_the_schema_says(pi: Pi) -> None:
    script = answers(turn([("bash", {"command": "echo x"})]), (delta("done"), finish()))
    with FaultServer(script) as server:
        done = pi.ask(server.url, "--no-session", "--json-events=full")
    end = last(EVENTS, done.stdout)
    kinds = {json.loads(line)["type"] for line in done.stdout.splitlines()}
    assert {"message_start", "message_update", "message_end", "agent_start"} <= kinds
    assert "message_delta" not in kinds
    assert end["status"] == "completed"


def test_a_conversation_over_a_pipe_is_json_only(pi: Pi, form: tuple[str, ...]) -> None:
    text = 'hello\n/session\n/nope\n"""\ntwo\nlines\n"""\n'
    done = pi("--model", "demo/tour", "--no-session", *form, stdin=text)
    rows = [strict(line) for line in done.stdout.splitlines()]
    commands = [check("command", row) for row in rows if "type" not in row]
    assert [row["command"] for row in commands] == ["/session", "/nope"]
    told = [
        check("run-report" if form == RESULT else "event", row) for row in rows if "type" in row
    ]
    ends = [row for row in told if row["type"] in ("result", "prompt_end")]
    assert [(row["status"], row["requests"]) for row in ends] == [("completed", 3)] * 2


def test_a_prompt_that_cannot_be_sent_ends_too_and_the_next_one_is_read(
    pi: Pi, form: tuple[str, ...]
) -> None:
    done = pi("--no-session", *form, stdin="one\ntwo\n")
    assert done.returncode == 3
    rows = [strict(line) for line in done.stdout.splitlines()]
    assert [row["error"]["code"] for row in rows] == ["missing-api-key"] * 2


def test_every_prompt_of_a_command_file_ends_and_the_summary_is_last(pi: Pi) -> None:
    (pi.folder / "c").write_text("/session\n/prompt hello\n-/nope\n/prompt again\n")
    done = pi("--model", "demo/tour", "--no-session", "--command-file", "c", *EVENTS)
    assert done.returncode == 0, done.stderr
    rows = [strict(line) for line in done.stdout.splitlines()]
    kinds = [row["type"] for row in rows]
    assert kinds.count("prompt_end") == kinds.count("agent_start") == 2
    assert kinds.count("command") == 4
    assert kinds[-1] == "command_file_summary"
    for row in rows:
        is_line = row["type"].startswith("command")
        check("command-line" if is_line else "event", row)
