"""A command of the same user cannot read pi's variables, with or without a sandbox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NOBODY = 65534
CHECKOUT = Path(__file__).resolve().parents[3]
PI = """
import os, time
from pi.base.cancel import Cancel
from pi.tools.process import run_command
said = []
ended = run_command(
    ["/bin/sh", "-c", "tr '\\\\0' '\\\\n' < /proc/$PPID/environ; ls /proc/$PPID/fd /proc/self/fd"],
    cwd="/", environ={"PATH": os.defpath}, timeout_ms=20_000, cancel=Cancel(),
    monotonic=time.monotonic, on_output=lambda stream, piece: said.append(piece),
    on_pause=lambda: None,
)
print(b"".join(said).decode(), os.listdir("/proc/self/fd") != [], ended.code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows them")
@pytest.mark.skipif(
    os.geteuid() == 0 and not shutil.which("setpriv"), reason="root can read everything"
)
def test_a_command_cannot_read_the_variables_of_pi() -> None:
    python, user = sys.executable, []
    if os.geteuid() == 0:
        user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        python = "/usr/bin/python3"  # one that everybody may start
    done = subprocess.run(
        [*user, python, "-B", "-c", PI],
        env={"PYTHONPATH": str(CHECKOUT), "SOME_KEY": "stand-in-key", "PATH": os.defpath},
        cwd="/",
        capture_output=True,
        text=True,
    )
    if "SyntaxError" in done.stderr or "Errno 13" in done.stderr:
        pytest.skip("this user can run no interpreter with pi's sources")
    assert "stand-in-key" not in done.stdout
    assert "Permission denied" in done.stdout
    assert "True 2" in done.stdout
