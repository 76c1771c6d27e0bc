"""Tools set up on a fresh directory, with the world that a run would hand in."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from pi.agent.tool import ToolContext, ToolResult
from pi.base.cancel import Cancel
from pi.tools import load_tools
from pi.tools.policy import Policy

PLAIN_ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


class Bench:
    """The tools of one run; calling it runs a tool."""

    def __init__(
        self,
        root: Path,
        environ: dict[str, str],
        policy: Policy,
        roots: list[Path] | None = None,
        **more: Any,
    ) -> None:
        self.root = root
        self.cancel = Cancel()
        self.emitted: list[str] = []
        self.tools = {
            tool.definition.name: tool
            for tool in load_tools(
                roots=[str(path) for path in (roots if roots is not None else [root])],
                environ=environ,
                random_bytes=os.urandom,
                monotonic=time.monotonic,
                policy=policy,
                **more,
            )
        }

    def __call__(self, name: str, **arguments: Any) -> ToolResult:
        context = ToolContext(str(self.root), self.cancel, self.emitted.append)
        return self.tools[name].run(arguments, context)


class Benches(NamedTuple):
    """Makes benches whose temporary files stay in the test's own directory."""

    root: Path
    temp: Path

    def make(self, *, environ: dict[str, str] | None = None, **more: Any) -> Bench:
        variables = {**PLAIN_ENVIRONMENT, "TMPDIR": str(self.temp), **(environ or {})}
        policy = more.pop("policy", Policy())
        return Bench(self.root, variables, policy, **more)
