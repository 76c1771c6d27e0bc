"""An old Python is told what is needed, in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
import unittest

from support import ARCHIVE, BARE, TIME_LIMIT_S, ArchiveCase

NAMES = ("python2", "python2.7", "python3.6", "python3.7", "python3.8")


def old_pythons() -> list[str]:
    """Those on PATH that start, and those PI_OLD_PYTHONS names (separated like PATH)."""
    given = os.environ.get("PI_OLD_PYTHONS", "")
    paths = [path for path in given.split(os.pathsep) if path]
    paths += [path for path in map(shutil.which, NAMES) if path]
    return [path for path in paths if starts(path)]


def starts(path: str) -> bool:
    """Whether there is an interpreter behind the name: a shim may have none."""
    try:
        command = [path, "-c", "print('there is')"]
        done = subprocess.run(command, capture_output=True, timeout=TIME_LIMIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() == b"there is"


class OldPython(ArchiveCase):
    def test_an_old_python_says_which_one_is_needed_and_fails(self) -> None:
        found = old_pythons()
        if not found:
            self.skipTest("no Python older than 3.9 here")
        for python in found:
            with self.subTest(python=python):
                done = subprocess.run(
                    [python, str(ARCHIVE), "--version"],
                    capture_output=True,
                    cwd=self.folder,
                    env=BARE,
                    timeout=TIME_LIMIT_S,
                    check=False,
                )
                self.assertEqual(done.returncode, 1)
                self.assertRegex(
                    done.stderr.decode("utf-8"),
                    r"^pi needs Python 3\.9 or newer; this is Python \d\.\d \(.*\)\r?\n$",
                )


if __name__ == "__main__":
    unittest.main()
