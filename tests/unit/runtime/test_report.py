"""How a run's end is told to machines."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from pi.base import errors
from pi.base.errors import Bug, CapReached, Interrupted, PiError, TimeLimit, UsageError
from pi.runtime.report import EXIT_CLASSES, LineWriter, end_data, error_data, exit_class

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
KINDS = [kind for kind in KINDS if issubclass(kind, PiError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_exit_code_has_a_word(kind: type[PiError]) -> None:
    assert kind.exit_code in EXIT_CLASSES
    assert exit_class(kind.exit_code) == EXIT_CLASSES[kind.exit_code]


def test_the_words_differ() -> None:
    assert len(set(EXIT_CLASSES.values())) == len(EXIT_CLASSES)


def test_an_error_has_the_same_five_fields_everywhere() -> None:
    error = UsageError("what", cause="why", hint="next", code="word")
    assert error_data(error) == {
        "code": "word",
        "message": "what",
        "cause": "why",
        "hint": "next",
        "exit_code": 2,
    }
    assert error_data(None) is None


@pytest.mark.parametrize(
    ("error", "said", "status"),
    [
        (None, "", "completed"),
        (None, "completed", "completed"),
        (PiError("x"), "", "failed"),
        (Bug("x"), "", "failed"),
        (CapReached("x"), "", "max_turns"),
        (TimeLimit("x"), "", "timed_out"),
        (Interrupted("x"), "", "cancelled"),
        (PiError("not saved"), "completed", "failed"),
        (PiError("x"), "cancelled", "cancelled"),
    ],
)
def test_completed_means_that_there_is_no_error(
    error: PiError | None, said: str, status: str
) -> None:
    end = end_data(error, said)
    assert end["status"] == status
    assert (end["status"] == "completed") == (end["exit_code"] == 0) == (end["error"] is None)


def test_a_line_is_flushed_and_a_writer_that_failed_stays_silent() -> None:
    writer = LineWriter(io.StringIO())
    writer.write({"b": 1, "a": "\ud83d"})
    assert writer.failure is None
    closed = io.StringIO()
    closed.close()
    writer = LineWriter(closed)
    writer.write({})
    failure = writer.failure
    assert failure is not None
    assert failure.code == "stdout-closed"
    writer.write({})
    assert writer.failure is failure
    LineWriter(None).write({})


def test_a_full_disk_is_told_as_such() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no device that is always full")
    with open("/dev/full", "w", encoding="utf-8") as full:
        writer = LineWriter(full)
        writer.write({"a": 1})
        assert writer.failure is not None
        assert writer.failure.code == "output-failed"
        full.buffer.raw.close()  # type: ignore[attr-defined]  # what is buffered cannot go anywhere


def test_lines_are_strict_json_whatever_is_in_them() -> None:
    stdout = io.StringIO()
    LineWriter(stdout).write({"x": float("inf"), "y": ["a\u2028\ud800"]})
    line = stdout.getvalue()
    assert json.loads(line, parse_constant=pytest.fail) == {"x": "inf", "y": ["a\u2028?"]}
