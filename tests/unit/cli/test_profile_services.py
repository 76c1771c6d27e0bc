"""Profiles and a real conversation: what is in force, what is kept, what is taken up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import PolicyRefused
from pi.base.host import Host
from pi.cli.conversation import Conversation
from pi.cli.diagnostic_services import policy_sources
from pi.cli.parse import parse
from pi.cli.profile_services import apply_profile, profile_given, profile_values
from pi.cli.settings import build_settings
from pi.commands.profile_fields import FIELDS, read_profile
from pi.commands.profile_shelf import Found
from pi.commands.profiles import Change
from pi.commands.store_files import Place


class At(Host):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.environ, self._folder = {"HOME": str(folder)}, str(folder)

    def cwd(self) -> str:
        return self._folder


class Run:
    """A conversation that has asked no model yet."""

    def __init__(self, folder: Path, *argv: str) -> None:
        host = At(folder)
        parsed = parse(("--no-session", *argv), host.environ)
        self.conversation = Conversation(parsed, build_settings(parsed), host)
        self._apply = apply_profile(self.conversation)
        self.asked: list[tuple[str, ...]] = []

    @property
    def values(self) -> dict[str, Any]:
        return profile_values(self.conversation)()

    def load(
        self, profile: dict[str, Any], *, allow: bool = False, trusted: bool = True
    ) -> dict[str, str]:
        def allowed(names: tuple[str, ...]) -> bool:
            self.asked.append(names)
            return allow

        found = Found("p", read_profile(profile), Place("/x", "project"), trusted)
        changes: list[Change] = self._apply(found, allowed, trusted)
        return {change.name: change.state for change in changes}


def test_the_policy_names_the_profile_that_a_value_came_from(tmp_path: Path) -> None:
    run = Run(tmp_path, "--max-command-length", "77")
    sources = policy_sources(run.conversation)
    run.load(policy(tool_policy_preset="strict", bash_timeout_ms=5, max_command_length=77))
    assert sources()["bash_timeout_ms"] == "/x (p)"
    assert sources()["preset"] == "/x (p)"
    assert sources()["max_command_length"] == "--max-command-length"  # it was so before
    assert sources()["max_file_read_bytes"] == "preset strict"


def policy(**parts: object) -> dict[str, Any]:
    return {"policy": parts, "set": [f"policy.{name}" for name in parts]}


def test_every_field_has_a_value_in_force_in_its_order(tmp_path: Path) -> None:
    values = Run(tmp_path, "--tool-policy-preset", "hardened").values
    assert list(values) == [field.name for field in FIELDS]
    assert values["policy.bash_timeout_ms"] == 60_000
    assert values["session.enabled"] is False
    assert values["session.path"] is None
    assert values["auth.google"] == "api_key"


def test_what_was_given_is_set_and_the_preset_always(tmp_path: Path) -> None:
    run = Run(tmp_path, "--model", "openai/x", "--thinking", "high", "--bash-timeout-ms", "5")
    sets, flags, left_out = profile_given(run.conversation)()
    assert sets == (
        *("model", "session.enabled", "policy.tool_policy_preset", "policy.bash_timeout_ms"),
    )
    assert (flags, left_out) == ({"--thinking": "high"}, ())
    assert profile_given(Run(tmp_path).conversation)()[0] == (
        "session.enabled",
        "policy.tool_policy_preset",
    )


def test_tightening_is_taken_up_without_a_question(tmp_path: Path) -> None:
    run = Run(tmp_path)
    changes = run.load(
        {
            **policy(tool_policy_preset="strict", bash_dry_run=True),
            "model": "anthropic/claude-x",
            "flags": {"--thinking": "low", "--max-turns": 3},
        }
    )
    assert changes == {
        "policy.tool_policy_preset": "applied",
        "policy.bash_dry_run": "applied",
        "--thinking": "applied",
        "--max-turns": "applied",
    }
    settings = run.conversation.settings
    assert settings.tools.policy.preset == "strict"
    assert settings.tools.policy.bash_dry_run
    assert settings.model.thinking == "low"
    assert settings.max_turns == 3
    assert str(settings.model.ref) == "openai/gpt-4o-mini", "the profile does not set it"
    assert run.asked == []


def test_loosening_is_asked_about_and_what_tightens_is_taken_up_anyway(tmp_path: Path) -> None:
    profile = policy(bash_timeout_ms=999_999, bash_dry_run=True)
    run = Run(tmp_path)
    assert run.load(profile) == {
        "policy.bash_dry_run": "applied",
        "policy.bash_timeout_ms": "refused",
    }
    assert run.asked == [("policy.bash_timeout_ms",)]
    assert run.conversation.settings.tools.policy.bash_timeout_ms == 120_000
    assert run.load(profile, allow=True) == {"policy.bash_timeout_ms": "applied"}
    assert run.conversation.settings.tools.policy.bash_timeout_ms == 999_999
    assert run.load(profile) == {}


def test_a_second_profile_does_not_undo_the_first(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.load(policy(tool_policy_preset="hardened"))
    assert run.load({"model": "openai/other", "set": ["model"]}) == {"model": "applied"}
    assert run.load(policy(bash_timeout_ms=10)) == {"policy.bash_timeout_ms": "applied"}
    assert run.conversation.settings.tools.policy.preset == "hardened"
    assert run.asked == []
    assert run.load(policy(tool_policy_preset="balanced")) == {
        "policy.tool_policy_preset": "refused"
    }
    assert run.conversation.settings.tools.policy.preset == "hardened"


def test_a_model_of_another_vendor_does_not_get_the_first_ones_address_and_key(
    tmp_path: Path,
) -> None:
    run = Run(tmp_path, "--api-base", "http://127.0.0.1:1/v1", "--api-key", "k-0123456789")
    run.load({"model": "anthropic/claude-x", "fallback_models": ["openai/a"]})
    model = run.conversation.settings.model
    assert str(model.ref) == "anthropic/claude-x"
    assert [str(ref) for ref in model.fallbacks] == ["openai/a"]
    assert (dict(model.bases), dict(model.keys)) == ({}, {})


def test_what_needs_a_new_start_is_said_and_changes_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path)
    before = run.conversation.settings
    changes = run.load(
        {
            "session": {"enabled": True, "path": "x.jsonl"},
            "set": ["session.enabled", "session.path"],
            "flags": {"--proxy": "http://127.0.0.1:1", "--later": 1},
        }
    )
    assert changes == {
        "session.enabled": "restart",
        "session.path": "restart",
        "--proxy": "restart",
        "--later": "ignored",
    }
    assert run.conversation.settings == before


def test_a_strangers_profile_changes_nothing_if_it_wants_too_much(tmp_path: Path) -> None:
    run = Run(tmp_path)
    before = run.conversation.settings
    with pytest.raises(PolicyRefused, match=r"policy\.bash_timeout_ms"):
        run.load(policy(bash_timeout_ms=999_999), trusted=False, allow=True)
    with pytest.raises(PolicyRefused, match="--api-base"):
        run.load({"flags": {"--api-base": "http://evil.example"}}, trusted=False)
    assert run.conversation.settings == before
    assert run.load(policy(bash_timeout_ms=1), trusted=False) == {
        "policy.bash_timeout_ms": "applied"
    }
