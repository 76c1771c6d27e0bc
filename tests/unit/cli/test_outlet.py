"""Which form of output is asked for, and the last line of a start that failed."""

from __future__ import annotations

import io
import json

import pytest

from pi.base.errors import Interrupted, UsageError
from pi.base.host import Host
from pi.cli.outlet import Outlet, asked_form, refused, since


@pytest.mark.parametrize(
    ("arguments", "environ", "form"),
    [
        ([], {}, "text"),
        (["--output-format", "json"], {}, "json"),
        (["--nope", "--output-format=json"], {}, "json"),
        (["--output-format"], {}, "text"),
        (["--output-format", "xml"], {}, "text"),
        (["--json-events"], {}, "events"),
        (["--json-events=full"], {}, "events"),
        (["--json-events", "false"], {}, "text"),
        (["--json-events=off", "-p", "x"], {}, "text"),
        (["--output-format", "json", "--json-events"], {}, "events"),
        (["--", "--json-events"], {}, "text"),
        (["-p", "x", "--", "--output-format", "json"], {}, "text"),
        ([], {"PI_OUTPUT_FORMAT": "json"}, "json"),
        ([], {"PI_JSON_EVENTS": "full"}, "events"),
        ([], {"PI_JSON_EVENTS": "0"}, "text"),
        (["--output-format", "text"], {"PI_OUTPUT_FORMAT": "json"}, "text"),
        (["--output-format", "json"], {"PI_JSON_EVENTS": "1"}, "json"),
    ],
)
def test_the_form_is_seen_also_where_flags_cannot_be_read(
    arguments: list[str], environ: dict[str, str], form: str
) -> None:
    assert asked_form(arguments, environ) == form


def host() -> tuple[Host, io.StringIO]:
    made, stdout = Host(), io.StringIO()
    made.stdout, made.environ = stdout, {}
    return made, stdout


def told(stdout: io.StringIO) -> list[str]:
    return [json.loads(line).get("type", "") for line in stdout.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        (["--nope"], []),
        (["--nope", "--json-events"], ["prompt_end"]),
        (["--nope", "--output-format", "json"], ["result"]),
        (["--nope", "--json"], [""]),
        (["--", "--json"], []),
    ],
)
def test_a_refused_start_ends_in_the_form_that_was_asked_for(
    arguments: list[str], types: list[str]
) -> None:
    made, stdout = host()
    refused(UsageError("no"), arguments, made)
    assert told(stdout) == types


@pytest.mark.parametrize("form", ["json", "events"])
def test_an_end_is_told_once_for_each_prompt(form: str) -> None:
    made, stdout = host()
    outlet = Outlet(form, made)
    with pytest.raises(UsageError), outlet, outlet:
        raise UsageError("first")
    assert len(told(stdout)) == 1
    with outlet:
        outlet.close(None)
        outlet.close(UsageError("too late"))
    assert len(told(stdout)) == 2
    assert json.loads(stdout.getvalue().splitlines()[1])["status"] == "completed"


def test_text_and_a_reader_that_went_away_are_told_nothing() -> None:
    made, stdout = host()
    with pytest.raises(UsageError), Outlet("text", made):
        raise UsageError("no")
    with Outlet("json", made) as outlet:
        outlet.close(Interrupted("stdout was closed", code="stdout-closed"))
    assert stdout.getvalue() == ""


def test_figures_are_those_since_the_prompt_began() -> None:
    assert since({}, {"requests": 2, "cost_usd": 0.1}) == {"requests": 2, "cost_usd": 0.1}
    before = {"requests": 2, "cost_usd": 0.1, "total_tokens": 7}
    now = {"requests": 5, "cost_usd": 0.3, "total_tokens": 9}
    assert since(before, now) == {"requests": 3, "cost_usd": 0.2, "total_tokens": 2}
    assert since(before, {**now, "cost_usd": None})["cost_usd"] is None
    assert since({"cost_usd": None}, {"cost_usd": 0.5})["cost_usd"] == 0.5
