"""Laws of macros: a value is data; any file is content or a told error; nothing is lost."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from pi.base.errors import ConfigError
from pi.commands.arguments import ArgumentError, read_arguments, split_line
from pi.commands.macro_plan import Macro, check, expand, read_macro
from pi.commands.macro_text import BadLine, Values, read_values, substitute, template
from pi.commands.store_text import MACROS, encode_store, parse_store, with_entry
from pi.commands.table import BY_NAME
from tests.fakes.examples import few

whatever = st.text(max_size=20).filter(lambda text: "\0" not in text)
values = st.lists(
    st.sampled_from(["--json", "--", "a b", "'", '"', "\\", "$1", "x=1", "/quit", "", "\n"])
    | whatever,
    min_size=2,
    max_size=4,
).filter(lambda given: all(text.isprintable() or text.encode("utf-8", "ignore") for text in given))
LINES = ("/session-diff $1 ${2}", "/branch-alias set $1 x-$2 --force", "/session-diff $2 $1")


@settings(max_examples=few(150), deadline=None)
@given(st.sampled_from(LINES), values)
def test_a_value_arrives_whole_and_is_no_flag(line: str, given_values: list[str]) -> None:
    """The command, its flags and the number of its words are those of the stored line."""
    made = template(line)
    name, raw = split_line(substitute(line, Values(tuple(given_values))))
    assert name == made.name
    found = read_arguments(BY_NAME[name], raw)
    expected = {
        LINES[0]: tuple(given_values[:2]),
        LINES[1]: ("set", given_values[0], f"x-{given_values[1]}"),
        LINES[2]: (given_values[1], given_values[0]),
    }[line]
    assert found.words == expected
    assert dict(found.options) == dict(made.arguments.options)
    assert found.as_json == made.arguments.as_json


@settings(max_examples=few(80), deadline=None)
@given(values)
def test_the_value_of_a_flag_stays_that_flags_value(given_values: list[str]) -> None:
    """``--tool $1`` sets this flag to this value, whatever it looks like."""
    line = "/session-search $2 --tool $1"
    name, raw = split_line(substitute(line, Values(tuple(given_values))))
    found = read_arguments(BY_NAME[name], raw)
    assert dict(found.options) == {"tool": given_values[0]}
    assert found.words == (given_values[1],)


@settings(max_examples=few(80), deadline=None)
@given(values)
def test_a_value_handed_to_another_macro_arrives_there_whole(given_values: list[str]) -> None:
    """Calls in between change nothing of it, and it names no parameter."""
    lines = {"a": ("/macro run b -- $2 $1",), "b": ("/session-diff $1 $2 ${x:-}",)}

    def find(name: str) -> Macro:
        return Macro(name, lines[name], "p", "project")

    check(find("a"), find)
    (step,) = expand(find("a"), Values(tuple(given_values[:2])), find)
    spec = BY_NAME["/session-diff"]._replace(words=(0, 9))
    words = read_arguments(spec, split_line(step.line)[1]).words
    assert words == (given_values[1], given_values[0], "")


@settings(max_examples=few(200), deadline=None)
@given(st.text(max_size=60) | st.text("/$@{}:-12 \"'\\=ab", max_size=30).map("/branch {}".format))
@example("/branch ${1:-$2}")
@example("/policy check bash '$1")
def test_any_line_is_a_template_or_a_bad_line(line: str) -> None:
    """No other exception, and a line without parameters is run as it is stored."""
    try:
        made = template(line)
        done = substitute(line, Values(("1", "2", "3"), {"a": "x", "b": "y"}))
    except BadLine:
        return
    if not made.parameters:
        assert done == line
    name, raw = split_line(done)
    try:
        read_arguments(BY_NAME[name.lower()], raw)
    except ArgumentError:
        pass  # too few words, say: told when it is run


@settings(max_examples=few(100), deadline=None)
@given(st.lists(whatever, max_size=6))
def test_typed_words_are_all_values(words: list[str]) -> None:
    """Each word is one value, but for one ``--`` that only parts them."""
    found = read_values(words, template("/session-diff $1 ${x}").parameters)
    marks = 1 if "--" in words else 0
    named = sum(word.startswith("x=") for word in words[: [*words, "--"].index("--")])
    assert len(found.positional) == len(words) - marks - named


jsons = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False,
        allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner,
        max_size=3),
    max_leaves=12,
)  # fmt: skip
contents = st.dictionaries(st.text(max_size=8), jsons, max_size=3).map(
    lambda rest: {**rest, "schema_version": 1}
)


def parsed(data: bytes) -> dict[str, Any] | None:
    try:
        return parse_store(data, "p", MACROS)
    except ConfigError:
        return None


@settings(max_examples=few(150), deadline=None)
@given(st.binary(max_size=60) | jsons.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_content_or_a_told_error(data: bytes) -> None:
    """Never another exception; what is content holds an object of names."""
    found = parsed(data)
    if found is not None:
        assert isinstance(found["macros"], dict)


@settings(max_examples=few(100), deadline=None)
@given(contents, st.dictionaries(st.text(max_size=8), jsons, max_size=4), st.text(max_size=8))
def test_changing_one_name_changes_nothing_else(
    rest: dict[str, Any], macros: dict[str, Any], name: str
) -> None:
    """What is written comes back equal, all that nobody knows with it; names are sorted."""
    before = {**rest, "macros": macros}
    data = encode_store(with_entry(before, "macros", name, ["/session"]), MACROS)
    after = parsed(data)
    assert after == {**before, "macros": {**macros, name: ["/session"]}}
    assert after is not None
    assert list(after["macros"]) == sorted(after["macros"])
    assert read_macro(name, after, "p", "user").lines == ("/session",)
    gone = parsed(encode_store(with_entry(after, "macros", name, None), MACROS))
    assert gone == {**before, "macros": {k: v for k, v in macros.items() if k != name}}
