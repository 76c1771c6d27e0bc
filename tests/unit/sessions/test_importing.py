"""Imports: names, origins, notes, and what the report says."""

from __future__ import annotations

from typing import Any

from pi.sessions.importing import plan_import, text_line
from pi.sessions.plan import Plan
from pi.sessions.rows import DIGEST
from tests.fakes.session_files import entry, label, meta, rows

TARGET = rows(meta("here", 3), entry(1, None, "mine"), entry(2, 1), label("spot", 2))
SOURCE = rows(
    meta("there", 3),
    entry(1, None, "theirs", unknown={"kept": True}),
    entry(2, 1, first_kept_id=1),
    label("spot", 1),
    label("only", 2),
    {"record_type": "tool_start", "at": 2},
    {"record_type": "head", "id": 1, "name": "main"},
    {"record_type": DIGEST, "sha256": "x"},
)


def made(plan: Plan) -> list[dict[str, Any]]:
    return [dict(line) for line in plan.lines if not isinstance(line, int)]


def test_a_merge_names_every_id_and_pair() -> None:
    plan = plan_import(TARGET, SOURCE, mode="merge", next_id=3)
    assert plan.report["imported_ids"] == [3, 4]
    assert plan.report["remapped_ids"] == [[1, 3], [2, 4]]
    assert text_line("p", plan.report) == (
        "session import complete: path=p mode=merge imported_entries=2 remapped_entries=2 "
        "remapped_ids=1->3,2->4 replaced_entries=0 total_entries=4 head=4 renamed=spot->spot-3"
    )


def test_all_that_names_an_entry_names_it_anew() -> None:
    records = made(plan_import(TARGET, SOURCE, mode="merge", next_id=3))
    assert [(r.get("id"), r.get("parent_id"), r.get("at")) for r in records[1:]] == [
        *((3, None, None), (4, 3, None), (3, None, None), (4, None, None), (None, None, 4)),
    ]
    assert records[1]["unknown"] == {"kept": True}
    assert records[2]["first_kept_id"] == 3
    assert records[1]["origin"] == {"session_id": "there", "id": 1}


def test_a_name_that_is_here_stays_where_it_stood() -> None:
    records = made(plan_import(TARGET, SOURCE, mode="merge", next_id=3))
    names = [(r["name"], r["id"]) for r in records if r["record_type"] == "label"]
    assert names == [("spot-3", 3), ("only", 4)]
    free = TARGET + rows(label("spot", None))
    again = made(plan_import(free, SOURCE, mode="merge", next_id=3))
    assert ("spot", 3) in [(r.get("name"), r.get("id")) for r in again]


def test_a_grafted_tree_hangs_where_it_was_told_to() -> None:
    records = made(plan_import(TARGET, SOURCE, mode="merge", next_id=3, attach=2))
    assert records[1]["parent_id"] == 2


def test_replacing_names_what_goes_and_leaves_no_digest() -> None:
    plan = plan_import(TARGET, SOURCE, mode="replace", next_id=3)
    assert plan.report["replaced_ids"] == [1, 2]
    assert plan.report["imported_ids"] == [1, 2]
    assert DIGEST not in [record["record_type"] for record in made(plan)]
    assert made(plan)[0]["next_id"] == 3


def test_bad_lines_of_the_source_are_counted() -> None:
    plan = plan_import((), rows({"odd": 1}, entry(1, None)), mode="merge", next_id=1)
    assert plan.report["left_behind"] == 1
    assert text_line("p", plan.report).endswith("head=1 left_behind=1")


def test_an_empty_source_changes_nothing_in_a_merge() -> None:
    plan = plan_import(TARGET, rows(meta("there")), mode="merge", next_id=3)
    assert not plan.changes
    assert plan.head == 2
