"""Configuration as its users meet it: files, trust, instructions, templates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import KEY, Pi
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer

DEMO = ("--model", "demo/tour", "--no-session")


@pytest.fixture
def work(pi: Pi) -> Pi:
    """pi in the subfolder of a work tree below the home folder."""
    home = pi.folder
    (home / "work" / ".git").mkdir(parents=True)
    pi.folder = home / "work" / "sub"
    pi.folder.mkdir()
    return pi


def write(pi: Pi, name: str, text: str) -> Path:
    """A file below the home folder."""
    path = Path(pi.environ["HOME"]) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def config(pi: Pi, *arguments: str, **environ: str) -> dict[str, tuple[Any, str]]:
    done = pi("--print-config", "--json", *arguments, **environ)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["data"]["values"]
    return {row["name"]: (row["value"], row["source"]) for row in rows}


def system_and_prompt(pi: Pi, *arguments: str, **environ: str) -> tuple[str, str]:
    """What a server was told."""
    with FaultServer(answers((delta("fine"), finish()))) as server:
        done = pi("--api-base", server.url + "/v1", *arguments, **{**KEY, **environ})
        assert done.returncode == 0, done.stderr
        told = [message["content"] for message in json.loads(server.requests[0].body)["messages"]]
    return ("", *told) if len(told) == 1 else (told[0], told[1])  # type: ignore[return-value]


def test_flag_environment_project_user_default_in_this_order(work: Pi) -> None:
    write(work, ".config/pi/settings.json", '{"model": "u/m", "max-turns": 2, "quiet": true}')
    write(work, "work/.pi/settings.json", '{"model": "p/m", "thinking": "low"}')
    names = ("--trust-project", "--thinking", "high", "model", "turns", "quiet", "thinking", "sync")
    found = config(work, *names, PI_MAX_TURNS="5")
    assert found["model"] == ("p/m", "project")
    assert found["max-turns"] == (5, "environment")
    assert found["quiet"] == (True, "user")
    assert found["thinking"] == ("high", "flag")
    assert found["session-sync"] == ("turn", "default")


def test_a_project_counts_only_after_the_user_approved_it(work: Pi) -> None:
    write(work, "work/.pi/settings.json", '{"model": "demo/tour", "no-session": true}')
    write(work, "work/.pi/prompts/greet.md", "Hello $1.")
    done = work("-p", "hi")
    assert done.returncode == 3  # the default model, and no key for it
    assert "is not trusted: .pi/settings.json, .pi/prompts left out" in done.stderr
    write(work, "work/sub/c.pi", "!/greet you\n/trust --yes\n/greet you\n")
    done = work("--command-file", "c.pi", *DEMO)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "status=trusted brings=.pi/settings.json, .pi/prompts" in done.stdout
    assert work("-p", "hi").returncode == 0
    approvals = Path(work.environ["HOME"]) / ".config" / "pi" / "trusted.json"
    assert approvals.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "max-turns": "many"\n}', "settings.json:2:3: 'max-turns': needs a whole number"),
        ('{"model": "a/b" "quiet": true}', "settings.json:1:17: expected a comma"),
        ('{"openai-api-key": "sk-0123456789"}', "a secret has no place in a file"),
    ],
)
def test_a_mistake_in_a_file_is_told_and_keeps_nobody_from_help(
    work: Pi, text: str, said: str
) -> None:
    write(work, ".config/pi/settings.json", text)
    done = work("-p", "hi")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "sk-0123456789" not in done.stderr
    assert work("--help").returncode == 0
    assert work("-q", "--version").returncode == 0
    assert work("-p", "hi", "--no-config", *DEMO).returncode == 0


def test_instructions_are_part_of_what_the_model_is_told(work: Pi) -> None:
    write(work, ".config/pi/AGENTS.md", "From the user.")
    write(work, "work/AGENTS.md", "From the project.")
    write(work, "work/sub/CLAUDE.md", "From the folder.")
    system, _ = system_and_prompt(work, "-p", "hi")
    assert system.endswith(
        "# Instructions from ~/.config/pi/AGENTS.md\n\nFrom the user.\n\n"
        "# Instructions from AGENTS.md\n\nFrom the project.\n\n"
        "# Instructions from sub/CLAUDE.md\n\nFrom the folder.\n\n"
        f"Working directory: {work.folder}"
    )
    record = work.session()[1]["system_prompt"]
    assert record["sha256"] == hashlib.sha256(system.encode()).hexdigest()
    assert [name.rpartition("/")[2] for name in record["parts"]] == [
        "base", "AGENTS.md", "AGENTS.md", "CLAUDE.md", "place",
    ]  # fmt: skip
    more = ("--append-system-prompt", "more")
    assert system_and_prompt(work, "-p", "hi", "--no-session", "--system-prompt", "base ", *more)[
        0
    ] == ("base\n\nmore")
    bare = system_and_prompt(work, "-p", "hi", "--no-session", PI_NO_CONTEXT_FILES="1")[0]
    assert "From" not in bare


def test_a_run_with_instructions_is_replayed(work: Pi) -> None:
    write(work, "work/AGENTS.md", "From the project.")
    with FaultServer(answers((delta("fine"), finish()))) as server:
        base = ("--api-base", server.url + "/v1", "--no-session", "-p", "hi")
        assert work("--record", "c", *base, **KEY).returncode == 0
    done = work("--replay", "c", *base)
    assert (done.returncode, done.stdout.strip()) == (0, "fine"), done.stderr
    write(work, "work/AGENTS.md", "Otherwise.")
    assert work("--replay", "c", *base).returncode == 7


def test_a_template_is_a_prompt_in_a_script_and_plain_text_behind_a_flag(work: Pi) -> None:
    write(work, ".config/pi/prompts/review.md", "---\ndescription: x\n---\nReview $1, ${@:2}.")
    script = write(work, "work/sub/c.pi", '/review "a b" c d\n')
    assert system_and_prompt(work, "--command-file", str(script))[1] == "Review a b, c d."
    assert system_and_prompt(work, "-p", "/review x", "--no-session")[1] == "/review x"
    assert work("--command-file", str(script), "--command-file-check").returncode == 0
