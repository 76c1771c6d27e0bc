from __future__ import annotations

import json
from typing import Any

import pytest

from pi.ai.jsontext import MAX_DEPTH, dump, dump_bytes, parse, parse_strict_prefix

DEEP = 100_000


def nested(depth: int) -> Any:
    value: Any = []
    for _ in range(depth - 1):
        value = [value]
    return value


@pytest.mark.parametrize("text", ["", "  ", "{", "{} x", "nul", "[" * DEEP, '{"a":' * DEEP])
def test_anything_but_one_value_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


def test_reading_is_generous_with_space_and_control_characters() -> None:
    assert parse(' \n{"a":"x\ny\x00"}\t') == {"a": "x\ny\x00"}


@pytest.mark.parametrize("text", ["NaN", '{"a":-Infinity}', '{"a":[1e999]}', "[" * DEEP])
def test_the_strict_reader_refuses_what_cannot_be_written_again(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_strict_prefix(text)


def test_the_strict_reader_returns_the_rest() -> None:
    assert parse_strict_prefix(' {"a":1.5} tail ') == ({"a": 1.5}, "tail")


def test_the_strict_reader_stops_at_the_depth_limit() -> None:
    assert parse_strict_prefix(json.dumps(nested(MAX_DEPTH)))[0] == nested(MAX_DEPTH)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_strict_prefix(json.dumps(nested(MAX_DEPTH + 1)))
    wide = [[{}, 1]] * MAX_DEPTH
    assert parse_strict_prefix(json.dumps(wide))[0] == wide


def test_escaped_halves_are_repaired_by_the_strict_reader() -> None:
    text = r'{"k\ud83d":"\ud83d\ude00 \ude00","n":"\u00e4"}'
    assert parse_strict_prefix(text)[0] == {"k\ufffd": "😀 \ufffd", "n": "ä"}
    assert parse_strict_prefix(r'["\u00e4"]')[0] == ["ä"]


def test_writing_is_compact_and_keeps_order_and_characters() -> None:
    assert dump({"b": [1, "ä"], "a": None}) == '{"b":[1,"ä"],"a":null}'


def test_numbers_that_json_lacks_become_null() -> None:
    assert dump({"a": [float("nan"), 1.5], "b": (float("-inf"),)}) == '{"a":[null,1.5],"b":[null]}'


def test_deep_nesting_is_cut_instead_of_failing() -> None:
    deep = nested(DEEP)
    written = dump({"a": deep})
    assert json.loads(written)["a"] is not None
    while deep:  # taken apart by hand: freeing it in one go is deep recursion as well
        deep = deep.pop()


def test_bytes_are_utf_8_whatever_the_text() -> None:
    assert dump_bytes(["\ud83d", "\ud83d\ude00", "ä"]) == '["\ufffd","😀","ä"]'.encode()
