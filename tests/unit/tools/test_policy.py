"""The presets, and what an operator changes of them."""

from __future__ import annotations

import json

import pytest

from pi.tools.policy import PRESETS, PROFILES, SCHEMA_VERSION, as_json, make_policy


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_alone_is_its_table_row_with_the_list_of_its_profile(preset: str) -> None:
    policy = make_policy(preset, {})
    assert policy == PRESETS[preset]._replace(allowed_commands=PROFILES[policy.bash_profile])
    assert policy.preset == preset


@pytest.mark.parametrize(
    ("preset", "field", "value"),
    [
        ("hardened", "os_sandbox_mode", "off"),
        ("strict", "bash_timeout_ms", 120_000),
        ("permissive", "enforce_regular_files", True),
        ("permissive", "allow_command_newlines", False),
        ("balanced", "max_command_length", 8),
    ],
)
def test_a_given_value_wins_even_if_it_is_the_default_of_another_preset(
    preset: str, field: str, value: object
) -> None:
    assert getattr(make_policy(preset, {field: value}), field) == value


def test_a_given_profile_replaces_the_list() -> None:
    policy = make_policy("strict", {"bash_profile": "balanced"})
    assert policy.allowed_commands == PROFILES["balanced"]
    assert policy.preset == "strict"


def test_more_commands_are_trimmed_and_added_once() -> None:
    policy = make_policy("strict", {}, [" py* ", "", "  ", "ls", "py*"])
    assert policy.allowed_commands == (*PROFILES["strict"], "py*")


def test_one_more_command_makes_a_list_of_the_permissive_profile() -> None:
    assert make_policy("permissive", {}).allowed_commands == ()
    assert make_policy("permissive", {}, ["x"]).allowed_commands == ("x",)


def test_the_strict_list_is_part_of_the_balanced_one_and_neither_runs_anything() -> None:
    strict, balanced = (set(PROFILES[name]) for name in ("strict", "balanced"))
    assert strict < balanced
    assert balanced.isdisjoint(("bash", "sh", "sudo", "eval", "python", "curl", "nohup"))
    assert strict.isdisjoint(("cp", "git", "mv", "rm", "tee", "touch", "xargs", "cargo"))


def test_the_presets_are_ordered_in_every_limit() -> None:
    rows = [PRESETS[name] for name in ("hardened", "strict", "balanced", "permissive")]
    for field in (
        "max_file_read_bytes",
        "max_file_write_bytes",
        "max_command_output_bytes",
        "bash_timeout_ms",
        "max_command_length",
        "allow_command_newlines",
        "sandbox_net",
    ):
        values = [getattr(row, field) for row in rows]
        assert values == sorted(values)


def test_the_policy_as_data_has_its_keys_in_order_and_plain_values() -> None:
    policy = make_policy("hardened", {"os_sandbox_command": ("echo", "{cwd}")})
    data = as_json(policy, ["/a", "/b"])
    assert list(data) == sorted(data)
    assert data["schema_version"] == SCHEMA_VERSION == 2
    assert data["allowed_roots"] == ["/a", "/b"]
    assert json.loads(json.dumps(data)) == data
    assert {"preset", "bash_profile", "allowed_commands", "os_sandbox_mode"} <= data.keys()
