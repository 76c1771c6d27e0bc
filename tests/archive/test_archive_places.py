"""The file runs wherever it is put and however little it is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from support import ARCHIVE, BARE, STRICT, TIME_LIMIT_S, ArchiveCase

VERSION = r"^pi \d+\.\d+\.\d+\S*\n$"
NOBODY = 65534
NEW_ENOUGH = "import sys; sys.exit(sys.version_info < (3, 9))"


class Places(ArchiveCase):
    def read_only_copy(self) -> Path:
        place = self.folder / "a folder with spaces, ünïcode and 'quotes'"
        place.mkdir()
        copy = place / "pi copy.pyz"
        shutil.copyfile(ARCHIVE, copy)
        copy.chmod(0o555)
        place.chmod(0o555)
        return copy

    def test_it_runs_from_a_read_only_folder_with_spaces_and_writes_nothing_there(self) -> None:
        copy = self.read_only_copy()
        done = self.pi("--version", archive=copy)
        self.assert_ran(done)
        self.assertRegex(done.stdout, VERSION)
        self.assertEqual([path.name for path in copy.parent.iterdir()], [copy.name])

    def test_it_runs_as_a_program_of_its_own(self) -> None:
        here = self.folder / "bin"
        here.mkdir()
        (here / "python3").symlink_to(sys.executable)  # what env looks up
        env = {"PATH": f"{here}{os.pathsep}{os.defpath}"}
        done = subprocess.run(
            [str(ARCHIVE), "--version"],
            capture_output=True,
            cwd=self.folder,
            env=env,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertRegex(done.stdout.decode("utf-8"), VERSION)

    def test_it_runs_with_an_empty_environment(self) -> None:
        for argv in (("--version",), ("--help",)):
            with self.subTest(argv=argv):
                self.assert_ran(self.pi(*argv, env={}))

    def test_it_runs_in_the_plainest_locale(self) -> None:
        for locale in ("C", "POSIX", "no_SUCH.locale"):
            with self.subTest(locale=locale):
                env = {**BARE, "LANG": locale, "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"}
                self.assert_ran(self.pi("--help", env=env, flags=("-S",)))

    def test_its_version_and_help_leave_no_trace(self) -> None:
        self.pi("--version")
        self.pi("--help")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_closed_stdout_ends_it_quietly(self) -> None:
        for closed in ("1>&-", "0<&- 1>&-", "0<&- 1>&- 2>&-"):
            for flag in ("--version", "--help"):
                with self.subTest(closed=closed, flag=flag):
                    script = f'exec "$@" {closed}'
                    command = [sys.executable, *STRICT, str(ARCHIVE), flag]
                    done = subprocess.run(
                        ["sh", "-c", script, "sh", *command],
                        capture_output=True,
                        cwd=self.folder,
                        env=BARE,
                        timeout=TIME_LIMIT_S,
                        check=False,
                    )
                    self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_a_reader_that_goes_away_ends_it_quietly(self) -> None:
        read_end, write_end = os.pipe()
        os.close(read_end)  # the reader is gone before the first byte: every write fails
        with os.fdopen(write_end, "wb") as pipe:
            done = subprocess.run(
                [sys.executable, *STRICT, str(ARCHIVE), "--help"],
                stdout=pipe,
                stderr=subprocess.PIPE,
                cwd=self.folder,
                env=BARE,
                timeout=TIME_LIMIT_S,
                check=False,
            )
        self.assertEqual(done.stderr, b"")
        self.assertIn(done.returncode, (0, 130))  # done, or interrupted from outside

    def test_a_pipe_gets_its_first_byte(self) -> None:
        done = subprocess.run(
            ["sh", "-c", '"$@" | head -c 1', "sh", sys.executable, *STRICT, str(ARCHIVE), "--help"],
            capture_output=True,
            cwd=self.folder,
            env=BARE,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        self.assertEqual((len(done.stdout), done.stderr), (1, b""))

    def test_it_runs_from_a_folder_that_holds_other_modules_of_its_names(self) -> None:
        for name in ("pi.py", "json.py", "os.py"):
            (self.folder / name).write_text("raise SystemExit('wrong module')\n", encoding="utf-8")
        done = self.pi("--help", flags=("-S",))
        self.assertEqual(done.returncode, 0, done)

    def test_it_runs_as_a_user_who_owns_nothing(self) -> None:
        if not hasattr(os, "setuid") or os.geteuid() != 0:
            self.skipTest("only root can become another user")
        copy = self.read_only_copy()
        self.folder.chmod(0o755)

        # This interpreter may lie where nobody may look, below root's home.
        for python in (sys.executable, shutil.which("python3", path=os.defpath)):
            if python and self.run_as_nobody(python, "-c", NEW_ENOUGH).returncode == 0:
                done = self.run_as_nobody(python, str(copy), "--version")
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertRegex(done.stdout.decode("utf-8"), VERSION)
                return
        self.skipTest("no interpreter here is for other users")

    def run_as_nobody(self, python: str, *argv: str) -> subprocess.CompletedProcess[bytes]:
        """Run ``python`` as a user who owns nothing; exit code 1 if that user may not."""

        def become_nobody() -> None:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

        command = [python, *STRICT, *argv]
        try:
            return subprocess.run(
                command,
                capture_output=True,
                cwd="/",
                env={},
                preexec_fn=become_nobody,
                timeout=TIME_LIMIT_S,
                check=False,
            )
        except (PermissionError, subprocess.SubprocessError):
            return subprocess.CompletedProcess(command, 1, b"", b"")


if __name__ == "__main__":
    unittest.main()
