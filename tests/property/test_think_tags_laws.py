from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.ai.think_tags import TAGS, ThinkSplitter
from tests.fakes.examples import few

WORDS = st.sampled_from(
    [*(tag for pair in TAGS for tag in pair), "<", "</", "think", ">", " ", "a"]
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=4)), max_size=10).map("".join)


def split(pieces: list[str]) -> tuple[str, str]:
    splitter = ThinkSplitter()
    parts = [splitter.feed(piece) for piece in pieces]
    parts.append(splitter.finish())
    return "".join(part[0] for part in parts), "".join(part[1] for part in parts)


@settings(max_examples=few(300), deadline=None)
@given(text=TEXTS, cuts=st.lists(st.integers(0, 60), max_size=6))
def test_slicing_changes_nothing(text: str, cuts: list[int]) -> None:
    """split(any slices of t) == split(t)"""
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    pieces = [text[start:end] for start, end in zip([0, *ends], ends)]
    assert split(pieces) == split([text]) == split(list(text))


@settings(max_examples=few(300), deadline=None)
@given(text=TEXTS)
def test_nothing_but_tags_and_the_blanks_beside_them_is_lost(text: str) -> None:
    """a text that begins with no tag is unchanged; of any other only a tag pair is missing"""
    thinking, answer = split([text])
    start = text.lstrip()
    opened = next((pair for pair in TAGS if start.startswith(pair[0])), None)
    if opened is None:
        assert (thinking, answer) == ("", text)
        return
    inner, closed, rest = start[len(opened[0]) :].partition(opened[1])
    assert (thinking, answer) == (inner, rest.lstrip() if closed else "")
