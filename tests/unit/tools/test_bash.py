"""Running commands for a model."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.agent.tool import ToolContext, ToolResult
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.tools.bash_result import signal_name
from pi.tools.decision import Decision, Step
from pi.tools.outcome import ToolFailure
from pi.tools.policy import Policy
from pi.tools.toolkit import Launch
from tests.fakes.patience import LONG_S, in_time

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")


def test_a_command_runs_in_the_working_directory(bench: Bench, root: Path) -> None:
    result = bench("bash", command="printf ok")
    assert result.text == "ok"
    assert not result.is_error
    assert result.content == {
        "command": "printf ok",
        "cwd": None,
        "sandboxed": False,
        "sandbox_mode": "off",
        "dry_run": False,
        "status": 0,
        "success": True,
        "stdout": "ok",
        "stderr": "",
        "truncated": False,
    }
    assert bench("bash", command="pwd -P").text == f"{root}\n"


def test_a_failing_command_is_no_error_of_the_tool(bench: Bench) -> None:
    result = bench("bash", command="echo no >&2; exit 3")
    assert not result.is_error
    assert (result.content["status"], result.content["success"]) == (3, False)
    assert result.content["stderr"] == "no\n"
    assert result.text == "no\n[exit status 3]"
    assert "signal" not in result.content


def test_a_signal_is_named(bench: Bench) -> None:
    result = bench("bash", command="kill -9 $$")
    assert result.text == "[killed by SIGKILL]"
    assert (result.content["status"], result.content["signal"]) == (None, "SIGKILL")
    told = bench("bash", command="sh -c 'kill -9 $$'; exit $?").text
    assert told.endswith("[exit status 137: killed by SIGKILL]")


def test_both_streams_are_merged_as_they_arrive(bench: Bench) -> None:
    command = "echo one; sleep 0.05; echo two >&2; sleep 0.05; echo three"
    result = bench("bash", command=command)
    assert result.text == "one\ntwo\nthree\n"
    assert result.content["stdout"] == "one\nthree\n"
    assert bench("bash", command="true").text == "(no output)"


def test_a_directory_of_the_roots_may_be_chosen(bench: Bench, root: Path) -> None:
    (root / "sub").mkdir()
    result = bench("bash", command="pwd -P", cwd="sub")
    assert result.text == f"{root}/sub\n"
    assert result.content["cwd"] == f"{root}/sub"


@pytest.mark.parametrize(
    ("cwd", "rule", "error"),
    [
        ("file", "cwd_validation", "path 'file' must be a directory for this operation"),
        ("link", "cwd_validation", "path 'link' is a symbolic link, which is denied by policy"),
        ("missing", "allowed_roots", "path 'missing' does not exist"),
        ("/", "allowed_roots", "path '/' is outside allowed roots"),
    ],
)
def test_no_other_directory_may_be(
    bench: Bench, root: Path, cwd: str, rule: str, error: str
) -> None:
    (root / "file").write_bytes(b"")
    (root / "link").symlink_to(".")
    result = bench("bash", command="touch ran", cwd=cwd)
    assert result.is_error
    assert result.content == {
        "command": "touch ran",
        "cwd": cwd,
        "policy_rule": rule,
        "error": error,
    }
    assert not (root / "ran").exists()


def test_the_policy_may_refuse(benches: Benches, root: Path) -> None:
    asked = []

    def check(command: str, cwd: str) -> Decision:
        asked.append((command, cwd))
        return Decision((), "allowed_commands", "not today", {"allowed_commands": []})

    result = benches.make(check_command=check)("bash", command="touch ran", cwd="sub")
    benches.make(check_command=check)("bash", command="touch ran")
    assert asked == [("touch ran", f"{root}/sub"), ("touch ran", str(root))]
    assert result.text == "error: not today"
    assert result.content["policy_rule"] == "allowed_commands"
    assert not (root / "ran").exists()


TRACED = Policy(tool_policy_trace=True)
CHECKED = (Step("max_command_length", "allow", "command length 4 within limit 4096"),)
NO_CWD = ("cwd_validation", "allow", "cwd not provided; using process current directory")
OFF = ("os_sandbox_mode", "allow", "resolved sandbox mode 'off' (sandboxed=false)")
RUNS = ("execution_mode", "allow", "bash command execution permitted")


def rows(result: ToolResult) -> list[tuple[str, str, str]]:
    return [(row["check"], row["outcome"], row["detail"]) for row in result.content["policy_trace"]]


class Held:
    """A sandbox as the tool sees one: an executable of its own in front of the command."""

    mode = "auto"

    def launch(self, shell: tuple[str, ...], command: str, cwd: str) -> Launch:
        if "forbidden" in command:
            raise ToolFailure("no launcher", "os_sandbox_mode")
        return Launch(("/usr/bin/env", "IN=" + cwd, *shell, command), {"BY": "x"}, sandboxed=True)

    def describe(self) -> dict[str, object]:
        return {}


def test_a_trace_tells_every_check_in_order(benches: Benches, root: Path) -> None:
    bench = benches.make(policy=TRACED, check_command=lambda command, cwd: Decision(CHECKED))
    result = bench("bash", command="true")
    assert result.content["policy_decision"] == "allow"
    assert rows(result) == [*CHECKED, NO_CWD, OFF, RUNS]
    accepted = ("cwd_validation", "allow", f"cwd '{root}/.' accepted")
    assert rows(bench("bash", command="true", cwd="."))[1][:2] == accepted[:2]
    assert "policy_trace" not in benches.make()("bash", command="true").content


def test_a_trace_ends_with_the_first_refusal(benches: Benches, root: Path) -> None:
    def check(command: str, cwd: str) -> Decision:
        if command == "no":
            step = Step("allowed_commands", "deny", "command 'no' is not allowed")
            return Decision((*CHECKED, step), "allowed_commands", step.detail)
        return Decision(CHECKED)

    bench = benches.make(policy=TRACED, check_command=check, sandbox=Held())
    denied = bench("bash", command="no", cwd="nowhere")
    assert denied.content["policy_decision"] == "deny"
    assert rows(denied)[1:] == [("allowed_commands", "deny", "command 'no' is not allowed")]
    outside = bench("bash", command="true", cwd="/")
    assert rows(outside)[1:] == [("allowed_roots", "deny", "path '/' is outside allowed roots")]
    unheld = bench("bash", command=": forbidden", cwd=".")
    assert rows(unheld)[2:] == [("os_sandbox_mode", "deny", "no launcher")]
    assert unheld.content["policy_rule"] == "os_sandbox_mode"
    assert unheld.content["cwd"] == str(root)


def test_a_refusal_without_steps_is_traced_too(benches: Benches) -> None:
    def check(command: str, cwd: str) -> Decision:
        return Decision((), "allowed_commands", "not today")

    result = benches.make(policy=TRACED, check_command=check)("bash", command="true")
    assert rows(result) == [("allowed_commands", "deny", "not today")]


def test_what_failed_after_the_policy_was_allowed(benches: Benches) -> None:
    bench = benches.make(policy=TRACED._replace(bash_timeout_ms=100))
    late = bench("bash", command="sleep 60")
    assert late.is_error
    assert late.content["policy_decision"] == "allow"
    assert "policy_trace" not in bench("bash").content


def test_a_dry_run_decides_and_runs_nothing(benches: Benches, root: Path) -> None:
    bench = benches.make(policy=TRACED._replace(bash_dry_run=True), sandbox=Held())
    result = bench("bash", command="touch ran")
    assert not (root / "ran").exists()
    assert not result.is_error
    assert rows(result)[-1][2] == "bash dry-run enabled; command not executed"
    facts = {key: value for key, value in result.content.items() if not key.startswith("policy")}
    assert facts == {
        "command": "touch ran",
        "cwd": None,
        "sandboxed": True,
        "sandbox_mode": "auto",
        "dry_run": True,
        "would_execute": True,
        "status": None,
        "success": True,
        "stdout": "",
        "stderr": "",
    }


def test_a_held_command_says_so(benches: Benches, root: Path) -> None:
    result = benches.make(sandbox=Held())("bash", command="echo $PI_SANDBOXED $IN $BY")
    assert result.text == f"1 {root} x\n"
    assert (result.content["sandboxed"], result.content["sandbox_mode"]) == (True, "auto")
    assert benches.make()("bash", command="echo $PI_SANDBOXED").text == "0\n"


def test_a_login_shell_reads_the_profile_only_when_asked_for(benches: Benches, root: Path) -> None:
    for name in (".bash_profile", ".profile"):
        (root / name).write_text("export FROM=profile\n", encoding="utf-8")
    home = {"HOME": str(root)}
    assert benches.make(environ=home)("bash", command="echo -$FROM-").text == "--\n"
    login = benches.make(environ=home, bash_login=True)
    assert login("bash", command="echo -$FROM-").text == "-profile-\n"


def test_the_operator_may_pass_more_variables(benches: Benches) -> None:
    bench = benches.make(environ={"NAMED": "1", "OTHER": "2"}, bash_env=("NAMED", "SET=3"))
    assert bench("bash", command="echo -$NAMED-$OTHER-$SET-").text == "-1--3-\n"


def test_the_first_to_speak_is_told_first(bench: Bench) -> None:
    """Also when both streams have something by the time anybody looks."""
    for _ in range(20):
        assert bench("bash", command="echo err >&2; echo out").text == "err\nout\n"


def test_joined_streams_keep_their_order_exactly(bench: Bench) -> None:
    command = "exec 2>&1; for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done"
    expected = "".join(f"o{i}\ne{i}\n" for i in range(1, 10))
    assert bench("bash", command=command).text == expected


def test_without_a_session_the_full_output_goes_when_pi_leaves(benches: Benches) -> None:
    script = (
        "import os, sys, time\n"
        "from pi.agent.tool import ToolContext\n"
        "from pi.base.cancel import Cancel\n"
        "from pi.tools import load_tools\n"
        "for keeps in (False, True):\n"
        "    (tool,) = load_tools(['bash'], roots=['/'], environ=os.environ, keeps_output=keeps,\n"
        "        random_bytes=os.urandom, monotonic=time.monotonic)\n"
        "    context = ToolContext('/', Cancel(), lambda text: None)\n"
        "    result = tool.run({'command': 'yes | head -c 100000'}, context)\n"
        "    print(result.content['full_output'], os.path.getsize(result.content['full_output']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TMPDIR": str(benches.temp)},
    )
    (gone, size), (kept, _) = (line.split() for line in done.stdout.splitlines())
    assert size == "100000"
    assert os.listdir(benches.temp) == [os.path.basename(kept)]
    assert not os.path.exists(gone)


def test_the_time_limit_keeps_what_was_said(benches: Benches) -> None:
    def attempt(limit_ms: int) -> None:
        bench = benches.make(policy=Policy(bash_timeout_ms=limit_ms))
        result = bench("bash", command="echo started; sleep 60 & sleep 60")
        assert result.is_error
        assert result.text == f"started\nerror: command timed out after {limit_ms} ms"
        assert result.content["timed_out"]
        assert result.content["stdout"] == "started\n"

    in_time(attempt, 300)


@pytest.mark.parametrize(
    ("seconds", "limit"), [(0.2, 200), (0, 400), (9999, 400), (None, 400), (float("nan"), 400)]
)
def test_a_time_limit_may_only_be_lowered(
    benches: Benches, seconds: float | None, limit: int
) -> None:
    bench = benches.make(policy=Policy(bash_timeout_ms=400))
    result = bench("bash", command="sleep 60", timeout=seconds)
    assert result.content["error"] == f"command timed out after {limit} ms"


def test_a_cancelled_command_keeps_what_was_said(bench: Bench) -> None:
    seen = threading.Event()

    def cancel() -> None:
        seen.wait(LONG_S)
        bench.cancel.set(Interrupted("interrupted"))

    canceller = threading.Thread(target=cancel)
    canceller.start()
    context = ToolContext(str(bench.root), bench.cancel, lambda text: seen.set())
    command = "echo partial; sleep 0.2; echo more; sleep 60"
    result = bench.tools["bash"].run({"command": command}, context)
    canceller.join()
    assert result.is_error
    assert result.text.startswith("partial\n")
    assert result.text.endswith("error: command cancelled: interrupted")
    assert result.content["cancelled"]


def test_after_a_cancel_nothing_is_started(bench: Bench, root: Path) -> None:
    bench.cancel.set(Interrupted("interrupted"))
    result = bench("bash", command="touch ran")
    assert result.content["error"] == "command cancelled: interrupted"
    assert not (root / "ran").exists()


def test_what_runs_on_in_the_background_is_told(bench: Bench) -> None:
    result = bench("bash", command="sleep 60 & echo hi")
    group = result.content["background_group"]
    try:
        assert result.text.startswith("hi\n[still running in the background: ")
        assert result.text.endswith(f"stop with: kill -- -{group}]")
    finally:
        os.killpg(group, signal.SIGKILL)


def test_long_output_is_cut_to_its_end_and_kept_in_a_file(benches: Benches) -> None:
    """Ten megabytes, with characters of four bytes at every cut."""
    bench = benches.make()
    line = "😀" * 25
    result = bench("bash", command=f"yes '{line}' | head -n 100000; echo end")
    assert len(result.content["stdout"].encode()) <= 16_000
    notice = re.search(
        r"\nend\n\[cut: lines (\d+)-100001 of 100001 shown, of 10100004 bytes; "
        r"full output: (.*)\]$",
        result.text,
    )
    assert notice
    shown, _, _ = result.text.partition("\n[cut")
    assert set(shown.split("\n")) == {line, "end"}
    assert shown.count("\n") == 100_001 - int(notice[1])
    path = notice[2]
    assert os.path.dirname(path) == str(benches.temp)
    assert os.path.getsize(path) == 10_100_004
    assert result.content["full_output"] == path
    part = bench("read", path=path, offset=100_000)
    assert part.text == f"{line}\nend\n"
    assert "outside" in bench("write", path=path, content="x").text


def test_escapes_progress_and_control_characters_do_not_reach_the_model(bench: Bench) -> None:
    command = r"printf '\033[31mred\033[0m\n 10%%\r 99%%\r100%%\n\0\007x\tend\n'"
    assert bench("bash", command=command).text == "red\n100%\nx\tend\n"


def test_secrets_are_neither_passed_nor_shown(benches: Benches, root: Path) -> None:
    bench = benches.make(environ={"FOO_TOKEN": "supersecret", "BAR": "x"})
    (root / ".env").write_text("T=supersecret\n", encoding="utf-8")
    result = bench("bash", command='echo "<$FOO_TOKEN$BAR>"; cat .env; cat .env >&2')
    assert sorted(result.text.split()) == ["<>", "T=[REDACTED]", "T=[REDACTED]"]
    assert "supersecret" not in str(result.content)


@pytest.mark.parametrize(
    ("code", "name"), [(-9, "SIGKILL"), (143, "SIGTERM"), (3, ""), (255, ""), (-99, "signal 99")]
)
def test_signals_have_names(code: int, name: str) -> None:
    assert signal_name(code) == name


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({}, "missing required string argument 'command'"),
        ({"command": "a\0b"}, "the command must not hold a NUL character"),
        ({"command": "true", "timeout": "x"}, "'timeout' must be a number of seconds"),
        ({"command": "true", "timeout": -1}, "'timeout' must be a number of seconds"),
    ],
)
def test_bad_arguments_are_an_error_result(
    bench: Bench, arguments: dict[str, object], error: str
) -> None:
    result = bench("bash", **arguments)
    assert result.is_error
    assert result.content["error"] == error


def test_half_characters_in_a_command_do_not_break_it(bench: Bench) -> None:
    assert bench("bash", command="echo a\ud800b").text == "a\ufffdb\n"


def test_a_working_directory_that_is_gone_is_named(benches: Benches, tmp_path: Path) -> None:
    tools = benches.make().tools
    context = ToolContext(str(tmp_path / "gone"), Cancel(), lambda text: None)
    result = tools["bash"].run({"command": "true"}, context)
    assert f"'{tmp_path}/gone' does not exist any more" in result.text


def test_a_missing_shell_is_an_error_result(bench: Bench, root: Path) -> None:
    """A directory that may not be entered stands for all that stops a start."""
    if os.geteuid() == 0:
        pytest.skip("root may enter any directory")
    (root / "d").mkdir()
    (root / "d").chmod(0)
    result = bench("bash", command="true", cwd="d")
    (root / "d").chmod(0o755)
    assert result.text == "error: the command could not be started: Permission denied"


def test_watchers_see_the_latest_lines_while_it_runs(bench: Bench) -> None:
    result = bench("bash", command="for i in 1 2 3 4; do echo $i; sleep 0.15; done")
    assert result.text == "1\n2\n3\n4\n"
    assert 1 <= len(bench.emitted) <= 6
    assert all(result.text.startswith(shown) for shown in bench.emitted)


def test_watchers_are_not_flooded(bench: Bench) -> None:
    started = time.monotonic()
    bench("bash", command="yes | head -c 20000000")
    assert len(bench.emitted) <= (time.monotonic() - started) / 0.1 + 1
    assert all(len(shown) <= 4096 for shown in bench.emitted)
