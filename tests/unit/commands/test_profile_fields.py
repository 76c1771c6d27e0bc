"""What a profile holds: reading, effective values, the older program's files."""

from __future__ import annotations

from typing import Any

import pytest

from pi.commands.profile_fields import (
    FIELDS,
    BadProfile,
    differences,
    read_profile,
    worded,
    write_profile,
)

DEFAULTS = {field.name: field.default for field in FIELDS}
# As the older program writes it.
LEGACY: dict[str, Any] = {
    "model": "openai/gpt-4o-mini",
    "fallback_models": [],
    "session": {"enabled": True, "path": ".pi/sessions/default.jsonl", "import_mode": "merge"},
    "policy": {
        "tool_policy_preset": "hardened",
        "bash_profile": "balanced",
        "bash_dry_run": False,
        "os_sandbox_mode": "off",
        "enforce_regular_files": True,
        "bash_timeout_ms": 120000,
        "max_command_length": 4096,
        "max_tool_output_bytes": 16000,
        "max_file_read_bytes": 1000000,
        "max_file_write_bytes": 1000000,
        "allow_command_newlines": False,
    },
}


def test_raw_defaults_of_the_older_program_do_not_loosen_its_preset() -> None:
    found = read_profile(LEGACY)
    assert found.sets == ("model", "fallback_models", "policy.tool_policy_preset")
    effective = found.effective()
    assert effective["policy.bash_timeout_ms"] == 60_000
    assert effective["policy.os_sandbox_mode"] == "force"
    assert effective["auth.openai"] == "api_key"
    assert list(effective) == [field.name for field in FIELDS]


def test_what_was_changed_in_it_counts() -> None:
    policy = {**LEGACY["policy"], "bash_timeout_ms": 1000}
    auth = {"openai": "oauth_token"}
    found = read_profile({**LEGACY, "policy": policy, "auth": auth})
    assert found.sets[-2:] == ("policy.bash_timeout_ms", "auth.openai")
    assert found.effective()["policy.bash_timeout_ms"] == 1000


def test_what_is_saved_is_complete_for_the_older_program() -> None:
    values = {**DEFAULTS, "model": "a/b", "fallback_models": ("c/d",), "session.path": None}
    made = write_profile(values, ["model"], {"--thinking": "high"}, None)
    assert list(made) == ["model", "fallback_models", "session", "policy", "auth", "set", "flags"]
    assert made["session"] == {"enabled": True, "path": None, "import_mode": "merge"}
    assert list(made["policy"]) == list(LEGACY["policy"])
    assert (made["set"], made["flags"]) == (["model"], {"--thinking": "high"})
    found = read_profile(made)
    assert found.sets == ("model",)
    assert found.effective() == values


def test_saving_again_keeps_what_nobody_knows() -> None:
    before = {**LEGACY, "later": 1, "session": {"color": "red", "path": "x"}, "set": ["model"]}
    made = write_profile(DEFAULTS, [], {}, before)
    assert made["later"] == 1
    assert made["session"]["color"] == "red"
    assert made["session"]["path"] == DEFAULTS["session.path"]
    assert made["set"] == []
    with pytest.raises(BadProfile, match="delete it first"):
        write_profile(DEFAULTS, [], {}, ["not", "a", "profile"])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"model": 1}, "model must be a text that is not empty"),
        ({"model": ""}, "model must be a text that is not empty"),
        ({"fallback_models": "a/b"}, "fallback_models must be a list of texts"),
        ({"session": 1}, "session is no object"),
        ({"session": {"enabled": "yes"}}, "session.enabled must be true or false"),
        ({"policy": {"bash_timeout_ms": -1}}, "policy.bash_timeout_ms must be a whole number"),
        ({"policy": {"bash_timeout_ms": True}}, "policy.bash_timeout_ms must be a whole number"),
        ({"policy": {"tool_policy_preset": "wild"}}, "policy.tool_policy_preset must be one of"),
        ({"policy": {"tool_policy_preset": ["strict"]}}, "policy.tool_policy_preset must be one"),
        ({"auth": {"openai": "magic"}}, "auth.openai must be one of api_key, oauth_token"),
        ({"set": "model"}, "set is no list of field names"),
        ({"set": ["auth.google"]}, "auth.google is set, but has no value"),
        ({"flags": []}, "flags is no object"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadProfile) as caught:
        read_profile({**LEGACY, **change})
    assert caught.value.message.startswith(why)


def test_an_empty_profile_is_one_and_a_list_is_none() -> None:
    assert read_profile({}).effective() == DEFAULTS
    with pytest.raises(BadProfile, match="it is no object"):
        read_profile([])


def test_differences_come_in_the_order_of_the_fields() -> None:
    other = {**DEFAULTS, "auth.google": "adc", "model": "x/y"}
    assert differences(DEFAULTS, other) == [
        ("model", "openai/gpt-4o-mini", "x/y"),
        ("auth.google", "api_key", "adc"),
    ]


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (None, "none"),
        ((), "none"),
        (True, "true"),
        (5, "5"),
        (("a", "b"), "a,b"),
        ("\x1b", "\\u001b"),
    ],
)
def test_values_are_printed_as_words(value: object, word: str) -> None:
    assert worded(value) == word
