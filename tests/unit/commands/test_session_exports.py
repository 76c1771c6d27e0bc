"""/export and the options that it shares with /session-export."""

from __future__ import annotations

import base64
import json
import os
import stat
import tracemalloc
from pathlib import Path

import pytest

from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from pi.sessions.export import FORMATS
from pi.sessions.sources import load_import
from tests.fakes.session_files import answer, context, entry, label, meta, result

SECRET = "hunter2-correct-horse"
TREE = (
    {**meta(), "created_ms": 1000, "cwd": f"/home/{SECRET}"},
    entry(1, None, f"the password is {SECRET}", ts=2000),
    answer(2, 1, f"c-{SECRET}"),
    result(3, 2, f"c-{SECRET}"),
    entry(4, 1, "side AKIAIOSFODNN7EXAMPLE"),
    label("spot", 4),
    {"record_type": "tool_start", "at": 2, "arguments": {SECRET: [SECRET]}},
)


@pytest.fixture
def ran(tmp_path: Path) -> CommandContext:
    found = context(tmp_path, *TREE, secrets=lambda: (SECRET,))
    assert found.store is not None
    found.store.switch(3)
    return found


def lines(ran: CommandContext, line: str) -> tuple[str, ...]:
    return run_line(line, ran).lines


def test_a_page_is_named_after_the_session_and_never_overwritten(ran: CommandContext) -> None:
    assert lines(ran, "/export") == ("exported 3 entries to s.html (html)",)
    page = Path(ran.cwd) / "s.html"
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert page.stat().st_mode & 0o777 == 0o600
    page.write_text("mine")
    assert lines(ran, "/export") == ("export error: error='s.html' is already there",)
    assert page.read_text() == "mine"
    assert lines(ran, "/export --force --all --redact") == (
        "exported 4 entries to s.html (html, redacted)",
    )
    names = {path.name for path in Path(ran.cwd).iterdir()}
    assert names == {"s.html", "s.jsonl", "s.jsonl.lock"}


def test_the_page_goes_to_the_working_directory(ran: CommandContext, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    moved = ran._replace(cwd=str(there), settings={"session": ".pi/sessions/work.jsonl"})
    assert lines(moved, "/export") == ("exported 3 entries to work.html (html)",)
    assert (there / "work.html").exists()


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_redacted_holds_no_secret(ran: CommandContext, form: str) -> None:
    lines(ran, f"/session-export out --all --redact --format {form}")
    text = (Path(ran.cwd) / "out").read_text()
    assert SECRET not in text
    assert "AKIAIOSFODNN7EXAMPLE" not in text
    assert "[REDACTED]" in text
    lines(ran, f"/session-export whole --all --format {form}")
    assert SECRET in (Path(ran.cwd) / "whole").read_text()


def test_numbers_and_signatures_are_redacted_and_ids_stay(tmp_path: Path) -> None:
    record = answer(1, None)
    record["message"]["content"] = [
        {"type": "text", "text": SECRET, "signature": "sig"},
        {"type": "text", "text": "fine", "signature": "kept"},
        {"type": "tool_call", "id": "c", "name": "t", "arguments": {"pin": 12345678, "token": 5}},
    ]
    ran = context(tmp_path, record, secrets=lambda: (SECRET, "12345678"))
    lines(ran, "/export out.json --redact")
    (stored,) = json.loads((tmp_path / "out.json").read_text())["entries"]
    assert stored["id"] == 1
    assert stored["message"]["content"] == [
        {"type": "text", "text": "[REDACTED]"},
        {"type": "text", "text": "fine", "signature": "kept"},
        {
            "type": "tool_call",
            "id": "c",
            "name": "t",
            "arguments": {"pin": "[REDACTED]", "token": "[REDACTED]"},
        },
    ]


def test_values_of_the_environment_are_redacted_without_a_run(ran: CommandContext) -> None:
    alone = ran._replace(services={}, environ={"SOME_TOKEN": SECRET})
    (line,) = lines(alone, "/export - --redact --json --format jsonl")
    data = json.loads(line)["data"]
    assert SECRET not in data["text"]
    assert data["redacted"] is True
    assert (data["path"], data["format"], data["entries"], data["head"]) == ("-", "jsonl", 3, 3)


@pytest.mark.parametrize("form", ["jsonl", "pi-mono"])
def test_a_redacted_session_can_be_imported(ran: CommandContext, form: str) -> None:
    lines(ran, f"/session-export out --redact --format {form}")
    found = load_import(str(Path(ran.cwd) / "out"))
    assert sum(row.is_entry for row in found.rows) >= 3


def test_a_session_without_a_file_makes_an_empty_page(tmp_path: Path) -> None:
    ran = context(tmp_path)
    for form in FORMATS:
        assert "exported 0 entries" in lines(ran, f"/export out.{form} --format {form}")[0]
    assert json.loads((tmp_path / "out.json").read_text())["entries"] == []


def test_a_page_can_be_of_another_branch(ran: CommandContext) -> None:
    assert lines(ran, "/export a.md --from spot") == ("exported 2 entries to a.md (md)",)
    assert "unknown session id" in lines(ran, "/export b.md --from 99")[0]
    assert not (Path(ran.cwd) / "b.md").exists()


def test_what_names_a_kind_in_arguments_and_what_is_inside_a_password_is_redacted(
    tmp_path: Path,
) -> None:
    record = answer(1, None)
    given = {"type": "my_own_words", "kind": "text", "password": ["open"], "cookie": {"sid": "x"}}
    record["message"]["content"] = [
        {"type": "tool_call", "id": "c", "name": "t", "arguments": given}
    ]
    ran = context(tmp_path, record, secrets=lambda: ("my_own_words", "assistant", "tool_call"))
    lines(ran, "/export out.json --redact")
    (stored,) = json.loads((tmp_path / "out.json").read_text())["entries"]
    assert stored["message"]["role"] == "assistant"
    (block,) = stored["message"]["content"]
    assert block["type"] == "tool_call"
    hidden = dict.fromkeys(("type", "password", "cookie"), "[REDACTED]")
    assert block["arguments"] == {"kind": "text", **hidden}


def test_the_name_of_a_redacted_page_tells_no_secret(ran: CommandContext) -> None:
    named = ran._replace(settings={"session": f"{SECRET}.jsonl"})
    (line,) = lines(named, "/export --redact")
    assert line == "exported 3 entries to [REDACTED].html (html, redacted)"
    assert (Path(ran.cwd) / "[REDACTED].html").exists()


def test_a_pipe_and_the_lock_are_not_replaced_even_by_force(ran: CommandContext) -> None:
    pipe = Path(ran.cwd) / "pipe"
    os.mkfifo(pipe)
    (Path(ran.cwd) / "link").symlink_to(pipe)
    lock = Path(ran.cwd) / "s.jsonl.lock"
    lock.touch()
    before = lock.stat().st_ino
    for name in ("pipe", "link"):
        assert "is not a regular file" in lines(ran, f"/export {name} --force")[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (Path(ran.cwd) / "other").symlink_to(lock)
    for name in (lock.name, "other"):
        line = f"/export {name} --format md --force"
        assert "is the lock of the session" in lines(ran, line)[0]
    assert lock.stat().st_ino == before


def test_a_name_without_an_ending_gets_a_page_and_a_strange_ending_is_asked_about(
    ran: CommandContext,
) -> None:
    folder = Path(ran.cwd)
    assert lines(ran, "/export talk") == ("exported 3 entries to talk (html)",)
    assert (folder / "talk").read_text().startswith("<!DOCTYPE html>")
    assert lines(ran, "/export t.jsonl") == ("exported 3 entries to t.jsonl (jsonl)",)
    outcome = run_line("/export talk.pdf", ran)
    assert outcome.lines == ("export error: error=the ending '.pdf' names no format",)
    assert outcome.result.error is not None
    assert outcome.result.error.exit_code == 2
    assert "--format" in outcome.result.error.hint
    assert not (folder / "talk.pdf").exists()
    assert lines(ran, "/export talk.txt --format md") == ("exported 3 entries to talk.txt (md)",)
    # /session-export is as the older program's was: whatever it is called, a session.
    line = "session export complete: path=talk.x entries=3 head=3"
    assert lines(ran, "/session-export talk.x") == (line,)


def test_an_ending_that_says_another_format_is_told(ran: CommandContext) -> None:
    told = lines(ran, "/session-export a.md --format json")
    assert told[1:] == ("note: 'a.md' is json, its ending says md",)
    assert lines(ran, "/export b.jsonl --format html")[1:] == (
        "note: 'b.jsonl' is html, its ending says jsonl",
    )
    assert len(lines(ran, "/session-export c.jsonl --format pi-mono")) == 1
    assert len(lines(ran, "/export d.htm --format html")) == 1


def test_a_secret_in_two_neighbouring_texts_and_in_lines_of_base64_is_redacted(
    tmp_path: Path,
) -> None:
    wrapped = base64.encodebytes(b"x" * 50 + SECRET.encode() + b"y" * 50).decode()
    record = answer(1, None)
    texts = ("a " + SECRET[:9], SECRET[9:] + " b", wrapped, SECRET.encode().hex().upper())
    record["message"]["content"] = [{"type": "text", "text": text} for text in texts]
    record["message"]["content"][0]["signature"] = "sig"
    ran = context(tmp_path, record, secrets=lambda: (SECRET,))
    lines(ran, "/export out.json --redact")
    (stored,) = json.loads((tmp_path / "out.json").read_text())["entries"]
    first, second, third, last = stored["message"]["content"]
    assert first == {"type": "text", "text": "a [REDACTED]"}
    assert (second["text"], last["text"]) == ("[REDACTED] b", "[REDACTED]")
    assert third["text"].startswith(wrapped[:60])
    assert "[REDACTED]" in third["text"]


@pytest.mark.parametrize("form", ["jsonl", "html"])
def test_an_export_does_not_hold_what_it_writes(tmp_path: Path, form: str) -> None:
    said = [entry(at, at - 1 or None, f"{at} " * 40_000) for at in range(1, 81)]
    ran = context(tmp_path, *said)
    tracemalloc.start()
    try:
        lines(ran, f"/export out --format {form}")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "out").stat().st_size > 8_000_000
    assert peak < 8_000_000  # of which most is one piece of the file with its lines


def test_an_entry_nested_too_deeply_leaves_no_file(tmp_path: Path) -> None:
    ran = context(tmp_path, entry(1, None), entry(2, 1))
    deep = '{"record_type":"entry","id":3,"parent_id":2,"message":{"role":"user","content":[]},"x":'
    path = tmp_path / "s.jsonl"
    path.write_text(path.read_text() + deep + "[" * 900 + "]" * 900 + "}\n")
    for form in FORMATS:
        (line,) = lines(ran, f"/export out.{form} --format {form} --all")
        made = (tmp_path / f"out.{form}").exists()
        assert made == line.startswith("exported")
    assert not [path.name for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
