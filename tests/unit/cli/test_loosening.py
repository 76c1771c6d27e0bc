"""Which tool settings allow more than others."""

from __future__ import annotations

import pytest

from pi.cli.loosening import POLICY, PRESETS, loosened, more_commands
from pi.cli.parse import parse
from pi.cli.tool_settings import ToolSettings, build_tool_settings
from pi.tools.policy import Policy


def tools(*argv: str) -> ToolSettings:
    return build_tool_settings(parse(argv, {}))


def preset(name: str) -> ToolSettings:
    return tools("--tool-policy-preset", name)


def test_every_part_of_the_policy_is_judged() -> None:
    assert set(POLICY) == set(Policy._fields)


@pytest.mark.parametrize("index", range(1, len(PRESETS)))
def test_a_preset_allows_more_than_the_one_before_it_and_that_no_more(index: int) -> None:
    stricter, looser = preset(PRESETS[index - 1]), preset(PRESETS[index])
    assert "policy.preset" in loosened(stricter, looser)
    assert loosened(looser, stricter) == ()
    assert loosened(looser, looser) == ()


@pytest.mark.parametrize(
    ("flags", "part"),
    [
        (("--bash-timeout-ms", "999999"), "policy.bash_timeout_ms"),
        (("--enforce-regular-files", "false"), "policy.enforce_regular_files"),
        (("--allow-command-newlines",), "policy.allow_command_newlines"),
        (("--allow-command", "curl"), "policy.allowed_commands"),
        (("--bash-profile", "permissive"), "policy.allowed_commands"),
        (("--os-sandbox-command", "sh,-c,{command}"), "policy.os_sandbox_command"),
        (("--tools", "read,write,edit,bash,grep"), "tools"),
        (("--allow-path", "/"), "allow_path"),
        (("--bash-env", "HOME"), "bash_env"),
        (("--bash-login",), "bash_login"),
        (("--os-sandbox-launcher", "landlock"), "os_sandbox_launcher"),
    ],
)
def test_each_knob_is_seen(flags: tuple[str, ...], part: str) -> None:
    assert loosened(tools(), tools(*flags)) == (part,)


@pytest.mark.parametrize(
    "flags",
    [
        ("--bash-timeout-ms", "1"),
        ("--bash-dry-run",),
        ("--bash-profile", "strict"),
        ("--os-sandbox-mode", "force"),
        ("--sandbox-net", "false"),
        ("--no-tools",),
        ("--tool-policy-trace",),
    ],
)
def test_tightening_is_no_loosening(flags: tuple[str, ...]) -> None:
    assert loosened(tools(), tools(*flags)) == ()


@pytest.mark.parametrize(
    ("old", "new", "more"),
    [
        ((), ("ls",), False),
        ((), (), False),
        (("ls",), (), True),
        (("ls", "cat"), ("ls",), False),
        (("ls",), ("cat",), True),
        (("git*",), ("git", "git-lfs"), False),
        (("git*",), ("git-*",), False),
        (("git-*",), ("git*",), True),
        (("git",), ("git*",), True),
        (("*",), ("anything",), False),
    ],
)
def test_lists_of_commands(old: tuple[str, ...], new: tuple[str, ...], more: bool) -> None:
    assert more_commands(old, new) is more
