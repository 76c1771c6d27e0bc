"""Questions about a session against the definitions, spelled out naively."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.types import Message, Text, ToolCall
from pi.sessions import difference, drawing, labels, search, stats
from pi.sessions.entry import SessionEntry
from pi.sessions.snapshot import PREVIEW, Snapshot, preview
from tests.fakes.examples import few

texts = st.text(st.sampled_from('ab \n\t"#<>[]`\\é\u2028'), max_size=30)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A sound tree, ids in any order."""
    ids = draw(st.lists(st.integers(1, 99), unique=True, max_size=10))
    entries = []
    for at, entry_id in enumerate(ids):
        parent = draw(st.none() | st.sampled_from(ids[:at])) if at else None
        role = draw(st.sampled_from(["user", "assistant", "tool", "system"]))
        blocks: tuple[Text | ToolCall, ...] = (Text(draw(texts)),)
        if role == "assistant" and draw(st.booleans()):
            blocks = (*blocks, ToolCall("c", "read", {"path": draw(texts)}))
        message = Message(role, blocks, "c" if role == "tool" else None)
        entries.append(SessionEntry(entry_id, parent, message))
    heads = st.none() | st.sampled_from(ids) if ids else st.none()
    by_id = {entry.id: entry for entry in entries}
    parent_of = {entry.id: entry.parent_id for entry in entries}
    last = ids[-1] if ids else None
    return Snapshot(
        lambda wanted: tuple(by_id[entry] for entry in wanted), parent_of, draw(heads), last
    )


def line_of(snapshot: Snapshot, head: int) -> list[int]:
    ids: list[int] = []
    current: int | None = head
    while current is not None:
        ids.insert(0, current)
        current = snapshot.parent_of[current]
    return ids


@settings(max_examples=few(200), deadline=None)
@given(st.text(max_size=300))
def test_a_preview_is_one_short_line(text: str) -> None:
    """No line end, no double blank, at most 80 characters and three dots."""
    shown = preview(text)
    assert len(shown) <= PREVIEW + 3
    assert (
        shown == "(no text)"
        or shown.split() == text.split()[: len(shown.split())]
        or "..." in (shown)
    )
    assert len(shown.splitlines()) == 1


@settings(max_examples=few(200), deadline=None)
@given(snapshots(), st.data())
def test_a_difference_is_two_lineages_cut_where_they_part(
    snapshot: Snapshot, data: st.DataObject
) -> None:
    """shared + left is the left lineage, shared + right the right one, and they part there."""
    ids = list(snapshot.parent_of)
    if not ids:
        return
    left, right = data.draw(st.sampled_from(ids)), data.draw(st.sampled_from(ids))
    found = difference.compare(snapshot, left, right)
    shared = [entry.id for entry in found.shared]
    ours = [entry.id for entry in found.left_only]
    theirs = [entry.id for entry in found.right_only]
    assert shared + ours == line_of(snapshot, left)
    assert shared + theirs == line_of(snapshot, right)
    assert not (ours and theirs and ours[0] == theirs[0])
    assert found.depths == (len(shared), len(shared + ours), len(shared + theirs))
    assert difference.json_data(found)["shared_depth"] == len(shared)


@settings(max_examples=few(200), deadline=None)
@given(snapshots(), st.text(st.sampled_from("ab "), min_size=1, max_size=2), st.integers(1, 4))
def test_a_search_finds_what_a_naive_one_finds(snapshot: Snapshot, word: str, limit: int) -> None:
    """Hits are the entries whose searched text or role holds the word, by ascending id."""
    found = search.search(snapshot, search.Query(word, limit=limit))
    expected = sorted(
        entry.id
        for entry in snapshot.entries
        if word in search.searched_text(entry.message).lower() or word in entry.message.role
    )
    assert found.matches == len(expected)
    assert [hit.entry.id for hit in found.hits] == expected[:limit]
    assert all("\n" not in line for line in search.text_lines(found)[1:])


@settings(max_examples=few(200), deadline=None)
@given(snapshots())
def test_figures_add_up(snapshot: Snapshot) -> None:
    """Roles add up to the entries; a depth is the length of a lineage."""
    found = stats.count(snapshot)
    assert sum(found.roles.values()) == found.entries == len(snapshot.entries)
    longest = max((len(line_of(snapshot, entry)) for entry in snapshot.parent_of), default=0)
    assert found.max_depth == longest
    if snapshot.active is not None:
        assert found.active_depth == len(line_of(snapshot, snapshot.active))
    json.dumps(stats.json_data(found))


@settings(max_examples=few(200), deadline=None)
@given(snapshots())
def test_a_drawing_has_each_entry_and_each_edge_once(snapshot: Snapshot) -> None:
    """One line for each node and edge, whatever the labels hold."""
    edges = sum(parent is not None for parent in snapshot.parent_of.values())
    marks = {entry.id: ["here"] for entry in snapshot.entries[:1]}
    nodes = max(1, len(snapshot.entries))
    mermaid = drawing.mermaid(snapshot, marks).split("\n")
    drawn = len(mermaid) - sum(line.startswith("  style") for line in mermaid)
    assert drawn == 1 + nodes + edges
    assert len(drawing.dot(snapshot, marks).split("\n")) == 3 + nodes + edges
    for line in mermaid:
        if '["' in line:
            assert not set('"[]<>`\\') & set(line.partition('["')[2].rpartition('"]')[0])
    data = json.loads(drawing.as_json(snapshot, marks))
    assert (len(data["nodes"]), len(data["edges"])) == (len(snapshot.entries), edges)


names = st.text(st.sampled_from("abZ09-_é "), max_size=4)
label_records = st.lists(
    st.builds(labels.record, st.sampled_from(["alias", "bookmark"]), names, st.none() | st.just(7))
)


@settings(max_examples=few(200), deadline=None)
@given(label_records)
def test_the_last_word_on_a_name_counts(notes: list[dict[str, object]]) -> None:
    """Folding keeps a name if its last record of that kind sets it."""
    for kind in labels.KINDS:
        last = {str(note["name"]): note["id"] for note in notes if note["kind"] == kind}
        kept = {name: entry_id for name, entry_id in last.items() if entry_id is not None}
        assert labels.fold(notes, kind) == kept


@settings(max_examples=few(300), deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_a_file_of_names_is_read_or_refused_with_a_reason(data: bytes) -> None:
    """Any bytes: names, or LabelError and nothing else."""
    try:
        found = labels.parse_sidecar(data, "x", "alias")
    except labels.LabelError:
        return
    assert all(isinstance(value, int) for value in found.values())
