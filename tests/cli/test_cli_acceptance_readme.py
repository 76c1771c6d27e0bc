"""Acceptance of what was always promised: where the older program did otherwise."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from tests.cli.asking import bodies
from tests.cli.conftest import KEY, Pi
from tests.cli.playing import turn
from tests.fakes.chat import STREAM, answers, call, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer, answer
from tests.fakes.patience import LONG_S, in_time
from tests.fakes.skill_keys import ROOT_KEY

SAID = "the answer of the stub"
OK = (delta(SAID), finish())
ENVIRONMENT_OF_CI = {
    "GITHUB_TOKEN": "ghp-0123456789", "PI_GITHUB_REPO": "owner/repo",
    "PI_COMMAND_FILE_ERROR_MODE": "continue-on-error", "PI_MODEL": "", "PI_SKILL": "",
}  # fmt: skip


def test_the_policy_example_with_its_false_switches(pi: Pi) -> None:
    """README-1: the flags of the example, to the letter."""
    shell = "bwrap,--die-with-parent,--bind,{cwd},{cwd},--chdir,{cwd},{shell},-lc,{command}"
    (pi.folder / "bwrap").write_text("#!/bin/sh\n", encoding="utf-8")
    (pi.folder / "bwrap").chmod(0o755)
    done = pi(
        *("--model", "openai/gpt-4o-mini", "--tool-policy-preset", "hardened"),
        *("--allow-path", str(pi.folder), "--max-file-read-bytes", "500000"),
        *("--max-file-write-bytes", "500000", "--max-tool-output-bytes", "8000"),
        *("--bash-timeout-ms", "60000", "--max-command-length", "2048"),
        *("--bash-profile", "strict", "--bash-dry-run", "false", "--tool-policy-trace", "false"),
        *("--allow-command", "python,cargo-nextest*", "--print-tool-policy"),
        *("--os-sandbox-mode", "auto", "--os-sandbox-command", shell),
        *("--enforce-regular-files", "true"),
        PATH=f"{pi.folder}:/usr/bin:/bin",
    )
    assert done.returncode == 0, done.stderr
    policy = json.loads(done.stdout)
    assert (policy["bash_dry_run"], policy["tool_policy_trace"]) == (False, False)
    assert (policy["preset"], policy["max_command_length"]) == ("hardened", 2048)
    assert {"python", "cargo-nextest*"} <= set(policy["allowed_commands"])
    assert policy["os_sandbox_command"] == shell.split(",")


def test_the_first_run_makes_what_it_needs(pi: Pi) -> None:
    """README-2, README-3: the default session in an empty folder, in the shell of a CI job."""
    with FaultServer(answers(OK, OK)) as server:
        for more in ({}, {"PI_PROMPT_FILE": "elsewhere"}):  # what is typed comes first
            assert pi.ask(server.url, **ENVIRONMENT_OF_CI, **more).stdout == SAID + "\n"
    assert pi.roles() == ["user", "assistant"] * 2


def test_no_mode_minds_the_token_of_another(pi: Pi) -> None:
    """README-3"""
    for flags in (("--version",), ("--list-models", "demo"), ("--print-tool-policy",)):
        assert pi(*flags, **ENVIRONMENT_OF_CI).returncode == 0
    assert pi("--no-session", stdin="/session\n", **ENVIRONMENT_OF_CI).returncode == 0
    done = pi("--no-session", "--command-file", "-", stdin="/session\n", **ENVIRONMENT_OF_CI)
    assert done.returncode == 0
    assert "mode=continue-on-error" in done.stdout


def test_skills_are_checked_and_trust_is_changed_without_a_key(pi: Pi) -> None:
    """README-4, README-11: and a script that finds drift has failed."""
    skills = pi.folder / ".pi" / "skills"
    skills.mkdir(parents=True)
    (skills / "focus.md").write_text("Always use checklist\n", encoding="utf-8")
    assert pi("--no-session", "--skills-lock-write").returncode == 0
    done = pi("--no-session", "--skills-sync")
    assert done.returncode == 0, done.stderr
    assert "skills sync: in-sync" in done.stdout + done.stderr
    trust = ("--skill-trust-root-file", "trust.json", "--skill-trust-add", f"root={ROOT_KEY}")
    done = pi("--no-session", *trust)
    assert done.returncode == 0, done.stderr
    assert "root" in (pi.folder / "trust.json").read_text(encoding="utf-8")
    (skills / "focus.md").write_text("Never\n", encoding="utf-8")
    assert pi("--no-session", "--skills-sync").returncode == 7
    script = "/skills-sync\n/skills-lock-diff\n/nosuch\n/session\n"
    mode = ("--command-file-error-mode", "continue-on-error")
    done = pi("--no-session", "--command-file", "-", *mode, stdin=script)
    assert done.returncode != 0
    assert "total=4 executed=4 succeeded=1 failed=3 halted_early=false" in done.stdout


def test_the_retry_budget_counts_the_waits_and_not_the_requests(pi: Pi) -> None:
    """README-6: 200 ms of waiting fit into 300, however long the server took."""

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if len(server.requests) == 1:
                time.sleep(0.5)  # longer than the whole budget
                peer.send(answer(b"{}", status="503 Service Unavailable"))
            else:
                stream(peer, *OK)

    with FaultServer(script) as server:
        budget = ("--provider-retry-budget-ms", "300", "--provider-retry-jitter", "false")
        done = pi.ask(server.url, "--no-session", *budget)
        assert len(server.requests) == 2
    assert (done.returncode, done.stdout) == (0, SAID + "\n"), done.stderr


def test_each_text_of_a_run_is_printed_once(pi: Pi) -> None:
    """README-7: with and without streaming, each on lines of its own."""
    first = (delta("first "), delta("text"), call("bash", {"command": "true"}))
    turns = (*first, finish("tool_calls")), (delta("second text"), finish())
    with FaultServer(answers(*turns, *turns)) as server:
        for flags in ((), ("--stream-output", "false")):
            done = pi.ask(server.url, "--no-session", *flags)
            assert (done.returncode, done.stdout) == (0, "first text\nsecond text\n")


def waiting(peer: Peer) -> None:
    """A first prompt that never gets its whole answer; the next ones do."""
    while (request := peer.request()) is not None:
        if b"hang" in request.body.rsplit(b'"user"', 1)[-1]:
            peer.send(STREAM)
            peer.chunk(delta("par"))
            peer.wait()
        else:
            stream(peer, *OK)


def records(pi: Pi, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (pi.folder / name).read_text("utf-8").splitlines()]


def test_telemetry_and_events_learn_of_a_cancelled_prompt(pi: Pi) -> None:
    """C96, README-8: the history is as it was, and both say how it ended."""
    with FaultServer(waiting) as server:
        base = ("--api-base", server.url + "/v1", "--telemetry-log", "log", "--json-events")
        process = pi.start(*base, "--discard-on-cancel", "-p", "hang", environ=KEY)
        assert process.stdout is not None
        out = b""
        while b"message_delta" not in out:
            piece = os.read(process.stdout.fileno(), 65536)
            assert piece, out
            out += piece
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=LONG_S)
        assert process.returncode == 130, err
        last = json.loads((out + rest).splitlines()[-1])
        assert (last["type"], last["status"]) == ("prompt_end", "cancelled")
        (record,) = records(pi, "log")
        assert (record["status"], record["success"]) == ("cancelled", False)
        done = pi(*base, "-p", "again", **KEY)
        assert done.returncode == 0, done.stderr
        sent = bodies(server)[-1]["messages"]
    assert [(m["role"], m["content"]) for m in sent if m["role"] != "system"] == [("user", "again")]


def test_a_prompt_that_ran_out_of_time_is_in_the_log_before_the_next(pi: Pi) -> None:
    """C96, C97: one record each, in one conversation; what was cut is not sent again."""

    def attempt(limit_ms: int) -> None:
        log = f"log-{limit_ms}"
        with FaultServer(waiting) as server:
            flags = ("--telemetry-log", log, "--turn-timeout-ms", str(limit_ms))
            done = pi(
                *("--api-base", server.url + "/v1", *flags, "--discard-on-cancel"),
                *("--session", f"./{log}.jsonl"),
                stdin="hang\nagain\n/session\n", **KEY,
            )  # fmt: skip
            sent = bodies(server)[-1]["messages"]
        assert done.returncode == 124, done.stderr
        assert "request timed out" in done.stderr
        assert SAID in done.stdout
        told = [(row["prompt_id"], row["status"], row["success"]) for row in records(pi, log)]
        assert told == [(1, "timed_out", False), (2, "completed", True)]
        assert [m["content"] for m in sent if m["role"] != "system"] == ["again"]

    in_time(attempt, 1500)


def test_a_skill_counts_in_a_session_that_was_begun_without_it(pi: Pi) -> None:
    """README-10: so does another system prompt."""
    skills = pi.folder / ".pi" / "skills"
    skills.mkdir(parents=True)
    (skills / "focus.md").write_text("Always use checklist\n", encoding="utf-8")
    with FaultServer(answers(OK, OK)) as server:
        assert pi.ask(server.url).returncode == 0
        done = pi.ask(server.url, "--skill", "focus", "--system-prompt", "base")
        assert done.returncode == 0, done.stderr
        first, second = (body["messages"] for body in bodies(server))
    assert "checklist" not in json.dumps(first)
    assert second[0]["content"] == "base\n\n# Skill: focus\nAlways use checklist"
    assert [m["role"] for m in second] == ["system", "user", "assistant", "user"]


def test_an_override_equal_to_its_default_is_an_override(pi: Pi) -> None:
    """README-12: in a run, not only in what is printed."""
    flags = ("--tool-policy-preset", "hardened", "--os-sandbox-mode", "off")
    script = answers(turn([("bash", {"command": "pwd"})]), OK)
    with FaultServer(script) as server:
        done = pi.ask(server.url, "--no-session", *flags)
        assert done.returncode == 0, done.stderr
        (result,) = (m for m in bodies(server)[1]["messages"] if m["role"] == "tool")
    assert result["content"].strip() == str(pi.folder)
