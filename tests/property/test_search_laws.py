"""Laws of searching files for lines."""

from __future__ import annotations

import re

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pi.tools.outcome import ToolFailure
from pi.tools.search.lines import MATCH, LineFinder, _Lines
from pi.tools.search.pattern import make_pattern
from tests.fakes.examples import few

atoms = st.sampled_from(
    [
        *("a", "b", ".", "^", "$", r"\b", r"\B", r"\s", r"\S", "[^a]", "[ab]", "(?:a|b)", "é"),
        *("a?", "b*", "a+", "(?=a)", "(?!b)", "(?<=a)", "(?<!b)", r"\A", r"\Z", "(?:ab){1,2}"),
        *("a+?", "(a)", "|", "[^\\n]", "(?i:A)"),
    ]
)
patterns = st.lists(atoms, min_size=1, max_size=4).map("".join)
texts = st.text(st.sampled_from("ab \n\r\té-"), max_size=30)


def numbers(pattern_text: str, data: bytes, *, ignore_case: bool, context: int = 0) -> list[int]:
    pattern = make_pattern(pattern_text, literal=False, ignore_case=ignore_case)
    finder = LineFinder(pattern, context, lambda: None)
    if not finder.is_candidate(data):
        return []
    return [each.number for each in finder.in_whole("f", data) if each.kind == MATCH]


@settings(max_examples=few(500), deadline=None)
@given(pattern=patterns, text=texts, ignore_case=st.booleans(), context=st.integers(0, 2))
def test_the_lines_found_are_those_that_match_one_by_one(
    pattern: str, text: str, ignore_case: bool, context: int
) -> None:
    """No shortcut (needle, whole text) finds another set than each line asked for itself."""
    try:
        found = numbers(pattern, text.encode(), ignore_case=ignore_case, context=context)
    except ToolFailure:
        assume(False)
    search = re.compile(pattern, re.IGNORECASE if ignore_case else 0).search
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[-1]:
        lines.pop()
    assert found == [number for number, line in enumerate(lines, 1) if search(line)]


@settings(max_examples=few(300), deadline=None)
@given(
    lines=st.lists(st.sampled_from(["hit", "x", "", "yy"]), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    context=st.integers(0, 3),
    expression=st.sampled_from(["hit", "h[i]t", "(?i)HIT"]),
)
def test_blocks_give_what_the_whole_gives(
    lines: list[str], cuts: list[int], context: int, expression: str
) -> None:
    """A file read in blocks of whole lines gives the lines that it gives in one piece."""
    pattern = make_pattern(expression, literal=False, ignore_case=False)
    finder = LineFinder(pattern, context, lambda: None)
    text = "".join(f"{line}\n" for line in lines)
    whole = (
        [] if not finder.is_candidate(text.encode()) else list(finder.in_whole("f", text.encode()))
    )
    ends = sorted({min(cut, len(lines)) for cut in cuts} | {0, len(lines)})
    blocks = _Lines(finder, "f")
    pieces = []
    for begin, end in zip(ends, ends[1:]):
        block = "".join(f"{line}\n" for line in lines[begin:end])
        pieces += list(blocks.in_block(block.encode()))
    assert pieces == whole
