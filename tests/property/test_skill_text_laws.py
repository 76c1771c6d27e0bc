"""Texts of skills behind a summary: found again as they were, whatever is in them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.compaction.skill_texts import INTRODUCTION, Kept, split_texts, with_texts
from pi.compaction.transcript import Files, split_summary, summary_text
from pi.skills.prompting import invocation
from pi.skills.skill import FLAT, Skill
from tests.fakes.examples import few

PIECES = (
    "a",
    "\n",
    "\n\n",
    "</skill>",
    '<kept-skills lengths="1 2"/>',
    INTRODUCTION,
    "é",
    "<skill",
)
pieces = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
skills = st.builds(lambda n, b: invocation(Skill(n, FLAT, f"/{n}", "user", b)), pieces, pieces)
paths = st.lists(st.sampled_from(("a.py", "b.py")), unique=True, max_size=2).map(tuple)


@settings(max_examples=few(100), deadline=None)
@given(pieces, st.lists(skills, min_size=1, max_size=4), paths)
def test_texts_and_files_behind_a_summary_are_found_again(
    summary: str, texts: list[str], read: tuple[str, ...]
) -> None:
    """Splitting what was put together gives the summary, the texts and the files."""
    summary = summary.strip()
    files = Files(tuple(sorted(read)))
    whole = summary_text(summary, "", files, Kept(tuple(texts)))
    rest, found = split_summary(whole)
    assert found == files
    assert split_texts(rest) == (summary, tuple(texts))


@settings(max_examples=few(100), deadline=None)
@given(pieces)
def test_any_text_can_be_split(text: str) -> None:
    """What is split off, put back, is the text; nothing is lost."""
    summary, texts = split_texts(text)
    assert text == (with_texts(summary, Kept(texts)) if texts else summary)
