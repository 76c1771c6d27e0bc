"""Session files that are damaged or cannot be written, through the built file."""

from __future__ import annotations

import json
import os

import pytest

from tests.cli.conftest import Pi

DEMO = ("--model", "demo/tour", "--session", "s.jsonl")
META = '{"record_type":"meta","schema_version":2,"session_id":"s"}\n'


def line(entry_id: object, parent: object = None) -> str:
    message = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
    record = {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}
    return json.dumps(record) + "\n"


@pytest.mark.parametrize(
    ("content", "finding", "code"),
    [
        (line(1) + line("2", 1), "bad line: line=3 reason=entry id is not an integer", 7),
        (line(1) + "\0\0\0\n", "bad line: line=3 reason=not JSON", 7),
        (line(1) + line(1), "duplicate: id=1 line=3", 7),
        (line(1) + line(3, 2), "invalid parent: id=3", 7),
        (line(1, 2) + line(2, 1), "cycle: ids=1,2", 7),
        (line(1) + line(2, 1)[:-9], "warning: torn end: line=3", 0),
    ],
)
def test_damage_is_found_told_and_survived(pi: Pi, content: str, finding: str, code: int) -> None:
    path = pi.folder / "s.jsonl"
    path.write_text(META + content)
    (pi.folder / "notes.txt").write_text("hi")
    checked = pi("--session", "s.jsonl", "--session-validate")
    assert checked.returncode == code, checked.stderr
    assert finding in checked.stdout
    assert path.read_text() == META + content
    done = pi(*DEMO, "-p", "Read notes.txt")
    assert done.returncode == 0, done.stderr
    assert path.read_text().startswith(META + content)


def test_what_is_no_file_is_one_clear_error(pi: Pi) -> None:
    os.mkfifo(pi.folder / "pipe.jsonl")
    (pi.folder / "folder.jsonl").mkdir()
    for name, cause in (("pipe", "a named pipe"), ("folder", "a folder")):
        for flags in (("-p", "x"), ("--session-validate",)):
            done = pi("--model", "demo/tour", "--session", f"{name}.jsonl", *flags)
            assert done.returncode == 2
            assert cause in done.stderr
            assert done.stderr.count("error:") == 1


def test_a_newer_session_is_answered_from_and_the_answer_is_rescued(pi: Pi) -> None:
    path = pi.folder / "s.jsonl"
    content = META.replace(":2", ":3") + line(1)
    path.write_text(content)
    (pi.folder / "notes.txt").write_text("hi")
    done = pi(*DEMO, "-p", "Read notes.txt")
    assert done.returncode == 1
    assert "Read notes.txt" not in path.read_text()
    assert path.read_text() == content
    (rescue,) = pi.folder.glob("s.jsonl.rescue-*.jsonl")
    assert "Read notes.txt" in rescue.read_text()
    assert done.stderr.count("not saved:") == 1


def test_a_session_whose_lock_is_held_is_rescued_and_taken_in_later(pi: Pi) -> None:
    import fcntl

    path = pi.folder / "s.jsonl"
    path.write_text(META + line(1))
    (pi.folder / "notes.txt").write_text("hi")
    with open(pi.folder / "s.jsonl.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = pi(*DEMO, "--session-lock-wait-ms", "50", "-p", "Read notes.txt")
    assert done.returncode == 1
    assert "timed out acquiring lock" in done.stderr
    assert path.read_text() == META + line(1)
    (rescue,) = pi.folder.glob("s.jsonl.rescue-*.jsonl")
    script = pi.folder / "take.txt"
    script.write_text(f"/session-import {rescue.name}\n")
    taken = pi("--session", "s.jsonl", "--command-file", "take.txt")
    assert taken.returncode == 0, taken.stderr
    assert "skipped_entries=1" in taken.stdout
    assert path.read_text().count("Read notes.txt") >= 1
    assert pi("--session", "s.jsonl", "--session-validate").returncode == 0
