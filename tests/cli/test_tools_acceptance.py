"""Commands and tools as an operator sets them, on the built file."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import KEY, Pi
from tests.cli.playing import play, run, turn
from tests.cli.test_interrupts import SLEEPER, gone, wait_for
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.patience import LONG_S, in_time

ANY = ("--bash-profile", "permissive")
EVERY_TOOL = "read,write,edit,bash,grep,find,ls"


def offered(pi: Pi, *flags: str) -> list[str]:
    """The tools a model is told of."""
    with FaultServer(answers((delta("done"), finish()))) as server:
        done = pi("--no-session", "--api-base", server.url, "-p", "go", *flags, **KEY)
        assert done.returncode == 0, done.stderr
        body = json.loads(server.requests[0].body)
    return [tool["function"]["name"] for tool in body.get("tools", [])]


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ([], "read write edit bash"),
        (["--tools", "ls,find,grep,read"], "read grep find ls"),
        (["--tools", EVERY_TOOL], "read write edit bash grep find ls"),
        (["--no-tools"], ""),
        (["--tools", "read,read"], "read"),
    ],
)
def test_the_model_gets_the_tools_that_were_chosen_in_a_fixed_order(
    pi: Pi, flags: list[str], names: str
) -> None:
    assert offered(pi, *flags) == names.split()


def test_a_tool_that_was_not_given_is_not_run(pi: Pi) -> None:
    played = play(
        pi,
        [("bash", {"command": "touch made"}), ("ls", {})],
        flags=("--tools", "read,grep,find,ls", "--no-session"),
    )
    assert played.done.returncode == 0
    assert "Tool 'bash' is not registered" in played.read[0]
    assert played.of("tool_execution_end")[0]["is_error"] is True
    assert played.of("tool_execution_end")[1]["is_error"] is False
    assert os.listdir(pi.folder) == []


def test_a_command_has_a_status_and_no_sandbox_by_default(pi: Pi) -> None:
    content, read = run(pi, "printf ok")
    facts = ("stdout", "status", "success", "sandboxed", "sandbox_mode", "dry_run")
    assert [content[key] for key in facts] == ["ok", 0, True, False, "off", False]
    assert read == "ok"
    content, read = run(pi, "exit 3")
    assert (content["status"], content["success"]) == (3, False)
    assert "[exit status 3]" in read


def test_a_program_that_is_not_on_the_list_can_be_put_there(pi: Pi) -> None:
    here = os.path.dirname(sys.executable)
    path = {"PATH": f"{here}:/usr/bin:/bin"}
    content, _ = run(pi, "python3 -V", **path)
    assert content["error"] == "command 'python3' is not allowed by 'balanced' bash profile"
    content, _ = run(pi, "python3 -V", "--allow-command", "py*", **path)
    assert (content["status"], content["stdout"][:8]) == (0, "Python 3")


def test_at_the_time_limit_a_command_and_its_children_are_gone(pi: Pi) -> None:
    def attempt(limit_ms: int) -> None:
        for name in ("pid", "child"):
            (pi.folder / name).unlink(missing_ok=True)
        content, read = run(pi, f"{SLEEPER}", *ANY, "--bash-timeout-ms", str(limit_ms))
        assert content["timed_out"] is True
        assert f"command timed out after {limit_ms} ms" in read
        for name in ("pid", "child"):
            assert gone(int((pi.folder / name).read_text()))

    in_time(attempt, 1000)


def test_a_background_child_is_not_waited_for_and_ends_with_pi(pi: Pi) -> None:
    content, read = run(pi, "sleep 300 & echo $! > child; echo hi", *ANY)
    assert (content["stdout"], content["status"]) == ("hi\n", 0)
    assert "still running in the background" in read
    assert gone(int((pi.folder / "child").read_text()))


def test_a_command_reads_nothing_of_what_is_piped_to_pi(pi: Pi) -> None:
    turns = answers(turn([("bash", {"command": "cat"})]), (delta("done"), finish()))
    with FaultServer(turns) as server:
        flags = ("--no-session", "--json-events", "--api-base", server.url, "-p", "go")
        done = pi(*flags, stdin="piped in", **KEY)
        assert done.returncode == 0, done.stderr
    ends = [line for line in done.stdout.splitlines() if "tool_execution_end" in line]
    content = json.loads(ends[0])["content"]
    assert (content["status"], content["stdout"]) == (0, "")


def test_a_terminated_pi_takes_a_confined_command_with_it(pi: Pi) -> None:
    command = {"command": "echo $$ > pid; touch ready; sleep 300"}
    with FaultServer(answers(turn([("bash", command)]))) as server:
        flags = ("--no-session", "--os-sandbox-mode", "auto", *ANY)
        process = pi.start("--api-base", server.url, "-p", "go", *flags, environ=KEY)
        wait_for(pi.folder / "ready")
        (child,) = children(process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LONG_S)
    assert process.returncode == 130
    assert gone(child)


def children(pid: int) -> list[int]:
    """The processes a process started; without the kernel's list, those of a shell's note."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            pass  # a thread that has ended meanwhile
    return found


def test_the_model_gets_clean_text(pi: Pi) -> None:
    command = r"printf '\033[31mred\033[0m 10%%\r 50%%\r100%%\nnul:\0:end\n'"
    _, read = run(pi, command)
    assert read == "100%\nnul::end\n"


def test_a_secret_is_neither_passed_nor_shown_anywhere(pi: Pi) -> None:
    secret = "super-secret-value"
    (pi.folder / "notes").write_text(f"token {secret}\n")
    calls = [
        ("bash", {"command": "echo [$FOO_TOKEN]"}),
        ("bash", {"command": "cat notes"}),
        ("read", {"path": "notes"}),
        ("grep", {"pattern": "token"}),
    ]
    logs = ("--tool-audit-log", "audit", "--telemetry-log", "telemetry")
    flags = ("--tools", EVERY_TOOL, "--json-events=full", *logs)
    played = play(pi, calls, flags=flags, environ={"FOO_TOKEN": secret})
    assert played.done.returncode == 0, played.done.stderr
    assert played.contents[0]["stdout"] == "[]\n"
    assert all("[REDACTED]" in text for text in played.read[1:])
    assert secret not in played.done.stdout + played.done.stderr + json.dumps(played.bodies)
    for name in ("audit", "telemetry", ".pi/sessions/default.jsonl"):
        assert secret not in (pi.folder / name).read_text()


def test_variables_reach_a_command_when_they_are_named(pi: Pi) -> None:
    command = "echo [$COLOUR] [$SHAPE] [$OTHER]"
    world = {"COLOUR": "red", "OTHER": "no"}
    content, _ = run(pi, command, **world)
    assert content["stdout"] == "[] [] []\n"
    given = ("--bash-env", "COLOUR", "--bash-env", "SHAPE=a,b")
    content, _ = run(pi, command, *given, **world)
    assert content["stdout"] == "[red] [a,b] []\n"


def test_a_login_shell_is_used_when_asked_for(pi: Pi) -> None:
    (pi.folder / ".bash_profile").write_text("echo profile\n")
    assert run(pi, "echo hi")[0]["stdout"] == "hi\n"
    assert run(pi, "echo hi", "--bash-login")[0]["stdout"] == "profile\nhi\n"


def test_a_launcher_of_ones_own_gets_what_its_template_names(pi: Pi) -> None:
    content, _ = run(pi, "true", "--os-sandbox-command", "echo,{cwd}")
    shell = "/bin/bash" if os.path.exists("/bin/bash") else "sh"
    assert content["stdout"] == f"{pi.folder} {shell} -lc true\n"
    assert (content["sandboxed"], content["sandbox_mode"]) == (True, "off")
    content, _ = run(pi, "echo a  b", "--os-sandbox-command", "env", "--os-sandbox-command",
                     "'MARK={cwd}' {shell} -c {command}")  # fmt: skip
    assert content["stdout"] == "a b\n"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--os-sandbox-command", "env 'x"], "invalid --os-sandbox-command token"),
        (["--os-sandbox-command", "no-such-launcher,{cwd}"], "no-such-launcher"),
        (["--bash-env", "1=2"], "'1' is not the name"),
        (["--audit-head", "1:00"], "--audit-verify"),
        (["--tools", ""], "--tools names nothing"),
        (["--tools=,"], "--tools names nothing"),
    ],
)
def test_what_cannot_be_meant_is_2(pi: Pi, flags: list[str], words: str) -> None:
    done = pi("--model", "demo/tour", "--no-session", "-p", "x", *flags)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_hardened_with_the_sandbox_off_runs_unheld(pi: Pi) -> None:
    content, _ = run(pi, "echo hi", "--tool-policy-preset", "hardened", "--os-sandbox-mode", "off")
    assert (content["sandboxed"], content["stdout"]) == (False, "hi\n")


def test_results_can_be_read_as_json(pi: Pi) -> None:
    (pi.folder / "a").write_text("ä\n")
    calls = [("read", {"path": "a"}), ("bash", {"command": "echo hi"})]
    played = play(pi, calls, flags=("--tool-result-format", "json", "--no-session"))
    for content, read in zip(played.contents, played.read):
        assert read == json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    assert played.contents[0]["path"] == str(pi.folder / "a")
    assert "ä" in played.read[0]
