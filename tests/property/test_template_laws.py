"""Laws of prompt templates."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.commands.expansion import PLACES, expand, read_template, split_arguments
from tests.fakes.examples import few

ARGUMENTS = st.lists(st.text(max_size=6), max_size=5)
PLACE = st.sampled_from(["$1", "$2", "$12", "$@", "$ARGUMENTS", "${@:2}", "${@:1:2}", "$", "${"])
BODIES = st.lists(PLACE | st.text(max_size=6), max_size=8).map("".join)


@settings(max_examples=few(300), deadline=None)
@given(BODIES, ARGUMENTS)
def test_a_text_without_places_is_kept_and_its_arguments_follow(
    body: str, arguments: list[str]
) -> None:
    """Without places the text stays, and what was typed is behind it."""
    body = re.sub(PLACES, "", body)
    if re.search(PLACES, body):
        return
    text = expand(body, arguments)
    typed = " ".join(arguments)
    if not typed:
        assert text == body
    else:
        assert text.startswith(body.rstrip())
        assert text.endswith(typed)


@settings(max_examples=few(300), deadline=None)
@given(BODIES, st.integers(0, 5), PLACE)
def test_each_place_is_filled_once(body: str, count: int, place: str) -> None:
    """An argument that looks like a place comes through as it is."""
    body = body.replace("\0", "")
    neutral = expand(body, ["\0"] * count)
    assert expand(body, [place] * count) == neutral.replace("\0", place)


@settings(max_examples=few(300), deadline=None)
@given(st.lists(st.text(alphabet="ab \"'\\$", max_size=5), max_size=5))
def test_quoted_arguments_come_back(arguments: list[str]) -> None:
    """Arguments quoted as a shell wants them are split into the same ones."""
    import shlex

    assert list(split_arguments(" ".join(map(shlex.quote, arguments)))) == arguments


@settings(max_examples=few(400), deadline=None)
@given(st.text(max_size=30))
def test_any_typed_text_is_arguments(text: str) -> None:
    """Splitting never fails, and without quotes it loses nothing but blanks."""
    found = split_arguments(text)
    if not any(sign in text for sign in "\"'\\"):
        assert "".join(found) == "".join(text.split())


HEADS = st.lists(st.sampled_from(["---", "description: x", "a", ": b", "", "- - -"]), max_size=6)


@settings(max_examples=few(300), deadline=None)
@given(HEADS.map("\n".join), st.text(max_size=30))
def test_any_text_is_a_template_whose_body_is_part_of_it(head: str, rest: str) -> None:
    """Reading never fails; the body is the end of the text, trimmed."""
    text = f"{head}\n{rest}".replace("\r\n", "\n")
    found = read_template("t", "/t.md", "user", text)
    assert text.strip().endswith(found.body)
