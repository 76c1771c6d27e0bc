"""What a settings file may say, flag by flag."""

from __future__ import annotations

from typing import Any

import pytest

from pi.cli.config_rules import (
    KINDS,
    ONCE,
    PATH_LISTS,
    USER_ONLY,
    WITHOUT_VARIABLE,
    anchored,
    checked,
    is_for_one_run,
    known_name,
    nearest_name,
    refusal,
)
from pi.cli.flags import BY_NAME, FLAGS

TEXTS = ("text", "path", "secret")


def test_every_rule_is_about_a_flag() -> None:
    named = (*ONCE, *USER_ONLY, *PATH_LISTS, *WITHOUT_VARIABLE)
    assert [name for name in named if name not in BY_NAME] == []
    assert {flag.kind for flag in FLAGS} <= {*KINDS, *TEXTS}


def test_what_is_for_one_run_or_secret_stands_in_no_file() -> None:
    for name in ("--prompt", "--print", "--help", "--record", "--resume", "--json", "--profile"):
        assert is_for_one_run(BY_NAME[name])
        assert "one run only" in refusal(BY_NAME[name], "user")
    assert refusal(BY_NAME["--openai-api-key"], "user").endswith("OPENAI_API_KEY")
    for name in ("--model", "--continue", "--no-session", "--tools", "--session"):
        assert refusal(BY_NAME[name], "project") == ""


def test_where_keys_go_is_for_the_user_alone() -> None:
    for name in USER_ONLY:
        assert refusal(BY_NAME[name], "user") == ""
        assert "not for a project's" in refusal(BY_NAME[name], "project")


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("--quiet", True, True),
        ("--json-events", "full", "full"),
        ("--max-turns", 0, 0),
        ("--request-timeout-ms", 0, 1),
        ("--tool-policy-preset", "strict", "strict"),
        ("--model", "a/b", "a/b"),
        ("--tools", ["read", " grep ", ""], ("read", "grep")),
        ("--append-system-prompt", [" a, b ", ""], (" a, b ", "")),
    ],
)
def test_values_are_json_of_the_flags_kind(name: str, value: Any, held: object) -> None:
    assert checked(BY_NAME[name], value) == held


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("--quiet", "true", "needs true or false, not 'true'"),
        ("--quiet", 1, "needs true or false, not 1"),
        ("--json-events", "most", "needs true or false or \"full\", not 'most'"),
        ("--max-turns", True, "needs a whole number, not a bool"),
        ("--max-turns", 1.5, "needs a whole number, not a fraction"),
        ("--max-turns", -1, "needs a whole number, not -1"),
        ("--max-turns", 2**63, "needs a whole number"),
        ("--max-turns", None, "needs a whole number, not null"),
        ("--tool-policy-preset", "lax", "needs one of permissive, "),
        ("--tool-policy-preset", ["strict"], "needs one of permissive, "),
        ("--model", {"a": 1}, "needs a text in double quotes, not an object"),
        ("--model", "a\0b", "holds a NUL character"),
        ("--tools", "read", 'needs a list of texts, ["...", "..."], not \'read\''),
        ("--tools", ["read", 1], "needs a list of texts"),
        ("--bash-env", ["a\0b"], "holds a NUL character"),
    ],
)
def test_another_kind_is_refused_in_words(name: str, value: Any, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked at below
        checked(BY_NAME[name], value)
    assert str(caught.value).startswith(why)


def test_a_long_text_is_not_repeated_in_a_complaint() -> None:
    with pytest.raises(ValueError, match="not a text"):
        checked(BY_NAME["--max-turns"], "x" * 5000)


def test_names_are_those_of_the_flags_and_nothing_near_them() -> None:
    assert known_name("max-turns") is BY_NAME["--max-turns"]
    for other in ("max_turns", "--max-turns", "Max-Turns", "p", "-p", ""):
        assert known_name(other) is None
    assert nearest_name("max_turns") == nearest_name("--MAX-TURNS") == "max-turns"
    assert nearest_name("qqqqqqqq") == ""


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("--telemetry-log", "logs/t.jsonl", "/proj/logs/t.jsonl"),
        ("--telemetry-log", "../t.jsonl", "/t.jsonl"),
        ("--telemetry-log", "~/t.jsonl", "/home/me/t.jsonl"),
        ("--telemetry-log", "/t.jsonl", "/t.jsonl"),
        ("--session", "work", "work"),
        ("--session", "./work", "/proj/work"),
        ("--model", "a/b", "a/b"),
        ("--system-prompt-file", "-", "-"),
        ("--allow-path", ("lib", "~"), ("/proj/lib", "/home/me/")),
        ("--append-system-prompt", ("@a.md", "@@x", "x"), ("@/proj/a.md", "@@x", "x")),
    ],
)
def test_paths_of_a_projects_file_are_relative_to_its_folder(
    name: str, value: object, held: object
) -> None:
    assert anchored(BY_NAME[name], value, "/proj", "/home/me") == held


def test_paths_of_the_users_file_are_relative_to_where_pi_is_started() -> None:
    flag = BY_NAME["--telemetry-log"]
    assert anchored(flag, "logs/t.jsonl", "", "/home/me") == "logs/t.jsonl"
    assert anchored(flag, "~/t.jsonl", "", "/home/me") == "/home/me/t.jsonl"
