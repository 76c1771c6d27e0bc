"""--profile: precedence, what a stranger's profile may do, what is never kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.base.errors import PiError
from pi.base.host import Host
from pi.cli.config_files import configured
from pi.cli.parse import Parsed, parse
from pi.cli.profile_layer import flag_values, given_flags
from pi.cli.settings import build_settings
from pi.commands.profile_fields import BadProfile, read_profile


class At(Host):
    """A host in a folder of the test's."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        super().__init__()
        self.environ, self._folder = environ, str(folder)

    def cwd(self) -> str:
        return self._folder


class Here:
    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder / "project", folder / "home"
        self.folder.mkdir()
        self.home.mkdir()

    def store(self, where: Path, **profiles: object) -> None:
        where.mkdir(parents=True, exist_ok=True)
        content = {"schema_version": 1, "profiles": profiles}
        (where / "profiles.json").write_text(json.dumps(content))

    def user(self, **profiles: object) -> None:
        self.store(self.home / ".config" / "pi", **profiles)

    def project(self, **profiles: object) -> None:
        self.store(self.folder / ".pi", **profiles)

    def start(self, *argv: str, **environ: str) -> Parsed:
        host = At(self.folder, {"HOME": str(self.home), **environ})
        return configured(parse(argv, host.environ), host)

    def refused(self, *argv: str) -> PiError:
        with pytest.raises(PiError) as caught:
            self.start("--profile", "p", *argv)
        return caught.value


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def policy(**parts: object) -> dict[str, Any]:
    return {"policy": parts, "set": [f"policy.{name}" for name in parts]}


def test_it_stands_between_the_environment_and_the_settings_files(here: Here) -> None:
    here.user(p={"model": "openai/from-profile", "flags": {"--thinking": "high"}})
    settings = here.home / ".config" / "pi" / "settings.json"
    settings.write_text('{"model": "openai/from-file", "thinking": "low", "max-turns": 5}')
    found = here.start("--profile", "p")
    assert (found.values["--model"], found.sources["--model"]) == ("openai/from-profile", "profile")
    assert found.values["--thinking"] == "high"
    assert found.values["--max-turns"] == 5
    assert found.where["--model"].endswith("profiles.json (p)")
    named = here.start(PI_PROFILE="p", PI_MODEL="openai/from-variable")
    assert named.values["--model"] == "openai/from-variable"
    typed = here.start("--profile", "p", "--model", "openai/typed", PI_MODEL="openai/v")
    assert typed.values["--model"] == "openai/typed"
    assert here.start().values["--model"] == "openai/from-file"


def test_the_projects_profile_stands_before_the_users(here: Here) -> None:
    here.user(p={"model": "openai/mine"}, q={"model": "openai/q"})
    here.project(p={"model": "openai/ours"})
    trusting = here.start("--profile", "p", "--trust-project")
    assert trusting.values["--model"] == "openai/ours"
    assert here.start("--profile", "q").values["--model"] == "openai/q"


def test_a_profile_that_nobody_approved_does_not_hide_the_users_own(here: Here) -> None:
    """An empty one would undo what the user's own of that name tightens."""
    here.user(p=policy(tool_policy_preset="strict"))
    here.project(p={"model": "openai/theirs"})
    values = here.start("--profile", "p").values
    assert values["--tool-policy-preset"] == "strict"


@pytest.mark.parametrize("flag", ["--api-base", "--proxy", "--ca-bundle", "--model-catalog-url"])
def test_where_keys_go_is_not_said_by_a_profile_of_a_trusted_folder_either(
    here: Here, flag: str
) -> None:
    """As in its settings: the next pull may bring another address."""
    here.project(p={"flags": {flag: "http://evil.example"}})
    error = here.refused("--trust-project")
    assert (error.exit_code, error.code) == (8, "project-not-trusted")
    assert flag in error.message


def test_sessions_can_be_switched_off_and_the_command_line_has_the_last_word(here: Here) -> None:
    here.user(p={"session": {"enabled": False, "path": None}, "set": ["session.enabled"]})
    off = here.start("--profile", "p")
    assert build_settings(off).session.path is None
    on = here.start("--profile", "p", "--session", "s.jsonl")
    assert build_settings(on).session.path == "s.jsonl"


def test_unknown_and_damaged_ones_end_the_start(here: Here) -> None:
    assert here.refused().message == "unknown profile 'p'"
    here.user(p={"model": 1})
    assert "profile 'p' is damaged: model must be a text" in here.refused().message
    here.user(p={"flags": {"--max-turns": "many"}})
    assert "profile 'p' is damaged: --max-turns needs a whole number" in here.refused().message
    assert here.refused().exit_code == 2
    (here.home / ".config" / "pi" / "profiles.json").write_text('{"schema_version": 99}')
    assert "unknown profile 'p'" in here.refused().message
    assert "unsupported profile schema_version 99" in here.refused().cause


@pytest.mark.parametrize(
    ("profile", "part"),
    [
        (policy(tool_policy_preset="permissive"), "policy.preset"),
        (policy(bash_timeout_ms=999_999), "policy.bash_timeout_ms"),
        ({"flags": {"--allow-command": ["curl"]}}, "policy.allowed_commands"),
        ({"flags": {"--os-sandbox-command": ["sh"]}}, "policy.os_sandbox_command"),
        ({"flags": {"--system-prompt-file": "/etc/passwd"}}, "--system-prompt-file"),
        ({"session": {"path": "../../x"}, "set": ["session.path"]}, "--session"),
        ({"flags": {"--max-cost-usd": "1000"}}, "--max-cost-usd"),
    ],
)
def test_a_profile_that_nobody_approved_may_not_do_more(
    here: Here, profile: dict[str, Any], part: str
) -> None:
    here.project(p=profile)
    error = here.refused()
    assert (error.exit_code, error.code) == (8, "project-not-trusted")
    assert part in error.message
    here.start("--profile", "p", "--trust-project")
    here.project()
    here.user(p=profile)
    here.start("--profile", "p")


def test_it_may_choose_a_model_and_tighten(here: Here) -> None:
    here.project(p={"model": "openai/x", **policy(tool_policy_preset="strict")})
    here.project(p={**policy(tool_policy_preset="hardened", bash_dry_run=True)})
    assert here.start("--profile", "p").values["--tool-policy-preset"] == "hardened"


def test_it_is_judged_against_the_settings_of_the_user(here: Here) -> None:
    """Balanced is the default, and still more than what this user wants."""
    settings = here.home / ".config" / "pi" / "settings.json"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"tool-policy-preset": "strict"}')
    here.project(p=policy(tool_policy_preset="balanced"))
    assert "policy.preset" in here.refused().message


def test_flags_of_one_run_and_secrets_are_not_taken_from_a_profile() -> None:
    names = (
        "--model",
        "--api-key",
        "--header",
        "--prompt",
        "--record",
        "--trust-project",
        "--nope",
        "-p",
    )
    values, unknown = flag_values(read_profile({"flags": dict.fromkeys(names, "x")}))
    assert values == {}
    assert unknown == tuple(sorted(names))
    with pytest.raises(BadProfile, match="--thinking needs one of"):
        flag_values(read_profile({"flags": {"--thinking": "wild"}}))


def test_a_credential_mode_of_the_older_program_is_told_as_unknown() -> None:
    """There is no flag for it here; a profile with it can be used all the same."""
    profile = read_profile({"model": "a/b", "auth": {"openai": "oauth_token"}})
    values, unknown = flag_values(profile)
    assert values == {"--model": "a/b"}
    assert unknown in ((), ("--openai-auth-mode",))


def test_what_may_be_secret_is_never_kept() -> None:
    argv = ("--api-key", "sk-secret", "--header", "X-Key=secret", "--bash-env", "TOKEN=secret")
    argv += ("--api-base", "https://host/v1?key=secret", "--proxy", "http://me:secret@host")
    argv += ("--thinking", "low", "--max-turns", "7", "--prompt", "secret")
    flags, left_out = given_flags(parse(argv, {}))
    assert flags == {"--thinking": "low", "--max-turns": 7}
    assert len(left_out) == 4
    assert "secret)" not in str(left_out)
    assert not any("sk-" in sentence for sentence in left_out)
