"""The way out of the process."""

from __future__ import annotations

import subprocess
import sys

# A Ctrl+C that comes while a mistake is being told, at a moment a test can choose.
CODE = """
import sys
class Screen:
    def write(self, text):
        raise KeyboardInterrupt
    def flush(self):
        pass
sys.stderr = Screen()
sys.argv = ["pi", "--nope"]
from pi.cli.main import run
run()
"""


def test_one_more_interrupt_while_pi_leaves_is_only_that() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
