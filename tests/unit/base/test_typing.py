"""The stand-in for ``typing.NamedTuple`` makes classes that behave as the real one's do."""

from __future__ import annotations

import copy
import inspect
import keyword
import pickle
import types
import typing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pi.base.typing
from pi.agent.events import AgentEnd
from pi.tools.decision import Step

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name) and name not in ("count", "index")
)


def made_by(base: Any, body: dict[str, Any]) -> Any:
    return types.new_class("Made", (base,), exec_body=lambda names: names.update(body))


def outcome(call: Any) -> Any:
    try:
        made = call()
    except TypeError:
        return "TypeError"
    return tuple(made), repr(made), made._asdict()


class Both(typing.NamedTuple):
    mine: Any
    real: Any


@st.composite
def classes(draw: st.DrawFn) -> Both:
    fields = draw(st.dictionaries(NAMES, st.integers(), min_size=1, max_size=9))
    without = draw(st.integers(0, len(fields)))
    body: dict[str, Any] = {"__annotations__": dict.fromkeys(fields, int), "__module__": __name__}
    body.update({name: fields[name] for name in list(fields)[without:]})
    mine = made_by(pi.base.typing.NamedTuple, body)
    real = made_by(typing.NamedTuple, body)
    return Both(mine, real)


@settings(max_examples=150, deadline=None)
@given(classes(), st.lists(st.integers(), max_size=10), st.dictionaries(NAMES, st.integers()))
def test_calls_have_the_outcome_of_the_real_class(
    both: Both, values: list[int], named: dict[str, int]
) -> None:
    """Positional and named values, too many, too few and unknown ones; ``_make``, ``_replace``."""
    mine, real = both
    fields = real._fields
    known = dict(zip(reversed(fields), values))
    for given_ in (known, named, {}):
        assert outcome(lambda g=given_: mine(*values, **g)) == outcome(
            lambda g=given_: real(*values, **g)
        )
        assert outcome(lambda g=given_: mine(**g)) == outcome(lambda g=given_: real(**g))
    assert outcome(lambda: mine._make(values)) == outcome(lambda: real._make(values))
    whole = range(len(fields))
    assert tuple(mine._make(whole)._replace(**known)) == tuple(real._make(whole)._replace(**known))
    assert [getattr(mine._make(whole), name) for name in fields] == list(whole)
    for name in ("_fields", "_field_defaults", "__slots__"):
        assert getattr(mine, name) == getattr(real, name)
    assert list(inspect.signature(mine).parameters) == list(inspect.signature(real).parameters)


def test_a_value_is_copied_and_pickled_as_itself() -> None:
    step = Step("check", "allow", "said")
    for again in (copy.copy(step), copy.deepcopy(step), pickle.loads(pickle.dumps(step))):
        assert again == step
        assert type(again) is Step


def test_a_value_has_no_room_for_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Step("check", "allow", "said").other = 1  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        Step("check", "allow", "said").check = "x"  # type: ignore[misc]


def test_an_unknown_field_is_not_replaced() -> None:
    with pytest.raises(TypeError, match="other"):
        Step("check", "allow", "said")._replace(other=1)  # type: ignore[call-arg]


def test_values_of_the_program_are_of_plain_classes_derived_from_tuple() -> None:
    assert type(AgentEnd) is type
    assert issubclass(AgentEnd, tuple)


@pytest.mark.parametrize(
    "body",
    [
        "a: int = 1\n    b: int",
        "_a: int",
        "pass",
    ],
)
def test_what_the_real_one_refuses_is_refused(body: str) -> None:
    text = f"class Made(NamedTuple):\n    {body}\n"
    with pytest.raises((TypeError, ValueError)):
        exec(text, {"NamedTuple": pi.base.typing.NamedTuple, "__name__": __name__})
