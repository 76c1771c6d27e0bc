"""The flags about tools as one value: which tools, under which policy, with which logs."""

from __future__ import annotations

import os

from pi.base.errors import UsageError
from pi.base.typing import NamedTuple
from pi.tools import DEFAULT_TOOLS, TOOLS
from pi.tools.policy import make_policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pi.cli.parse import Parsed
    from pi.tools.policy import Policy

# Flags that override one field of the preset whenever they are given.
KNOBS: dict[str, str] = {
    "--max-file-read-bytes": "max_file_read_bytes",
    "--max-file-write-bytes": "max_file_write_bytes",
    "--max-tool-output-bytes": "max_command_output_bytes",
    "--bash-timeout-ms": "bash_timeout_ms",
    "--max-command-length": "max_command_length",
    "--allow-command-newlines": "allow_command_newlines",
    "--bash-profile": "bash_profile",
    "--os-sandbox-mode": "os_sandbox_mode",
    "--sandbox-net": "sandbox_net",
    "--enforce-regular-files": "enforce_regular_files",
    "--bash-dry-run": "bash_dry_run",
    "--tool-policy-trace": "tool_policy_trace",
}


class ToolSettings(NamedTuple):
    """``max_calls`` None is no limit; ``audit_log`` and ``telemetry_log`` are paths or "";
    ``reads_answers`` says that commands count which the user let through in earlier runs."""

    policy: Policy
    names: tuple[str, ...]
    allow_paths: tuple[str, ...]
    launcher: str  # "landlock", "bubblewrap" or "" for whatever is strongest
    bash_env: tuple[str, ...]
    bash_login: bool
    sequential: bool
    max_calls: int | None
    result_format: str
    discard_on_cancel: bool
    show_policy: bool
    audit_log: str
    telemetry_log: str
    reads_answers: bool


def build_tool_settings(parsed: Parsed) -> ToolSettings:
    """Check what a type cannot. Raises UsageError."""
    value: dict[str, Any] = parsed.values
    preset = value["--tool-policy-preset"]
    given = {field: value[flag] for flag, field in KNOBS.items() if parsed.given(flag)}
    if value["--os-sandbox-command"]:
        from pi.tools.sandbox.template import parse_template  # only with a template

        given["os_sandbox_command"] = parse_template(value["--os-sandbox-command"])
    for flag in ("--tools", "--tool-audit-log", "--telemetry-log"):
        if parsed.given(flag) and not value[flag]:  # a script whose variable was not set
            raise UsageError(f"{flag} names nothing", hint="leave it out, or give it a value")
    for path in value["--allow-path"]:
        if not os.path.isdir(path):
            raise UsageError(f"--allow-path {path} is not a folder")
    return ToolSettings(
        make_policy(preset, given, value["--allow-command"]),
        () if value["--no-tools"] else tool_names(parsed),
        value["--allow-path"],
        "" if value["--os-sandbox-launcher"] == "strongest" else value["--os-sandbox-launcher"],
        value["--bash-env"],
        value["--bash-login"],
        value["--tool-execution"] == "sequential"
        or (preset == "hardened" and not parsed.given("--tool-execution")),
        value["--max-tool-calls"],
        value["--tool-result-format"],
        value["--discard-on-cancel"],
        value["--print-tool-policy"],
        value["--tool-audit-log"] or "",
        value["--telemetry-log"] or "",
        not value["--no-config"],
    )


def tool_names(parsed: Parsed) -> tuple[str, ...]:
    """The tools asked for. Raises UsageError for one that is not there, and for an empty
    list: a variable of a script that was not set must not give all of them."""
    wanted: Any = parsed.values["--tools"]
    if not wanted and parsed.given("--tools"):
        raise UsageError("--tools names no tool", hint="--no-tools gives the model none")
    unknown = [name for name in wanted if name not in TOOLS]
    if unknown:
        raise UsageError(
            f"--tools: there is no tool {unknown[0]!r}", hint=f"tools: {', '.join(TOOLS)}"
        )
    return wanted or DEFAULT_TOOLS
