"""Sessions of the TypeScript ancestor: every kind of entry of its published format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pi.base.jsonl import Damaged
from pi.sessions import pimono
from pi.sessions.compacted import read_context
from pi.sessions.entry import refusal
from pi.sessions.labels import fold
from pi.sessions.lineage import path_to
from pi.sessions.load_rows import lines_of
from pi.sessions.rows import Row
from pi.sessions.validate import validate

DATA = Path(__file__).resolve().parents[2] / "data" / "sessions"


def rows_of(name: str) -> tuple[Row, ...]:
    return pimono.convert(lines_of((DATA / name).read_bytes()).lines)


def converted(*records: dict[str, Any]) -> tuple[Row, ...]:
    data = "".join(json.dumps(record) + "\n" for record in ({"type": "session"}, *records))
    return pimono.convert(lines_of(data.encode()).lines)


def entries(rows: tuple[Row, ...]) -> dict[int, dict[str, Any]]:
    return {row.record["id"]: dict(row.record) for row in rows if row.is_entry and row.record}


def texts(found: dict[int, dict[str, Any]], head: int) -> list[str]:
    """What goes to a model when a conversation is continued at ``head``."""
    ids = path_to(head, lambda entry: found[entry]["parent_id"]).ids
    context = read_context([found[entry] for entry in ids])
    return [message.text() for message in context.messages]


def test_every_line_of_version_3_has_a_place_in_the_same_tree() -> None:
    rows = rows_of("pimono_v3.jsonl")
    found = entries(rows)
    assert list(found) == list(range(1, 21))
    assert all(refusal(record) == "" for record in found.values())
    parents = [record["parent_id"] for record in found.values()]
    assert parents == [None, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 7, 15, 16, 17, 18, 19]
    kinds = [record.get("kind", "message") for record in found.values()]
    assert kinds == [
        *("model_change", "thinking_change", "message", "message", "label", "message"),
        *("message", "shell", "shell", "custom", "custom_message", "info", "message"),
        *("message", "branch_summary", "compaction", "label", "label", "custom_message"),
        "message",
    ]
    report = validate("x", rows)
    assert report.valid
    assert report.open_calls == ()
    assert report.stray_results == ()


def test_the_header_of_version_3_becomes_ours() -> None:
    header = rows_of("pimono_v3.jsonl")[0].record
    assert header == {
        "record_type": "meta",
        "schema_version": 2,
        "session_id": "3c9f6f0e-6f5c-4b7e-9a57-2d1b0c7a1f10",
        "cwd": "/home/user/project",
        "parent_session": "/home/user/.pi/agent/sessions/--project--/old.jsonl",
        "created_ms": 1762074000000,
    }


def test_messages_keep_all_they_hold() -> None:
    found = entries(rows_of("pimono_v3.jsonl"))
    assert found[3]["message"]["content"] == [
        {"type": "text", "text": "Which files are here? é\u2028"}
    ]
    assert found[4]["message"]["content"] == [
        {"type": "thinking", "text": "List them.", "signature": "c2ln"},
        {"type": "text", "text": "I look."},
        {"type": "tool_call", "id": "toolu_1", "name": "bash", "arguments": {"command": "ls"}},
    ]
    assert found[4]["stop_reason"] == "tool_use"
    assert (found[4]["provider"], found[4]["api"]) == ("anthropic", "anthropic-messages")
    assert found[4]["usage"]["cache_read"] == 100
    assert found[4]["usage"]["cost"]["total"] == 0.003
    result = found[6]["message"]
    assert (result["role"], result["tool_call_id"], result["tool_name"]) == (
        *("tool", "toolu_1", "bash"),
    )
    assert result["content"][1] == {"type": "image", "mime": "image/png", "data": "aGk="}
    assert found[6]["details"]["fullOutputPath"] == "/tmp/x"
    assert found[14]["error"]["message"] == "overloaded"
    assert found[3]["ts"] == 1762074180000


def test_the_conversation_goes_on_as_the_model_knew_it() -> None:
    found = entries(rows_of("pimono_v3.jsonl"))
    said = texts(found, 20)
    assert "The project has two files." in said[0]
    assert said[1] == "Two files."
    assert "Tried another way; it failed." in said[2]
    assert said[3:] == ["Go on.", "And now?"]
    other = texts(found, 13)
    assert "Ran `wc -l a.py`\n```\n3 a.py\n```\n\nCommand exited with code 1" in other
    assert "Mind the tests." in other
    assert not any("SECRET" in text for text in other)
    assert found[9]["data"]["output"] == "SECRET"


def test_entries_without_a_message_keep_their_fields_and_name_ours() -> None:
    found = entries(rows_of("pimono_v3.jsonl"))
    assert found[1]["modelId"] == "claude-sonnet-4-5"
    assert found[2]["thinkingLevel"] == "medium"
    assert found[10]["data"] == {"open": [1, 2]}
    assert found[10]["customType"] == "todo-extension"
    assert found[12]["name"] == "Look around"
    assert found[15]["from_id"] == 14
    compaction = found[16]
    assert (compaction["first_kept_id"], compaction["tokens_before"]) == (7, 51234)
    assert compaction["files"] == {"read": ["a.py", "b.py"], "modified": ["b.py"]}


def test_labels_become_bookmarks_and_go_when_they_went() -> None:
    rows = rows_of("pimono_v3.jsonl")
    notes = [row.record for row in rows if row.record is not None and not row.is_entry]
    assert fold(notes, "bookmark") == {"after-the-detour": 15}


def test_two_entries_with_one_label_both_keep_a_name() -> None:
    rows = converted(
        {"type": "custom", "id": "a", "parentId": None},
        {"type": "custom", "id": "b", "parentId": "a"},
        {"type": "label", "id": "c", "parentId": "b", "targetId": "a", "label": "1. try"},
        {"type": "label", "id": "d", "parentId": "c", "targetId": "b", "label": "try!"},
        {"type": "label", "id": "e", "parentId": "d", "targetId": "b", "label": "???"},
        {"type": "label", "id": "f", "parentId": "e", "targetId": "zz", "label": "x"},
    )
    notes = [row.record for row in rows if row.record is not None and not row.is_entry]
    assert fold(notes, "bookmark") == {"try": 1}
    assert fold(notes[:-1], "bookmark") == {"try": 1, "try-2": 2}


def test_version_1_is_a_line_of_entries() -> None:
    rows = rows_of("pimono_v1.jsonl")
    found = entries(rows)
    assert [record["parent_id"] for record in found.values()] == [None, *range(1, 9)]
    assert found[6]["first_kept_id"] == 5
    assert found[8] == {
        "record_type": "entry",
        "id": 8,
        "parent_id": 7,
        "ts": 1762074480000,
        "kind": "custom",
        "type": "context_transform",
        "schemaVersion": 1,
        "transformerName": "my-hook",
        "patch": [],
    }
    said = texts(found, 9)
    assert "They greeted each other." in said[0]
    assert said[1:] == ["More", "From a hook.", "Done."]
    assert validate("x", rows).valid


def test_an_id_given_twice_makes_two_entries() -> None:
    rows = converted(
        {"type": "custom", "id": "a", "parentId": None},
        {"type": "custom", "id": "a", "parentId": None},
        {"type": "custom", "id": "b", "parentId": "a"},
    )
    found = entries(rows)
    assert [(e["id"], e["parent_id"]) for e in found.values()] == [(1, None), (2, None), (3, 2)]


def test_a_lost_line_costs_only_itself() -> None:
    """What hung on it becomes a root that says so; the rest of the file is not lost."""
    data = (DATA / "pimono_v3.jsonl").read_bytes().split(b"\n")
    data[7] = data[7][:40]
    rows = pimono.convert(lines_of(b"\n".join(data)).lines)
    found = entries(rows)
    assert len(found) == 19
    assert [row.number for row in rows if row.record is None] == [8]
    lost = [e for e in found.values() if "missing_parent" in e]
    assert [e["missing_parent"] for e in lost] == ["0a1b2c07", "0a1b2c07"]
    assert all(e["parent_id"] is None for e in lost)
    assert validate("x", rows).findings.sound


def test_a_later_entry_is_no_parent() -> None:
    rows = converted(
        {"type": "custom", "id": "a", "parentId": "b"},
        {"type": "custom", "id": "b", "parentId": "a"},
        {"type": "custom", "id": "c", "parentId": 7},
    )
    assert validate("x", rows).findings.sound
    assert [e.get("missing_parent") for e in entries(rows).values()] == ["b", None, 7]


def test_lines_that_are_no_entries_say_why() -> None:
    rows = converted({"no": "type"}, {"type": 7, "id": "a"})
    assert [row.reason for row in rows[1:]] == ["not a record of a session"] * 2
    damaged = pimono.convert([Damaged(4, 10, 5, "not JSON")])
    assert damaged == (Row(4, 10, 5, None, "not JSON"),)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2024-12-03T14:00:00.000Z", 1733234400000),
        ("2024-12-03T14:00:00+01:00", 1733230800000),
        ("2024-12-03", 1733184000000),
        ("0001-01-01T00:00:00+14:00", -62135647200000),
        ("yesterday", None),
        ("9" * 50, None),
        (7, None),
    ],
)
def test_times_are_milliseconds(text: object, ms: int | None) -> None:
    assert pimono.parse_time(text) == ms
