"""Whether one set of tool settings allows more than another. Pure.

What cannot be compared counts as more: a launcher of one's own, another list of programs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pi.cli.tool_settings import ToolSettings

# From the strictest on.
PRESETS = ("hardened", "strict", "balanced", "permissive")
SANDBOX = ("force", "auto", "off")


def _larger(old: Any, new: Any) -> bool:
    return bool(new > old)


def _on(old: bool, new: bool) -> bool:
    return new and not old


def _off(old: bool, new: bool) -> bool:
    return old and not new


def _changed(old: object, new: object) -> bool:
    return new != old


def _later_in(order: tuple[str, ...]) -> Callable[[str, str], bool]:
    return lambda old, new: order.index(new) > order.index(old)


def more_commands(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Whether ``new`` may let a command through that ``old`` does not; an empty list lets
    every command through, ``name*`` all that begin with it."""
    if not old:
        return False
    prefixes = tuple(word[:-1] for word in old if word.endswith("*"))

    def covered(word: str) -> bool:
        return word in old or bool(prefixes and word.rstrip("*").startswith(prefixes))

    return not new or not all(covered(word) for word in new)


def _more(old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    return not set(new) <= set(old)


# How each part of the policy allows more. One that is missing here may not change at all.
POLICY: dict[str, Callable[[Any, Any], bool]] = {
    "preset": _later_in(PRESETS),
    "max_file_read_bytes": _larger,
    "max_file_write_bytes": _larger,
    "max_command_output_bytes": _larger,
    "bash_timeout_ms": _larger,
    "max_command_length": _larger,
    "allow_command_newlines": _on,
    "bash_profile": lambda old, new: False,  # its list is judged
    "allowed_commands": more_commands,
    "os_sandbox_mode": _later_in(SANDBOX),
    "os_sandbox_command": _changed,
    "sandbox_net": _on,
    "enforce_regular_files": _off,
    "bash_dry_run": _off,
    "tool_policy_trace": lambda old, new: False,
}


def loosened(old: ToolSettings, new: ToolSettings) -> tuple[str, ...]:
    """The parts in which ``new`` allows tools more than ``old``, by name."""
    parts = [
        name
        for name, value in new.policy._asdict().items()
        if POLICY.get(name, _changed)(getattr(old.policy, name), value)
    ]
    found = [f"policy.{name}" for name in parts]
    found += ["tools"] if _more(old.names, new.names) else []
    found += ["allow_path"] if _more(old.allow_paths, new.allow_paths) else []
    found += ["bash_env"] if _more(old.bash_env, new.bash_env) else []
    found += ["bash_login"] if _on(old.bash_login, new.bash_login) else []
    found += ["os_sandbox_launcher"] if _changed(old.launcher, new.launcher) else []
    return tuple(found)
