"""Exports: what goes into one, and how it reads."""

from __future__ import annotations

import json

import pytest

from pi.sessions.errors import SessionError
from pi.sessions.export import chosen, text_line, to_json, to_markdown
from tests.fakes.session_files import answer, entry, label, meta, result, rows

TREE = rows(
    meta(),
    entry(1, None, "q"),
    answer(2, 1, "c"),
    result(3, 2, "c", failed=True),
    entry(4, 1, "other"),
    label("here", 2),
    label("there", 4),
    {"record_type": "tool_start", "at": 2, "tool_call_id": "c"},
    {"record_type": "later", "what": "ever"},
    {"record_type": "head", "id": 3, "name": "main"},
)


def numbers(head: int | None, *, whole: bool = False) -> list[int]:
    return [row.number for row in chosen(TREE, head, whole=whole)]


def test_a_branch_goes_with_its_names_and_notes() -> None:
    assert numbers(3) == [2, 3, 4, 6, 8]
    assert numbers(4) == [2, 5, 7]
    assert numbers(None) == []


def test_the_whole_tree_goes_with_records_of_a_later_pi() -> None:
    assert numbers(3, whole=True) == [2, 3, 4, 5, 6, 7, 8, 9]


def test_of_records_with_one_id_the_last_goes() -> None:
    found = rows(entry(1, None, "old"), entry(1, None, "new"))
    assert [row.number for row in chosen(found, 1)] == [2]


def test_an_unknown_head_and_a_broken_branch_are_refused() -> None:
    with pytest.raises(SessionError, match="unknown session id 9"):
        chosen(TREE, 9)
    with pytest.raises(SessionError, match="missing parent"):
        chosen(rows(entry(2, 1)), 2)


def test_markdown_shows_calls_and_fences_results() -> None:
    text = to_markdown("t", rows(answer(1, None, "c"), entry(2, 1, "```\nx\n```", "tool"))).decode()
    assert text.startswith("# t\n")
    assert '## 1: assistant\n\nok\n\nCalls `read`:\n\n```json\n{\n  "path": "c"\n}\n```' in text
    assert "````\n```\nx\n```\n````\n" in text
    assert text.endswith("\n")


def test_json_holds_the_records() -> None:
    data = json.loads(to_json("t", chosen(TREE, 4)))
    assert [record.get("id") for record in data["records"]] == [1, 4, 4]


def test_the_report() -> None:
    assert text_line("p", 2, None) == "session export complete: path=p entries=2 head=none"
