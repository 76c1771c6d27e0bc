"""The built file, run as its users run it: alone, in an empty folder, in a bare environment."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.wires import WIRES, Wire

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One build for all test processes, with byte code for this interpreter only."""
    given = os.environ.get("PI_ARCHIVE")
    if given:
        return Path(given).resolve()
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    target = shared / "pi.pyz"
    with open(shared / "build.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            command = [sys.executable, str(ROOT / "build_zipapp.py"), "--output", str(target)]
            environ = {**os.environ, "PATH": "/nonexistent"}
            subprocess.run(command, check=True, capture_output=True, env=environ, cwd=ROOT)
    return target


class Pi:
    """Runs the built file in a folder of its own."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self.archive = archive
        self.folder = folder
        self.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(self.archive), *arguments]

    def __call__(
        self, *arguments: str, stdin: str | bytes | None = None, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            self.command(*arguments),
            stdin=subprocess.DEVNULL if data is None else None,
            input=data,
            capture_output=True,
            cwd=self.folder,
            env={**self.environ, **environ},
            timeout=TIMEOUT_S,
            check=False,
        )
        shown = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )
        assert "Traceback" not in shown.stderr, shown.stderr
        return shown

    def start(self, *arguments: str, environ: Mapping[str, str] = {}) -> subprocess.Popen[bytes]:
        """Start it and go on; the caller ends it."""
        return subprocess.Popen(
            self.command(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env={**self.environ, **environ},
        )

    def ask(self, url: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """One prompt to an OpenAI-compatible server at ``url``."""
        return self("--api-base", url + "/v1", "-p", "hi", *arguments, **{**KEY, **more})

    def session(self, name: str = ".pi/sessions/default.jsonl") -> list[dict[str, Any]]:
        """The records of a session file."""
        lines = (self.folder / name).read_text(encoding="utf-8").split("\n")
        return [json.loads(line) for line in lines if line]

    def roles(self, name: str = ".pi/sessions/default.jsonl") -> list[str]:
        return [
            record["message"]["role"]
            for record in self.session(name)
            if record["record_type"] == "entry"
        ]


KEY = {"OPENAI_API_KEY": "test-key-0123456789"}


@pytest.fixture
def pi(archive: Path, tmp_path: Path) -> Pi:
    return Pi(archive, tmp_path)


@pytest.fixture(scope="session")
def alone() -> tuple[str, ...]:
    """The words that start a command where no network interface is up, not even loopback."""
    for words in (("unshare", "-n"), ("unshare", "-rn")):
        try:
            done = subprocess.run([*words, "true"], capture_output=True, check=False)
        except OSError:
            continue
        if done.returncode == 0:
            return words
    pytest.skip("this system does not allow a network namespace of one's own")


@pytest.fixture(params=sorted(WIRES))
def wire(request: pytest.FixtureRequest) -> Wire:
    """Each wire format."""
    found: Wire = WIRES[request.param]
    return found
