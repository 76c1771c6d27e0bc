"""--print-config: values and where they came from, without secrets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import UsageError
from pi.cli.config_files import configured
from pi.cli.config_report import print_config
from tests.fakes.desk import Desk

SECRETS = ("sk-12345678", "hunter22", "tok-87654321", "env-secret-1")


def printed(desk: Desk, *argv: str) -> str:
    parsed = configured(desk.parsed("--print-config", *argv), desk)
    assert print_config(parsed, desk) == 0
    text: str = desk.stdout.getvalue()
    return text


def data(desk: Desk, *argv: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(printed(desk, "--json", *argv))
    return found


def test_each_value_says_where_it_came_from(tmp_path: Path) -> None:
    desk = Desk(tmp_path, PI_MAX_TURNS="7")
    path = desk.write(".config/pi/settings.json", '{"model": "user/m", "quiet": true}')
    lines = printed(desk, "--no-tools").splitlines()
    assert lines[0] == f"# user settings: {path} (read)"
    assert f'model = "user/m"  [user {path}]' in lines
    assert "max-turns = 7  [environment PI_MAX_TURNS]" in lines
    assert "no-tools = true  [flag]" in lines
    assert 'session-sync = "turn"  [default]' in lines
    assert not any(line.startswith(("print-config", "json =", "resume", "help")) for line in lines)


def test_words_narrow_the_list(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    found = data(desk, "policy", "no-tools")
    assert [row["name"] for row in found["data"]["values"]] == [
        "no-tools",
        "tool-policy-preset",
        "tool-policy-trace",
    ]
    assert (found["command"], found["ok"]) == ("print-config", True)


def test_words_that_no_setting_has_are_an_error_and_suggest(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    parsed = configured(desk.parsed("--print-config", "modle"), desk)
    with pytest.raises(UsageError, match="no setting has 'modle' in its name") as caught:
        print_config(parsed, desk)
    assert caught.value.hint == "did you mean model?"
    assert desk.stdout.getvalue() == ""
    parsed = configured(desk.parsed("--print-config", "modle", "--json"), desk)
    with pytest.raises(UsageError):
        print_config(parsed, desk)
    found = json.loads(desk.stdout.getvalue())
    assert (found["command"], found["ok"]) == ("print-config", False)
    assert found["error"]["exit_code"] == 2


def test_no_secret_is_shown_in_either_form(tmp_path: Path) -> None:
    arguments = [
        *("--api-key", "sk-12345678", "--proxy", "http://me:hunter22@proxy.example:3128"),
        *("--header", "X-Api-Key=tok-87654321", "--header", "X-Team: search"),
        *("--model-catalog-url", "https://h.example/c?key=tok-87654321"),
        *("--bash-env", "TOKEN=tok-87654321", "--system-prompt", "the key is env-secret-1"),
    ]
    for form in ([], ["--json"]):
        desk = Desk(tmp_path, MY_API_KEY="env-secret-1")
        text = printed(desk, *form, *arguments)
        assert [secret for secret in SECRETS if secret in text] == []
    rows = {row["name"]: row["value"] for row in json.loads(text)["data"]["values"]}
    assert rows["api-key"] == "(set)"
    assert rows["proxy"] == "http://(set)@proxy.example:3128"
    assert rows["header"] == ["X-Api-Key=(set)", "X-Team: search"]
    assert rows["bash-env"] == ["TOKEN=(set)"]
    assert rows["system-prompt"] == "the key is [REDACTED]"


def test_a_long_value_is_cut_for_a_person_and_whole_for_a_program(tmp_path: Path) -> None:
    long = "word " * 1000
    line = printed(Desk(tmp_path), "--system-prompt", long, "system-prompt").splitlines()[1]
    assert len(line) < 300
    assert data(Desk(tmp_path), "--system-prompt", long)["data"]["values"][0]["value"] == long
