"""The sixteen rules of the command line, over the whole flag table, one test each."""

from __future__ import annotations

from typing import Any

import pytest

from pi.base.errors import ConfigError, PiError, UsageError
from pi.cli.flags import FLAGS, Flag
from pi.cli.help import help_text
from pi.cli.parse import FREE_TEXT, parse

PLAIN: dict[str, tuple[str, object]] = {
    "text": ("some", "some"),
    "path": ("some", "some"),
    "secret": ("some", "some"),
    "int": ("9999999", 9999999),
    "list": ("a,b", ("a", "b")),
    "repeat": ("a,b", ("a,b",)),
}
KINDS = {kind: [flag for flag in FLAGS if flag.kind == kind] for kind in (*PLAIN, "bool", "choice")}
VARIABLES = [flag for flag in FLAGS if flag.variable]


def sample(flag: Flag) -> tuple[str, object]:
    """A text that the flag takes, and the value it means."""
    if flag.kind == "bool":
        return ("false", False) if flag.default else ("true", True)
    return (flag.choices[-1], flag.choices[-1]) if flag.choices else PLAIN[flag.kind]


def with_needs(flag: Flag) -> list[str]:
    """What must stand beside the flag."""
    rows = {other.name: other for other in FLAGS}
    return [word for name in flag.needs for word in (name, sample(rows[name])[0])]


def refused(*argv: str, **environ: str) -> PiError:
    with pytest.raises(PiError) as caught:
        parse(argv, environ)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize("flag", FLAGS, ids=lambda flag: str(flag.name))
def test_p1_values_follow_or_are_joined_and_beat_the_variable(flag: Flag) -> None:
    text, value = sample(flag)
    needs = with_needs(flag)
    for argv in ([flag.name, text], [f"{flag.name}={text}"]):
        parsed = parse([*argv, *needs], {flag.variable: "7"} if flag.variable else {})
        assert parsed.values[flag.name] == value
        assert parsed.sources[flag.name] == "flag"
        assert parsed.words == ()


@pytest.mark.parametrize("flag", VARIABLES, ids=lambda flag: str(flag.name))
def test_p2_a_variable_needs_nothing_and_clashes_with_nothing(flag: Flag) -> None:
    text, value = sample(flag)
    assert parse([], {flag.variable: text}).values[flag.name] == value
    rows = {other.name: other for other in FLAGS}
    for name in (*flag.clashes, *(other.name for other in FLAGS if flag.name in other.clashes)):
        other_text, other = sample(rows[name])
        parsed = parse([f"{name}={other_text}", *with_needs(rows[name])], {flag.variable: text})
        assert parsed.values[name] == other


def test_p2_the_environment_of_a_ci_system_stops_nothing() -> None:
    environ = {"GITHUB_TOKEN": "", "CI": "true", "PI_COMMAND_FILE_ERROR_MODE": "continue-on-error"}
    assert parse(["-p", "x"], environ).words == ("x",)


def test_p3_what_excludes_and_what_is_needed_goes_by_the_value() -> None:
    assert parse(["--print=false", "--prompt-file", "f"], {}).values["--prompt-file"] == "f"
    assert parse(["--no-session=false", "--continue"], {}).values["--continue"] is True
    assert parse(["--command-file-check=false"], {}).values["--command-file-check"] is False
    assert "cannot be combined" in refused("--print", "--prompt-file", "f").message
    assert "needs --command-file" in refused("--command-file-check").message


@pytest.mark.parametrize("flag", KINDS["bool"], ids=lambda flag: str(flag.name))
def test_p4_p5_p6_switches_are_bare_joined_or_followed_by_true_or_false(flag: Flag) -> None:
    needs = with_needs(flag)
    for words, value in [
        ([flag.name], True),
        ([flag.name, "true"], True),
        ([flag.name, "false"], False),
        ([f"{flag.name}=no"], False),
        ([flag.name, flag.name], True),
    ]:
        parsed = parse([*words, *needs], {})
        assert parsed.values[flag.name] is value
        assert parsed.words == ()
    assert parse([flag.name, "words", *needs], {}).words == ("words",)
    assert "neither true nor false" in refused(f"{flag.name}=maybe", *needs).message
    if flag.variable:
        for text, value in {"TRUE": True, "1": True, "On": True, "no": False, "0": False}.items():
            assert parse([], {flag.variable: text}).values[flag.name] is value
        error = refused(**{flag.variable: "maybe"})
        assert isinstance(error, ConfigError)
        assert flag.variable in error.message


@pytest.mark.parametrize("flag", KINDS["int"], ids=lambda flag: str(flag.name))
@pytest.mark.parametrize("text", ["-1", "abc", "1_000", "", "1.5", " 1", "+1", "9" * 25])
def test_p7_numbers_are_digits(flag: Flag, text: str) -> None:
    assert "is not a whole number" in refused(f"{flag.name}={text}", *with_needs(flag)).message


@pytest.mark.parametrize("flag", KINDS["list"], ids=lambda flag: str(flag.name))
def test_p8_lists_are_split_trimmed_added_up_and_replace_the_variables(flag: Flag) -> None:
    environ = {flag.variable: "x"} if flag.variable else {}
    argv = [flag.name, "a,, b ,", f"{flag.name}=c", *with_needs(flag)]
    assert parse(argv, environ).values[flag.name] == ("a", "b", "c")


def test_p9_an_empty_variable_is_no_variable_for_every_flag() -> None:
    empty = parse([], {flag.variable: "" for flag in VARIABLES})
    assert empty.values == parse([], {}).values
    assert set(empty.sources.values()) == {"default"}


@pytest.mark.parametrize(
    "flag", [flag for flag in FLAGS if flag.kind not in ("list", "repeat", "bool")],
    ids=lambda flag: str(flag.name),
)  # fmt: skip
def test_p10_a_single_value_is_given_once(flag: Flag) -> None:
    once = f"{flag.name}={sample(flag)[0]}"
    assert refused(once, once, *with_needs(flag)).message == f"{flag.name} is given twice"


@pytest.mark.parametrize(
    "flag", [flag for flag in FLAGS if flag.kind != "bool"], ids=lambda flag: str(flag.name)
)
def test_p11_a_value_that_looks_like_a_flag_is_joined_unless_it_is_free_text(flag: Flag) -> None:
    assert "looks like a flag" in refused(flag.name, "--quiet").message
    needs = with_needs(flag)
    if flag.name in FREE_TEXT:
        value: Any = parse([flag.name, "-x", *needs], {}).values[flag.name]
        assert value in ("-x", ("-x",))
    else:
        assert "looks like a flag" in refused(flag.name, "-x", *needs).message
    if flag.kind in ("text", "path", "secret"):
        assert parse([f"{flag.name}=-x", *needs], {}).values[flag.name] == "-x"


@pytest.mark.parametrize("flag", KINDS["choice"], ids=lambda flag: str(flag.name))
def test_p12_words_to_choose_from_are_exact_and_all_named(flag: Flag) -> None:
    for text in (flag.choices[0].upper(), "", "no-such-word"):
        error = refused(f"{flag.name}={text}", *with_needs(flag))
        assert f"is not one of {', '.join(flag.choices)}" in error.message
    assert all(choice == choice.lower() for choice in flag.choices)


def test_p13_help_names_variables_under_headings() -> None:
    text = help_text(100)
    assert all(f"{flag.variable}]" in text or f"{flag.variable};" in text for flag in VARIABLES)


@pytest.mark.parametrize(
    "argv", [["--no-such"], ["-z"], ["--prom", "x"], ["--model"], ["--thinking", "x"]]
)
def test_p14_mistakes_are_usage_errors_and_no_prefix_is_a_flag(argv: list[str]) -> None:
    assert isinstance(refused(*argv), UsageError)


def test_p15_every_combination_is_judged_while_reading_the_line() -> None:
    for flag in FLAGS:
        rows = {other.name: other for other in FLAGS}
        for name in flag.clashes:
            if name in flag.needs:
                continue
            both = [f"{each.name}={sample(each)[0]}" for each in (flag, rows[name])]
            if any(each.kind == "bool" and sample(each)[1] is False for each in (flag, rows[name])):
                continue  # the value that says something else is the default
            assert "cannot be" in refused(*both, *with_needs(flag), *with_needs(rows[name])).message
        if flag.needs and sample(flag)[1] is not False:
            assert "needs" in refused(f"{flag.name}={sample(flag)[0]}").message


@pytest.mark.parametrize("flag", KINDS["secret"], ids=lambda flag: str(flag.name))
def test_p16_a_secret_is_never_repeated_in_a_message(flag: Flag) -> None:
    for argv in ([f"{flag.name}=s3cret"] * 2, [flag.name, "--s3=s3cret"], [flag.name, "-s3cret"]):
        error = refused(*argv)
        assert "s3cret" not in "\n".join(error.lines())
