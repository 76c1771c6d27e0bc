"""Laws of command lines, command files and exchanged sessions: what never raises, what
comes back equal."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pi.base.errors import UsageError
from pi.base.jsonl import Record
from pi.commands.arguments import ArgumentError, read_arguments
from pi.commands.dispatch import run_line
from pi.commands.script import problems, read_script
from pi.commands.table import BY_NAME, COMMANDS
from pi.sessions import pimono
from pi.sessions.compacted import read_context
from pi.sessions.entry import refusal
from pi.sessions.lineage import path_to
from pi.sessions.load_rows import load_rows
from pi.sessions.validate import validate
from tests.fakes.examples import few
from tests.fakes.session_files import context, entry, label, meta

scalars = st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)
names = st.sampled_from(["a", "b", "c", "d"])
TYPES = ["message", "model_change", "thinking_level_change", "compaction", "branch_summary"]
TYPES += ["custom", "custom_message", "label", "session_info", "session", "later"]
blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "image", "toolCall", "odd"]) | values},
    optional={"text": values, "thinking": values, "data": values, "arguments": values},
)
messages = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "toolResult", "bashExecution", "custom"])
        | values
    },
    optional={
        "content": st.text() | st.lists(blocks | values, max_size=3) | values,
        "usage": values | st.fixed_dictionaries({"input": values, "cost": values}),
        **dict.fromkeys(("stopReason", "api", "isError", "toolCallId", "command"), values),
    },
)
foreign = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES) | values},
    optional={
        "id": names | values,
        "parentId": names | st.none() | values,
        "timestamp": st.just("2025-01-01T00:00:00Z") | values,
        "message": messages | values,
        "targetId": names | values,
        "label": st.text(max_size=5) | values,
        "summary": values,
        "firstKeptEntryId": names | values,
        "firstKeptEntryIndex": st.integers(-1, 9) | values,
        **dict.fromkeys(("record_type", "kind", "parent_id", "ts", "details"), values),
    },
)


def converted(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = [Record(number, 0, 0, value) for number, value in enumerate(records, start=1)]
    rows = pimono.convert(lines)
    assert validate("x", rows).findings.sound
    return [dict(row.record) for row in rows if row.is_entry and row.record is not None]


@settings(max_examples=few(60), deadline=None)
@given(st.lists(foreign | st.dictionaries(st.text(max_size=20), values, max_size=4), max_size=8))
def test_any_objects_of_the_ancestor_are_taken(records: list[dict[str, Any]]) -> None:
    """Never an exception; the result is sound; each object with a type is one entry that we
    accept, and every conversation among them can be read."""
    found = converted([{"type": "session"}, *records])
    typed = [record for record in records if isinstance(record.get("type"), str)]
    assert len(found) == sum(not pimono.is_header(record) for record in typed)
    assert [record["id"] for record in found] == list(range(1, len(found) + 1))
    by_id = {record["id"]: record for record in found}
    for record in found:
        assert refusal(record) == ""
        ids = path_to(record["id"], lambda each: by_id[each]["parent_id"]).ids
        read_context([by_id[each] for each in ids])


words = st.sampled_from(["1", "set", "list", "x", "active", "~1", "--json", "--", "--limit", "-"])
raws = st.text(max_size=40) | st.lists(words | st.text(max_size=5), max_size=5).map(" ".join)


@settings(max_examples=few(500), deadline=None)
@given(st.sampled_from(COMMANDS), raws)
@example(BY_NAME["/session-search"], "--limit=" + "9" * 5000)
def test_arguments_are_read_or_refused(spec: Any, raw: str) -> None:
    """ArgumentError or words within the row's bounds, whatever was typed."""
    try:
        found = read_arguments(spec, raw)
    except ArgumentError:
        return
    assert spec.words[0] <= len(found.words) <= spec.words[1]
    assert set(found.options) <= {option.name for option in spec.options}


@settings(max_examples=few(150), deadline=None)
@given(
    st.sampled_from([spec.name for spec in COMMANDS] + ["", "/", "/nope"]) | st.text(max_size=10),
    raws,
)
def test_a_line_never_raises(name: str, raw: str) -> None:
    """Any text comes to an outcome that is no bug; if it is JSON it is one line of it."""
    with tempfile.TemporaryDirectory() as folder:
        ran = context(Path(folder), meta(), entry(1, None), entry(2, 1), label("x", 2))
        outcome = run_line(f"{name} {raw}", ran._replace(cwd=folder))
    error = outcome.result.error
    assert error is None or error.exit_code != 70, error.lines()
    if outcome.as_json:
        (line,) = outcome.lines
        assert json.loads(line)["command"] == outcome.command


@settings(max_examples=few(300), deadline=None)
@given(
    st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))
)
def test_a_command_file_is_read_or_refused(data: bytes) -> None:
    """UsageError, or lines in order that are trimmed, not blank, and no comments."""
    try:
        found = read_script(data, "f")
    except UsageError:
        return
    numbers = [line.number for line in found]
    assert numbers == sorted(set(numbers))
    assert all(line.text == line.text.strip() for line in found)
    assert all(line.wish or not line.text.startswith("#") for line in found)
    assert len(problems(found)) <= len(found)


@st.composite
def trees(draw: st.DrawFn) -> list[dict[str, Any]]:
    ids = draw(st.lists(st.integers(0, 50), unique=True, min_size=1, max_size=6))
    records: list[dict[str, Any]] = [meta("here", 60)]
    for at, entry_id in enumerate(ids):
        parent = draw(st.none() | st.sampled_from(ids[:at])) if at else None
        more = draw(st.dictionaries(st.sampled_from(["zz", "later"]), values, max_size=2))
        records.append(entry(entry_id, parent, draw(st.text()), **more))
    records.append(label("spot", draw(st.sampled_from(ids))))
    return records


@settings(max_examples=few(100), deadline=None)
@given(trees(), st.booleans())
def test_what_is_exported_can_be_imported(records: list[dict[str, Any]], whole: bool) -> None:
    """The exported rows are those of the file to the byte; imported elsewhere they are equal:
    tree, names, texts and unknown fields."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        here = context(folder, *records)
        assert here.store is not None
        flag = " --all" if whole else ""
        assert run_line(f"/session-export out.jsonl{flag}", here).result.ok
        ours = (folder / "s.jsonl").read_bytes().split(b"\n")
        theirs = (folder / "out.jsonl").read_bytes().split(b"\n")
        assert set(theirs[1:-2]) <= set(ours)
        there = context(folder, name="there.jsonl")
        done = run_line("/session-import out.jsonl --mode replace", there).result
        assert done.ok, done.error
        before = {
            row.record["id"]: row.record
            for row in load_rows(here.store.path).rows
            if row.is_entry and row.record is not None
        }
        after = {
            row.record["id"]: row.record
            for row in load_rows(str(folder / "there.jsonl")).rows
            if row.is_entry and row.record is not None
        }
        wanted = set(before) if whole else {found.id for found in here.store.lineage()}
        assert after == {entry_id: before[entry_id] for entry_id in wanted}
        assert there.store is not None
        spot = [note["id"] for note in there.store.notes if note["record_type"] == "label"]
        assert spot == [records[-1]["id"]] or records[-1]["id"] not in wanted
