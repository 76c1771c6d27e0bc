"""Files of named things: where they lie, and that writers at the same time lose nothing."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError
from pi.commands.store_files import Place, project_place, read_store, update_store, user_place
from pi.commands.store_text import MACROS, MAX_BYTES, with_entry

ROOT = Path(__file__).resolve().parents[3]
WRITER = """
import os, sys
from pi.commands.store_files import Place, update_store
from pi.commands.store_text import MACROS, with_entry
place = Place(sys.argv[1], "project")
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    update_store(place, MACROS,
                 lambda content: with_entry(content, "macros", f"{sys.argv[2]}{number}", ["/x"]),
                 os.urandom)
"""


def put(place: Place, name: str) -> None:
    update_store(
        place, MACROS, lambda content: with_entry(content, "macros", name, ["/x"]), os.urandom
    )


def test_two_processes_that_save_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".pi" / "macros.json"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:  # both, before either is waited for
        assert writer.stdin is not None
        writer.stdin.write(b"go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert len(json.loads(path.read_text())["macros"]) == 40
    assert os.listdir(path.parent) == ["macros.json"], "nothing is left beside it"


def test_the_nearest_file_then_the_nearest_folder_then_here(tmp_path: Path) -> None:
    root = tmp_path / "root"
    below = root / "a" / "b"
    below.mkdir(parents=True)
    environ = {"HOME": str(tmp_path / "home")}

    def place() -> str:
        found = project_place(MACROS, str(below), environ)
        assert found.is_project
        return os.path.relpath(found.path, root)

    assert place() == "a/b/.pi/macros.json"
    (root / ".pi").mkdir()
    assert place() == ".pi/macros.json"
    (root / "a" / ".pi").mkdir()
    assert place() == "a/.pi/macros.json"
    (root / ".git").mkdir()
    (root / ".pi" / "macros.json").touch()
    assert place() == ".pi/macros.json"


def test_the_users_own_file_may_be_a_link_and_stays_one(tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "macros.json"
    target.parent.mkdir()
    place = user_place(MACROS, {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "x")})
    assert place.path == str(tmp_path / "x" / "pi" / "macros.json")
    os.makedirs(os.path.dirname(place.path))
    os.symlink(target, place.path)
    put(place, "m")
    assert os.path.islink(place.path)
    assert list(read_store(place, MACROS)["macros"]) == ["m"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_permissions_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "macros.json"
    put(Place(str(path), "project"), "m")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o640)
    put(Place(str(path), "project"), "n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_too_large_is_neither_read_nor_written(tmp_path: Path) -> None:
    place = Place(str(tmp_path / "macros.json"), "project")
    with pytest.raises(ConfigError, match="failed to parse macro file") as caught:
        update_store(
            place,
            MACROS,
            lambda content: with_entry(content, "macros", "m", ["x" * MAX_BYTES]),
            os.urandom,
        )
    assert "larger than" in caught.value.cause
    assert os.listdir(tmp_path) == []
    with open(place.path, "wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(ConfigError) as caught:
        read_store(place, MACROS)
    assert "larger than" in caught.value.cause


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / ".pi").write_text("a file")
    with pytest.raises(PiError, match=r"failed to write macro file .*macros.json"):
        put(Place(str(tmp_path / ".pi" / "macros.json"), "project"), "m")
