"""Running commands for a model."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from pathlib import Path

import pytest
from tool_bench import Bench, Benches

from pi.agent.tool import ToolContext
from pi.base.cancel import Cancel
from pi.base.errors import Interrupted
from pi.tools.bash import child_environment, choose_shell, signal_name
from pi.tools.decision import Decision
from pi.tools.policy import Policy

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


def test_the_length_of_a_command_is_limited_in_characters(benches: Benches) -> None:
    bench = benches.make(policy=Policy(max_command_length=10))
    assert bench("bash", command=": éééééééé").text == "(no output)"
    result = bench("bash", command=": ééééééééé")
    assert result.content["policy_rule"] == "max_command_length"
    assert result.content["error"] == "command is too long (11 chars), limit is 10 chars"


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


def test_the_time_limit_keeps_what_was_said(benches: Benches) -> None:
    bench = benches.make(policy=Policy(bash_timeout_ms=300))
    result = bench("bash", command="echo started; sleep 60 & sleep 60")
    assert result.is_error
    assert result.text == "started\nerror: command timed out after 300 ms"
    assert result.content["timed_out"]
    assert result.content["stdout"] == "started\n"


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
        seen.wait(10)
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


def test_commands_see_a_small_environment() -> None:
    passed = child_environment(
        {"PATH": "/bin", "HOME": "/h", "https_proxy": "p", "LD_PRELOAD": "x", "A_KEY": "secret"}
    )
    assert passed == {
        "PATH": "/bin",
        "HOME": "/h",
        "https_proxy": "p",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "PI_SANDBOXED": "0",
    }


def test_the_shell_is_bash_where_there_is_one() -> None:
    chosen = choose_shell(os.environ)
    if os.path.exists("/bin/bash"):
        assert chosen == "/bin/bash"
    assert os.path.basename(choose_shell({"PATH": "", "SHELL": "/usr/bin/fish"})) != "fish"


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
