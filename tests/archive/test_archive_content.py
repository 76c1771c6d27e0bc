"""What is in the file: everything needed, nothing else, and how large it is."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import marshal
import re
import stat
import sys
import unittest
import zipfile

from support import ARCHIVE, ROOT, ArchiveCase

ALLOWED = re.compile(
    r"__main__\.py|pi/data/(?:cacert\.pem|models\.json)"
    r"|pi/(?:[a-z_0-9]+/)*[a-z_0-9]+\.py"
    r"|cp3[0-9]+/(?:pi[a-z.]*(?:-later)?\.modules|pi/__init__\.pyc|pi/archive\.pyc|pi/cli/(?:__init__|main)\.pyc)"
)
MAX_BYTES = 6 * 1024 * 1024  # five trees of byte code; a copy over a slow line takes seconds
PEM = "pi/data/cacert.pem"
EPOCH = (1980, 1, 1, 0, 0, 0)
UNCHECKED_HASH = b"\x01\x00\x00\x00"


class Content(ArchiveCase):
    def setUp(self) -> None:
        super().setUp()
        with zipfile.ZipFile(ARCHIVE) as archive:
            self.infos = archive.infolist()
            self.members = {info.filename: archive.read(info) for info in self.infos}

    def test_only_what_pi_runs_from_is_in_the_file(self) -> None:
        names = list(self.members)
        self.assertEqual([name for name in names if not ALLOWED.fullmatch(name)], [])
        self.assertEqual([name for name in names if "test" in name.split("/")[-1]], [])
        self.assertEqual(len(names), len(self.infos), "a name is in the file twice")

    def test_the_sources_are_those_of_this_checkout(self) -> None:
        shipped = {name for name in self.members if name.startswith("pi/") and name.endswith(".py")}
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pi").rglob("*.py")}
        self.assertEqual(shipped, here)
        for name in shipped:
            self.assertEqual(self.members[name], (ROOT / name).read_bytes(), name)

    def packed(self, tree: str) -> dict[str, tuple[bool, str, bytes]]:
        packed: dict[str, tuple[bool, str, bytes]] = {}
        for name, data in self.members.items():
            if name.startswith(f"{tree}/") and name.endswith(".modules"):
                packed.update(marshal.loads(data))
        return packed

    def test_every_byte_code_tree_has_every_module(self) -> None:
        modules = {name for name in self.members if re.fullmatch(r"pi/.*\.py", name)}
        for tree in {name.split("/")[0] for name in self.members if name.startswith("cp")}:
            files = {name for name in self.members if name.startswith(f"{tree}/pi/")}
            inside = [name[len(tree) + 1 : -1] for name in files]
            inside += [file for _, file, _ in self.packed(tree).values()]
            self.assertEqual(sorted(inside), sorted(modules), tree)

    def test_a_module_is_in_the_member_of_its_package(self) -> None:
        for member, data in self.members.items():
            if member.endswith(".modules"):
                package = re.sub(r"(-later)?\.modules$", "", member.split("/")[1])
                for name, (is_package, _, _) in marshal.loads(data).items():
                    self.assertEqual(name if is_package else name.rpartition(".")[0], package)

    def test_packed_modules_are_found_under_the_names_of_their_files(self) -> None:
        for tree in {name.split("/")[0] for name in self.members if name.startswith("cp")}:
            for name, (is_package, file, _) in self.packed(tree).items():
                path = name.replace(".", "/")
                self.assertEqual(file, f"{path}/__init__.py" if is_package else f"{path}.py")

    def test_byte_code_in_files_is_taken_unchecked_and_tells_its_source(self) -> None:
        for name, data in self.members.items():
            if name.endswith(".pyc"):
                source = self.members[name.partition("/")[2][:-1]]
                self.assertEqual(data[4:8], UNCHECKED_HASH, name)
                self.assertEqual(data[8:16], hashlib.sha256(source).digest()[:8], name)

    def test_this_python_s_tree_has_this_python_s_byte_code(self) -> None:
        tree = "cp{}{}".format(*sys.version_info[:2])
        if f"{tree}/pi/__init__.pyc" not in self.members:
            self.skipTest(f"built without {tree}")
        magic = self.members[f"{tree}/pi/__init__.pyc"][:4]
        self.assertEqual(magic, importlib.util.MAGIC_NUMBER)
        for _, file, code in self.packed(tree).values():
            self.assertEqual(marshal.loads(code).co_filename, file)

    def test_the_certificates_are_the_pinned_ones(self) -> None:
        if PEM not in self.members:
            self.skipTest("built without certificates")
        pinned = (ROOT / "build_zipapp.py").read_text(encoding="utf-8")
        self.assertIn(hashlib.sha256(self.members[PEM]).hexdigest(), pinned)

    def test_nothing_tells_when_or_where_the_file_was_built(self) -> None:
        for info in self.infos:
            self.assertEqual((info.date_time, info.extra, info.comment), (EPOCH, b"", b""))
            self.assertEqual(info.external_attr >> 16, 0o100644, info.filename)
        for name, data in self.members.items():
            self.assertNotIn(str(ROOT).encode(), data, name)

    def test_the_file_starts_python_and_may_be_executed_by_all(self) -> None:
        with open(ARCHIVE, "rb") as file:
            self.assertEqual(file.readline(), b"#!/usr/bin/env python3\n")
        self.assertEqual(stat.S_IMODE(ARCHIVE.stat().st_mode), 0o755)

    def test_the_entry_parses_on_the_oldest_grammar_that_can_be_checked_here(self) -> None:
        ast.parse(self.members["__main__.py"], feature_version=(3, 4))
        self.assertNotIn(b'f"', self.members["__main__.py"])

    def test_the_file_is_small_enough_to_copy_anywhere(self) -> None:
        self.assertLessEqual(ARCHIVE.stat().st_size, MAX_BYTES)


if __name__ == "__main__":
    unittest.main()
