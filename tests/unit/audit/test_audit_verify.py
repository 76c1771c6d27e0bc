"""A log on disk judged, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pi.audit.chain import MAX_LINE_BYTES, Head
from pi.audit.log import AuditLog
from pi.audit.verify import verify_file
from pi.base.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log of five records."""
    log = AuditLog(str(tmp_path / "log"), now_ms=lambda: 7)
    for number in range(5):
        log.append({"x": number})
    log.close()
    return tmp_path / "log"


def test_an_intact_log_is_told_with_its_head(path: Path) -> None:
    report = verify_file(str(path))
    head = report.verdict.head
    assert head is not None
    assert report.text() == f"audit log intact: path={path} records=5 lines=5\n  head={head}"
    assert report.as_json() == {
        "schema_version": 1, "path": str(path), "ok": True, "lines": 5, "records": 5,
        "torn_lines": 0, "first_bad_line": None, "kind": None, "problem": None,
        "head": {"seq": 5, "sha256": head.digest},
    }  # fmt: skip
    assert report.failure() is None
    assert verify_file(str(path), head).ok


def test_a_damaged_log_is_told_with_its_line_and_ends_with_exit_7(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"x":2', b'"x":7'))
    report = verify_file(str(path))
    problem = "line 3 was edited: its content does not match its hash"
    assert report.text() == f"audit log damaged: path={path} line=3 kind=edited\n  {problem}"
    found = report.as_json()
    assert (found["ok"], found["first_bad_line"], found["kind"]) == (False, 3, "edited")
    assert (found["problem"], found["head"], found["lines"]) == (problem, None, 5)
    failure = report.failure()
    assert failure is not None
    assert (failure.exit_code, failure.code) == (7, "audit-log-damaged")
    assert json.dumps(found)


def test_a_log_cut_at_the_end_does_not_reach_the_head(path: Path) -> None:
    head = verify_file(str(path)).verdict.head
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    assert verify_file(str(path)).ok
    report = verify_file(str(path), head)
    assert (report.verdict.line, report.verdict.kind) == (4, "truncated")


def test_a_torn_line_that_was_noted_is_told_and_no_damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    assert verify_file(str(path)).verdict.kind == "torn"
    log = AuditLog(str(path), now_ms=lambda: 7)
    log.append({})
    log.close()
    report = verify_file(str(path))
    assert report.ok
    assert "torn lines, accounted for by the log itself: 1" in report.text()


@pytest.mark.parametrize("size", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1,
                                  MAX_LINE_BYTES + 2, 5_000_000])  # fmt: skip
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_huge_line_is_one_line_and_not_kept(path: Path, size: int, end: bytes) -> None:
    path.write_bytes(path.read_bytes() + b"x" * size + end)
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.lines) == (6, 6)
    assert verdict.kind in ("foreign", "not-json", "torn")


def test_a_huge_line_hides_nothing_behind_it(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"x" * 1_000_000 + b"\n", *lines[2:]]))
    verdict = verify_file(str(path)).verdict
    assert (verdict.line, verdict.lines, verdict.records) == (3, 6, 5)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, kind: str, make_pipe: None
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        verify_file(str(tmp_path / kind), Head(0, ""))
    assert caught.value.exit_code == 2


@pytest.fixture
def make_pipe(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe")
