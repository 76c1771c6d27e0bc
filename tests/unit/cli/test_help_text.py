"""``pi --help``: grouped, fitted, narrowed by words, as JSON; names and never values."""

from __future__ import annotations

import io
import json
from typing import cast

import pytest

from pi.base.host import Host
from pi.cli.flags import FLAGS, GROUPS
from pi.cli.help import about, help_text, help_width, show_help
from pi.cli.parse import parse


def shown(*argv: str, **environ: str) -> tuple[str, str]:
    host = Host()
    host.environ, host.stdout, host.stderr = environ, io.StringIO(), io.StringIO()
    assert show_help(parse(argv, environ), host) == 0
    return host.stdout.getvalue(), host.stderr.getvalue()


def test_every_flag_is_under_the_heading_of_its_group() -> None:
    group, seen = "", []
    for line in help_text().split("\n"):
        if line[:-1] in GROUPS:
            group = line[:-1]
        elif line.startswith("  -"):
            names = [word for word in line.split() if word.startswith("--")]
            seen.append((group, names[0]))
    grouped = [flag for group in GROUPS for flag in FLAGS if flag.group == group]
    assert seen == [(flag.group, flag.name) for flag in grouped]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 110])
def test_no_line_is_wider_than_asked_for_unless_a_word_is(width: int) -> None:
    for line in help_text(width).split("\n"):
        assert len(line) <= max(width, max(map(len, line.split()), default=0) + 9), line


def test_the_width_is_the_variables_else_eighty_where_there_is_no_terminal() -> None:
    assert help_width(None, {}) == 80
    assert help_width(None, {"COLUMNS": "60"}) == 60
    assert help_width(None, {"COLUMNS": "5000"}) == 110
    assert help_width(io.StringIO(), {"COLUMNS": "nonsense"}) == 80
    out, _ = shown("--help", COLUMNS="60")
    assert out == help_text(60)


def test_no_value_of_a_variable_is_ever_shown() -> None:
    """C01: help names variables, and none of their values."""
    environ = {flag.variable: "" for flag in FLAGS if flag.variable}
    values = {"PI_MODEL": "zz-model", "PI_API_BASE": "http://zz-base", "PI_PROXY": "http://zz:pw@p"}
    out, _ = shown("--help", **{**environ, **values, "PI_API_KEY": "zz-key"})
    assert out == help_text(80)
    assert "zz" not in out
    json_out, _ = shown("--help", "--json", **values)
    assert "zz" not in json_out


def test_a_groups_name_or_a_word_narrows_it() -> None:
    network = [flag.name for flag in FLAGS if flag.group == "Network"]
    assert [flag.name for flag in about("NETWORK")] == network
    assert "--provider-max-retries" in [flag.name for flag in about("retries")]
    out, err = shown("--help", "network")
    assert out.startswith("Network:\n  --ca-bundle FILE ")
    assert "Prompt:" not in out
    assert err == ""


def test_words_that_no_flag_speaks_of_get_the_whole_page() -> None:
    out, err = shown("fix", "the", "bug", "--help")
    assert out == help_text(80)
    assert err == "[no flag is about 'fix the bug'; this is all]\n"


def test_as_json_it_is_one_line_with_every_flag() -> None:
    out, _ = shown("--help", "--json")
    assert out.count("\n") == 1
    rows = json.loads(out)["data"]["flags"]
    assert [row["name"] for row in rows] == [flag.name for flag in FLAGS]
    by_name = {row["name"]: row for row in rows}
    assert by_name["--max-turns"]["default"] == 100
    assert by_name["--max-turns"]["variable"] == "PI_MAX_TURNS"
    assert by_name["--thinking"]["choices"] == list(
        cast("tuple[str, ...]", next(f.choices for f in FLAGS if f.name == "--thinking"))
    )
