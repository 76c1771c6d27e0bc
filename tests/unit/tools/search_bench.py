"""The search tools set up on a directory, each as the table would make it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from pi.agent.tool import Tool, ToolContext, ToolResult
from pi.base.cancel import Cancel
from pi.tools.find import FindTool
from pi.tools.grep import GrepTool
from pi.tools.ls import LsTool
from pi.tools.making import make_toolkit
from pi.tools.toolkit import Toolkit


def make_kit(root: Path, *, secrets: tuple[str, ...] = (), **variables: str) -> Toolkit:
    """A toolkit for the directory ``root`` as a run would make it."""
    path = os.environ.get("PATH", os.defpath)
    environ = {"PATH": path, "HOME": str(root.parent / "no-home"), **variables}
    return make_toolkit(
        roots=[str(root)],
        environ=environ,
        random_bytes=os.urandom,
        monotonic=time.monotonic,
        secrets=secrets,
        new_mode=0o644,
    )


class SearchBench:
    """Calling it with a tool's name runs the tool."""

    def __init__(self, root: Path, *, use_ripgrep: bool | None = None, **more: Any) -> None:
        kit = make_kit(root, **more)
        self.root = root
        self.cancel = Cancel()
        self.tools: dict[str, Tool] = {
            "grep": GrepTool(kit, use_ripgrep=use_ripgrep),
            "find": FindTool(kit),
            "ls": LsTool(kit),
        }

    def __call__(self, name: str, **arguments: Any) -> ToolResult:
        context = ToolContext(str(self.root), self.cancel, lambda text: None)
        return self.tools[name].run(arguments, context)


def put(root: Path, files: dict[str, str | bytes]) -> None:
    """Write files, with the directories they need."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
