"""The tools a model may call.

``TOOLS`` is the table: one row per tool, in the order in which they are offered, which
never changes, because the list of tools is part of what providers cache.
"""

from __future__ import annotations

import os
from importlib import import_module
from threading import Lock

from pi.base.errors import UsageError
from pi.base.text import longest_first, secret_values
from pi.tools.paths import PathRule
from pi.tools.policy import Policy
from pi.tools.toolkit import Toolkit, Unconfined, allow_every_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pi.agent.tool import Tool
    from pi.tools.decision import Decision
    from pi.tools.toolkit import Sandbox

TOOLS: dict[str, str] = {
    "read": "pi.tools.read:ReadTool",
    "write": "pi.tools.write:WriteTool",
    "edit": "pi.tools.edit:EditTool",
    "bash": "pi.tools.bash:BashTool",
}


def load_tools(
    names: Iterable[str] = tuple(TOOLS),
    *,
    roots: Sequence[str],
    environ: Mapping[str, str],
    random_bytes: Callable[[int], bytes],
    monotonic: Callable[[], float],
    secrets: Iterable[str] = (),
    policy: Policy = Policy(),  # noqa: B008 - a tuple of numbers, never changed
    check_command: Callable[[str, str], Decision] = allow_every_command,
    sandbox: Sandbox | None = None,
) -> tuple[Tool, ...]:
    """The named tools, in the order of the table. Raises UsageError for an unknown name."""
    wanted = set(names)
    unknown = sorted(wanted - TOOLS.keys())
    if unknown:
        raise UsageError(f"there is no tool '{unknown[0]}'", hint=f"tools: {', '.join(TOOLS)}")
    toolkit = Toolkit(
        policy=policy,
        paths=PathRule(roots, enforce_regular_files=policy.enforce_regular_files),
        environ=environ,
        secrets=longest_first((*secret_values(environ), *secrets)),
        random_bytes=random_bytes,
        monotonic=monotonic,
        check_command=check_command,
        sandbox=sandbox or Unconfined(),
        temp_dir=_temp_dir(environ),
        new_mode=_new_mode(),
        writing=Lock(),
    )
    return tuple(_load(row, toolkit) for name, row in TOOLS.items() if name in wanted)


def _load(row: str, toolkit: Toolkit) -> Tool:
    module, _, name = row.partition(":")
    tool: Tool = getattr(import_module(module), name)(toolkit)
    return tool


def _temp_dir(environ: Mapping[str, str]) -> str:
    """Where long output goes. A TMPDIR that is no folder must not lose it."""
    named = environ.get("TMPDIR", "")
    return named if named and os.path.isdir(named) else "/tmp"


def _new_mode() -> int:
    """Permission bits of a new file. Asking for the mask means setting it: once, at start."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
