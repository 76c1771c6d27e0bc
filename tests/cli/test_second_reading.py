"""What a hostile or careless world did to the built file once, and must not do again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, call, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.patience import LONG_S


def one_tool(name: str, arguments: object) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    return (call(name, arguments), finish("tool_calls")), (delta("done"), finish())


def test_a_session_that_a_tool_removes_is_told_even_when_quiet_and_is_no_success(pi: Pi) -> None:
    turns = answers((delta("one"), finish()), *one_tool("bash", {"command": "rm -rf .pi"}))
    with FaultServer(turns) as server:
        assert pi.ask(server.url, "--quiet").returncode == 0
        done = pi.ask(server.url, "--quiet")
    assert (done.returncode, done.stdout) == (1, "done\n")
    assert "not saved" in done.stderr


def test_a_pipe_that_a_parent_made_non_blocking_gets_the_whole_answer(pi: Pi) -> None:
    text = "line of text\n" * 20_000
    with FaultServer(answers((delta(text), finish()))) as server:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        command = pi.command("--api-base", server.url + "/v1", "--no-session", "-p", "hi")
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=writer, cwd=pi.folder,
            env={**pi.environ, **KEY},
        )  # fmt: skip
        os.close(writer)
        time.sleep(0.3)  # the pipe fills up while nobody reads
        with open(reader, encoding="utf-8") as file:
            assert file.read() == text
        assert process.wait(LONG_S) == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("--model", "demo/tour", "x")])
def test_a_full_disk_under_stdout_is_named_and_is_no_bug(
    pi: Pi, arguments: tuple[str, ...]
) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            pi.command(*arguments), stdin=subprocess.DEVNULL, stdout=full, check=False,
            stderr=subprocess.PIPE, cwd=pi.folder, env=pi.environ, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert "stdout cannot be written" in done.stderr
    assert "No space left" in done.stderr


def test_keys_typed_as_flags_are_blanked_out_of_what_tools_return(pi: Pi) -> None:
    turns = answers(*one_tool("bash", {"command": "tr '\\0' ' ' < /proc/$PPID/cmdline"}))
    secrets = ("typed-key-000111222", "typed-header-333444")
    with FaultServer(turns) as server:
        done = pi(
            *("--api-base", server.url + "/v1", "-p", "hi", "--api-key", secrets[0]),
            *("--header", f"X-Gateway-Token={secrets[1]}"),
        )
    assert done.returncode == 0
    told = json.loads(server.requests[1].body)["messages"][-1]["content"]
    assert "[REDACTED]" in told
    session = (pi.folder / ".pi/sessions/default.jsonl").read_text()
    for secret in secrets:
        assert secret not in told + session + done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_while_standard_input_is_awaited_is_130(pi: Pi, number: int) -> None:
    process = subprocess.Popen(
        pi.command("--model", "demo/tour", "--no-session", "hi"),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=pi.folder, env=pi.environ,
    )  # fmt: skip
    assert process.stderr is not None
    assert b"reading standard input" in process.stderr.readline()
    process.send_signal(number)
    _out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_missing_prompt_is_told_before_a_missing_key(pi: Pi) -> None:
    assert "no prompt given" in pi().stderr
    done = pi("--prompt-file", "nope")
    assert (done.returncode, "nope" in done.stderr) == (2, True)


def test_a_debug_variable_shows_the_traceback(pi: Pi) -> None:
    done = subprocess.run(
        pi.command("--modle"), capture_output=True, text=True, check=False,
        env={**pi.environ, "PI_DEBUG": "1"},
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_a_folder_that_is_none_is_refused_at_the_start(pi: Pi) -> None:
    done = pi("--model", "demo/tour", "--allow-path", "nope", "hi")
    assert (done.returncode, "--allow-path nope" in done.stderr) == (2, True)


def test_long_output_is_kept_whole_though_tmpdir_does_not_exist(pi: Pi) -> None:
    turns = answers(*one_tool("bash", {"command": "seq 1 20000"}))
    with FaultServer(turns) as server:
        pi.ask(server.url, TMPDIR="/nonexistent")
    told = json.loads(server.requests[1].body)["messages"][-1]["content"]
    spilled = [word for word in told.replace("]", " ").split() if word.startswith("/tmp/pi-bash")]
    assert len(spilled) == 1
    file = Path(spilled[0].rstrip(".,;"))
    assert file.read_text().startswith("1\n2\n")
    file.unlink()


def test_a_secret_behind_a_forgotten_value_is_not_repeated(pi: Pi) -> None:
    done = pi("--api-key", "--openai-api-key=sk-very-secret", "hi")
    assert done.returncode == 2
    assert "sk-very-secret" not in done.stderr


def test_a_models_words_cannot_forge_lines_on_stderr(pi: Pi) -> None:
    turns = answers(*one_tool("x]\nerror: all is lost\n[y", {}))
    with FaultServer(turns) as server:
        done = pi.ask(server.url)
    assert not [line for line in done.stderr.split("\n") if line.startswith("error:")]
