"""The words behind a command: blanks, quotes, flags, and what is refused."""

from __future__ import annotations

import pytest

from pi.commands.arguments import ArgumentError, Arguments, read_arguments, split_line
from pi.commands.table import BY_NAME, CommandSpec, Option

SPEC = CommandSpec(
    *("/x", "/x <a> [b]", "", "m:f"),
    options=(
        Option("mode", "text", ("one", "two")),
        Option("note", "text"),
        Option("limit", "int", minimum=1, maximum=200),
        Option("dry-run"),
    ),
    words=(1, 2),
)
PATH = SPEC._replace(words=(1, 1), whole=True)


def read(raw: str, spec: CommandSpec = SPEC) -> Arguments:
    return read_arguments(spec, raw)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("/branch 12", ("/branch", "12")),
        ("  /branch   12  ", ("/branch", "12")),
        ("/branch\t12 13", ("/branch", "12 13")),
        ("/branch", ("/branch", "")),
        ("", ("", "")),
    ],
)
def test_a_line_is_a_name_and_the_rest(line: str, parts: tuple[str, str]) -> None:
    assert split_line(line) == parts


def test_words_and_flags_in_any_order() -> None:
    found = read("a --limit 5 b --mode=TWO --dry-run")
    assert found.words == ("a", "b")
    assert found.options == {"limit": 5, "mode": "two", "dry-run": True}
    assert not found.as_json
    assert read("--json a").as_json


def test_quotes_keep_blanks_and_two_dashes_end_the_flags() -> None:
    assert read('\'a b\' "c\\"d"').words == ("a b", 'c"d')
    assert read("-- --limit --json").words == ("--limit", "--json")
    assert read("a --note=''").options == {"note": ""}


def test_a_path_may_have_blanks_and_an_apostrophe() -> None:
    assert read("my file.jsonl", PATH).words == ("my file.jsonl",)
    assert read("it's here", PATH).words == ("it's here",)
    assert read("'two  blanks'", PATH).words == ("two  blanks",)


@pytest.mark.parametrize(
    ("raw", "why", "is_count"),
    [
        ("", "something is missing", True),
        ("a b c", "unexpected 'c'", True),
        ("a --nope", "unknown flag '--nope'", False),
        ("a --limit", "missing value for --limit", False),
        ("a --limit x", "invalid --limit 'x'; expected an integer", False),
        ("a --limit 1.5", "invalid --limit '1.5'; expected an integer", False),
        ("a --limit=-1", "invalid --limit '-1'; expected an integer", False),
        ("a --limit ٣", "invalid --limit '٣'; expected an integer", False),
        (f"a --limit {2**64}", "expected an integer", False),
        ("a --limit 0", "--limit must be at least 1", False),
        ("a --limit 201", "--limit must be at most 200", False),
        ("a --mode three", "invalid --mode 'three'; expected one of one, two", False),
        ("a --dry-run=yes", "--dry-run takes no value", False),
        ("a 'b", "no closing quotation in", False),
        ("a\0b", "a NUL character", False),
        ("a \ud800", "half a character", False),
    ],
)
def test_what_is_refused(raw: str, why: str, is_count: bool) -> None:
    with pytest.raises(ArgumentError) as caught:
        read(raw)
    assert why in str(caught.value)
    assert caught.value.is_count == is_count


def test_every_row_takes_what_its_example_says() -> None:
    for spec in set(BY_NAME.values()):
        name, raw = split_line(spec.example or spec.name)
        assert BY_NAME[name] is spec
        if spec.example or not spec.words[0]:
            read_arguments(spec, raw)
