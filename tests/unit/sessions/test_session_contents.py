from __future__ import annotations

from typing import Any

from pi.base.jsonl import Damaged, JsonlReader, encode
from pi.sessions.contents import Contents


def entry(entry_id: int, parent: int | None = None, **fields: Any) -> dict[str, Any]:
    message = {"role": "user", "content": [{"type": "text", "text": f"m{entry_id}"}]}
    return {
        "record_type": "entry", "id": entry_id, "parent_id": parent, "message": message, **fields
    }  # fmt: skip


def contents(*records: dict[str, Any] | bytes) -> Contents:
    data = b"".join(item if isinstance(item, bytes) else encode(item) for item in records)
    found = Contents()
    found.take(JsonlReader().feed(data))
    return found


def meta(**fields: Any) -> dict[str, Any]:
    return {"record_type": "meta", "schema_version": 2, **fields}


def test_the_file_order_is_kept_and_the_next_id_is_above_all() -> None:
    found = contents(meta(session_id="s", next_id=1), entry(10), entry(2, 10))
    assert found.order == [10, 2]
    assert found.reserve(2) == [11, 12]
    assert found.session_id == "s"
    assert [item.message.text() for item in found.entries([10, 2])] == ["m10", "m2"]


def test_a_later_header_can_only_raise_the_next_id() -> None:
    assert contents(meta(next_id=50), entry(1), meta(next_id=7)).next_id == 50
    assert contents(meta(next_id=True), meta(next_id=-1), meta(next_id="9")).next_id == 1


def test_a_damaged_line_may_have_held_an_id() -> None:
    found = contents(entry(1), b"{broken\n")
    assert found.next_id == 3
    assert [line.number for line in found.damage] == [2]


def test_of_two_entries_with_one_id_the_last_counts() -> None:
    found = contents(entry(1), entry(2, 1), entry(2))
    assert found.parent_of(2) is None
    assert found.order == [1, 2, 2]


def test_ids_run_out_instead_of_overflowing() -> None:
    found = contents(entry(2**63 - 2))
    assert found.reserve(1) == [2**63 - 1]
    assert found.reserve(2) == []


def test_records_of_other_kinds_are_notes() -> None:
    run = {"record_type": "run", "id": 5, "message": {}}
    found = contents(entry(1), run)
    assert found.notes == [run]
    assert 5 not in found


def test_what_is_no_record_of_a_session_is_damage() -> None:
    found = contents({"a": 1}, {"record_type": 5}, meta(schema_version="2"), b"[]\n", entry(-1))
    assert [line.reason for line in found.damage] == [
        "not a record of a session",
        "not a record of a session",
        "header without a schema_version",
        "not a JSON object",
        "entry id is not an integer from 0 to 2^63-1",
    ]
    assert found.damage[1] == Damaged(2, 8, 17, "not a record of a session")
    assert not found.is_session
    assert not found.is_blank


def test_headers_say_the_schema_version() -> None:
    old, own, newer = meta(schema_version=1), meta(), meta(schema_version=3)
    assert contents().schema_version == 0
    assert contents(old).read_only == ""
    assert contents(old, own).schema_version == 2
    assert contents(newer, own).read_only == "schema version 3, this pi writes up to 2"


def test_an_entry_without_message_is_a_step_of_the_path_and_no_message() -> None:
    step = {"record_type": "entry", "id": 2, "parent_id": 1, "kind": "model_change"}
    found = contents(entry(1), step, entry(3, 2))
    assert found.parent_of(3) == 2
    assert found.parent_of(2) == 1
    assert [item.id for item in found.entries([1, 2, 3])] == [1, 3]


def test_started_calls_are_those_started_at_the_given_places() -> None:
    start = {"record_type": "tool_start"}
    found = contents(
        {**start, "tool_call_id": "a", "at": 1},
        {**start, "tool_call_id": "b", "at": 2},
        {**start, "tool_call_id": "c"},
        {**start, "tool_call_id": 5, "at": 1},
        {"record_type": "tool_end", "tool_call_id": "d", "at": 1},
    )
    assert found.started_calls({1}) == {"a", "c"}
