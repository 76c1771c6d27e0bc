"""Settings files: which count, what they say, how mistakes in them are told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.errors import ConfigError
from pi.cli.config_files import configured, survey
from pi.cli.config_reading import layer_of, read_layer
from pi.cli.folder_trust import write_answer
from pi.cli.parse import Parsed, parse
from tests.fakes.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path, "work/sub")
    (made.home / "work" / ".git").mkdir()
    return made


def values(desk: Desk, *argv: str) -> Parsed:
    return configured(desk.parsed(*argv), desk)


def test_without_files_nothing_changes(desk: Desk) -> None:
    parsed = desk.parsed("--model", "a/b")
    assert configured(parsed, desk) is parsed
    assert [row.state for row in survey(parsed, desk)] == ["missing"]


def test_the_users_file_counts_and_the_projects_only_where_it_is_trusted(desk: Desk) -> None:
    desk.write(".config/pi/settings.json", '{"model": "user/m", "max-turns": 5}')
    path = desk.write("work/.pi/settings.json", '{"model": "project/m", "session": "./s"}')
    parsed = values(desk)
    assert (parsed.values["--model"], parsed.values["--max-turns"]) == ("user/m", 5)
    assert desk.stderr.getvalue() == (
        f"[{desk.home}/work is not trusted: .pi/settings.json left out "
        "(/trust approves it, --trust-project does for one run)]\n"
    )
    parsed = values(desk, "--trust-project")
    assert (parsed.values["--model"], parsed.values["--max-turns"]) == ("project/m", 5)
    assert parsed.values["--session"] == f"{desk.home}/work/s"
    assert (parsed.sources["--model"], parsed.where["--model"]) == ("project", str(path))
    write_answer(desk.environ, f"{desk.home}/work", True, 0, os.urandom)
    assert values(desk).values["--model"] == "project/m"
    write_answer(desk.environ, f"{desk.home}/work", None, 0, os.urandom)
    assert values(desk).values["--model"] == "user/m"


def test_the_nearest_file_of_the_project_counts_alone(desk: Desk) -> None:
    desk.write("work/.pi/settings.json", '{"model": "outer/m", "max-turns": 5}')
    desk.write("work/sub/.pi/settings.json", '{"model": "inner/m"}')
    parsed = values(desk, "--trust-project")
    assert (parsed.values["--model"], parsed.values["--max-turns"]) == ("inner/m", 100)


def test_no_config_ignores_both_files_whatever_is_in_them(desk: Desk) -> None:
    desk.write(".config/pi/settings.json", "{ broken")
    desk.write("work/.pi/settings.json", '{"model": "project/m"}')
    parsed = values(desk, "--no-config", "--trust-project")
    assert parsed.values["--model"] == "openai/gpt-4o-mini"
    assert [row.state for row in survey(parsed, desk)] == ["ignored", "ignored"]
    assert desk.stderr.getvalue() == ""


def test_an_unknown_name_is_told_once_and_not_with_quiet(desk: Desk) -> None:
    path = desk.write(".config/pi/settings.json", '{"$schema": "x",\n  "max_turns": 3}')
    assert values(desk).values["--max-turns"] == 100
    assert desk.stderr.getvalue() == (
        f"[{path}:2:3: unknown setting 'max_turns'; did you mean 'max-turns'?]\n"
    )
    values(desk, "--quiet")
    assert desk.stderr.getvalue().count("\n") == 1


def test_a_removed_working_directory_is_no_reason_to_fail_here(desk: Desk) -> None:
    class Lost(Desk):
        def cwd(self) -> str:
            raise FileNotFoundError

    lost = Lost(desk.home.parent)
    assert configured(lost.parsed(), lost).values["--quiet"] is False


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"model": 3}', "/s.json:1:2: 'model': needs a text in double quotes, not 3"),
        ('{\n "quiet": "yes"}', "/s.json:2:2: 'quiet': needs true or false, not 'yes'"),
        ('{"prompt": "x"}', "'prompt': it makes sense for one run only, on the command line"),
        ('{"api-key": "sk-123456"}', "'api-key': a secret has no place in a file"),
        ('{"no-tools": true, "tools": ["ls"]}', "'tools': cannot be combined with 'no-tools'"),
        ('{"model": "a/b",}', "/s.json:1:17: expected a name in double quotes"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(text: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layer_of(text, "/s.json", "user")
    assert told in caught.value.message
    assert "sk-123456" not in "".join(caught.value.lines())
    assert "--no-config" in caught.value.hint
    assert caught.value.exit_code == 2


def test_a_projects_file_does_not_say_where_keys_go() -> None:
    text = '{"api-base": "https://elsewhere.example/v1"}'
    assert layer_of(text, "/s.json", "user")[0].values
    with pytest.raises(ConfigError, match="for the user's own settings"):
        layer_of(text, "/s.json", "project")


def test_false_excludes_nothing_and_a_blank_file_says_nothing() -> None:
    layer, _ = layer_of('{"no-tools": false, "tools": ["ls"]}', "/s.json", "user")
    assert layer.values == {"--no-tools": False, "--tools": ("ls",)}
    assert layer_of(" \n", "/s.json", "user")[0].values == {}


def test_a_file_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").write_bytes(b" " * (10 << 20))
    (tmp_path / "bom").write_bytes(b'\xef\xbb\xbf{"quiet": true}')
    (tmp_path / "latin").write_bytes(b'{"model": "caf\xe9"}')
    for name, why in (
        ("", "is a folder"),
        ("pipe", "is not a regular file"),
        ("big", "is larger than 1048576 bytes"),
        ("latin", "is not UTF-8 text"),
    ):
        path = os.path.join(tmp_path, name).rstrip("/")
        with pytest.raises(ConfigError) as caught:
            read_layer(path, "user", "", "")
        assert caught.value.message.startswith(f"settings file {path} {why}")
    assert read_layer(str(tmp_path / "bom"), "user", "", "")[0].values == {"--quiet": True}


def test_a_value_that_only_the_settings_find_wrong_names_its_file(desk: Desk) -> None:
    from pi.base.errors import UsageError
    from pi.cli.settings import build_settings

    path = desk.write(".config/pi/settings.json", '{"model": "nobody/m"}')
    with pytest.raises(UsageError) as caught:
        build_settings(values(desk))
    assert caught.value.cause == f"--model is set in {path}"
    with pytest.raises(UsageError) as caught:
        build_settings(parse([], {"PI_MODEL": "nobody/m"}))
    assert caught.value.cause == "--model is set in PI_MODEL"
    with pytest.raises(UsageError) as caught:
        build_settings(parse(["--model", "nobody/m"], {}))
    assert caught.value.cause == ""
