"""What a cold start may load. Run against the archive, as users run it."""

from __future__ import annotations

import unittest
import zipfile
from pathlib import Path

from support import ARCHIVE, ArchiveCase

NEVER = {
    *("asyncio", "concurrent.futures", "multiprocessing", "importlib.metadata"),
    *("importlib.resources", "logging", "uuid", "secrets", "pkg_resources", "dataclasses"),
    *("pathlib", "argparse"),
}
HEAVY = {"ssl", "socket", "http.client", "urllib.request", "email", "subprocess", "tempfile"}
COLD = {
    ("--version",): NEVER | HEAVY | {"json", "re", "typing", "threading", "pi.cli.flags"},
    ("--help",): NEVER | HEAVY | {"pi.ai.client", "pi.agent.loop"},
    ("--no-such-flag",): NEVER | HEAVY | {"pi.ai.client", "pi.agent.loop"},
}


class ColdStart(ArchiveCase):
    def imports(self, archive: Path, *argv: str) -> set[str]:
        """The modules one run loads, as the interpreter itself lists them."""
        done = self.pi(*argv, archive=archive, flags=("-I", "-S", "-X", "importtime"))
        lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
        return {line.rpartition("|")[2].strip() for line in lines}

    def loaded(self, *argv: str) -> set[str]:
        """What ``pi.pyz ARGV`` loads beyond an archive that does nothing."""
        nothing = self.folder / "nothing.pyz"
        with zipfile.ZipFile(nothing, "w") as archive:
            archive.writestr("__main__.py", "pass")
        return self.imports(ARCHIVE, *argv) - self.imports(nothing)

    def test_a_cold_start_loads_no_heavy_module(self) -> None:
        for argv, forbidden in COLD.items():
            with self.subTest(argv=argv):
                self.assertEqual(self.loaded(*argv) & forbidden, set())

    def test_the_version_needs_the_package_and_its_entry_alone(self) -> None:
        ours = {name for name in self.loaded("--version") if name.split(".")[0] == "pi"}
        self.assertEqual(ours - {"pi.archive"}, {"pi", "pi.cli", "pi.cli.main"})


if __name__ == "__main__":
    unittest.main()
