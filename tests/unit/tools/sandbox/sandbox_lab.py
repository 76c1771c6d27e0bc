"""A folder with an inside and an outside, and pi's stand-in run there as a chosen user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[3]
NOBODY = 65534
HARDENED = {"preset": "hardened", "os_sandbox_mode": "force"}


def python_for(user: int) -> str:
    """An interpreter that this user can run with pi's sources; "" if there is none."""
    for path in (sys.executable, "/usr/bin/python3"):
        # Twice, because the first start may still use the powers of who starts it.
        code = "import subprocess, sys, pi; assert sys.version_info >= (3, 9)\n"
        code += "subprocess.run([sys.executable, '-c', 'import ctypes'], check=True)"
        try:
            done = subprocess.run(
                [*as_user(user), os.path.realpath(path), "-c", code],
                env={"PYTHONPATH": str(CHECKOUT)},
                cwd="/",
                capture_output=True,
            )
        except OSError:
            continue
        if not done.returncode:
            return os.path.realpath(path)
    return ""


def as_user(user: int) -> list[str]:
    if user == os.geteuid():
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


class Lab:
    def __init__(self, folder: Path, user: int, python: str) -> None:
        self.folder, self.user, self.python = folder, user, python
        self.root, self.outside = folder / "root", folder / "outside"
        self.other, self.temp = folder / "other", folder / "temp"
        for path in (self.root, self.outside, self.other, self.temp):
            path.mkdir()
        for path in (self.root / ".git" / "hooks", self.root / ".pi"):
            path.mkdir(parents=True)
        self.secret = self.outside / "secret"
        self.secret.write_text("secret words")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, user)

    def run(
        self, *commands: str, policy: dict[str, Any] | None = None, **more: Any
    ) -> dict[str, Any]:
        asked = {
            "policy": HARDENED if policy is None else policy,
            "roots": [str(self.root), str(self.other)],
            "temp": str(self.temp),
            "cwd": str(self.root),
            "commands": commands,
            **more,
        }
        before = more.pop("before", [])
        done = subprocess.run(
            [*as_user(self.user), *before, self.python, str(HERE / "stand_in.py")],
            input=json.dumps(asked),
            env={
                "PYTHONPATH": str(CHECKOUT),
                "OPENAI_API_KEY": "stand-in-key",
                "PATH": os.defpath,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            cwd=self.root,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def state(self) -> dict[str, tuple[int, int, bytes]]:
        """Everything that a command must not change: mode, time and content."""
        paths = [*self.outside.rglob("*"), *(self.root / ".pi").rglob("*")]
        paths += [*(self.root / ".git" / "hooks").rglob("*"), self.root / ".git" / "hooks"]
        return {
            str(path): (
                path.stat().st_mode,
                path.stat().st_mtime_ns,
                path.read_bytes() if path.is_file() else b"",
            )
            for path in paths
        }


@contextmanager
def lab_for(user: int, python: str) -> Iterator[Lab]:
    folder = Path(tempfile.mkdtemp(prefix="pi-lab-"))
    folder.chmod(0o755)  # pytest's own folders are closed to other users
    before = os.umask(0o022)  # and so would be what is put into this one
    try:
        yield Lab(folder, user, python)
    finally:
        os.umask(before)
        shutil.rmtree(folder)
