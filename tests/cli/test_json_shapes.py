"""Every JSON that pi prints or writes is what its schema in docs/schemas promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pi.commands.dispatch import run_line
from pi.commands.table import COMMANDS
from pi.runtime.report import EXIT_CLASSES
from tests.cli.conftest import Pi
from tests.cli.playing import turn
from tests.cli.schemas import FOLDER, check, faults, only_line, schema, strict
from tests.fakes.chat import answers, delta, finish
from tests.fakes.fault_server import FaultServer
from tests.fakes.session_files import context, entry

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
LEAVING = {"/quit"}
ELSEWHERE = ("--model-catalog-url", "https://x.invalid/c")
HOSTILE = (
    "--nope",
    "'open",
    "no/../../such",
    "x" * 5000,
    "\u202e\x1b[2J\u2028 y",
    "99999999999999999999",
    "set a\tb -- --json",
)


def lines(path: Path) -> list[Any]:
    return [strict(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_says_what_it_is_of(name: str) -> None:
    found = schema(name)
    Draft202012Validator.check_schema(found)
    assert found["title"]
    assert found["description"].endswith(".")


def test_what_several_schemas_define_they_define_alike() -> None:
    for part in ("error", "exit_code", "exit_class", "status"):
        defined = [schema(name).get("$defs", {}).get(part) for name in NAMES]
        assert len({json.dumps(one) for one in defined if one is not None}) == 1, part


def test_the_exit_codes_and_their_words_are_the_program_s() -> None:
    parts = schema("run-report")["$defs"]
    assert parts["exit_code"]["enum"] == list(EXIT_CLASSES)
    assert parts["exit_class"]["enum"] == list(EXIT_CLASSES.values())


def test_a_schema_refuses_what_it_does_not_promise(pi: Pi) -> None:
    told = only_line(pi("--output-format", "json").stdout)
    assert faults("run-report", {**told, "more": 1})
    assert faults("run-report", {**told, "error": None}) == []
    assert faults("run-report", {**told, "exit_class": "fine"})
    assert faults("run-report", {name: told[name] for name in told if name != "usage"})
    assert faults("event", {"type": "agent_start"})


def test_what_a_run_writes_down_is_what_the_schemas_say(pi: Pi) -> None:
    script = answers(
        turn([("write", {"path": "a", "content": "x"}), ("bash", {"command": "sudo id"})]),
        turn([("bash", {"command": "echo x"})], 11),
        (delta("done"), finish()),
    )
    logs = ("--tool-audit-log", "a.jsonl", "--telemetry-log", "t.jsonl", "--record", "c.jsonl")
    with FaultServer(script) as server:
        done = pi.ask(server.url, *logs, "--output-format", "json")
    assert done.returncode == 0, done.stderr
    check("run-report", only_line(done.stdout))
    names = "/branch 2\n/session-bookmark set here 1\n/branch-alias set there 2\n"
    names += "/session-export out.jsonl\n"
    more = pi("--model", "demo/tour", "--command-file", "-", stdin=names)
    assert more.returncode == 0, more.stdout + more.stderr
    session = lines(pi.folder / ".pi/sessions/default.jsonl")
    kinds = {record["record_type"] for record in session}
    assert kinds == {"meta", "entry", "head", "label", "tool_start"}
    for name, records in {
        "session-record": [*session, *lines(pi.folder / "out.jsonl")],
        "audit-record": lines(pi.folder / "a.jsonl"),
        "telemetry-record": lines(pi.folder / "t.jsonl"),
        "cassette-record": lines(pi.folder / "c.jsonl"),
    }.items():
        assert records
        for record in records:
            check(name, record)
    check("audit-verify", only_line(pi("--audit-verify", "a.jsonl", "--json").stdout))
    (pi.folder / "a.jsonl").write_text('{"torn')
    bad = pi("--audit-verify", "a.jsonl", "--json")
    assert (bad.returncode, check("audit-verify", only_line(bad.stdout))["ok"]) == (7, False)


@pytest.mark.parametrize(
    ("name", "code", "arguments"),
    [
        ("list-models", 0, ("--list-models", "gpt", "--json")),
        ("list-models", 0, ("--list-models", "no such model", "--json")),
        ("list-models", 2, ("--list-models", "--json", "--ca-bundle", "no", *ELSEWHERE)),
        ("audit-verify", 2, ("--audit-verify", "nope", "--json")),
        ("session-validate", 2, ("--session-validate", "--json")),
        ("session-validate", 7, ("--session-validate", "--json", "--session", "./bad.jsonl")),
        ("tool-policy", 0, ("--print-tool-policy", "--tool-policy-preset", "strict")),
        ("command", 2, ("--list-models", "--json", "--nope")),
        ("command", 0, ("--help", "--json")),
        ("command", 0, ("--print-config", "--json")),
        ("command", 0, ("--doctor", "--json", "--model", "demo/tour")),
    ],
)  # fmt: skip
def test_a_mode_that_answers_in_json_does_so_when_it_fails(
    pi: Pi, name: str, code: int, arguments: tuple[str, ...]
) -> None:
    rows = [{"record_type": "entry", "id": 1, "parent_id": 9, "message": {}}, 3]
    (pi.folder / "bad.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    done = pi(*arguments)
    assert done.returncode == code, done.stderr
    check(name, only_line(done.stdout))


def command_file(*more: str) -> str:
    """Every command, bare, as its example says, and with each of ``more``."""
    rows = []
    for spec in COMMANDS:
        if spec.name not in LEAVING:
            rows += [spec.name, spec.example or spec.name]
            rows += [f"{spec.name} {one}" for one in more]
    return "\n".join([*rows, *LEAVING, ""])


def data_of(row: dict[str, Any]) -> Any:
    """The data of a command that worked, if its shape is the promised one."""
    name = row["command"].split()[0]
    if not row["ok"] or name not in schema("command-data")["$defs"]:
        return row.get("data")
    return check("command-data", row["data"], name.replace("~", "~0").replace("/", "~1"))


@pytest.mark.parametrize("keeps", [("--session", "s"), ("--no-session",)])
def test_every_command_in_a_file_is_one_json_line(pi: Pi, keeps: tuple[str, ...]) -> None:
    text = command_file(*HOSTILE)
    flags = ("--command-file-json", "--command-file-error-mode", "continue-on-error")
    done = pi("--model", "demo/tour", "--command-file", "-", *flags, *keeps, stdin=text)
    rows = [check("command-line", strict(line)) for line in done.stdout.split("\n")[:-1]]
    assert rows.pop()["type"] == "command_file_summary", done.stderr
    assert [row["line"] for row in rows] == list(range(1, text.count("\n") + 1))
    for row in rows:
        data_of(row)
        assert row["ok"] or row["error"]["exit_code"] != 70, row
    worked = {row["command"].split()[0] for row in rows if row["ok"]}
    assert {"/help", "/session", "/policy", "/models-list", "/cost", "/quit"} <= worked


@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_json_of_every_command_is_one_envelope(spec: Any, tmp_path: Path) -> None:
    found = context(tmp_path, entry(1, None))
    for number, raw in enumerate(("", spec.example.partition(" ")[2], *HOSTILE)):
        used = found if number % 2 else found._replace(store=None)
        outcome = run_line(f"{spec.name} --json {raw}", used)
        (line,) = outcome.lines
        assert "\n" not in line
        told = check("command", strict(line))
        assert told["command"] == spec.name
        assert told["ok"] == (outcome.result.error is None)


def test_every_command_has_its_data_described() -> None:
    described = set(schema("command-data")["$defs"])
    assert {spec.name for spec in COMMANDS} - described == set()
