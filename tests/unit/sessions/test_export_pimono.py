"""Sessions as the TypeScript ancestor writes them; back again they are the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.sessions import pimono
from pi.sessions.export import chosen
from pi.sessions.export_pimono import to_pimono
from pi.sessions.load_rows import lines_of
from pi.sessions.rows import Row
from tests.fakes.session_files import answer, entry, label, meta, result, rows

DATA = Path(__file__).resolve().parents[2] / "data" / "sessions"


def exported(found: tuple[Row, ...], head: int | None = None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(to_pimono({}, found, head)).splitlines()]


def back(found: tuple[Row, ...]) -> tuple[Row, ...]:
    return pimono.convert(lines_of(b"".join(to_pimono({}, found, None))).lines)


def records(found: tuple[Row, ...]) -> list[Any]:
    return [row.record for row in found if row.is_entry]


@pytest.mark.parametrize("name", ["pimono_v1.jsonl", "pimono_v3.jsonl"])
def test_what_came_from_the_ancestor_goes_back_as_it_was(name: str) -> None:
    lines = lines_of((DATA / name).read_bytes()).lines
    first = chosen(pimono.convert(lines), None, whole=True)
    again = [record for record in records(back(first)) if record.get("kind") != "label"]
    before = [record for record in records(first) if record.get("kind") != "label"]
    assert len(again) == len(before)
    for new, old in zip(again, before):
        assert new.get("message") == old.get("message")
        assert new.get("kind") == old.get("kind")
        assert new.get("details") == old.get("details")


def test_a_conversation_in_the_ancestor_s_words() -> None:
    spoken = {**answer(7, 3, "c"), "api": "anthropic", "provider": "anthropic", "model": "m"}
    spoken.update(stop_reason="tool_use", usage={"input": 5, "cache_read": 2})
    header, user, reply, tool, *rest = exported(
        rows(entry(3, None, "q", ts=1000), spoken, result(8, 7, "c")), 8
    )
    assert rest == []
    assert (header["type"], header["version"]) == ("session", 3)
    assert (user["id"], user["parentId"]) == ("00000003", None)
    assert user["timestamp"] == "1970-01-01T00:00:01.000Z"
    said = reply["message"]
    assert (said["api"], said["stopReason"]) == ("anthropic-messages", "toolUse")
    assert said["content"][1]["type"] == "toolCall"
    assert said["usage"]["totalTokens"] == 7
    assert said["usage"]["cost"]["total"] == 0
    assert tool["message"]["role"] == "toolResult"
    assert tool["parentId"] == "00000007"


def test_the_file_ends_where_the_conversation_stands() -> None:
    tree = rows(meta(), entry(1, None), entry(2, 1), entry(3, 1))
    assert exported(tree, 3)[-1]["id"] == "00000003"
    moved = exported(tree, 2)[-1]
    assert (moved["type"], moved["parentId"]) == ("custom", "00000002")
    named = exported(rows(entry(1, None), entry(2, 1), label("here", 1)), 1)[-1]
    assert (named["type"], named["parentId"], named["label"]) == ("label", "00000001", "here")


def test_parents_come_before_their_children_whatever_the_file_says() -> None:
    tree = rows(entry(1, 9), entry(5, 6), entry(9, None), entry(6, 5), entry(7, 99))
    lines = exported(tree, None)[1:]
    names = [line["id"] for line in lines]
    assert sorted(names) == [f"{one:08x}" for one in (1, 5, 6, 7, 9)]
    assert names.index("00000009") < names.index("00000001")
    assert lines[-1]["parentId"] is None


def test_two_exports_of_other_entries_are_two_sessions() -> None:
    """An import goes by the session's id and the entries' numbers, which are given anew."""
    one, other = rows(meta(), entry(1, None)), rows(meta(), entry(2, None))
    assert exported(one)[0]["id"] == exported(one)[0]["id"] != exported(other)[0]["id"]


def test_kinds_without_a_counterpart_keep_their_place() -> None:
    system = entry(1, None, "be kind", "system")
    pruning = {"record_type": "entry", "kind": "pruning", "id": 2, "parent_id": 1}
    pruning["first_kept_id"] = 1
    found = back(rows(system, pruning, entry(3, 2, "q")))
    assert [record["parent_id"] for record in records(found)] == [None, 1, 2]
    assert [record.get("kind") for record in records(found)] == ["custom", "custom", None]
