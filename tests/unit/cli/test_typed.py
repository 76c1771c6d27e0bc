"""What typed lines mean."""

from __future__ import annotations

import pytest

from pi.base.errors import UsageError
from pi.cli.typed import Entry, Gathering, Typed, goes_on, meaning


def fed(*lines: str) -> list[Entry | None]:
    gathering = Gathering()
    return [gathering.feed(line) for line in lines]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello", Typed("prompt", "hello")),
        ("  hello  ", Typed("prompt", "hello")),
        ("/help branch", Typed("command", "/help branch")),
        ("  /quit ", Typed("command", "/quit")),
        ("//quit is a word", Typed("prompt", "/quit is a word")),
        ("/etc/hosts looks wrong", Typed("prompt", "/etc/hosts looks wrong")),
        ("!git status", Typed("shell", "git status")),
        ("!! make ", Typed("aside", "make")),
        ("!", Typed("shell", "")),
        ("what is !x", Typed("prompt", "what is !x")),
        ("/", Typed("command", "/")),
        ("   ", None),
        ("", None),
    ],
)
def test_a_text_is_a_prompt_a_command_or_for_the_shell(text: str, expected: Typed | None) -> None:
    assert meaning(Entry(text)) == expected


def test_a_verbatim_text_is_a_prompt_whatever_it_looks_like() -> None:
    assert meaning(Entry("/quit", verbatim=True)) == Typed("prompt", "/quit")
    assert meaning(Entry("!rm -rf x", verbatim=True)) == Typed("prompt", "!rm -rf x")
    assert meaning(Entry(" \n ", verbatim=True)) is None


def test_a_line_that_ends_in_a_backslash_goes_on() -> None:
    assert fed("one\\", "two\\", "three") == [None, None, Entry("one\ntwo\nthree")]


def test_only_an_odd_number_of_backslashes_goes_on() -> None:
    assert [goes_on("a" + "\\" * count) for count in range(4)] == [False, True, False, True]
    assert fed("C:\\\\") == [Entry("C:\\\\")]
    assert fed("a\\ ") == [Entry("a\\ ")]


def test_a_block_is_one_prompt_with_everything_in_it() -> None:
    lines = ('"""', "/quit", "", "  indented\\", '"""')
    assert fed(*lines)[-1] == Entry("/quit\n\n  indented\\", verbatim=True)


def test_quotes_within_a_line_are_no_block() -> None:
    assert fed('say """hi"""') == [Entry('say """hi"""')]


def test_a_pasted_text_of_several_lines_runs_nothing() -> None:
    pasted = '/quit\n"""\n!rm -rf x\\'
    assert fed(pasted) == [Entry(pasted, verbatim=True)]
    assert fed("one line\n") == [Entry("one line\n")]


def test_a_block_that_never_ends_is_not_sent() -> None:
    gathering = Gathering()
    gathering.feed('"""')
    gathering.feed("delete everything")
    with pytest.raises(UsageError, match="within a block"):
        gathering.finish()
    assert not gathering.is_open


def test_the_end_of_the_input_completes_what_a_backslash_began() -> None:
    gathering = Gathering()
    assert gathering.finish() is None
    gathering.feed("one\\")
    assert gathering.is_open
    assert gathering.finish() == Entry("one")


def test_what_was_begun_can_be_forgotten() -> None:
    gathering = Gathering()
    gathering.feed('"""')
    gathering.clear()
    assert gathering.feed("hello") == Entry("hello")
