from __future__ import annotations

import pytest

from pi.ai.rescue_marks import CALLS_BEGIN, MARKERS, marker_part, verdict

NAMES = ("read", "read_all")

CALLS = [
    '{"name":"read","arguments":{}}',
    ' [ {"name" : "read_all"'.strip(),
    '{"type":"function"',
    '```json\n{"name":"read"',
    "<function=read>",
    '<function="read">',
    '<tool_call>\n{"name":"read"',
    "<tool_call>\n<function=read>",
    '<|python_tag|>{"name":"read"',
    '[TOOL_CALLS][{"name":"read"',
    "[TOOL_CALLS]read[ARGS]",
    CALLS_BEGIN,
]
OTHERS = [
    "{1",
    '{"nam":',
    '{"name":3',
    '{"name":"reads"',
    '{"name" "',
    "[1]",
    "```python\n",
    "```json x",
    "```\nwords",
    "````",
    "`code`",
    "<function=reads>",
    "<tool_call>read",
    "<tool_call><b>",
    "<|python_tag|>print()",
    "[TOOL_CALLS]reads{",
]


@pytest.mark.parametrize(
    ("head", "expected"), [*((c, True) for c in CALLS), *((o, False) for o in OTHERS)]
)
def test_a_beginning_is_judged_as_soon_as_it_can_be_and_for_good(head: str, expected: bool) -> None:
    assert verdict(head, NAMES) is expected
    assert verdict(head + " more <text> {", NAMES) is expected
    # Asked about from the whole marker on; part of one is kept back without asking.
    least = next((len(marker) for marker in MARKERS if head.startswith(marker)), 1)
    seen = [verdict(head[:end], NAMES) for end in range(least, len(head))]
    undecided = seen.count(None)
    assert seen == [None] * undecided + [expected] * (len(seen) - undecided)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("a <", 2),
        ("a <tool", 2),
        ("a <b", 4),
        ("a [TOOL_CALLS", 2),
        ("", 0),
        ("<<", 1),
        ("a <|", 2),
    ],
)
def test_the_end_of_a_text_may_be_part_of_a_marker(text: str, at: int) -> None:
    assert marker_part(text, 0) == at


def test_what_is_before_the_place_asked_from_does_not_count() -> None:
    assert marker_part("<tool", 1) == 5
