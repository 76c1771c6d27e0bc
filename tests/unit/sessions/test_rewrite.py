"""Rewriting real session files: backups, quarantine, undo, and what a failure leaves."""

from __future__ import annotations

import json
import os
import resource
import stat
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from pi.ai.types import user_message
from pi.sessions.backups import KEPT, backups, stamp
from pi.sessions.errors import SessionError
from pi.sessions.importing import plan_import
from pi.sessions.load_rows import Loaded, load_rows
from pi.sessions.lock import SessionLock
from pi.sessions.plan import Plan
from pi.sessions.prune import plan_prune
from pi.sessions.repair import plan_repair
from pi.sessions.rewrite import Rewriter
from pi.sessions.store import SessionStore


class Clock:
    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def __call__(self) -> int:
        self.ms += 1
        return self.ms


def line(entry_id: int, parent: int | None, text: str = "hi", **more: Any) -> bytes:
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    record = {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}
    return json.dumps({**record, **more}).encode() + b"\n"


META = b'{"record_type":"meta","schema_version":2,"session_id":"s","next_id":9}\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "s.jsonl"
    file.write_bytes(META + line(1, None) + line(2, 1) + line(3, 1))
    return file


def rewriter(path: Path, wait_ms: int = 1000) -> Rewriter:
    return Rewriter(str(path), now_ms=Clock(), random_bytes=os.urandom, lock_wait_ms=wait_ms)


def store(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=Clock(), random_bytes=os.urandom)


def prune(loaded: Loaded) -> Plan:
    return plan_prune(loaded.rows, head=2, next_id=loaded.contents.next_id)


def test_pruning_keeps_a_backup_and_gives_no_id_twice(path: Path) -> None:
    before = path.read_bytes()
    done = rewriter(path).apply(prune)
    assert done.plan.report["removed_ids"] == [3]
    assert Path(done.backup).read_bytes() == before
    after = store(path)
    assert [entry.id for entry in after.lineage()] == [1, 2]
    assert after.append([user_message("next")])[0].id == 9


def test_what_is_kept_is_kept_to_the_byte(path: Path) -> None:
    odd = b'{ "record_type" : "entry", "zz":1, "parent_id":null,"id":7, "message":'
    odd += b'{"role":"user","content":[],"more":"\\u00e9"} }\n'
    path.write_bytes(path.read_bytes() + odd)
    rewriter(path).apply(lambda it: plan_prune(it.rows, head=7, next_id=it.contents.next_id))
    assert odd in path.read_bytes()


def test_a_dry_run_and_an_empty_plan_write_nothing(path: Path) -> None:
    before = path.read_bytes()
    assert rewriter(path).apply(prune, dry_run=True).plan.changes
    same = rewriter(path).apply(
        lambda it: plan_repair(it.rows, head=3, next_id=it.contents.next_id)
    )
    assert not same.plan.changes
    assert path.read_bytes() == before
    assert backups(str(path)) == ()


def test_bad_lines_go_to_the_quarantine(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"garbage\n\xff\xfe\n" + line(4, 99) + b'{"torn":')
    done = rewriter(path).apply(
        lambda it: plan_repair(it.rows, head=3, next_id=it.contents.next_id)
    )
    assert done.plan.report["quarantined"] == [5, 6, 8]
    assert done.plan.report["relinked"] == [4]
    kept = Path(f"{path}.quarantine.jsonl")
    rows = [json.loads(row) for row in kept.read_bytes().splitlines()]
    assert [row.get("text") or row["hex"] for row in rows] == ["garbage", "fffe", '{"torn":']
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert all(row.record is not None for row in load_rows(str(path)).rows)


def test_undo_brings_the_file_back_and_undo_again_takes_it_away(path: Path) -> None:
    before = path.read_bytes()
    one = rewriter(path)
    one.apply(prune)
    pruned = path.read_bytes()
    undone = one.undo()
    assert undone.plan.report["entries"] == 3
    assert path.read_bytes() == before
    one.undo()
    assert path.read_bytes() == pruned


def test_undo_without_a_backup_says_so(path: Path) -> None:
    with pytest.raises(SessionError, match="nothing to undo"):
        rewriter(path).undo()


def test_three_backups_are_kept(path: Path) -> None:
    one = rewriter(path)
    for number in range(KEPT + 2):
        path.write_bytes(META + line(1, None) + line(2, 1) + line(3, 1, str(number)))
        one.apply(prune)
    assert len(backups(str(path))) == KEPT
    assert b'"4"' in Path(backups(str(path))[0]).read_bytes()


def test_the_target_of_a_link_is_rewritten_and_its_mode_kept(path: Path) -> None:
    link = path.with_name("link.jsonl")
    link.symlink_to(path)
    path.chmod(0o640)
    rewriter(link).apply(prune)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert len(store(path)) == 2


def test_a_folder_that_cannot_be_written_leaves_all_as_it_was(path: Path) -> None:
    before = sorted(os.listdir(path.parent))

    one = Rewriter(str(path), now_ms=Clock(), random_bytes=os.urandom, lock_wait_ms=100)
    content = path.read_bytes()
    huge = Plan(({"record_type": "note", "x": "y" * 5_000_000},), None, {})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(SessionError, match="failed to rewrite"):
            one.apply(lambda it: huge)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == content
    assert sorted(os.listdir(path.parent)) in (before, [*before, "s.jsonl.lock"])


def test_a_writer_that_holds_the_lock_is_waited_for_and_named(path: Path) -> None:
    with (
        SessionLock(f"{path}.lock", wait_ms=100, now_ms=Clock()),
        pytest.raises(SessionError, match="timed out acquiring lock"),
    ):
        rewriter(path, wait_ms=50).apply(prune)


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "no.jsonl"
    with pytest.raises(SessionError, match="there is no session file"):
        rewriter(missing).apply(prune)
    assert not missing.exists()


def test_a_newer_file_is_not_rewritten(path: Path) -> None:
    path.write_bytes(b'{"record_type":"meta","schema_version":99}\n' + line(1, None))
    with pytest.raises(SessionError, match="cannot be written"):
        rewriter(path).apply(prune)


def test_an_open_store_sees_a_rewritten_file(path: Path) -> None:
    other = store(path)
    rewriter(path).apply(prune)
    other.refresh()
    assert len(other) == 2


def test_import_of_another_file(path: Path, tmp_path: Path) -> None:
    source = tmp_path / "other.jsonl"
    source.write_bytes(line(1, None, "theirs") + line(2, 1, "theirs too"))
    loaded = load_rows(str(source))
    done = rewriter(path).apply(
        lambda it: plan_import(it.rows, loaded.rows, mode="merge", next_id=it.contents.next_id)
    )
    assert done.plan.report["remapped_ids"] == [[1, 9], [2, 10]]
    assert [entry.message.text() for entry in store(path).lineage(10)] == ["theirs", "theirs too"]


def test_stamps_are_utc_times() -> None:
    for ms in (0, 951_782_400_123, 1_700_000_000_999, 4_102_444_799_000, 1_709_164_800_000):
        moment = datetime.fromtimestamp(ms // 1000, timezone.utc)
        assert stamp(ms) == f"{moment:%Y%m%dT%H%M%S}.{ms % 1000:03}Z"
