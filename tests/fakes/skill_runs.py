"""The work on skills in this process, as flags ask for it: same settings, files and sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.base.errors import PiError
from pi.cli.parse import parse
from pi.cli.skills_stage import make_stage
from pi.skills.stage import Stage
from tests.fakes.desk import Desk
from tests.fakes.skill_keys import NOW


class SkillRuns:
    """Runs in ``folder``, whose managed folder is ``skills``. ``said`` are the results of
    the last run, ``warned`` its warnings; ``now`` is its time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.skills = folder / "skills"
        self.lock = self.skills / "skills.lock.json"
        self.said: list[str] = []
        self.warned: list[str] = []
        self.now = NOW

    def __call__(self, *argv: str) -> list[str]:
        """Do what the flags say. Raises PiError."""
        self.stage(*argv).run()
        return self.said

    def refused(self, *argv: str) -> PiError:
        """The failure of a run that must not succeed."""
        with pytest.raises(PiError) as caught:
            self(*argv)
        return caught.value

    def stage(self, *argv: str) -> Stage:
        self.said, self.warned = [], []
        parsed = parse(["--skills-dir", str(self.skills), *argv], {})
        desk = Desk(self.folder)
        desk.now_ms = lambda: self.now * 1000  # type: ignore[method-assign]
        return make_stage(parsed, desk, str(self.folder), self.said.append, self.warned.append)

    def file(self, name: str, content: str | bytes) -> str:
        """Make a file below ``folder``; its path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def tree(self) -> dict[str, bytes]:
        """Everything below the managed folder but the cache, and nothing else of ``folder``."""
        return {
            str(path.relative_to(self.skills)): path.read_bytes()
            for path in sorted(self.skills.rglob("*"))
            if path.is_file() and ".cache" not in path.parts
        }


def told(error: PiError) -> str:
    """All that a failure says."""
    return " ".join(filter(None, (error.message, error.cause, error.hint)))
