from __future__ import annotations

from typing import Any

import pytest

from pi.skills import strict_json
from pi.skills.strict_json import BadJson, parse


def test_ordinary_json_is_read() -> None:
    assert parse(b' {"a": [1, 2.5, true, null, "\xc3\xa9\\u00e9\\ud83d\\ude00"]} ') == {
        "a": [1, 2.5, True, None, "éé\U0001f600"]
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xef\xbb\xbf{}", "byte-order mark"),
        (b"\xff\xfe{\0}\0", "is not UTF-8"),
        (b'"\xed\xa0\x80"', "is not UTF-8"),
        (b'{"a":1,"a":1}', "'a' twice"),
        (b'[{"x":{"b":1,"c":2,"b":3}}]', "'b' twice"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "out of range"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\udc00x":1}', "half a character"),
        (b"[" * 100_000, "nested too deeply"),
        (b"", "at line 1 column 1"),
        (b'{"a":\n }', "at line 2 column 2"),
        (b"{} x", "Extra data"),
        (b"{'a':1}", "at line 1"),
        (b'"\x00"', "Invalid control character"),
        (b"[1,]", "at line 1"),
    ],
)
def test_what_a_strict_reader_refuses_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(BadJson, match=why):
        parse(data)


def test_a_number_of_very_many_digits_costs_no_time() -> None:
    assert parse(b"1" * 1000) == int("1" * 1000)
    with pytest.raises(BadJson, match="holds a number that is too long"):
        parse(b"1" * 5_000_000)


BIG = strict_json.MAX_U64


@pytest.mark.parametrize("value", [0, 1, BIG])
def test_integers_in_range_are_taken(value: int) -> None:
    assert strict_json.integer({"n": value}, "n", "x", BIG) == value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (True, "x: n must be an integer, not true"),
        (False, "not false"),
        (1.0, "not a float"),
        ("1", "not a string"),
        (None, "not null"),
        ([], "not an array"),
        ({}, "not an object"),
        (-1, "between 0 and"),
        (BIG + 1, "between 0 and"),
    ],
)
def test_nothing_else_is_an_integer(value: Any, why: str) -> None:
    with pytest.raises(BadJson, match=why):
        strict_json.integer({"n": value}, "n", "x", BIG)


def test_absent_and_null_mean_none_where_a_field_is_optional() -> None:
    for fields in ({}, {"n": None}):
        assert strict_json.optional_integer(fields, "n", "x", 9) is None
        assert strict_json.optional_string(fields, "n", "x") is None


def test_null_is_no_truth_value_and_no_array() -> None:
    assert strict_json.flag({}, "n", "x") is False
    assert strict_json.array({}, "n", "x") == []
    with pytest.raises(BadJson, match="n must be true or false, not null"):
        strict_json.flag({"n": None}, "n", "x")
    with pytest.raises(BadJson, match="n must be an array, not null"):
        strict_json.array({"n": None}, "n", "x")
    with pytest.raises(BadJson, match="n is missing"):
        strict_json.array({}, "n", "x", required=True)
    with pytest.raises(BadJson, match="x must be an object, not an array"):
        strict_json.typed_object([], "x")
