"""Laws of profiles: any JSON is one or is told; what is saved is read back; loosening is an
order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pi.base.text import visible
from pi.cli.loosening import loosened
from pi.cli.parse import parse
from pi.cli.profile_layer import flag_values
from pi.cli.tool_settings import ToolSettings, build_tool_settings
from pi.commands.profile_fields import (
    BY_NAME,
    FIELDS,
    BadProfile,
    differences,
    read_profile,
    worded,
    write_profile,
)
from tests.fakes.examples import few

scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
words = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), min_size=1,
                max_size=8)  # fmt: skip
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "text": words,
    "path": st.none() | words,
    "list": st.lists(words, max_size=3).map(tuple),
    "bool": st.booleans(),
    "int": st.integers(0, 2**63 - 1),
}
fields = st.fixed_dictionaries(
    {
        field.name: st.sampled_from(field.choices) if field.choices else KINDS[field.kind]
        for field in FIELDS
    }
)
names = st.lists(st.sampled_from(sorted(BY_NAME)), unique=True)
odd = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("model", "fallback_models", "set", "flags", "later"), values),
        "session": values | st.dictionaries(st.sampled_from(["enabled", "path"]), values),
        "policy": values
        | st.dictionaries(st.sampled_from(["bash_timeout_ms", "tool_policy_preset"]), values),
        "auth": values,
    },
)


@settings(max_examples=few(120), deadline=None)
@given(odd | values)
def test_any_json_is_a_profile_or_a_bad_one(raw: Any) -> None:
    """Never another exception, also where it becomes flags; every field has a value."""
    try:
        found = read_profile(raw)
        assert list(found.effective()) == [field.name for field in FIELDS]
        flag_values(found)
    except BadProfile:
        pass


@settings(max_examples=few(100), deadline=None)
@given(fields, names, st.dictionaries(words, values, max_size=3), st.none() | odd)
def test_what_is_saved_is_read_back(
    stored: dict[str, Any], sets: list[str], flags: dict[str, Any], before: dict[str, Any] | None
) -> None:
    """Values, what is set and flags come back equal, and what was there and nobody knows
    is still there."""
    made = write_profile(stored, sets, flags, before)
    found = read_profile(made)
    assert dict(found.values) == stored
    assert set(found.sets) == set(sets)
    assert dict(found.flags) == flags
    assert made.get("later") == (before or {}).get("later")
    assert write_profile(stored, sets, flags, made) == made


@settings(max_examples=few(100), deadline=None)
@given(fields, fields)
def test_differences_are_where_values_differ(one: dict[str, Any], other: dict[str, Any]) -> None:
    """None for equal values, and each names a field once; every value has a form on one line."""
    assert differences(one, one) == []
    found = differences(one, other)
    assert [name for name, _, _ in found] == [name for name in BY_NAME if one[name] != other[name]]
    for text in [worded(value) for _, *pair in found for value in pair]:
        assert visible(text) == text
        assert not set("\r\n\t\u2028") & set(text)


knobs = st.fixed_dictionaries(
    {"--tool-policy-preset": st.sampled_from(["permissive", "balanced", "strict", "hardened"])},
    optional={
        "--bash-timeout-ms": st.sampled_from(["1", "100000", "999999"]),
        "--bash-profile": st.sampled_from(["permissive", "balanced", "strict"]),
        "--os-sandbox-mode": st.sampled_from(["off", "auto", "force"]),
        "--allow-command": st.sampled_from(["git*", "git", "curl"]),
        "--sandbox-net": st.sampled_from(["true", "false"]),
        "--tools": st.sampled_from(["read", "read,bash"]),
    },
)


def tools(flags: dict[str, str]) -> ToolSettings:
    return build_tool_settings(parse([f"{name}={value}" for name, value in flags.items()], {}))


@settings(max_examples=few(80), deadline=None)
@given(knobs, knobs, knobs)
def test_not_looser_holds_on(
    one: dict[str, str], two: dict[str, str], three: dict[str, str]
) -> None:
    """Nothing is looser than itself; what is no looser than something no looser is no looser
    than the first."""
    a, b, c = tools(one), tools(two), tools(three)
    assert loosened(a, a) == ()
    if not loosened(a, b) and not loosened(b, c):
        assert loosened(a, c) == ()
