"""The command line and the environment against the flag table."""

from __future__ import annotations

from typing import Any

import pytest

from pi.base.errors import ConfigError, UsageError
from pi.cli.flags import FLAGS, GROUPS
from pi.cli.help import help_text
from pi.cli.parse import Layer, parse


def value(name: str, *argv: str, **environ: str) -> Any:
    return parse(argv, environ).values[name]


def test_a_value_follows_or_is_joined_with_equals() -> None:
    assert value("--model", "--model", "a/b") == "a/b"
    assert value("--model", "--model=a/b") == "a/b"
    assert value("--model", "--model=a=b") == "a=b"


def test_the_command_line_beats_the_environment_which_beats_the_default() -> None:
    assert value("--model") == "openai/gpt-4o-mini"
    assert value("--model", PI_MODEL="x/y") == "x/y"
    assert value("--model", "--model", "a/b", PI_MODEL="x/y") == "a/b"
    sources = parse(["--max-turns", "3"], {"PI_MODEL": "x/y"}).sources
    assert (sources["--max-turns"], sources["--model"], sources["--session"]) == (
        "flag", "environment", "default",
    )  # fmt: skip


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "On"])
def test_booleans_in_the_environment_have_the_usual_spellings(word: str) -> None:
    assert value("--quiet", PI_QUIET=word) is True


def test_a_boolean_is_bare_or_has_a_value() -> None:
    assert value("--quiet", "--quiet") is True
    assert value("--quiet", "--quiet", "--quiet") is True
    assert value("--stream-output", "--stream-output=off") is False
    parsed = parse(["--stream-output", "false", "word"], {})
    assert (parsed.values["--stream-output"], parsed.words) == (False, ("word",))
    parsed = parse(["--quiet", "no", "word"], {})
    assert (parsed.values["--quiet"], parsed.words) == (True, ("no", "word"))


def test_a_boolean_may_know_more_words_than_true_and_false() -> None:
    assert value("--json-events", "--json-events=full") == "full"
    assert value("--json-events", PI_JSON_EVENTS="Full") == "full"
    assert value("--json-events", "--json-events") is True
    parsed = parse(["--json-events", "full"], {})
    assert (parsed.values["--json-events"], parsed.words) == (True, ("full",))
    with pytest.raises(UsageError, match="neither true nor false nor full"):
        parse(["--json-events=most"], {})


def test_short_flags_stand_for_the_long_ones() -> None:
    parsed = parse(["-q", "-p", "hello", "there"], {})
    assert parsed.values["--quiet"] is True
    assert parsed.values["--print"] is True
    assert parsed.words == ("hello", "there")


def test_lists_are_split_trimmed_and_appended() -> None:
    assert value("--allow-path", "--allow-path", "a, b,,", "--allow-path=c") == ("a", "b", "c")
    assert value("--allow-path", "--allow-path", "a", PI_ALLOW_PATH="x") == ("a",)


def test_repeated_values_are_taken_whole() -> None:
    assert value("--header", "--header", "A=1,2", "--header", "B=3") == ("A=1,2", "B=3")


def test_an_empty_variable_counts_as_unset() -> None:
    parsed = parse([], {"PI_MODEL": "", "PI_MAX_TURNS": "", "PI_QUIET": ""})
    assert not parsed.given("--model")
    assert parsed.values["--max-turns"] == 100


def test_a_flag_silently_beats_a_variable_it_clashes_with() -> None:
    assert value("--prompt-file", "--prompt", "x", PI_PROMPT_FILE="f") is None
    assert value("--prompt-file", PI_PROMPT_FILE="f") == "f"


def test_a_prompt_may_begin_with_a_dash_unless_it_is_a_flag() -> None:
    assert value("--prompt", "--prompt", "-1 is what?") == "-1 is what?"
    assert value("--prompt", "--prompt=--quiet") == "--quiet"
    with pytest.raises(UsageError):
        parse(["--prompt", "--quiet"], {})


def test_two_dashes_end_the_flags() -> None:
    assert parse(["a", "--", "--quiet", "-x"], {}).words == ("a", "--quiet", "-x")


def test_a_limit_below_its_floor_is_raised_to_it() -> None:
    assert value("--max-file-read-bytes", "--max-file-read-bytes", "1") == 1024


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--modle", "x"], "did you mean --model?"),
        (["--prom", "x"], "did you mean --prompt?"),
        (["-x"], "-x"),
        (["--model"], "--model needs a value"),
        (["--model", "--quiet"], "looks like a flag"),
        (["--api-key", "-abc"], "--api-key"),
        (["--model", "a", "--model", "b"], "given twice"),
        (["--max-turns", "-1"], "--max-turns"),
        (["--max-turns", "abc"], "not a whole number"),
        (["--max-turns", "1_000"], "not a whole number"),
        (["--max-turns", "٣"], "not a whole number"),
        (["--max-turns="], "not a whole number"),
        (["--max-turns", "9" * 30], "not a whole number"),
        (["--quiet=maybe"], "neither true nor false"),
        (["--thinking", "hard"], "not one of off, minimal"),
        (["--prompt", "x", "--prompt-file", "y"], "cannot be combined"),
        (["--session", "a\0b"], "NUL"),
    ],
)
def test_mistakes_are_named_with_what_to_do(argv: list[str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(argv, {})
    assert said in "\n".join(caught.value.lines())
    assert caught.value.exit_code == 2


def test_a_bad_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="PI_MAX_TURNS: 'x'"):
        parse([], {"PI_MAX_TURNS": "x"})


def test_help_lists_every_flag_and_variable_once_and_no_value() -> None:
    text = help_text()
    for flag in FLAGS:
        assert text.count(f"{flag.name} ") >= 1
        assert flag.variable in text
    assert "sk-" not in text


def test_rows_of_the_table_are_consistent() -> None:
    names = [flag.name for flag in FLAGS]
    assert len(set(names)) == len(names)
    for flag in FLAGS:
        assert flag.name.startswith("--")
        assert flag.help
        assert flag.group in GROUPS
        assert flag.kind in ("text", "path", "secret", "int", "bool", "list", "repeat", "choice")
        assert flag.kind == "bool" or flag.metavar
        assert not flag.variable or flag.variable.startswith("PI_")
        assert set(flag.needs + flag.clashes) <= set(names)


def test_layers_count_in_their_order_below_the_environment() -> None:
    profile = Layer("profile", "p.json", {"--model": "a/profile", "--max-turns": 1})
    user = Layer("user", "u.json", {"--model": "a/user", "--max-turns": 2, "--session": "mine"})
    found = parse(["-p", "x"], {"PI_MAX_TURNS": "3"}, [profile, user])
    assert [found.values[name] for name in ("--model", "--max-turns", "--session")] == [
        "a/profile", 3, "mine",
    ]  # fmt: skip
    assert [found.sources[name] for name in ("--model", "--max-turns", "--session", "--tools")] == [
        "profile", "environment", "user", "default",
    ]  # fmt: skip
    assert [found.where.get(name) for name in ("--model", "--max-turns", "--print")] == [
        "p.json", "PI_MAX_TURNS", None,
    ]  # fmt: skip
    assert found.argv == ("-p", "x")
    assert found.given("--session")


@pytest.mark.parametrize(
    ("argv", "environ", "project", "user", "winner"),
    [
        (["--no-tools"], {}, {"--tools": ("read",)}, {}, "--no-tools"),
        (["--tools", "read"], {}, {"--no-tools": True}, {}, "--tools"),
        ([], {"PI_TOOLS": "read"}, {"--no-tools": True}, {}, "--tools"),
        ([], {}, {"--no-tools": True}, {"--tools": ("read",)}, "--no-tools"),
        ([], {}, {"--no-tools": False}, {"--tools": ("read",)}, "--tools"),
        (["--no-tools=false"], {"PI_TOOLS": "read"}, {}, {}, "--tools"),
        (["--session", "x"], {}, {"--no-session": True}, {"--continue": True}, "--session"),
    ],
)
def test_a_value_yields_to_what_excludes_it_further_up(
    argv: list[str],
    environ: dict[str, str],
    project: dict[str, object],
    user: dict[str, object],
    winner: str,
) -> None:
    layers = [Layer("project", "p", project), Layer("user", "u", user)]
    found = parse(argv, environ, layers)
    others = ("--tools", "--no-tools", "--session", "--no-session", "--continue")
    assert [name for name in others if found.given(name) and found.values[name]] == [winner]
