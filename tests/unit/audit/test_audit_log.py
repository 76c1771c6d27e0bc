"""The log on disk: opened at the start, appended to safely, whatever happens to the file."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pi.audit.appender import Appender
from pi.audit.log import AuditLog
from pi.audit.verify import verify_file
from pi.base.errors import ConfigError

Open = Callable[..., AuditLog]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens logs, and closes them after the test."""
    logs = []

    def open_log(path: Path, **options: Any) -> AuditLog:
        appender = Appender(str(path), "tool audit log", **options) if options else None
        log = AuditLog(str(path), now_ms=lambda: 7, appender=appender)
        logs.append(log)
        return log

    yield open_log
    for log in logs:
        log.close()


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def verified(path: Path) -> int:
    """How many records there are, all of them good."""
    report = verify_file(str(path))
    assert report.ok, report.text()
    return report.verdict.records


def test_the_file_is_there_from_the_start_for_its_owner_only(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "a" / "b" / "log.jsonl"
    opened(path)
    assert path.read_bytes() == b""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in list(path.parents)[:2]] == [0o700] * 2


def test_two_logs_of_one_file_and_a_later_one_make_one_chain(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    one, other = opened(path), opened(path)
    for number in range(4):
        (one, other)[number % 2].append({"x": number})
    one.close()
    head = opened(path).append({"x": 4})
    assert [record["x"] for record in records(path)] == [0, 1, 2, 3, 4]
    assert verified(path) == 5
    assert verify_file(str(path)).verdict.head == head


def test_threads_of_one_process_may_share_a_log(tmp_path: Path, opened: Open) -> None:
    log = opened(tmp_path / "log")
    threads = [
        threading.Thread(target=lambda: [log.append({"x": n}) for n in range(50)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verified(tmp_path / "log") == 200


def test_a_link_is_followed_also_to_a_file_that_is_not_there_yet(
    tmp_path: Path, opened: Open
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "target")
    log = opened(tmp_path / "link")
    log.append({"x": 1})
    assert (tmp_path / "link").is_symlink()
    assert verified(tmp_path / "deep" / "target") == 1


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    home = os.getcwd()
    os.chdir(path.parent)  # a socket's path must be short
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path.name)
    finally:
        os.chdir(home)


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (Path.mkdir, "it is a folder"),
        (make_fifo, "it is a named pipe"),
        (make_socket, "it is a socket"),
        (lambda path: path.symlink_to("/dev/null"), "it is a device"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.write_text("notes\n"), "not a tool audit log"),
        (lambda path: path.write_text("notes"), "not a tool audit log"),
        (lambda path: path.write_text('{"event":"tool_execution_end"}\n'), "not a tool audit log"),
        (lambda path: path.write_bytes(b"x" * 1_000_000), "not a tool audit log"),
    ],
    ids=range(9),
)
def test_what_cannot_be_a_log_is_refused_at_the_start_and_left_alone(
    tmp_path: Path, make: Callable[[Path], object], cause: str
) -> None:
    path = tmp_path / "log"
    make(path)
    before = path.read_bytes() if path.is_file() and not path.is_symlink() else None
    with pytest.raises(ConfigError, match="cannot be opened") as caught:
        AuditLog(str(path), now_ms=lambda: 0)
    assert cause in caught.value.cause
    assert before is None or path.read_bytes() == before


def test_a_torn_last_line_is_noted_and_chained_over(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    opened(path).append({"x": 1})
    with open(path, "ab") as file:
        file.write(b'{"event":"tool_exec')
    assert verify_file(str(path)).verdict.kind == "torn"
    opened(path).append({"x": 2})
    assert path.read_bytes().splitlines()[1] == b'{"event":"tool_exec'
    verdict = verify_file(str(path)).verdict
    assert (verdict.ok, verdict.records, verdict.torn_lines) == (True, 3, 1)
    note = json.loads(path.read_bytes().splitlines()[2])
    assert (note["event"], note["torn_bytes"]) == ("torn_line", 19)


def test_a_first_line_that_was_torn_is_noted_too(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"event":"tool_exec')
    opened(path).append({"x": 2})
    assert verify_file(str(path)).ok


def test_only_a_missing_newline_is_put_there(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    opened(path).append({"x": 1})
    path.write_bytes(path.read_bytes()[:-1])
    opened(path).append({"x": 2})
    assert verified(path) == 2


def test_a_foreign_line_is_left_for_the_verifier_and_the_chain_goes_on(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "log"
    log = opened(path)
    log.append({"x": 1})
    with open(path, "ab") as file:
        file.write(b"hello\n")
    log.append({"x": 2})
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.kind) == (2, "not-json")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[2])
    assert verified(path) == 2


def test_an_edit_of_the_last_line_is_not_covered_up_by_going_on(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "log"
    log = opened(path)
    for number in range(3):
        log.append({"x": number})
    path.write_bytes(path.read_bytes().replace(b'"x":2', b'"x":9'))
    opened(path).append({"x": 3})
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.kind) == (3, "edited")


def test_an_edit_that_also_takes_the_newline_is_not_taken_for_a_tear(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "log"
    for number in range(2):
        opened(path).append({"x": number})
    path.write_bytes(path.read_bytes().replace(b'"x":1', b'"x":9')[:-1])
    opened(path).append({"x": 2})
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.kind) == (2, "edited")


def test_a_long_torn_line_is_no_tear_of_ours(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    log = opened(path)
    log.append({"x": 1})
    with open(path, "ab") as file:
        file.write(b'{"' + b"x" * 70_000)
    log.append({"x": 2})
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.kind) == (2, "foreign")
    with open(path, "ab") as file:
        file.write(b'{"' + b"x" * 200_000)
    with pytest.raises(ValueError, match="not a tool audit log"):
        log.append({"x": 3})


@pytest.mark.parametrize("how", ["moved", "removed", "truncated", "folder-removed"])
def test_a_log_that_was_rotated_is_begun_anew(tmp_path: Path, opened: Open, how: str) -> None:
    path = tmp_path / "logs" / "log"
    log = opened(path)
    head = log.append({"x": 1})
    if how == "moved":
        path.rename(tmp_path / "old")
    elif how == "truncated":
        os.truncate(path, 0)
    else:
        path.unlink()
        if how == "folder-removed":
            path.parent.rmdir()
    log.append({"x": 2})
    log.append({"x": 3})
    assert [record["x"] for record in records(path)] == [2, 3]
    assert [record.get("after_head") for record in records(path)] == [str(head), None]
    assert verified(path) == 2
    assert how != "moved" or verified(tmp_path / "old") == 1


def test_a_log_that_became_something_else_is_an_error_and_then_goes_on(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "log"
    log = opened(path)
    log.append({"x": 1})
    path.rename(tmp_path / "old")
    path.mkdir()
    with pytest.raises(OSError, match="it is a folder"):
        log.append({"x": 2})
    path.rmdir()
    log.append({"x": 3})
    assert [record["x"] for record in records(path)] == [3]


def test_a_record_that_json_cannot_hold_changes_nothing(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "log"
    log = opened(path)
    for bad in ("\ud800", float("nan"), "x" * 100_000):
        with pytest.raises(ValueError, match=r"surrogates|JSON compliant|too long"):
            log.append({"x": bad})
    assert path.read_bytes() == b""


def test_a_lock_that_is_never_freed_is_waited_for_once_only(tmp_path: Path, opened: Open) -> None:
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "log"
    log = opened(path, wait_ms=1)
    with open(path, "rb") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX)
        for _ in range(2):
            with pytest.raises(TimeoutError, match="another process"):
                log.append({"x": 1})
    log.append({"x": 2})
    assert verified(path) == 1
