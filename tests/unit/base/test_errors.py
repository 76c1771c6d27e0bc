"""Errors: their words, their exit codes."""

from __future__ import annotations

import io

import pytest

from pi.base import errors
from pi.base.errors import PiError, UsageError, report


def test_an_error_says_what_why_and_what_next() -> None:
    error = UsageError("cannot read 'x'", cause="no such file", hint="check the name")
    assert error.lines() == [
        "error: cannot read 'x'",
        "  cause: no such file",
        "  hint:  check the name",
    ]


def test_exit_codes_follow_the_table() -> None:
    expected = {
        "PiError": 1, "UsageError": 2, "ConfigError": 2, "MissingKey": 3, "KeyRefused": 3,
        "Unreachable": 4, "ProviderFailed": 5, "CapReached": 6, "VerificationFailed": 7,
        "PolicyRefused": 8, "AnswerCut": 9, "Bug": 70, "TimeLimit": 124, "Interrupted": 130,
    }  # fmt: skip
    assert {name: getattr(errors, name).exit_code for name in expected} == expected


def test_an_unknown_exception_is_reported_as_a_bug_without_a_traceback() -> None:
    stderr = io.StringIO()
    assert report(KeyError("boom"), stderr) == 70
    assert "KeyError: 'boom'" in stderr.getvalue()
    assert "Traceback" not in stderr.getvalue()


def test_debug_tells_where_also_of_a_bug_that_was_named_before() -> None:
    def broken() -> None:
        raise KeyError("boom")

    stderr = io.StringIO()
    try:
        broken()
    except KeyError as exc:
        bug = errors.as_pi_error(exc)
    assert report(bug, stderr, debug=True) == 70
    assert "in broken" in stderr.getvalue()


def test_debug_adds_the_traceback() -> None:
    stderr = io.StringIO()
    try:
        raise ValueError("boom")
    except ValueError as exc:
        report(exc, stderr, debug=True)
    assert "Traceback" in stderr.getvalue()


def test_an_interrupt_is_130() -> None:
    assert report(KeyboardInterrupt(), io.StringIO()) == 130


def test_a_closed_stderr_does_not_hide_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    stderr.close()
    monkeypatch.setattr("sys.stderr", stderr)
    assert report(PiError("x"), stderr) == 1


def test_a_code_may_be_refined() -> None:
    assert PiError("x", code="special").code == "special"
    assert PiError("x").code == "failed"


def test_what_a_terminal_would_obey_is_not_in_the_words() -> None:
    stderr = io.StringIO()
    error = PiError("no \x1b]0;title\x07file\r", cause="\x9b31mred", hint="name\udcff")
    assert report(error, stderr) == 1
    assert stderr.getvalue() == "error: no file \n  cause: red\n  hint:  name\\udcff\n"


def test_a_name_forges_no_line_and_turns_no_text_around() -> None:
    stderr = io.StringIO()
    report(PiError("no such file: a\nerror: b\u202ec", hint="look at\n  hint:  d"), stderr)
    assert stderr.getvalue().split("\n") == [
        "error: no such file: a",
        "         error: b\\u202ec",
        "  hint:  look at",
        "           hint:  d",
        "",
    ]


def test_without_stderr_nothing_is_told_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(PiError("x"), None) == 1
    assert capsys.readouterr().out == ""
