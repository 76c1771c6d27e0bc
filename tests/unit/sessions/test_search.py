"""Searching: what is looked through, narrowed, cut and shown."""

from __future__ import annotations

import pytest

from pi.sessions.load_rows import lines_of, loaded
from pi.sessions.search import Query, SearchError, json_data, search, text_lines
from pi.sessions.snapshot import Snapshot
from tests.fakes.session_files import answer, dump, entry, result


def snapshot_of(*records: dict[str, object]) -> Snapshot:
    contents = loaded(lines_of(dump(*records))).contents
    parents = contents.parents
    last = contents.order[-1] if contents.order else None
    return Snapshot(contents.entries, parents, last, last)


TREE = snapshot_of(
    entry(5, None, "Alpha beta"),
    answer(2, 5, "notes.txt"),
    result(7, 2, "notes.txt"),
    entry(3, 5, "alpha " * 40 + "needle " + "omega " * 40),
)


def ids(**fields: object) -> list[int]:
    return [hit.entry.id for hit in search(TREE, Query(**fields)).hits]  # type: ignore[arg-type]


def test_letters_count_only_if_asked() -> None:
    assert ids(text="alpha") == [3, 5]
    assert ids(text="Alpha", case=True) == [5]


def test_calls_and_their_arguments_are_searched() -> None:
    assert ids(text="notes.txt") == [2]
    assert ids(text="read") == [2]
    assert ids(text="done", tool="read") == [7]
    assert ids(text="e", tool="bash") == []


def test_a_role_narrows_and_a_role_is_found() -> None:
    assert ids(text="alpha", role="tool") == []
    assert ids(text="assistant") == [2]


def test_pages() -> None:
    assert ids(text="a", limit=2) == [2, 3]
    assert ids(text="a", limit=2, offset=2) == [5]
    assert search(TREE, Query("a", limit=1)).matches == 3


def test_only_these_entries() -> None:
    assert ids(text="alpha", ids={5}) == [5]


def test_patterns() -> None:
    assert ids(text="^alpha", regex=True) == [3, 5]
    for bad in ("(", "[", "*", "(?P<1>a)"):
        with pytest.raises(SearchError, match="invalid regular expression"):
            search(TREE, Query(bad, regex=True))
    with pytest.raises(SearchError, match="query is required"):
        search(TREE, Query(""))


def test_the_words_around_a_hit_are_shown() -> None:
    (hit,) = search(TREE, Query("needle")).hits
    assert "needle" in hit.snippet
    assert hit.snippet.startswith("...")


def test_the_report() -> None:
    lines = text_lines(search(TREE, Query("beta")))
    assert lines == (
        'session search: query="beta" role=any entries=4 matches=1 shown=1 limit=50',
        "result: id=5 parent=none role=user preview=Alpha beta",
    )
    assert text_lines(search(TREE, Query("zzz")))[1:] == ("results: none",)
    assert json_data(search(TREE, Query("beta")))["results"][0]["id"] == 5
