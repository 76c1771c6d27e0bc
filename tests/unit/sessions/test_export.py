"""Exports: what goes into one, and how it reads."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from pi.base.jsonl import encode
from pi.sessions.errors import SessionError
from pi.sessions.export import chosen, format_of, text_line, to_json
from pi.sessions.export_markdown import to_markdown
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
    found = rows(answer(1, None, "c"), entry(2, 1, "```\nx\n```", "tool"))
    text = b"".join(to_markdown("t", found)).decode()
    assert text.startswith("# `t`\n")
    call = '```json\n{\n  "path": "c"\n}\n```\n'
    assert f"## 1: assistant\n\n```markdown\nok\n```\n\nCalls `read`:\n\n{call}" in text
    assert "````\n```\nx\n```\n````\n" in text
    assert text.endswith("\n")


def test_markdown_shows_what_a_reader_could_not_see() -> None:
    found = entry(1, None, "a\u202eb\x1b[2J", "tool", ts=0)
    found["message"].update(tool_name="x\n# forged `` ", is_error=True)
    text = b"".join(to_markdown("t`\n# u", rows(found))).decode()
    assert text.split("\n")[0] == "# ``t` # u``"
    assert "\n## 1: tool (``` x # forged `` ```), error, 1970-01-01T00:00:00.000Z\n" in text
    assert "a\u2039U+202E\u203ab\u2039U+001B\u203a[2J" in text


def test_json_holds_header_entries_notes_and_a_digest_over_them() -> None:
    header = {"record_type": "meta", "schema_version": 2}
    data = json.loads(b"".join(to_json("t", header, chosen(TREE, 4), [label("old", 1)])))
    assert list(data) == ["title", "header", "entries", "notes", "digest"]
    assert [record["id"] for record in data["entries"]] == [1, 4]
    assert [record["name"] for record in data["notes"]] == ["there", "old"]
    lines = map(encode, (data["header"], *data["entries"], *data["notes"]))
    assert data["digest"] == {"sha256": sha256(b"".join(lines)).hexdigest()}
    empty = json.loads(b"".join(to_json('"\ud800', header, ())))
    assert (empty["title"], empty["entries"]) == ('"\ufffd', [])


def test_a_branch_is_in_order_where_its_file_is_not() -> None:
    merged = rows(meta(), entry(5, 9, "leaf"), label("x", 5), entry(9, None, "root"))
    assert [row.number for row in chosen(merged, 5)] == [4, 2, 3]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        *(("a.md", "md"), ("A.HTML", "html"), ("a.htm", "html"), ("a.json", "json")),
        *(("a.jsonl", "jsonl"), ("a", "jsonl"), ("-", "jsonl"), (".html", "jsonl")),
    ],
)
def test_the_ending_names_the_format(path: str, form: str) -> None:
    assert format_of(path) == form


def test_the_report() -> None:
    assert text_line("p", 2, None) == "session export complete: path=p entries=2 head=none"
