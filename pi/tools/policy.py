"""How much the tools of a run may do: presets, and what the operator changed of them.

A value that was given (on the command line, by a variable, in a settings file) always
overrides the preset's, whatever it is; what was not given is the preset's.
"""

from __future__ import annotations

from pi.base.typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

SCHEMA_VERSION = 2


class Policy(NamedTuple):
    """The effective policy; the defaults are the balanced preset.

    ``allowed_commands`` are names, or beginnings of names with ``*`` behind; an empty
    tuple allows every command. ``os_sandbox_command`` is a launcher template, as tokens.
    """

    preset: str = "balanced"
    max_file_read_bytes: int = 1_000_000
    max_file_write_bytes: int = 1_000_000
    max_command_output_bytes: int = 16_000
    bash_timeout_ms: int = 120_000
    max_command_length: int = 4096
    allow_command_newlines: bool = False
    bash_profile: str = "balanced"
    allowed_commands: tuple[str, ...] = ()
    os_sandbox_mode: str = "off"
    os_sandbox_command: tuple[str, ...] = ()
    sandbox_net: bool = False
    enforce_regular_files: bool = True
    bash_dry_run: bool = False
    tool_policy_trace: bool = False


_STRICT = "awk cat cut du echo env fd find grep head ls printf pwd rg sed sort stat tail tr uniq wc"
_BALANCED = (
    f"{_STRICT} basename cargo comm cp date diff dirname file git jq mkdir mv nl od paste rm "
    "rustc rustup seq sleep tee test touch tree true which xargs"
)
PROFILES: dict[str, tuple[str, ...]] = {
    "permissive": (),
    "balanced": tuple(sorted(_BALANCED.split())),
    "strict": tuple(sorted(_STRICT.split())),
}

PRESETS: dict[str, Policy] = {
    "permissive": Policy(
        "permissive",
        max_file_read_bytes=2_000_000,
        max_file_write_bytes=2_000_000,
        max_command_output_bytes=32_000,
        bash_timeout_ms=180_000,
        max_command_length=8192,
        allow_command_newlines=True,
        bash_profile="permissive",
        sandbox_net=True,
        enforce_regular_files=False,
    ),
    "balanced": Policy(sandbox_net=True),
    "strict": Policy(
        "strict",
        max_file_read_bytes=750_000,
        max_file_write_bytes=750_000,
        max_command_output_bytes=8000,
        bash_timeout_ms=90_000,
        max_command_length=2048,
        bash_profile="strict",
        os_sandbox_mode="auto",
    ),
    "hardened": Policy(
        "hardened",
        max_file_read_bytes=500_000,
        max_file_write_bytes=500_000,
        max_command_output_bytes=4000,
        bash_timeout_ms=60_000,
        max_command_length=1024,
        bash_profile="strict",
        os_sandbox_mode="force",
    ),
}


def make_policy(preset: str, given: Mapping[str, Any], more_commands: Sequence[str] = ()) -> Policy:
    """The preset with the ``given`` fields over it, and commands allowed beside its list.

    Adding a command to the empty list of the permissive profile makes it a real list.
    """
    policy = PRESETS[preset]._replace(**given)
    commands = PROFILES[policy.bash_profile]
    added = (command.strip() for command in more_commands)
    allowed = tuple(dict.fromkeys((*commands, *filter(None, added))))
    return policy._replace(allowed_commands=allowed)


def as_json(policy: Policy, roots: Sequence[str]) -> dict[str, Any]:
    """The policy as data for people and scripts: schema 2, keys in order."""
    data = {**policy._asdict(), "allowed_roots": list(roots), "schema_version": SCHEMA_VERSION}
    data["allowed_commands"] = list(policy.allowed_commands)
    data["os_sandbox_command"] = list(policy.os_sandbox_command)
    return dict(sorted(data.items()))
