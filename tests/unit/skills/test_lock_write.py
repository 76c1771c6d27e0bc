"""Writing the lockfile: whose sources are kept, what is not blessed, and how paths are told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError, VerificationFailed
from pi.skills.installed import Installed
from pi.skills.lock_write import (
    next_lock,
    read_lock,
    read_lock_if_any,
    recorded_path,
    write_lock,
)
from pi.skills.lockfile import LockEntry, make_lock, make_source

D1, D2 = "1" * 64, "2" * 64
REMOTE = make_source("remote", {"url": "https://h/a.md", "signature": "sig"})
LOCAL = make_source("local", {"path": "../a.md"})
A = Installed("a", "a.md", D1)


def locked(digest: str = D1) -> LockEntry:
    return LockEntry("a", "a.md", digest, REMOTE)


def test_the_source_is_that_of_this_run_else_the_recorded_one_else_unknown() -> None:
    there = [A, Installed("b", "b.md", D2), Installed("c", "c/SKILL.md", D2, (("SKILL.md", D1),))]
    lock = next_lock(there, make_lock([locked()]), {"b.md": LockEntry("b", "b.md", D2, LOCAL)})
    assert [(one.file, one.source["kind"]) for one in lock.entries] == [
        *(("a.md", "remote"), ("b.md", "local"), ("c/SKILL.md", "unknown"))
    ]
    assert lock.entries[0].source == REMOTE
    assert lock.entries[2].files == (("SKILL.md", D1),)
    assert next_lock([], make_lock([locked()]), {}).entries == ()


def test_an_edited_skill_is_not_blessed() -> None:
    edited = Installed("a", "a.md", D2)
    with pytest.raises(VerificationFailed) as caught:
        next_lock([edited], make_lock([locked()]), {})
    assert caught.value.message == "'a.md' is not as the lockfile says, and was not installed now"
    assert caught.value.cause == f"expected sha256 {D1}, actual {D2}"
    assert "--skills-lock-accept a.md" in caught.value.hint
    for accepted in ("a.md", "a"):
        (entry,) = next_lock([edited], make_lock([locked()]), {}, [accepted]).entries
        assert (entry.sha256, entry.source) == (D2, {"kind": "local", "path": None})


def test_what_this_run_installed_counts_only_with_the_bytes_it_installed() -> None:
    """Somebody may have changed the file between the install and the lock."""
    fresh = {"a.md": LockEntry("a", "a.md", D2, LOCAL)}
    (entry,) = next_lock([A], None, fresh).entries
    assert entry.source == {"kind": "unknown"}


def test_a_lockfile_is_written_whole_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "skills.lock.json"
    lock = make_lock([locked()])
    write_lock(lock, str(path), random_bytes=os.urandom)
    assert read_lock(str(path)) == lock
    assert path.stat().st_mode & 0o777 == 0o644
    assert os.listdir(path.parent) == ["skills.lock.json"]
    first = path.read_bytes()
    write_lock(lock, str(path), random_bytes=os.urandom)
    assert path.read_bytes() == first


def test_a_link_is_replaced_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "lock").symlink_to(tmp_path / "mine")
    write_lock(make_lock([]), str(tmp_path / "lock"), random_bytes=os.urandom)
    assert (tmp_path / "mine").read_text("utf-8") == "mine"


def test_what_cannot_be_written_or_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PiError, match="failed to write skills lockfile"):
        write_lock(make_lock([]), str(tmp_path / "folder"), random_bytes=os.urandom)
    assert os.listdir(tmp_path) == ["folder"]
    with pytest.raises(ConfigError, match="failed to read skills lockfile") as caught:
        read_lock(str(tmp_path / "none"))
    assert caught.value.code == "no-lockfile"
    assert read_lock_if_any(str(tmp_path / "none")) is None
    os.mkfifo(tmp_path / "fifo")
    for name in ("folder", "fifo"):
        with pytest.raises(ConfigError, match="failed to read skills lockfile") as caught:
            read_lock(str(tmp_path / name))
        assert caught.value.code == "bad-config"


def test_a_lockfile_edited_by_hand_is_refused_by_entry(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    write_lock(make_lock([locked()]), str(path), random_bytes=os.urandom)
    document = json.loads(path.read_bytes())
    document["entries"][0]["file"] = "../escape.md"
    path.write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(VerificationFailed, match=r"unsafe lockfile entry '\.\./escape\.md'"):
        read_lock(str(path))


def test_sources_inside_the_project_are_told_from_the_lockfile_on(tmp_path: Path) -> None:
    project = tmp_path / "project"
    lock = str(project / ".pi" / "skills" / "skills.lock.json")
    os.makedirs(os.path.dirname(lock))
    source = project / "docs" / "a.md"
    assert recorded_path(str(source), lock, str(project)) == "../../docs/a.md"
    outside = str(tmp_path / "a.md")
    assert recorded_path(outside, lock, str(project)) == outside
    elsewhere = str(tmp_path / "skills.lock.json")
    assert recorded_path(str(source), elsewhere, str(project)) == str(source)
    (project / "link.md").symlink_to(tmp_path / "a.md")
    assert recorded_path(str(project / "link.md"), lock, str(project)) == str(project / "link.md")
