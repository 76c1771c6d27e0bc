"""The schema validator against the reference implementation."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from pi.agent.arguments import lenient
from pi.agent.schema import TYPES, first_error
from pi.agent.schema_check import describe, schema_error
from tests.fakes.examples import few

words = st.text("ab1", max_size=3)
names = st.sampled_from(["a", "b", "path", "file_path"])
numbers = st.one_of(st.integers(-3, 3), st.sampled_from([0.0, 1.0, 1.5, -2.5]))
scalars = st.one_of(st.none(), st.booleans(), numbers, words)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=3)),
    max_leaves=8,
)
types = st.sampled_from(sorted(TYPES))
patterns = st.sampled_from(["^a", "b$", "[ab]1", "^$", "a|1"])


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Schemas of every keyword; ``inner`` makes the schemas within."""
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.one_of(types, st.lists(types, min_size=1, max_size=3, unique=True)),
            "enum": st.lists(values, min_size=1, max_size=3),
            "const": values,
            "minimum": numbers,
            "maximum": numbers,
            "minLength": st.one_of(st.integers(0, 3), st.just(1.0)),
            "maxLength": st.integers(0, 3),
            "pattern": patterns,
            "properties": st.dictionaries(names, inner, max_size=3),
            "patternProperties": st.dictionaries(patterns, inner, max_size=2),
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": inner,
            "items": inner,
            "anyOf": several,
            "oneOf": several,
            "allOf": several,
            "description": words,
        },
    )


schemas = st.recursive(st.one_of(st.booleans(), objects(st.booleans())), objects, max_leaves=4)
# A schema with something else in the place of a keyword's value, or of a schema within.
rubbish = st.recursive(values, lambda inner: st.one_of(inner, objects(inner)), max_leaves=4)


@given(schemas, values)
@settings(max_examples=few(250), deadline=None)
def test_a_value_is_valid_exactly_if_the_reference_says_so(schema: Any, value: Any) -> None:
    """For every schema of our keywords and every value the verdicts are equal."""
    assert schema_error(schema) == ""
    expected = Draft202012Validator(schema).is_valid(value)
    assert (first_error(value, schema) == "") == expected


@given(rubbish)
@settings(max_examples=few(150), deadline=None)
def test_a_broken_schema_is_found_exactly_if_the_reference_finds_it(schema: Any) -> None:
    """Verdicts on schemas agree too, apart from what we allow on purpose: lists as ``items``,
    names that are named twice."""
    try:
        Draft202012Validator.check_schema(schema)
        is_right = True
    except SchemaError as error:
        is_right = False
        if error.validator == "uniqueItems" or "items" in error.absolute_path:
            return
    assert (schema_error(schema) == "") == is_right


@given(rubbish, values)
@settings(max_examples=80, deadline=None)
def test_nothing_makes_a_check_raise(schema: Any, value: Any) -> None:
    """A broken schema is a sentence; one that can be used is described and applied."""
    if schema_error(schema) == "":
        assert isinstance(describe(schema), str)
        assert isinstance(first_error(value, schema), str)
        if isinstance(value, dict):
            lenient(value, schema)


@given(schemas, st.dictionaries(names, values, max_size=3))
@settings(max_examples=80, deadline=None)
def test_valid_arguments_without_nulls_stay_as_they_are(schema: Any, value: Any) -> None:
    """What is valid is not changed, apart from nulls for optional properties, aliases and
    texts that the type of a property refuses."""
    if "null" in json.dumps(value) or "file_path" in json.dumps(value):
        return
    if first_error(value, schema) == "" and not isinstance(schema, bool):
        shaped, dropped = lenient(value, schema)
        assert (shaped, dropped) == (value, ())
