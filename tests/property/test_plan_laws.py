"""Repair, pruning and import of session files: what is never lost and never given twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi.sessions.errors import SessionError
from pi.sessions.graph import examine, nodes
from pi.sessions.importing import plan_import
from pi.sessions.plan import Plan
from pi.sessions.prune import plan_prune
from pi.sessions.repair import plan_repair
from pi.sessions.rows import Row
from tests.fakes.examples import few

small = st.integers(1, 8)
words = st.sampled_from(["a", "b", "c"])


def entry(entry_id: int, parent: int | None, word: str, **more: Any) -> dict[str, Any]:
    message = {"role": "user", "content": [{"type": "text", "text": word}], "is_error": False}
    record = {"record_type": "entry", "id": entry_id, "parent_id": parent, "message": message}
    return {**record, **more}


def as_rows(records: list[dict[str, Any] | None]) -> tuple[Row, ...]:
    return tuple(
        Row(number, 0, 0, record, "" if record is not None else "bad")
        for number, record in enumerate(records, start=1)
    )


def after(rows: tuple[Row, ...], plan: Plan) -> tuple[Row, ...]:
    """The file that the plan makes of ``rows``."""
    old = {row.number: row.record for row in rows}
    return as_rows([old[line] if isinstance(line, int) else dict(line) for line in plan.lines])


def entries(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    return [dict(row.record or {}) for row in rows if row.is_entry]


def next_id(rows: tuple[Row, ...]) -> int:
    return max((record["id"] for record in entries(rows)), default=0) + 1


broken = st.lists(st.none() | st.builds(entry, small, st.none() | small, words), max_size=12).map(
    as_rows
)


@st.composite
def sound(draw: st.DrawFn, session: str = "") -> tuple[Row, ...]:
    """A sound file; ids in any order, with a header if it has a session id."""
    ids = draw(st.lists(small, unique=True, max_size=6))
    records: list[dict[str, Any] | None] = []
    if session:
        records.append({"record_type": "meta", "schema_version": 2, "session_id": session})
    for at, entry_id in enumerate(ids):
        parent = draw(st.none() | st.sampled_from(ids[:at])) if at else None
        records.append(entry(entry_id, parent, draw(words)))
    if ids and draw(st.booleans()):
        stands_on = draw(st.sampled_from(ids))
        records.append({"record_type": "label", "kind": "alias", "name": "x", "id": stands_on})
    return as_rows(records)


@settings(max_examples=few(500), deadline=None)
@given(broken, st.booleans())
def test_a_repaired_file_is_sound_and_needs_no_repair(rows: tuple[Row, ...], remove: bool) -> None:
    """plan(apply(plan)) changes nothing, whichever way was taken."""
    plan = plan_repair(rows, head=None, next_id=next_id(rows), remove=remove)
    mended = after(rows, plan)
    assert examine(nodes(mended)).sound
    assert all(row.record is not None for row in mended)
    again = plan_repair(mended, head=plan.head, next_id=next_id(mended), remove=remove)
    assert not again.changes
    assert plan.changes == (mended != rows)
    ids = {record["id"] for record in entries(mended)}
    assert plan.head in ids if ids else plan.head is None


@settings(max_examples=few(500), deadline=None)
@given(broken)
def test_repair_loses_no_entry_that_differs_from_all_others(rows: tuple[Row, ...]) -> None:
    """What every entry says is still said, as often as it was said under different ids; a
    line that could not be read is in the quarantine."""
    plan = plan_repair(rows, head=None, next_id=next_id(rows))
    mended = entries(after(rows, plan))
    said = {json.dumps(record, sort_keys=True) for record in entries(rows)}
    assert len(mended) == len(said)
    assert sorted(r["message"]["content"][0]["text"] for r in mended) == sorted(
        json.loads(text)["message"]["content"][0]["text"] for text in said
    )
    assert plan.quarantine == tuple(row.number for row in rows if row.record is None)
    kept = {record["id"] for record in entries(rows)}
    fresh = [new for _, new in plan.report["reidentified"]]
    assert len(set(fresh)) == len(fresh)
    assert not kept & set(fresh)


def test_the_worked_example_of_repair() -> None:
    rows = as_rows(
        [
            entry(1, None, "a"),
            entry(2, 99, "b"),
            entry(3, 4, "c"),
            entry(4, 3, "a"),
            entry(5, 1, "b"),
        ]
    )
    plan = plan_repair(rows, head=5, next_id=6, remove=True)
    assert plan.report["invalid_parent_ids"] == [2]
    assert plan.report["cycle_ids"] == [3, 4]
    assert [record["id"] for record in entries(after(rows, plan))] == [1, 5]
    gentle = plan_repair(rows, head=5, next_id=6)
    assert gentle.report["relinked"] == [2, 3]
    assert [r["id"] for r in entries(after(rows, gentle))] == [1, 2, 3, 4, 5]
    assert gentle.head == 5


@settings(max_examples=few(300), deadline=None)
@given(sound(), st.data())
def test_pruning_keeps_the_lineage_and_remembers_the_ids(
    rows: tuple[Row, ...], data: st.DataObject
) -> None:
    """What is left is sound, holds the head's line with its ids, and names no id anew."""
    ids = [record["id"] for record in entries(rows)]
    if not ids:
        assert not plan_prune(rows, head=None, next_id=1).changes
        return
    head = data.draw(st.sampled_from(ids))
    plan = plan_prune(rows, head=head, next_id=next_id(rows))
    left = after(rows, plan)
    kept = [record["id"] for record in entries(left)]
    assert head in kept
    assert examine(nodes(left)).sound
    assert sorted([*kept, *plan.report["removed_ids"]]) == sorted(ids)
    if plan.changes:
        header = next(row.record for row in left if row.record and "schema_version" in row.record)
        assert header["next_id"] > max(ids)
    assert not plan_prune(left, head=head, next_id=next_id(rows)).changes
    names = [row.record for row in left if row.record and row.record["record_type"] == "label"]
    assert all(name["id"] in kept for name in names)


@settings(max_examples=few(400), deadline=None)
@given(sound(), sound())
def test_a_merge_keeps_both_trees(target: tuple[Row, ...], source: tuple[Row, ...]) -> None:
    """Old entries stay as they were; each source entry is there once, hanging where it hung."""
    plan = plan_import(target, source, mode="merge", next_id=next_id(target))
    merged = after(target, plan)
    assert examine(nodes(merged)).sound
    old, new = entries(target), entries(merged)
    assert new[: len(old)] == old
    added = new[len(old) :]
    pairs = dict(map(tuple, plan.report["remapped_ids"]))
    assert [record["id"] for record in added] == [
        pairs.get(record["id"], record["id"]) for record in entries(source)
    ]
    for mine, theirs in zip(added, entries(source)):
        parent = theirs["parent_id"]
        assert mine["parent_id"] == (None if parent is None else pairs.get(parent, parent))
        assert mine["message"] == theirs["message"]


@settings(max_examples=few(400), deadline=None)
@given(sound("here"), sound("there"))
def test_importing_the_same_snapshot_again_adds_nothing(
    target: tuple[Row, ...], source: tuple[Row, ...]
) -> None:
    """The second import finds every entry by where it came from."""
    first = plan_import(target, source, mode="merge", next_id=next_id(target))
    merged = after(target, first)
    again = plan_import(merged, source, mode="merge", next_id=next_id(merged))
    assert not again.changes
    assert again.report["skipped_entries"] == len(entries(source))
    assert again.head == first.head


@settings(max_examples=few(300), deadline=None)
@given(sound("here"), sound("there"))
def test_replacing_leaves_exactly_the_source(
    target: tuple[Row, ...], source: tuple[Row, ...]
) -> None:
    """Ids are kept, and those given before are not given again."""
    plan = plan_import(target, source, mode="replace", next_id=next_id(target))
    replaced = after(target, plan)
    assert entries(replaced) == entries(source)
    header = next(row.record for row in replaced if row.record and "schema_version" in row.record)
    assert header["next_id"] >= max(next_id(target), next_id(source))


TABLE = [
    ([1, 2], [(1, None), (2, 1)], [1, 2, 3, 4], [[1, 3], [2, 4]]),
    ([1], [(1, None), (2, None)], [1, 2, 3], [[1, 2], [2, 3]]),
    ([10, 11], [(1, None), (2, 1)], [10, 11, 1, 2], []),
    ([4, 10], [(4, None), (5, 4)], [4, 10, 11, 5], [[4, 11]]),
    ([5, 10], [(11, None), (5, 11)], [5, 10, 11, 12], [[5, 12]]),
]


@pytest.mark.parametrize(("target", "source", "ids", "pairs"), TABLE)
def test_the_table_of_merges(
    target: list[int], source: list[tuple[int, int | None]], ids: list[int], pairs: list[list[int]]
) -> None:
    """Of the older program's table; where it counted from the target alone ids can be higher."""
    old = as_rows([entry(number, None, "a") for number in target])
    new = as_rows([entry(number, parent, "b") for number, parent in source])
    plan = plan_import(old, new, mode="merge", next_id=max(target) + 1)
    merged = [record["id"] for record in entries(after(old, plan))]
    assert plan.report["remapped_ids"] == pairs
    assert merged == ids


def test_attaching_to_an_entry_that_is_not_there_is_refused() -> None:
    with pytest.raises(SessionError, match="unknown session id 7"):
        plan_import((), as_rows([entry(1, None, "a")]), mode="merge", next_id=1, attach=7)
