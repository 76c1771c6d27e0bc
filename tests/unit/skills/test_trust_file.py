from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pi.base.errors import ConfigError, PiError, UsageError
from pi.skills.trust_file import (
    MAX_BYTES,
    TrustFile,
    read_trust_file,
    trust_change,
    update_trust_file,
)
from pi.skills.trust_store import Changes, Counts, KeySpec, TrustRecord
from tests.fakes.skill_keys import NOW, PUBLISHER_KEY, ROOT_KEY

ADD = Changes(adds=(KeySpec("root", ROOT_KEY),))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A path for the store in a folder of the user's own."""
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    return folder / "roots.json"


def update(path: Path, changes: Changes = ADD) -> tuple[TrustFile, Counts]:
    return update_trust_file(str(path), changes, now=NOW, random_bytes=os.urandom)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_file_is_an_empty_store_only_for_who_makes_it(store: Path) -> None:
    assert read_trust_file(str(store), may_be_new=True) == TrustFile(str(store), ())
    with pytest.raises(ConfigError) as caught:
        read_trust_file(str(store))
    assert (caught.value.code, caught.value.exit_code) == ("no-trust-file", 2)
    assert "/skills-trust-add" in caught.value.hint


def test_the_file_and_its_folders_are_made(store: Path) -> None:
    path = store.parent / "a" / "b" / "roots.json"
    found, counts = update(path)
    assert (found.records, counts.added) == ((TrustRecord("root", ROOT_KEY),), 1)
    assert read_trust_file(str(path)) == found
    assert found.warnings == ()
    assert mode(path) == 0o644
    assert [entry.name for entry in path.parent.iterdir()] == ["roots.json"]


def test_the_mode_of_the_file_stays(store: Path) -> None:
    update(store)
    store.chmod(0o600)
    update(store, Changes(revokes=("root",)))
    assert mode(store) == 0o600


def test_an_error_leaves_the_file_untouched(store: Path) -> None:
    update(store)
    before, state = store.read_bytes(), store.stat()
    changes = Changes(adds=(KeySpec("b", PUBLISHER_KEY),), revokes=("unknown",))
    with pytest.raises(UsageError, match="unknown"):
        update(store, changes)
    store.with_name("broken.json").write_bytes(b"[")
    with pytest.raises(ConfigError, match="failed to parse trusted root file"):
        update(store.with_name("broken.json"))
    assert store.read_bytes() == before
    assert store.stat().st_mtime_ns == state.st_mtime_ns


def test_a_change_that_changes_nothing_writes_nothing(store: Path) -> None:
    update(store, Changes(adds=ADD.adds, revokes=("root",)))
    inode = store.stat().st_ino
    _, counts = update(store, Changes(revokes=("root",)))
    assert (counts, store.stat().st_ino) == (Counts(), inode)


def test_a_link_stays_a_link(store: Path) -> None:
    update(store)
    link = store.with_name("link.json")
    link.symlink_to("roots.json")
    update(link, Changes(revokes=("root",)))
    assert link.is_symlink()
    assert read_trust_file(str(store)).records[0].revoked


def test_a_file_or_folder_that_others_may_write_is_told(store: Path) -> None:
    update(store)
    store.chmod(0o664)
    (warning,) = read_trust_file(str(store)).warnings
    assert "others may write the trust file" in warning
    found, _ = update(store, Changes(revokes=("root",)))
    assert found.warnings == (warning,)
    store.chmod(0o644)
    store.parent.chmod(0o770)
    (warning,) = read_trust_file(str(store)).warnings
    assert "others may replace the trust file" in warning
    store.parent.chmod(0o1777)
    assert read_trust_file(str(store)).warnings == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_plain_file_is_refused_at_once(store: Path) -> None:
    os.mkfifo(store)
    for path, why in ((store, "not a regular file"), (store.parent, "folder")):
        with pytest.raises(ConfigError, match="failed to read trusted root file") as caught:
            read_trust_file(str(path))
        assert why in caught.value.cause
    with pytest.raises(ConfigError, match="failed to read"):
        read_trust_file("a\0b")
    store.unlink()
    store.write_bytes(b" " * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match="failed to read") as caught:
        read_trust_file(str(store))
    assert "larger than" in caught.value.cause


def test_a_folder_that_is_a_file_fails_with_words(store: Path) -> None:
    store.write_bytes(b"{}")
    with pytest.raises(ConfigError, match=r"failed to (read|write) trusted root file"):
        update(store / "roots.json")
    with pytest.raises(ConfigError, match=r"failed to (read|write) trusted root file"):
        update(Path("a\0b"))


def test_of_many_writers_none_loses_what_another_added(store: Path) -> None:
    specs = [KeySpec(f"k{number}", (ROOT_KEY, PUBLISHER_KEY)[number % 2]) for number in range(12)]
    threads = [
        threading.Thread(target=update, args=(store, Changes(adds=(spec,)))) for spec in specs
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record.id for record in read_trust_file(str(store)).records} == {
        spec.id for spec in specs
    }


@pytest.mark.parametrize("number", [errno.EBADF, errno.ENOLCK])
def test_a_folder_without_locks_gets_a_lock_file_for_the_moment(
    store: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert update(store)[1].added == 1
    assert [entry.name for entry in store.parent.iterdir()] == ["roots.json"]


def test_a_lock_that_fails_otherwise_is_told(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")

    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(ConfigError, match="failed to write trusted root file") as caught:
        update(store)
    assert caught.value.cause == "Input/output error"
    assert not store.exists()


def during(store: Path, work: Callable[[], object]) -> PiError:
    """The failure of work that a change of the store depends on."""
    failure = PiError("the disk is full")

    def fail() -> None:
        with trust_change(str(store), ADD, now=NOW, random_bytes=os.urandom) as told:
            assert told == "skill trust store update: added=1 updated=0 revoked=0 rotated=0"
            assert [one.id for one in read_trust_file(str(store)).records] == ["root"]
            work()
            raise failure

    with pytest.raises(PiError):
        fail()
    return failure


@pytest.mark.parametrize("before", [None, b"[ ]"])
def test_a_change_is_taken_back_to_the_byte_where_the_work_fails(
    store: Path, before: bytes | None
) -> None:
    if before is not None:
        store.write_bytes(before)
    assert during(store, lambda: None).hint == ""
    assert (store.read_bytes() if store.exists() else None) == before


def test_what_somebody_else_changed_meanwhile_stays_and_the_failure_says_so(store: Path) -> None:
    other = Changes(adds=(KeySpec("other", PUBLISHER_KEY),))
    failure = during(store, lambda: update(store, other))
    assert "stay changed: somebody else has changed them since" in failure.hint
    assert [one.id for one in read_trust_file(str(store)).records] == ["root", "other"]
