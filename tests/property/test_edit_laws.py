"""Laws of editing: what is replaced, what is untouched, and how it is told."""

from __future__ import annotations

from unicodedata import normalize

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.tools.fuzzy import fuzzy_matches
from pi.tools.numbered_diff import diff_spans
from pi.tools.outcome import ToolFailure
from pi.tools.replacing import Edit, Span, apply_spans, plan_spans
from pi.tools.text_files import decode
from tests.fakes.examples import few

short = st.text("ab\n", max_size=4)
text = st.text("ab\n", max_size=40)


@settings(max_examples=few(400), deadline=None)
@given(text=text, find=short, replace=short, all_=st.booleans())
def test_an_edit_replaces_or_refuses(text: str, find: str, replace: str, all_: bool) -> None:
    """An accepted edit equals ``str.replace``; one match unless all are wanted; else refused."""
    count = text.count(find) if find else 0
    try:
        spans = plan_spans(text, [Edit(find, replace, all_)], "\n")
    except ToolFailure:
        assert find == replace or count == 0 or (count > 1 and not all_)
        return
    assert count == len(spans)
    assert apply_spans(text, spans) == text.replace(find, replace)


@settings(max_examples=few(400), deadline=None)
@given(text=text, edits=st.lists(st.builds(Edit, short, short, st.booleans()), max_size=3))
def test_text_outside_the_spans_is_untouched(text: str, edits: list[Edit]) -> None:
    """Spans are in order, do not overlap, and what lies between them appears unchanged."""
    try:
        spans = plan_spans(text, edits, "\n")
    except ToolFailure:
        return
    new = apply_spans(text, spans)
    position = moved = 0
    for span in spans:
        assert position <= span.start < span.end
        between = text[position : span.start]
        assert new[moved : moved + len(between)] == between
        moved += len(between) + len(span.text)
        position = span.end
    assert new[moved:] == text[position:]


@st.composite
def text_and_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(st.text("ab\n", min_size=1, max_size=40))
    marks = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return text, [Span(start, end, draw(short)) for start, end in zip(marks[::2], marks[1::2])]


@settings(max_examples=few(500), deadline=None)
@given(given_=text_and_spans())
def test_the_diff_tells_the_change(given_: tuple[str, list[Span]]) -> None:
    """Every row of the diff is true of its side, and all that is not in it stays the same."""
    text, spans = given_
    new = apply_spans(text, spans)
    diff = diff_spans(text, spans)
    old_lines, new_lines = text.split("\n"), new.split("\n")
    removed, added = set(), set()
    for row in diff.text.split("\n"):
        if not row or row.endswith("..."):
            continue
        number, _, line = row[1:].lstrip().partition(" ")
        if row[0] == "+":
            added.add(int(number) - 1)
            assert new_lines[int(number) - 1] == line
        else:
            assert old_lines[int(number) - 1] == line
            if row[0] == "-":
                removed.add(int(number) - 1)
    kept_old = [line for at, line in enumerate(old_lines) if at not in removed]
    kept_new = [line for at, line in enumerate(new_lines) if at not in added]
    # The end of the last line is no line of its own; either side may lack it.
    while kept_old and not kept_old[-1]:
        kept_old.pop()
    while kept_new and not kept_new[-1]:
        kept_new.pop()
    assert kept_old == kept_new
    if added:
        assert diff.first_changed_line <= min(added) + 1


@settings(max_examples=few(400), deadline=None)
@given(
    data=st.one_of(st.binary(max_size=30), st.text(max_size=12).map(lambda t: t.encode("utf-16")))
)
def test_text_that_may_be_edited_survives_a_round_trip(data: bytes) -> None:
    """Any bytes are text or binary; encoding the text gives the bytes back."""
    file = decode(data)
    if file is not None:
        assert file.encode(file.text) == data


LETTERS = "a'\u2018\u201d\u2013-\u00a0 \ufb01\u0301\uff08\r\n\u1112\u1161\uff9e\u00a8"
ODD = st.text(LETTERS, max_size=30)


@settings(max_examples=few(600), deadline=None)
@given(text=ODD, find=ODD)
def test_what_looks_like_a_text_has_its_normal_form(text: str, find: str) -> None:
    """Every match, by itself, normalises to what was looked for; matches are in order."""
    matches = fuzzy_matches(text, find)
    for start, end in matches:
        assert normal(text[start:end]) == normal(find)
    edges = [edge for match in matches for edge in match]
    assert edges == sorted(edges)


@settings(max_examples=few(300), deadline=None)
@given(before=ODD, middle=ODD, after=ODD)
def test_a_part_of_whole_lines_is_found_by_its_plain_form(
    before: str, middle: str, after: str
) -> None:
    """Whatever a line holds, its plain form finds it (or, before it, one that looks the same)."""
    if normal(middle).strip():
        text = f"{before}\n{middle}\n{after}"
        assert fuzzy_matches(text, normal(middle))


def normal(text: str) -> str:
    plain = str.maketrans({"\u2018": "'", "\u201d": '"', "\u2013": "-", "\u2010": "-"})
    lines = (normalize("NFKC", line).translate(plain) for line in text.split("\n"))
    return "\n".join(line.rstrip(" \t\r\v\f") for line in lines)
