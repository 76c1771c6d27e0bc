"""Pruning: what stays, and what the report says."""

from __future__ import annotations

import pytest

from pi.sessions.errors import SessionError
from pi.sessions.prune import plan_prune, text_line
from pi.sessions.repair import plan_repair
from pi.sessions.rows import DIGEST
from tests.fakes.session_files import entry, label, meta, rows

TREE = rows(
    meta(),
    entry(1, None),
    entry(2, 1),
    entry(3, 1),
    entry(4, 3),
    label("old", 4),
    label("new", 2),
    {"record_type": DIGEST, "sha256": "x"},
)


def test_every_id_and_name_that_goes_is_named() -> None:
    plan = plan_prune(TREE, head=2, next_id=5)
    assert text_line(plan.report) == (
        "compact complete: removed_entries=2 retained_entries=2 head=2 "
        "removed_ids=3,4 removed_names=old"
    )


def test_a_digest_does_not_outlive_what_it_was_over() -> None:
    assert 8 not in plan_prune(TREE, head=2, next_id=5).lines
    torn = (*TREE, rows({"odd": 1})[0]._replace(number=9))
    assert 8 not in plan_repair(torn, head=2, next_id=5).lines


def test_branches_with_names_can_be_kept() -> None:
    plan = plan_prune(TREE, head=2, next_id=5, keep=[4, 99])
    assert not plan.changes


def test_an_empty_file_and_unknown_heads() -> None:
    assert text_line(plan_prune((), head=None, next_id=1).report) == (
        "compact complete: removed_entries=0 retained_entries=0 head=none"
    )
    with pytest.raises(SessionError, match="unknown session id 9"):
        plan_prune(TREE, head=9, next_id=5)
    with pytest.raises(SessionError, match="cycle while compacting session lineage"):
        plan_prune(rows(entry(1, 2), entry(2, 1)), head=1, next_id=3)


def test_a_repair_gives_no_id_again_that_a_removed_line_had() -> None:
    """The highest ids may have been those of what went."""
    found = rows(meta(), entry(1, None), entry(9, 8), {"odd": 1})
    plan = plan_repair(found, head=1, next_id=11, remove=True)
    header = plan.lines[0]
    assert not isinstance(header, int)
    assert header["next_id"] == 11
