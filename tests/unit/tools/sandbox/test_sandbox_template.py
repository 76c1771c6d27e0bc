from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, UsageError
from pi.tools.policy import Policy
from pi.tools.sandbox.choose import choose_sandbox
from pi.tools.sandbox.template import check_program, fill, find_program, parse_template

SHELL = "/bin/bash"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([], ()),
        (["", "  "], ()),
        (["echo", "{cwd}"], ("echo", "{cwd}")),
        ([" firejail --quiet ", "'two words' x"], ("firejail", "--quiet", "two words", "x")),
        (["a\\ b", '""'], ("a b", "")),
    ],
)
def test_items_are_split_as_a_shell_splits_them(items: list[str], words: tuple[str, ...]) -> None:
    assert parse_template(items) == words


@pytest.mark.parametrize("item", ["bwrap 'x", '"', "a\\"])
def test_an_unbalanced_item_is_named(item: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_template(["fine", item])
    assert caught.value.message.startswith(f"invalid --os-sandbox-command token '{item}': ")


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        (("echo", "{cwd}"), ("echo", "/w", SHELL, "-lc", "true")),
        (("x", "{shell}", "-c", "{command}"), ("x", SHELL, "-c", "true")),
        (("x", "{command}"), ("x", "true", SHELL)),
        (("x", "{shell}"), ("x", SHELL, "-lc", "true")),
        (
            ("{cwd}/run", "--in={cwd}", "-{shell}"),
            ("/w/run", "--in=/w", "-{shell}", SHELL, "-lc", "true"),
        ),
    ],
)
def test_places_are_filled_and_what_is_missing_is_appended(
    words: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    assert fill(words, SHELL, "true", "/w") == argv


def test_what_a_command_says_is_not_filled_in_again() -> None:
    assert fill(("x", "{command}"), SHELL, "echo {cwd} {shell}", "/w")[1] == "echo {cwd} {shell}"


@pytest.mark.parametrize("mode", ["off", "auto", "force"])
def test_a_template_is_used_in_every_mode(mode: str, tmp_path: Path) -> None:
    policy = Policy(os_sandbox_mode=mode, os_sandbox_command=("echo", "{cwd}"))
    sandbox = choose_sandbox(
        policy, roots=[str(tmp_path)], environ={"PATH": "/usr/bin:/bin"}, temp_dir=str(tmp_path)
    )
    launch = sandbox.launch((SHELL, "-c"), "true", str(tmp_path))
    assert sandbox.mode == mode
    assert launch.sandboxed
    assert launch.environ == {"PI_SANDBOXED": "1"}
    said = subprocess.run(launch.argv, capture_output=True, text=True).stdout
    assert said == f"{tmp_path} {SHELL} -lc true\n"
    facts = sandbox.describe()
    assert facts["confined"] is None
    assert facts["program"] == "echo"


def test_a_missing_program_is_told_at_once(tmp_path: Path) -> None:
    environ = {"PATH": f"relative:{tmp_path}"}
    (tmp_path / "not-executable").write_text("")
    for program in (
        "no-such-launcher",
        "not-executable",
        str(tmp_path / "nor-this"),
        str(tmp_path),
    ):
        with pytest.raises(ConfigError) as caught:
            check_program((program,), environ)
        assert f"'{program}' was not found" in caught.value.message


def test_a_program_is_found_on_the_path_that_was_given(tmp_path: Path) -> None:
    program = tmp_path / "launch"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert find_program("launch", {"PATH": f"/nowhere:{tmp_path}"}) == str(program)
    assert find_program(str(program), {}) == str(program)
    check_program(("{cwd}/bin/x",), {})
