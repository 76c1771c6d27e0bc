"""The tools a model may call.

``TOOLS`` is the table: one row per tool, in the order in which they are offered, which
never changes, because the list of tools is part of what providers cache.
"""

from __future__ import annotations

import os
from importlib import import_module
from threading import Lock

from pi.base.errors import UsageError
from pi.tools.definitions import DEFINITIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pi.agent.tool import Effect, Tool, ToolContext, ToolResult
    from pi.tools.toolkit import Toolkit

TOOLS: dict[str, str] = {
    "read": "pi.tools.read:ReadTool",
    "write": "pi.tools.write:WriteTool",
    "edit": "pi.tools.edit:EditTool",
    "bash": "pi.tools.bash:BashTool",
    "grep": "pi.tools.grep:GrepTool",
    "find": "pi.tools.find:FindTool",
    "ls": "pi.tools.ls:LsTool",
}

DEFAULT_TOOLS = ("read", "write", "edit", "bash")


def load_tools(names: Iterable[str] = DEFAULT_TOOLS, **world: Any) -> tuple[Tool, ...]:
    """The named tools, in the order of the table; ``world`` is what ``making.make_toolkit``
    takes, less ``new_mode``; ``make_check`` makes its ``check_command`` when it is needed.

    ``bash_env`` adds variables for commands (NAME or NAME=VALUE), ``private_files`` are
    what no tool may touch, such as the store of credentials. Without ``keeps_output``
    the files with long output are removed when pi leaves. Raises UsageError for an
    unknown name or a bad entry of ``bash_env``.
    """
    wanted = set(names)
    unknown = sorted(wanted - TOOLS.keys())
    if unknown:
        raise UsageError(f"there is no tool '{unknown[0]}'", hint=f"tools: {', '.join(TOOLS)}")
    shared = _Shared({**world, "new_mode": _new_mode()})
    if world.get("bash_env"):
        shared.toolkit()  # a mistake in it is found now
    return tuple(_Tool(name, shared) for name in TOOLS if name in wanted)


class _Shared:
    """The toolkit of a run, made when the first tool is called. Thread-safe."""

    def __init__(self, world: dict[str, Any]) -> None:
        self._world = world
        self._lock = Lock()
        self._made: Toolkit | None = None
        self._tools: dict[str, Tool] = {}

    def toolkit(self) -> Toolkit:
        if self._made is None:
            from pi.tools.making import make_toolkit  # 8 ms with all that tools need

            make_check = self._world.pop("make_check", None)
            if make_check is not None:
                self._world["check_command"] = make_check()
            self._made = make_toolkit(**self._world)
        return self._made

    def tool(self, name: str) -> Tool:
        with self._lock:
            if name not in self._tools:
                module, _, attribute = TOOLS[name].partition(":")
                self._tools[name] = getattr(import_module(module), attribute)(self.toolkit())
            return self._tools[name]


class _Tool:
    """A tool whose code is loaded with its first call."""

    def __init__(self, name: str, shared: _Shared) -> None:
        self.definition = DEFINITIONS[name]
        self._shared = shared

    def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        return self._shared.tool(self.definition.name).run(arguments, context)

    def effect(self, arguments: Mapping[str, Any], cwd: str) -> Effect:
        return self._shared.tool(self.definition.name).effect(arguments, cwd)


def _new_mode() -> int:
    """Permission bits of a new file. Asking for the mask means setting it: once, at start."""
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
