"""The line mode with its lines piped in: prompts and commands one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, delta, finish, stream
from tests.fakes.fault_server import FaultServer, Peer

ONE_BY_ONE = "reading standard input line by line"


def bodies(server: FaultServer) -> list[list[dict[str, Any]]]:
    return [json.loads(request.body)["messages"] for request in server.requests]


def said(server: FaultServer, at: int) -> list[str]:
    """The user's messages of a request."""
    return [one["content"] for one in bodies(server)[at] if one["role"] == "user"]


def ok(text: str) -> tuple[bytes, ...]:
    return (delta(text), finish())


def test_commands_need_no_key_and_print_no_prompt_sign(pi: Pi) -> None:
    """Scenario C35 of the command line."""
    done = pi("--no-session", stdin="/help\n/help branch\n/help polciy\n/polciy\n/quit\n/nosuch\n")
    assert done.returncode == 0
    for words in (
        "/session-stats",
        "usage: /branch <id>",
        "unknown help topic: /polciy",
        "unknown command: /polciy",
        "did you mean /policy?",
    ):
        assert words in done.stdout
    assert "pi> " not in done.stdout + done.stderr
    assert "/nosuch" not in done.stdout
    assert done.stderr.count(ONE_BY_ONE) == 1
    assert not (pi.folder / ".pi").exists()


def test_each_line_is_a_prompt_of_one_conversation(pi: Pi) -> None:
    lines = b'first\n\n//second\nthird \\\ngoes on\n"""\n/quit\n"""\n\xff\xfe\n/session\n'
    with FaultServer(answers(*(ok(f"answer {n}") for n in range(5)))) as server:
        done = pi("--api-base", server.url + "/v1", stdin=lines, **KEY)
    assert done.returncode == 0, done.stderr
    assert said(server, 4) == ["first", "/second", "third \ngoes on", "/quit", "\ufffd\ufffd"]
    assert done.stdout.startswith("answer 0\nanswer 1\nanswer 2\nanswer 3\nanswer 4\n")
    assert "entries=10 active_head=10" in done.stdout
    assert len(server.requests) == 5


def test_a_failing_provider_does_not_end_the_loop(pi: Pi) -> None:
    """What came before is kept, the next prompt is asked, and the exit code tells of it."""
    turns = [200, 500, 200]

    def script(peer: Peer) -> None:
        while peer.request() is not None:
            if turns.pop(0) == 500:
                peer.send(b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops")
            else:
                stream(peer, *ok("fine"))

    with FaultServer(script) as server:
        flags = ("--api-base", server.url + "/v1", "--provider-max-retries", "0")
        done = pi(*flags, stdin="one\ntwo\nthree\n/branches\n", **KEY)
    assert done.returncode == 5
    assert done.stdout.startswith("fine\nfine\n")
    assert done.stderr.count("error: ") == 1
    assert said(server, 2) == ["one", "two", "three"]
    assert [role for role in pi.roles() if role == "user"] == ["user"] * 3


def test_a_missing_key_is_told_with_the_first_prompt_and_the_loop_goes_on(pi: Pi) -> None:
    done = pi("--no-session", stdin="hello\n/session\n")
    assert done.returncode == 3
    assert "no API key" in done.stderr
    assert done.stdout == "session: disabled\n"


def test_a_bad_model_name_is_told_at_the_start(pi: Pi) -> None:
    done = pi("--model", "nosuch/x", stdin="hello\n")
    assert done.returncode == 2
    assert "unsupported provider" in done.stderr


@pytest.mark.parametrize(
    ("lines", "code", "words"),
    [
        ("!echo ran > made\n", 2, "!command works on a terminal only"),
        ('"""\ndelete all\n', 2, "within a block"),
        ("/branch 999\n/branch x\n/session-import gone\n", 0, ""),
    ],
)
def test_nothing_dangerous_comes_through_a_pipe(pi: Pi, lines: str, code: int, words: str) -> None:
    done = pi("--model", "demo/tour", stdin=lines + "/session\n" * (code == 0))
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert not (pi.folder / "made").exists()
    if code == 0:
        assert done.stdout.rstrip().split("\n")[-1].startswith("session: path=")


def test_a_command_that_destroys_asks_for_yes_where_nobody_can_be_asked(pi: Pi) -> None:
    assert pi("--model", "demo/tour", "hello").returncode == 0
    before = pi.session()
    lines = "/branch 1\n/prompt other\n/branch 1\n/session-compact\n/session-compact --yes\n"
    done = pi("--model", "demo/tour", stdin=lines)
    assert "add --yes" in done.stderr
    assert "not done\n" in done.stdout
    assert "compact complete: removed_entries=" in done.stdout
    assert len(pi.session()) < len(before)


def test_the_next_prompt_goes_on_from_where_a_branch_leads(pi: Pi) -> None:
    lines = "one\ntwo\n/branch 2\nthree\n/new fresh\nfour\n/session\n"
    with FaultServer(answers(*(ok(f"a{n}") for n in range(4)))) as server:
        done = pi("--api-base", server.url + "/v1", stdin=lines, **KEY)
    assert done.returncode == 0, done.stderr
    assert said(server, 2) == ["one", "three"]
    assert said(server, 3) == ["four"]
    assert "session: path=.pi/sessions/fresh.jsonl entries=2" in done.stdout


def test_another_model_answers_with_its_own_key_and_the_same_conversation(pi: Pi) -> None:
    lines = "one\n/model openai/other\ntwo\n/model groq/x\n/model\n/cost\n"
    with FaultServer(answers(ok("a"), ok("b"))) as server:
        done = pi("--api-base", server.url + "/v1", stdin=lines, **KEY)
    assert [json.loads(request.body)["model"] for request in server.requests] == [
        "gpt-4o-mini", "other",
    ]  # fmt: skip
    assert said(server, 1) == ["one", "two"]
    assert "model switched: openai/other" in done.stdout
    assert "error=no API key for provider 'groq'" in done.stdout
    assert "\nmodel: openai/other" in done.stdout  # groq has no key: nothing changed
    assert "cost: requests=2 " in done.stdout


def test_machines_get_json_only(pi: Pi) -> None:
    done = pi("--model", "demo/tour", "--json-events", stdin="hello\n/session\n/nosuch\n")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(row.get("type") == "prompt_end" for row in rows) == 1
    commands = [row for row in rows if "command" in row]
    assert [(row["command"], row["ok"]) for row in commands] == [
        ("/session", True), ("/nosuch", False),
    ]  # fmt: skip


def test_all_of_standard_input_is_one_prompt_where_that_is_said(pi: Pi) -> None:
    with FaultServer(answers(ok("a"), ok("b"))) as server:
        base = ("--api-base", server.url + "/v1", "--no-session")
        assert pi(*base, "-p", stdin="one\n/quit\n", **KEY).returncode == 0
        assert pi(*base, "review this", stdin="one\ntwo\n", **KEY).returncode == 0
    assert [said(server, at) for at in (0, 1)] == [["one\n/quit\n"], ["one\ntwo\n\nreview this"]]


def test_without_anything_to_read_pi_says_so(pi: Pi) -> None:
    done = pi()
    assert done.returncode == 2
    assert "no prompt given" in done.stderr
