"""What every tool is built from: limits, roots, and the world handed in."""

from __future__ import annotations

from threading import Lock
from typing import Any, NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pi.tools.paths import PathRule


class ToolLimits(NamedTuple):
    """How much a tool may do; the values of the balanced preset."""

    max_file_read_bytes: int = 1_000_000
    max_file_write_bytes: int = 1_000_000
    max_command_output_bytes: int = 16_000
    bash_timeout_ms: int = 120_000
    max_command_length: int = 4096
    enforce_regular_files: bool = True


def allow_every_command(command: str, cwd: str) -> Mapping[str, Any] | None:
    """The command check of a run without a command policy."""
    return None


class Toolkit(NamedTuple):
    """Shared by all tools of a run.

    environ:       the variables of pi; commands get a selection
    secrets:       values that no result may show, longest first
    check_command: the policy's word on a command in a directory: None, or why not, as
                   fields of the error result ("error", "policy_rule", ...)
    temp_dir:      where output that is too long to show is kept
    new_mode:      permission bits of files made by ``write``
    writing:       held while a file is changed, so that two edits of one file, run at
                   the same time, both happen
    """

    limits: ToolLimits
    paths: PathRule
    environ: Mapping[str, str]
    secrets: tuple[str, ...]
    random_bytes: Callable[[int], bytes]
    monotonic: Callable[[], float]
    check_command: Callable[[str, str], Mapping[str, Any] | None]
    temp_dir: str
    new_mode: int
    writing: Lock
