"""A host at a place of its own: a home folder, a working directory, streams in memory."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from pi.base.host import Host
from pi.cli.parse import Parsed, parse


class Desk(Host):
    """``home`` is made below ``folder``; the working directory is ``home/<where>``."""

    def __init__(self, folder: Path, where: str = "work", **environ: str) -> None:
        self.home = folder / "home"
        self.place = self.home / where
        self.place.mkdir(parents=True, exist_ok=True)
        self.environ = {"HOME": str(self.home), **environ}
        self.stdin = None
        self.stdout: Any = io.StringIO()
        self.stderr: Any = io.StringIO()

    def cwd(self) -> str:
        return str(self.place)

    def parsed(self, *argv: str) -> Parsed:
        return parse(argv, self.environ)

    def write(self, name: str, text: str) -> Path:
        """A file below the home folder."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
