"""Small reports: figures, differences, drawings, previews, names, stamps of backups."""

from __future__ import annotations

from pathlib import Path

import pytest

from pi.sessions import difference, drawing, stats
from pi.sessions.backups import KEPT, backups, make_backup, stamp
from pi.sessions.labels import LabelError, check_name, free_name, sidecars
from pi.sessions.load_rows import lines_of, loaded
from pi.sessions.snapshot import Snapshot, preview, summary
from tests.fakes.session_files import answer, dump, entry, result


def snapshot_of(*records: dict[str, object], active: int | None = None) -> Snapshot:
    contents = loaded(lines_of(dump(*records))).contents
    parents = contents.parents
    last = contents.order[-1] if contents.order else None
    return Snapshot(contents.entries, parents, active, last)


USAGE = {"input": 5, "output": 7, "cache_read": 1, "cache_write": 2}
ORIGIN = {"provider": "p", "model": "m", "api": "a", "usage": USAGE}


def test_figures_of_tools_models_and_times() -> None:
    found = stats.count(
        snapshot_of(
            entry(1, None, ts=50),
            {**answer(2, 1, "c"), **ORIGIN},
            result(3, 2, "c", failed=True),
            {**answer(4, 3), **ORIGIN, "ts": 70},
            active=3,
        )
    )
    assert stats.text_lines(found) == (
        "session stats: entries=4 branch_tips=1 roots=1 max_depth=4",
        "heads: active=3 latest=4 active_is_latest=false",
        "depth: active=3 latest=4",
        "role: assistant=2",
        "role: tool=1",
        "role: user=1",
        "tool: read results=1 errors=1",
        "model: p/m input_tokens=16 output_tokens=14",
    )
    assert (found.first_ms, found.last_ms) == (50, 70)


def test_figures_of_nothing_and_of_a_damaged_tree() -> None:
    assert stats.text_lines(stats.count(snapshot_of())) == (
        "session stats: entries=0 branch_tips=0 roots=0 max_depth=0",
        "heads: active=none latest=none active_is_latest=true",
        "depth: active=none latest=none",
        "roles: none",
    )
    broken = stats.count(snapshot_of(entry(1, None), entry(2, 9), entry(3, 4), entry(4, 3)))
    assert stats.text_lines(broken)[-2:] == (
        "damaged: missing parent of 2",
        "damaged: cycle under 3,4",
    )


def test_a_difference_with_itself_and_without_heads() -> None:
    tree = snapshot_of(entry(1, None), entry(2, 1), active=2)
    same = difference.compare(tree)
    assert difference.text_lines(same)[-2:] == ("left-only: none", "right-only: none")
    for snapshot, words in (
        (snapshot_of(), "active head is not set"),
        (
            Snapshot(tree.some, tree.parent_of, 9, tree.latest),
            "active head 9 does not exist in session",
        ),
        (Snapshot(tree.some, tree.parent_of, 2, None), "latest head is not set"),
    ):
        with pytest.raises(difference.DiffError, match=words):
            difference.compare(snapshot)
    with pytest.raises(difference.DiffError, match="unknown right session id 9"):
        difference.compare(tree, 1, 9)
    with pytest.raises(difference.DiffError, match="cycle"):
        difference.compare(snapshot_of(entry(1, 2), entry(2, 1)), 1, 2)


def test_drawings_of_nothing_and_of_signs_that_mean_something() -> None:
    empty = snapshot_of()
    assert drawing.mermaid(empty, {}) == 'graph TD\n  empty["(empty session)"]'
    assert drawing.dot(empty, {}).split("\n")[2] == '  empty [label="(empty session)"];'
    odd = snapshot_of(entry(1, None, 'a"b\\c[d]\x00\x1b'))
    assert '["1: user | a#quot;b#92;c#91;d#93;\ufffd\ufffd"]' in drawing.mermaid(odd, {})
    assert '[label="1: user | a\\"b\\\\c[d]\ufffd\ufffd"]' in drawing.dot(odd, {})
    assert [drawing.format_of(path) for path in ("a.DOT", "a.json", "a.x", "dot", "")] == [
        *("dot", "json", "mermaid", "dot", "mermaid"),
    ]


def test_previews_and_summaries() -> None:
    assert preview("  \n ") == "(no text)"
    assert preview("a" + " " * 5000 + "b") == "a b"
    assert preview("x" * 81) == "x" * 80 + "..."
    (call,) = snapshot_of(answer(1, None, "a", "b")).entries
    silent = call._replace(message=call.message._replace(blocks=call.message.blocks[1:]))
    assert summary(silent) == "Assistant (tool_calls=2)"


def test_names() -> None:
    assert check_name("a-Z_9") == "a-Z_9"
    for name, words in (("", "empty"), ("9a", "start with"), ("a b", "only"), ("é", "start with")):
        with pytest.raises(LabelError, match=words):
            check_name(name)
    assert free_name("2. a b!", (), 7) == "a-b"
    assert free_name("a", ("a", "a-7"), 7) == "a-7-7"
    assert free_name("!?", (), 7) == ""
    assert sidecars("d/s.jsonl", "alias") == ("d/s.aliases.json", "d/s.jsonl.aliases.json")
    assert sidecars("s", "bookmark") == ("s.bookmarks.json",)


def test_backups_are_named_by_time_and_the_oldest_go(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"x")
    made = [make_backup(str(path), lambda at=at: at) for at in (5, 5, 6, 9)]  # type: ignore[misc]
    assert made[1].endswith(stamp(6))
    assert made[2].endswith(stamp(7))
    assert backups(str(path)) == tuple(sorted(made, reverse=True)[:KEPT])
    assert backups(str(tmp_path / "no" / "s")) == ()
