"""The file alone holds a conversation that uses tools: no network, no key, nothing installed."""

from __future__ import annotations

import os
import sys
import unittest
import zipfile

from support import ARCHIVE, BARE, ArchiveCase

DEMO = ("--model", "demo/tour", "--no-session")


class Conversation(ArchiveCase):
    def test_the_demo_model_reads_the_file_it_is_asked_about(self) -> None:
        (self.folder / "hello.txt").write_text("one line of greeting\n", encoding="utf-8")
        done = self.pi(*DEMO, "--prompt", "read hello.txt")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("scripted", done.stdout)
        self.assertIn("hello.txt", done.stdout)
        self.assertIn("one line of greeting", done.stdout)

    def test_it_needs_neither_a_home_nor_a_place_for_temporary_files(self) -> None:
        (self.folder / "hello.txt").write_text("still here\n", encoding="utf-8")
        env = {**BARE, "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}
        done = self.pi(*DEMO, "--prompt", "read hello.txt", env=env)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("still here", done.stdout)

    def test_text_from_a_pipe_joins_the_prompt(self) -> None:
        (self.folder / "hello.txt").write_text("piped and found\n", encoding="utf-8")
        done = self.pi(*DEMO, "--print", text=b"read hello.txt\n")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("piped and found", done.stdout)

    def test_a_name_that_is_not_there_is_no_failure_of_pi(self) -> None:
        done = self.pi(*DEMO, "--prompt", "read nothing-of-that-name.txt")
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("scripted", done.stdout)
        self.assertNotIn("Traceback", done.stdout + done.stderr)

    def test_without_a_session_nothing_is_left_behind(self) -> None:
        (self.folder / "hello.txt").write_text("hi\n", encoding="utf-8")
        self.pi(*DEMO, "--prompt", "read hello.txt")
        self.assertEqual(os.listdir(self.folder), ["hello.txt"])

    def test_a_second_run_continues_the_session_of_the_first(self) -> None:
        (self.folder / "hello.txt").write_text("hi\n", encoding="utf-8")
        session = self.folder / "talk.jsonl"
        argv = ("--model", "demo/tour", "--session", str(session), "--prompt", "read hello.txt")
        first = self.pi(*argv)
        self.assertEqual(first.returncode, 0, first)
        before = session.read_bytes()
        second = self.pi(*argv)
        self.assertEqual(second.returncode, 0, second)
        after = session.read_bytes()
        self.assertTrue(after.startswith(before), "the first run's records were changed")
        self.assertGreater(len(after), len(before))

    def test_a_flag_that_does_not_exist_is_one_clear_error(self) -> None:
        done = self.pi("--no-sesion", "--prompt", "hi")
        self.assertEqual((done.returncode, done.stdout), (2, ""), done)
        self.assertIn("--no-session", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_tree_runs_the_same_without_the_sources(self) -> None:
        tree = "cp{}{}/".format(*sys.version_info[:2])
        (self.folder / "hello.txt").write_text("from byte code\n", encoding="utf-8")
        compiled = self.folder / "compiled.pyz"
        with zipfile.ZipFile(ARCHIVE) as whole, zipfile.ZipFile(compiled, "w") as part:
            if f"{tree}pi/__init__.pyc" not in whole.namelist():
                self.skipTest(f"built without {tree}")
            for info in whole.infolist():
                if info.filename.startswith((tree, "pi/data/", "__main__.py")):
                    part.writestr(info, whole.read(info))
        done = self.pi(*DEMO, "--prompt", "read hello.txt", archive=compiled)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("from byte code", done.stdout)

    def test_the_sources_alone_run_where_there_is_no_byte_code(self) -> None:
        (self.folder / "hello.txt").write_text("from source\n", encoding="utf-8")
        sources = self.folder / "sources.pyz"
        with zipfile.ZipFile(ARCHIVE) as whole, zipfile.ZipFile(sources, "w") as part:
            for info in whole.infolist():
                if not info.filename.startswith("cp"):
                    part.writestr(info, whole.read(info))
        done = self.pi(*DEMO, "--prompt", "read hello.txt", archive=sources)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("from source", done.stdout)


if __name__ == "__main__":
    unittest.main()
