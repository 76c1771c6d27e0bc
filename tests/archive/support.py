"""What the archive tests share. Standard library only: they run where nothing is installed.

PI_ARCHIVE names the file under test; without it, dist/pi.pyz of this checkout.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = Path(os.environ.get("PI_ARCHIVE") or ROOT / "dist" / "pi.pyz").resolve()
TIME_LIMIT_S = 60
# As bare as an environment gets: what a cron job or a container gives a program, or less.
BARE = {"PATH": os.defpath}
STRICT = ("-I", "-S", "-W", "error")


class ArchiveCase(unittest.TestCase):
    """A test with the archive, and an empty folder of its own to run it in."""

    def setUp(self) -> None:
        if not ARCHIVE.is_file():
            self.fail(f"{ARCHIVE} is not there: run python3 build_zipapp.py first")
        self.folder = Path(tempfile.mkdtemp(prefix="pi-archive-")).resolve()
        self.addCleanup(remove_folder, self.folder)

    def pi(
        self,
        *argv: str,
        flags: Sequence[str] = STRICT,
        archive: Path = ARCHIVE,
        env: Mapping[str, str] = BARE,
        text: bytes = b"",
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python FLAGS pi.pyz ARGV`` in the empty folder with a bare environment."""
        done = subprocess.run(
            [sys.executable, *flags, str(archive), *argv],
            input=text,
            capture_output=True,
            cwd=self.folder,
            env=dict(env),
            timeout=TIME_LIMIT_S,
            check=False,
        )
        out, err = (each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    def assert_ran(self, done: subprocess.CompletedProcess[str]) -> None:
        """It ended well and had nothing to say about itself."""
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)


def remove_folder(folder: Path) -> None:
    """Remove ``folder``, also what a test made read-only in it."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)
