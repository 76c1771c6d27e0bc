"""Prompt templates: reading a file, splitting arguments, filling places."""

from __future__ import annotations

import pytest

from pi.commands.expansion import expand, is_name, read_template, split_arguments


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("$1 and $2", "a and b c"),
        ("[$3] [$4] [$0] [$10]", "[d] [] [] []"),
        ("$@", "a b c d"),
        ("$ARGUMENTS!", "a b c d!"),
        ("${@:2}", "b c d"),
        ("${@:0}", "a b c d"),
        ("${@:2:1}", "b c"),
        ("${@:2:0}.", "."),
        ("${@:9}.", "."),
        ("$1$1", "aa"),
        ("${@:1:99999999999999999999} ${@:99999999999999999999}.", "a b c d ."),
        ("$99999999999999999999 $@", " a b c d"),
        ("$ARGUMENTSX ${1} $x $ @ ${@} $1", "$ARGUMENTSX ${1} $x $ @ ${@} a"),
    ],
)
def test_places_are_filled_with_arguments(body: str, text: str) -> None:
    assert expand(body, ("a", "b c", "d")) == text


def test_what_an_argument_holds_is_no_place() -> None:
    assert expand("$1 $2", ("$2", "$1")) == "$2 $1"
    assert expand("$@", ("$1", "${@:1}")) == "$1 ${@:1}"


def test_arguments_without_a_place_follow_the_text() -> None:
    assert expand("Review this.\n", ("a", "b")) == "Review this.\n\na b"
    assert expand("Review this.\n", ()) == "Review this.\n"
    assert expand("", ("a",)) == "a"


@pytest.mark.parametrize(
    ("typed", "arguments"),
    [
        ("", ()),
        ("a  b", ("a", "b")),
        ("'a b' \"c d\" e\\ f ''", ("a b", "c d", "e f", "")),
        ("it's open", ("it's", "open")),
    ],
)
def test_arguments_are_split_as_a_shell_splits_words(
    typed: str, arguments: tuple[str, ...]
) -> None:
    assert split_arguments(typed) == arguments


def test_a_head_says_what_a_template_is_for() -> None:
    text = (
        "---\r\ndescription: 'Look: closely'\r\nargument-hint: <file>\r\nmodel: x\r\n---\r\n\r\n"
        "# Do it\r\n$1\r\n"
    )
    found = read_template("look", "/p/look.md", "user", text)
    assert (found.description, found.arguments, found.body) == (
        "Look: closely", "<file>", "# Do it\n$1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "body", "description"),
    [
        ("## First line\nsecond", "## First line\nsecond", "First line"),
        ("---\nno end of the head", "---\nno end of the head", "---"),
        ("---\nnot yaml at all: [\n---\nbody", "body", "body"),
        ("---\n---\n", "", ""),
        ("x" * 500, "x" * 500, "x" * 200),
    ],
)
def test_a_template_needs_no_head(text: str, body: str, description: str) -> None:
    found = read_template("t", "/t.md", "user", text)
    assert (found.body, found.description) == (body, description)


def test_a_name_is_one_word_behind_a_slash() -> None:
    for name in ("review", "fix-issue_2", "A.b"):
        assert is_name(name)
    for name in ("", ".x", "-x", "a b", "a/b", "x" * 65, "é", "a\n", "\udcff"):
        assert not is_name(name)
