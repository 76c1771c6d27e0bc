"""Removing what the lockfile does not know: planned on names that lead nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pi.base.errors import PiError
from pi.skills.installed import Installed, installed
from pi.skills.lockfile import Lock, LockEntry, make_lock
from pi.skills.prune import candidates, remove

D1 = "1" * 64


def lock(*files: str) -> Lock:
    return make_lock([LockEntry(file, file, D1, {"kind": "unknown"}) for file in files])


def there(*files: str) -> list[Installed]:
    return [Installed(file, file, D1) for file in files]


def test_candidates_are_what_is_not_locked_sorted() -> None:
    found = candidates(lock("a.md", "gone.md"), there("z.md", "b/SKILL.md", "a.md"))
    assert found == ("b/SKILL.md", "z.md")
    assert candidates(lock("a.md"), there("a.md")) == ()


@pytest.mark.parametrize(
    "file",
    ["../escape.md", "/etc/x.md", "a/b.md", "a\\b.md", "C:x.md", "..", ".", "a.txt", "a/../b.md"],
)
def test_one_unsafe_entry_stops_everything(file: str) -> None:
    with pytest.raises(PiError, match="unsafe lockfile entry ") as caught:
        candidates(lock("a.md", file), there("z.md"))
    assert f"'{file}'" in caught.value.message
    assert caught.value.cause


def test_an_unsafe_name_on_the_disk_stops_everything() -> None:
    with pytest.raises(PiError, match="unsafe skill path ") as caught:
        candidates(lock("a.md"), there("b\\c.md"))
    assert caught.value.cause == "a backslash"


def test_files_and_folders_go_and_nothing_else_does(tmp_path: Path) -> None:
    for name in ("a.md", "b/SKILL.md", "b/scripts/run", "keep.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "b" / "linked").symlink_to(outside)
    done = remove(str(tmp_path), ["a.md", "b/SKILL.md"])
    assert [(one.file, one.error) for one in done] == [("a.md", ""), ("b/SKILL.md", "")]
    assert os.listdir(tmp_path) == ["keep.md"]
    assert (outside / "mine").read_text("utf-8") == "mine"


def test_nothing_is_deleted_through_a_link_and_the_rest_goes_on(tmp_path: Path) -> None:
    managed = tmp_path / "skills"
    managed.mkdir()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "SKILL.md").write_text("mine", encoding="utf-8")
    (managed / "a.md").symlink_to(outside / "SKILL.md")
    (managed / "b").symlink_to(outside)
    (managed / "c").mkdir()
    (managed / "c" / "SKILL.md").symlink_to(outside / "SKILL.md")
    (managed / "d.md").mkdir()
    (managed / "z.md").write_text("x", encoding="utf-8")
    files = ["a.md", "b/SKILL.md", "c/SKILL.md", "d.md", "gone.md", "z.md"]
    done = {one.file: one.error for one in remove(str(managed), files)}
    assert done["a.md"] == done["d.md"] == "not a regular file"
    assert done["b/SKILL.md"] == done["c/SKILL.md"] == "not a folder with a SKILL.md of its own"
    assert done["gone.md"] == "No such file or directory"
    assert done["z.md"] == ""
    assert sorted(os.listdir(managed)) == ["a.md", "b", "c", "d.md"]
    assert (outside / "SKILL.md").read_text("utf-8") == "mine"


def test_the_cache_and_the_lockfile_are_no_skills(tmp_path: Path) -> None:
    for name in (".cache/artifacts/x.bin", "skills.lock.json", ".hidden.md", "notes.txt", "a.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert candidates(lock(), installed(str(tmp_path))) == ("a.md",)
