"""Commands that rewrite: each id is named, a dry run writes nothing, a refusal neither."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pi.base.errors import PiError
from pi.commands.context import CommandContext
from pi.commands.dispatch import run_line
from pi.sessions.backups import backups
from tests.fakes.session_files import context, dump, entry, label, meta

TREE = (meta(), entry(1, None), entry(2, 1), entry(3, 1), label("spot", 3))


def data(ran: CommandContext, line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run_line(f"{line} --json", ran).lines[0])
    return found


def failure(ran: CommandContext, line: str) -> PiError:
    error = run_line(line, ran).result.error
    assert error is not None
    return error


def test_dry_runs_name_all_and_write_nothing(tmp_path: Path) -> None:
    broken = (*TREE, entry(4, 99), entry(2, 1, "other"), {"odd": 1})
    ran = context(tmp_path, *broken)
    (tmp_path / "other.jsonl").write_bytes(dump(entry(1, None, "x"), entry(7, 1)))
    before = (tmp_path / "s.jsonl").read_bytes()
    found = data(ran, "/session-repair --dry-run")["data"]
    assert (found["relinked"], found["duplicate_ids"], found["quarantined"]) == ([4], [2], [8])
    assert found["reidentified"] == [[2, 6]]
    assert found["dry_run"] is True
    (line,) = run_line("/session-repair --dry-run", ran).lines
    assert line.startswith("dry run: repair complete:")
    assert line.endswith("quarantined=8 reidentified=2->6 relinked=4")
    found = data(ran, "/session-import other.jsonl --dry-run")["data"]
    assert (found["remapped_ids"], found["imported_ids"]) == ([[1, 6]], [6, 7])
    found = data(ran, "/session-import other.jsonl --dry-run --mode replace")["data"]
    assert found["replaced_ids"] == [1, 2, 3, 4, 2]
    assert (tmp_path / "s.jsonl").read_bytes() == before
    assert backups(str(tmp_path / "s.jsonl")) == ()


def test_a_dry_run_of_pruning_names_what_would_go(tmp_path: Path) -> None:
    ran = context(tmp_path, *TREE, entry(4, 1))
    found = data(ran, "/session-compact --dry-run --all")["data"]
    assert (found["removed_ids"], found["removed_names"]) == ([2, 3], ["spot"])
    found = data(ran, "/session-compact --dry-run")["data"]
    assert found["removed_ids"] == [2]


def test_an_import_from_standard_input(tmp_path: Path) -> None:
    theirs = dump(meta("t"), entry(1, None, "theirs"))
    ran = context(tmp_path, *TREE, stdin=lambda: theirs)
    assert data(ran, "/session-import -")["data"]["remapped_ids"] == [[1, 4]]
    assert failure(context(tmp_path), "/session-import -").exit_code == 2


def test_a_damaged_export_is_refused_before_anything_is_touched(tmp_path: Path) -> None:
    ran = context(tmp_path, *TREE)
    run_line("/session-export out.jsonl", ran)
    out = tmp_path / "out.jsonl"
    out.write_bytes(out.read_bytes().replace(b"hi", b"ho", 1))
    new = context(tmp_path, name="new.jsonl")
    for mode in ("merge", "replace"):
        error = failure(new, f"/session-import out.jsonl --mode {mode}")
        assert (error.exit_code, error.code) == (7, "bad-digest")
    assert not (tmp_path / "new.jsonl").exists()


def test_what_cannot_be_imported_leaves_no_new_file(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(dump(entry(2, 99)))
    (tmp_path / "text").write_text("notes\n")
    (tmp_path / "newer").write_bytes(b'{"record_type":"meta","schema_version":9}\n')
    new = context(tmp_path, name="new.jsonl")
    codes = {
        "bad.jsonl": ("invalid-session", 7),
        "text": ("not-a-session", 2),
        "newer": ("session-newer-schema", 1),
        "none.jsonl": ("session-missing", 2),
        ".": ("session-unreadable", 2),
        "new.jsonl": ("bad-usage", 2),
        "bad.jsonl --attach 1": ("unknown-session-id", 2),
        "x --mode replace --attach nobody": ("bad-usage", 2),
    }
    for name, told in codes.items():
        error = failure(new, f"/session-import {name}")
        assert (error.code, error.exit_code) == told, name
    assert not (tmp_path / "new.jsonl").exists()
    (tmp_path / "good.jsonl").write_bytes(dump(entry(1, None)))
    assert run_line("/session-import good.jsonl --dry-run", new).result.ok
    assert not (tmp_path / "new.jsonl").exists()


def test_an_import_can_hang_on_a_named_entry(tmp_path: Path) -> None:
    ran = context(tmp_path, *TREE)
    (tmp_path / "o.jsonl").write_bytes(dump(entry(8, None, "graft")))
    run_line("/session-import o.jsonl --attach spot", ran)
    assert ran.store is not None
    assert [found.id for found in ran.store.lineage()] == [1, 3, 8]


def test_an_export_imported_elsewhere_is_the_same_conversation(tmp_path: Path) -> None:
    source = context(tmp_path, *TREE[:4], entry(4, 2, "é\u2028", zz={"k": [1.5]}), label("x", 4))
    run_line("/session-export out.jsonl --all", source)
    new = context(tmp_path, name="new.jsonl")
    run_line("/session-import out.jsonl --mode replace", new)
    assert source.store is not None
    assert new.store is not None
    assert new.store.lineage() == source.store.lineage()
    assert new.store.lineage()[-1].extra["zz"] == {"k": [1.5]}
    assert [note["name"] for note in new.store.notes if note["record_type"] == "label"] == ["x"]


def test_a_person_is_asked_and_may_say_no(tmp_path: Path) -> None:
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    ran = context(tmp_path, *TREE, entry(4, 1))._replace(confirm=no, interactive=True)
    before = (tmp_path / "s.jsonl").read_bytes()
    for line in ("/session-compact", "/session-undo"):
        assert run_line(line, ran).lines == ("not done",)
    assert len(asked) == 2
    assert (tmp_path / "s.jsonl").read_bytes() == before
    assert "removed_ids=2" in run_line("/session-compact --yes", ran).lines[0]
