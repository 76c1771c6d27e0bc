"""The context of a lineage with compactions, from records and from a real file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pi.ai.summaries import summary_message
from pi.ai.types import Message, Text, Thinking, user_message
from pi.sessions.compacted import find_compaction, read_context, resolved
from pi.sessions.entry import SessionEntry, encode
from pi.sessions.load_rows import load_rows
from pi.sessions.search import Query, search
from pi.sessions.stats import count
from pi.sessions.store import SessionStore
from pi.sessions.unsaved import Unsaved
from pi.sessions.validate import validate
from pi.sessions.warnings import warnings

ANSWER = Message("assistant", (Thinking("hm", "sig"), Text("yes")), stop_reason="stop")
PLAIN = ANSWER._replace(blocks=(Text("yes"),))


def message(entry_id: int, what: Message, **extra: Any) -> dict[str, Any]:
    return encode(SessionEntry(entry_id, entry_id - 1 or None, what, extra))


def compaction(entry_id: int, kept: Any, summary: Any = "S") -> dict[str, Any]:
    record = {"record_type": "entry", "kind": "compaction", "id": entry_id}
    return {**record, "parent_id": entry_id - 1, "summary": summary, "first_kept_id": kept}


LINEAGE = [
    message(1, user_message("a")),
    message(2, ANSWER, usage={"input": 900, "output": 100}),
    message(3, user_message("b")),
    message(4, ANSWER, usage={"input": 900, "output": 100}),
    compaction(5, 3),
    message(6, user_message("c")),
]


def test_a_compaction_gives_its_summary_what_it_kept_and_what_came_after() -> None:
    found = read_context([*LINEAGE, message(7, ANSWER, usage={"input": 50, "output": 5})])
    assert found.messages == (
        *(summary_message("S"), user_message("b"), PLAIN),
        *(user_message("c"), ANSWER),
    )
    assert found.ids == (5, 3, 4, 6, 7)
    assert (found.used, found.after, found.just_compacted) == (55, 5, False)


def test_usage_recorded_before_the_compaction_is_not_known_any_more() -> None:
    assert read_context(LINEAGE[:4]).used == 1000
    found = read_context(LINEAGE[:5])
    assert (found.used, found.after, found.just_compacted) == (0, 0, True)
    assert read_context(LINEAGE).just_compacted is False


@pytest.mark.parametrize("usage", [None, 5, [], {"input": "9"}, {"input": -1}, {"input": True}])
def test_an_odd_usage_counts_as_none(usage: Any) -> None:
    records = [message(1, user_message("a")), {**message(2, ANSWER), "usage": usage}]
    assert read_context(records).used == 0


def test_the_last_compaction_counts() -> None:
    found = read_context([*LINEAGE, compaction(7, 4, "T")])
    assert found.messages == (summary_message("T"), PLAIN, user_message("c"))


@pytest.mark.parametrize("kept", [None, 99, 7, 8, "3", True, [3]])
def test_a_compaction_that_kept_nothing_known_is_passed_over(kept: Any) -> None:
    records = [*LINEAGE, compaction(7, kept), message(8, user_message("d"))]
    assert read_context(records).ids == (5, 3, 4, 6, 8)
    found, problem = find_compaction(records)
    assert found is not None
    assert found.id == 5
    assert problem == "compaction 7 does not say what it kept; nothing is left out for it"


def test_without_a_summary_everything_is_kept() -> None:
    records = [*LINEAGE[:4], compaction(5, 3, None)]
    assert read_context(records).ids == (1, 2, 3, 4)


def test_an_empty_lineage_is_an_empty_context() -> None:
    assert read_context([]) == ((), (), 0, 0, False)


def test_a_number_of_kept_messages_becomes_the_id_of_the_first() -> None:
    assert resolved({"kept": 2}, lambda: LINEAGE) == {"first_kept_id": 4}
    assert resolved({"kept": 4}, lambda: LINEAGE) == {"first_kept_id": 5}
    assert resolved({"kept": 9}, lambda: LINEAGE) == {"first_kept_id": None}
    assert resolved({"kind": "x"}, lambda: LINEAGE) == {"kind": "x"}


def opened(path: Path) -> SessionStore:
    return SessionStore.open(str(path), now_ms=lambda: 7, random_bytes=os.urandom)


def test_other_branches_do_not_see_a_compaction(tmp_path: Path) -> None:
    store = opened(tmp_path / "s.jsonl")
    store.append([user_message("a"), ANSWER, user_message("b"), ANSWER])
    before = store.messages()
    assert store.append_waypoint({"kind": "compaction", "summary": "S", "kept": 1}) == 5
    assert store.messages() == (summary_message("S"), PLAIN)
    store.switch(4)
    assert store.messages() == before
    store.switch(5)
    assert opened(tmp_path / "s.jsonl").messages() == (summary_message("S"), PLAIN)


def test_a_broken_compaction_is_said_and_everything_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store = opened(path)
    store.append([user_message("a"), ANSWER])
    assert warnings(store) == ()
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(compaction(3, 77)) + "\n")
    again = opened(path)
    assert again.messages() == (user_message("a"), ANSWER)
    (told,) = warnings(again)
    assert told.endswith("compaction 3 does not say what it kept; nothing is left out for it")


def test_what_looks_at_a_session_takes_a_compaction_for_a_place_in_the_tree(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    store = opened(path)
    store.append([user_message("needle"), ANSWER, user_message("b")])
    store.append_waypoint({"kind": "compaction", "summary": "needle", "kept": 1})
    store.append([user_message("c")])
    assert [entry.id for entry in store.lineage()] == [1, 2, 3, 5]
    assert search(store.snapshot(), Query("needle")).matches == 1
    assert count(store.snapshot()).entries == 4
    assert validate(str(path), load_rows(str(path)).rows).valid
    assert store.snapshot().parent_of[5] == 4


def test_a_compaction_behind_messages_that_wait_is_whole_in_the_rescue_file(tmp_path: Path) -> None:
    store = opened(tmp_path / "folder" / "s.jsonl")
    (tmp_path / "folder").mkdir()
    store.append([user_message("a"), ANSWER])
    os.rename(tmp_path / "folder" / "s.jsonl", tmp_path / "moved")
    os.mkdir(tmp_path / "folder" / "s.jsonl")  # nothing can be appended now
    unsaved = Unsaved(store)
    unsaved.append(user_message("b"), {})
    unsaved.append_waypoint({"kind": "compaction", "summary": "S", "kept": 1})
    unsaved.append(user_message("c"), {})
    assert unsaved.obstacle is not None
    rescue = unsaved.finish()
    assert rescue
    found = opened(Path(rescue)).context()
    assert found.messages == (summary_message("S"), user_message("b"), user_message("c"))


def test_a_compaction_after_the_file_was_replaced_names_what_was_stored_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.jsonl"
    store = opened(path)
    store.append([user_message("a"), ANSWER, user_message("b")])
    other = opened(tmp_path / "other.jsonl")
    other.append([user_message("x") for _ in range(5)])
    os.replace(tmp_path / "other.jsonl", path)
    store.append_waypoint({"kind": "compaction", "summary": "S", "kept": 1})
    wanted = (summary_message("S"), user_message("b"))
    assert store.messages() == wanted
    assert opened(path).messages() == wanted
    assert len(opened(path)) == 9
