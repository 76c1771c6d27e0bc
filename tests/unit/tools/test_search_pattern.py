"""What is looked for, and which patterns are dangerous."""

from __future__ import annotations

import pytest

from pi.tools.outcome import ToolFailure
from pi.tools.search.pattern import make_pattern

TAME = (
    "foo",
    "foo.bar",
    "colou?r",
    "^import (os|sys)$",
    r"\bTODO\b",
    "[A-Z]{2,3}-[0-9]{4}",
    "a.{0,40}b",
    "(?i)hello",
    "(?=x)y",
    "(?:a|b|cd)(?:e|f)",
)
RISKY = (
    "(a+)+$",
    ".*",
    r"def \w+\(",
    "a{1,5000}",
    "(a?){50}a{50}",
    "(a|b|ab){40}",
    r"(.)\1",
    "(?P<q>['\"]).(?P=q)",
    "(a)?(?(1)b|c)",
    "(x{0,30}){0,30}",
    "(?:a|aa)+$",
)


def make(text: str) -> object:
    return make_pattern(text, literal=False, ignore_case=False)


@pytest.mark.parametrize("text", TAME)
def test_a_pattern_with_few_ways_to_match_is_tame(text: str) -> None:
    assert not make_pattern(text, literal=False, ignore_case=False).risky


@pytest.mark.parametrize("text", RISKY)
def test_a_pattern_that_may_not_end_is_risky(text: str) -> None:
    assert make_pattern(text, literal=False, ignore_case=False).risky


def test_text_needs_no_expression() -> None:
    for text, literal in (("a.b", True), ("abc", False), ("a\\.b", False), ("(abc)", False)):
        pattern = make_pattern(text, literal=literal, ignore_case=False)
        assert pattern.line is None
        assert pattern.exact == pattern.needle == text.replace("\\", "").strip("()")


@pytest.mark.parametrize(
    ("text", "needle"),
    [
        (r"def \w+\(", "def "),
        ("ab|cd", ""),
        ("(?i)abc", ""),
        ("a?bcd", "bcd"),
        ("x(?:yz)+w", "x"),
        ("(foo)bar", "foobar"),
        ("(?i:foo)b", "b"),
        ("é+abc", "abc"),
        ("ab[xy]\\ncd", ""),
    ],
)
def test_the_needle_is_what_every_match_holds(text: str, needle: str) -> None:
    assert make_pattern(text, literal=False, ignore_case=False).needle == needle


@pytest.mark.parametrize("text", ["a(?!b)", r"a\Z", r"\Aa", "(?<!b)a", r"(?<!\n)a"])
def test_what_only_a_single_line_can_tell_is_not_asked_of_a_whole_text(text: str) -> None:
    assert make_pattern(text, literal=False, ignore_case=False).whole is None


@pytest.mark.parametrize(
    "text", ["(", "[z-a]", "(?<=a+)b", "a{2,1}", "(?P<1>x)", "(" * 5000 + ")" * 5000]
)
def test_what_is_no_expression_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(ToolFailure, match="invalid regular expression"):
        make(text)


def test_a_pattern_of_another_age_gives_no_warning() -> None:
    make("[[a]b]")
    make("a||b&&[--c]")
