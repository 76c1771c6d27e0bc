"""Laws of settings files and of layers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.errors import ConfigError
from pi.base.json_members import BadJson, read_members
from pi.cli.config_reading import layer_of
from pi.cli.config_rules import checked, is_for_one_run, refusal
from pi.cli.flags import BY_NAME, FLAGS
from pi.cli.parse import Layer, parse
from tests.fakes.examples import few

SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
NAMES = st.sampled_from([flag.name[2:] for flag in FLAGS]) | st.text(max_size=12)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=6)
BLANKS = st.sampled_from(["", " ", "\n", "\t\r\n  "])
KEPT = [flag for flag in FLAGS if not refusal(flag, "user")]


@settings(max_examples=few(300), deadline=None)
@given(OBJECTS, BLANKS, st.booleans())
def test_members_are_what_the_standard_reader_gives_in_any_spelling(
    value: dict[str, Any], blank: str, ascii_only: bool
) -> None:
    """The members of any object are its items in their order; the place of each is that of
    its name in the text."""
    text = blank + json.dumps(value, ensure_ascii=ascii_only, indent=len(blank)) + blank
    found = read_members(text)
    assert [(member.name, member.value) for member in found] == list(value.items())
    lines = text.split("\n")
    for member in found:
        quoted = json.dumps(member.name, ensure_ascii=ascii_only)
        assert lines[member.line - 1][member.column - 1 :].startswith(quoted)


@settings(max_examples=few(400), deadline=None)
@given(st.text(max_size=40) | OBJECTS.map(json.dumps).flatmap(
    lambda text: st.integers(0, len(text)).map(lambda at: text[:at])
))  # fmt: skip
def test_any_text_is_members_or_one_error_inside_the_text(text: str) -> None:
    """Whatever a file holds comes to members or to a BadJson whose place is in the text."""
    place = (1, 1)
    try:
        read_members(text)
    except BadJson as exc:
        place = (exc.line, exc.column)
    lines = text.split("\n")
    assert 1 <= place[0] <= len(lines)
    assert 1 <= place[1] <= len(lines[place[0] - 1]) + 1


@settings(max_examples=few(400), deadline=None)
@given(OBJECTS, st.sampled_from(["user", "project"]))
def test_a_file_is_a_layer_of_known_flags_or_one_error(value: dict[str, Any], level: str) -> None:
    """A layer holds flags that may be there, with values their kind can have; everything
    else is a note or a ConfigError."""
    failure = ""
    try:
        layer, notes = layer_of(json.dumps(value), "/s.json", level, "/p", "/h")
    except ConfigError as exc:
        failure = exc.message
    if failure:
        assert failure.startswith("/s.json:")
        return
    for name, held in layer.values.items():
        assert not refusal(BY_NAME[name], level)
        assert checked(BY_NAME[name], list(held) if isinstance(held, tuple) else held) == held
    assert len(layer.values) + len(notes) == len([name for name in value if name != "$schema"])
    parse([], {}, [layer])


FLAG_VALUES = {
    "bool": st.booleans(),
    "int": st.integers(1, 10**6),
    "list": st.lists(st.sampled_from(["a", "b"]), min_size=1).map(tuple),
    "repeat": st.lists(st.sampled_from(["a", "b"]), min_size=1).map(tuple),
}


@st.composite
def layer_values(draw: st.DrawFn) -> dict[str, object]:
    flags = draw(st.lists(st.sampled_from(KEPT), max_size=8, unique_by=lambda flag: flag.name))
    return {
        flag.name: draw(
            st.sampled_from(flag.choices)
            if flag.kind == "choice"
            else FLAG_VALUES.get(flag.kind, st.sampled_from(["x", "y"]))
        )
        for flag in flags
    }


@settings(max_examples=few(200), deadline=None)
@given(st.lists(layer_values(), max_size=4))
def test_the_highest_layer_wins_and_nothing_that_excludes_it_holds(
    layers: list[dict[str, object]],
) -> None:
    """Each value is that of the first layer that has it, unless something that says
    anything in a layer above excludes it: then it is the default."""
    named = [Layer(str(index), f"/{index}", values) for index, values in enumerate(layers)]
    found = parse([], {}, named)
    for flag in FLAGS:
        source = found.sources[flag.name]
        holders = [index for index, values in enumerate(layers) if flag.name in values]
        if source == "default":
            assert found.values[flag.name] == flag.default
            continue
        assert found.values[flag.name] == layers[int(source)][flag.name]
        assert found.where[flag.name] == f"/{source}"
        assert int(source) == holders[0]
    for flag in FLAGS:
        for other in flag.clashes:
            both = [name for name in (flag.name, other) if found.given(name)]
            said = [name for name in both if found.values[name] is not False]
            assert len(said) < 2 or len({found.sources[name] for name in said}) == 1


def test_what_is_for_one_run_never_stands_in_a_file() -> None:
    """No flag of one run gets through, at either level."""
    for flag in FLAGS:
        if is_for_one_run(flag) or flag.kind == "secret":
            assert refusal(flag, "user")
            assert refusal(flag, "project")
